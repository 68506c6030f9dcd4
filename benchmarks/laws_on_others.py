"""The laws aimed at other people's code: is the verdict true, does the hint lead to the cause?

    python -m benchmarks.laws_on_others

prints a table: implementation, law, verdict, whether that verdict is true, and whether the hint
names the cause. What is not installed (the extra ``peers``) is left out, and said so. The tests in
``tests/peers`` assert every line of it.
"""

import contextlib
import importlib
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib import laws
from seq2seq_lib.laws import Conventions, Verdict


@dataclass(frozen=True)
class Line:
    """One law on one implementation.

    Attributes:
        name: the implementation, and what was done to it.
        law: its number or name.
        judge: gives the verdict.
        right: whether the law should hold: what is known of the implementation without the law.
        hint: words of the verdict's hint that name the cause; empty where it should hold.
        source: where the bug was reported or can be read.
    """

    name: str
    law: str
    judge: Callable[[], Verdict]
    right: bool = True
    hint: str = ""
    source: str = ""


def load(name: str):
    """A module of somebody else's, without a network and whatever it warns of."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Empty modules in place of what somebody's code imports and does not need here."""
    kept = {name: sys.modules.get(name) for name in names}
    for name in names:
        made = types.ModuleType(name)
        made.__getattr__ = lambda attribute: None
        sys.modules[name] = made
    try:
        yield
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


# ---------------------------------------------------------------- transformers

V = 17
SMALL = {"vocab_size": V, "d_model": 16, "max_position_embeddings": 64}
BARTS = {
    **{f"{part}_{what}": 1 for part in ("encoder", "decoder") for what in ("layers",)},
    **{f"{part}_attention_heads": 2 for part in ("encoder", "decoder")},
    **{f"{part}_ffn_dim": 16 for part in ("encoder", "decoder")},
    "forced_eos_token_id": None,
}


def hugging_face(kind: str) -> torch.nn.Module:
    """A random one, as small as it goes."""
    made = load("transformers")
    made.logging.set_verbosity_error()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if kind == "BART":
            config = made.BartConfig(**SMALL, **BARTS)
            model = made.BartForConditionalGeneration(config)
        elif kind == "Marian":
            ids = {"pad_token_id": 16, "decoder_start_token_id": 16, "eos_token_id": 0}
            config = made.MarianConfig(**SMALL, **BARTS, **ids, bos_token_id=None)
            model = made.MarianMTModel(config)
        elif kind == "T5":
            sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
            config = made.T5Config(vocab_size=V, decoder_start_token_id=0, **sizes)
            model = made.T5ForConditionalGeneration(config)
        else:
            ids = {"bos_token_id": 16, "eos_token_id": 16, "pad_token_id": 16}
            sizes = {"n_positions": 64, "n_embd": 16, "n_layer": 1, "n_head": 2}
            model = made.GPT2LMHeadModel(made.GPT2Config(vocab_size=V, **sizes, **ids))
    return model.eval()


def law1(a: laws.Adapter, **given) -> Verdict:
    """Law 1 on what is named, or on all that an adapter has."""
    given = given or {"encode": a.encode, "logits": a.logits, "loss": a.loss, "decode": a.decode}
    given.setdefault("conventions", a.conventions)
    return laws.batch_invariance(**{**a.sizes, **given})


NUM_ITEMS = "https://github.com/huggingface/transformers/issues/47688"


def of_hugging_face(kind: str) -> Iterator[Line]:
    model = hugging_face(kind)
    a = laws.of_hugging_face(model)
    beams = laws.of_hugging_face(model, num_beams=3)
    yield Line(kind, "1", lambda: law1(a))
    yield Line(f"{kind}, 3 beams", "1", lambda: law1(a, decode=beams.decode))
    yield Line(kind, "reads", lambda: laws.reads_source(a.logits, **a.sizes))
    yield Line(
        f"{kind}, cache", "4", lambda: laws.parallel_stepwise(a.logits, a.start, a.step, **a.sizes)
    )
    yield Line(kind, "gradient", lambda: laws.gradient_flow(a.loss, a.parameters, **a.sizes))
    yield Line(kind, "modes", lambda: laws.modes_agree(a.logits, model, **a.sizes))
    own = laws.of_hugging_face(model, num_items=False)
    yield Line(
        f"{kind}, summed by hand", "7", lambda: laws.shard_invariance(own.gradients, **a.sizes)
    )
    yield Line(
        f"{kind}, num_items_in_batch", "7",
        lambda: laws.shard_invariance(a.gradients, **a.sizes),
        right=kind == "GPT-2",
        hint="" if kind == "GPT-2" else "num_items_in_batch does not reach the loss",
        source="" if kind == "GPT-2" else NUM_ITEMS,
    )  # fmt: skip
    if kind == "GPT-2":
        yield from of_decoder_only(model, a)
    else:
        yield from of_encoder_decoder(kind, model, a)


def of_encoder_decoder(kind: str, model, a: laws.Adapter) -> Iterator[Line]:
    def unmasked(batch):
        return model(input_ids=batch.src, decoder_input_ids=batch.tgt_in).logits

    def pads_in_labels(batch):
        loss = model(
            input_ids=batch.src, attention_mask=batch.src_mask.long(), labels=batch.tgt_out
        ).loss
        return loss * batch.tgt_mask.sum(), batch.tgt_mask.sum()

    yield Line(
        f"{kind} without attention_mask", "1", lambda: law1(a, logits=unmasked), False,
        "attention without a mask",
    )  # fmt: skip
    yield Line(
        f"{kind}, labels padded with PAD", "1",
        lambda: law1(a, logits=a.logits, loss=pads_in_labels), False, "labels there must be -100",
    )  # fmt: skip
    ids = a.conventions
    left = Conventions(ids.pad_id, ids.bos_id, ids.eos_id, pad_side="left")
    relative = kind == "T5"  # positions are differences: the side does not matter
    yield Line(
        f"{kind}, padded on the left", "1",
        lambda: law1(a, logits=a.logits, conventions=left),
        relative, "" if relative else "positions: with pads on the left",
    )  # fmt: skip
    search, stepping = generate_as_search(model, a)
    yield Line(
        f"{kind}, generate", "6",
        lambda: laws.scores_add_up(
            search, models=[stepping], length_penalties=(0.0, 1.0), num_beams=(2, 3),
            max_new_tokens=4, src_vocab_size=V, conventions=ids,
        ),
    )  # fmt: skip


def generate_as_search(model, a: laws.Adapter):
    """``generate`` as laws 5 and 6 call a search, and its model as the decoding protocol."""
    ids = a.conventions

    def scores(src: Tensor, src_lengths: Tensor, prefixes: Tensor) -> Tensor:
        mask = (torch.arange(src.size(1))[None] < src_lengths[:, None]).long()
        return model(input_ids=src, attention_mask=mask, decoder_input_ids=prefixes).logits

    def search(_, src, src_lengths, num_beams, max_new_tokens, n_best, length_penalty):
        found = model.generate(
            input_ids=src,
            attention_mask=(torch.arange(src.size(1))[None] < src_lengths[:, None]).long(),
            num_beams=num_beams, num_return_sequences=n_best, max_new_tokens=max_new_tokens,
            length_penalty=length_penalty, early_stopping=False, do_sample=False,
            output_scores=True, return_dict_in_generate=True,
        )  # fmt: skip
        hyps = []
        for row, score in zip(found.sequences[:, 1:].tolist(), found.sequences_scores, strict=True):
            if ids.eos_id in row:
                row = row[: row.index(ids.eos_id) + 1]
            hyps.append(laws.Hyp(row, score=float(score)))
        return [hyps[i : i + n_best] for i in range(0, len(hyps), n_best)]

    return search, laws.PrefixModel(scores, type(model).__name__)


def of_decoder_only(model, a: laws.Adapter) -> Iterator[Line]:
    def columns(batch):
        ids = torch.cat([batch.src, batch.tgt_in], 1)
        mask = torch.cat([batch.src_mask, batch.tgt_mask], 1).long()
        return model(input_ids=ids, attention_mask=mask).logits[:, batch.src.size(1) :]

    def with_prompt(batch):
        ids = torch.cat([batch.src, laws.whole_target(batch)], 1)
        start = torch.ones_like(batch.tgt_mask[:, :1])
        mask = torch.cat([batch.src_mask, start, batch.tgt_mask], 1)
        places = (mask.long().cumsum(1) - 1).clamp(min=0)
        labels = ids.masked_fill(~mask, -100)
        loss = model(
            input_ids=ids, attention_mask=mask.long(), position_ids=places, labels=labels
        ).loss
        return loss * batch.tgt_mask.sum(), batch.tgt_mask.sum()

    yield Line(
        "GPT-2, positions from the columns", "1", lambda: law1(a, logits=columns), False,
        "positions: with pads on the left",
    )  # fmt: skip
    yield Line(
        "GPT-2, the prompt is scored too", "1",
        lambda: law1(a, logits=a.logits, loss=with_prompt), False, "over the prompt",
    )  # fmt: skip


# ---------------------------------------------------------------- JoeyNMT

JOEY = Conventions(pad_id=1, bos_id=2, eos_id=3, sorted_by_length=True)  # UNK is 0
JOEY_TREE = "joeynmt 2.3.0, joeynmt/"


def joey(kind: str, bidirectional: bool = True):
    """A random JoeyNMT model of 4 special ids and 5 words."""
    with without("torch.utils.tensorboard"):  # for its training loop
        model, enc, dec, emb, vocab = (
            load(f"joeynmt.{name}")
            for name in ("model", "encoders", "decoders", "embeddings", "vocabulary")
        )
        load("joeynmt.search"), load("joeynmt.loss")
    special = {
        **{f"{k}_token": f"<{k}>" for k in ("unk", "pad", "bos", "eos", "sep")},
        **{f"{k}_id": i for i, k in enumerate(("unk", "pad", "bos", "eos"))},
        "sep_id": None, "sep_token": None, "lang_tags": [],
    }  # fmt: skip
    words = vocab.Vocabulary(list("abcde"), types.SimpleNamespace(**special))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tables = [emb.Embeddings(8, vocab_size=9, padding_idx=1) for _ in range(2)]
        if kind == "RNN":
            encoder = enc.RecurrentEncoder("gru", 6, 8, 2, bidirectional=bidirectional)
            decoder = dec.RecurrentDecoder(
                "gru", 8, 7, encoder, "bahdanau", 1, 9, init_hidden="bridge"
            )
        else:
            encoder = enc.TransformerEncoder(8, 12, 1, 2, dropout=0.0)
            decoder = dec.TransformerDecoder(1, 2, 8, 12, dropout=0.0, vocab_size=9)
        made = model.Model(encoder, decoder, *tables, words, words)
        with torch.no_grad():
            # far from uniform, so that beams differ
            decoder.output_layer.weight.mul_(4)
    return made.eval()


class Joey:
    """Its callables, as the laws take them."""

    def __init__(self, kind: str, bidirectional: bool = True) -> None:
        self.model = joey(kind, bidirectional)
        self.sizes = {"src_vocab_size": 9, "tgt_vocab_size": 9, "conventions": JOEY}

    def mask(self, src, lengths):
        return (torch.arange(src.size(1))[None] < lengths[:, None])[:, None]  # [B, 1, S]

    def encode(self, src, lengths):
        found = self.model("encode", src=src, src_length=lengths, src_mask=self.mask(src, lengths))
        return found[:2]

    def logits(self, batch):
        memory, hidden = self.encode(batch.src, batch.src_lengths)
        return self.decoded(batch.tgt_in, memory, hidden, batch.src_mask[:, None])

    def decoded(self, read, memory, hidden, mask):
        return self.model(
            "decode", trg_input=read, encoder_output=memory, encoder_hidden=hidden, src_mask=mask,
            unroll_steps=read.size(1), trg_mask=torch.ones_like(read, dtype=torch.bool)[:, None],
        )[0]  # fmt: skip

    def scores(self, src, lengths, prefixes):
        order = lengths.argsort(descending=True, stable=True)
        memory, hidden = self.encode(src[order], lengths[order])
        mask = self.mask(src, lengths)[order]
        return self.decoded(prefixes[order], memory, hidden, mask)[order.argsort()]

    def searched(self, src, lengths, num_beams, longest, n_best, alpha):
        order = lengths.argsort(descending=True, stable=True)
        src, lengths = src[order], lengths[order]
        memory, hidden = self.encode(src, lengths)
        if hidden is None:
            hidden = memory[:, 0]
        module = load("joeynmt.search")
        settings = {"min_output_length": 0, "return_prob": "hyp"}
        args = {
            "model": self.model, "encoder_output": memory, "encoder_hidden": hidden,
            "src_mask": self.mask(src, lengths), "max_output_length": longest, **settings,
        }  # fmt: skip
        if num_beams == 1:
            rows, _, _ = module.greedy(**args)
            found = [[laws.Hyp(cut(row))] for row in rows.tolist()]
        else:
            rows, numbers, _ = module.beam_search(
                beam_size=num_beams, alpha=alpha, n_best=n_best, **args
            )
            hyps = [
                laws.Hyp(cut([int(t) for t in row], JOEY.pad_id), score=float(s))
                for row, s in zip(rows, numbers.reshape(-1), strict=True)
            ]
            found = [hyps[i : i + n_best] for i in range(0, len(hyps), n_best)]
        return [found[i] for i in order.argsort().tolist()]

    def decode(self, src, lengths):
        return self.searched(src, lengths, 3, 6, 1, 0.0)

    def search(self, _, *settings):
        return self.searched(*settings)

    def stepping(self):
        return laws.PrefixModel(self.scores, f"JoeyNMT {type(self.model.decoder).__name__}")


def cut(row: list[int], filler: int | None = None) -> list[int]:
    """An output until its end, or without what beams are filled up with."""
    if JOEY.eos_id in row:
        return row[: row.index(JOEY.eos_id) + 1]
    while row and row[-1] == filler:
        row = row[:-1]
    return row


def gnmt(length: int, alpha: float) -> float:
    """JoeyNMT's penalty: https://arxiv.org/abs/1609.08144, equation 14."""
    return ((5 + length) / 6) ** alpha


def of_joey(kind: str) -> Iterator[Line]:
    m = Joey(kind)
    name = f"JoeyNMT {kind}"
    yield Line(
        name, "1",
        lambda: laws.batch_invariance(m.encode, logits=m.logits, decode=m.decode, **m.sizes),
    )  # fmt: skip
    yield Line(name, "4", lambda: laws.parallel_stepwise(m.logits, **m.sizes))
    yield Line(name, "reads", lambda: laws.reads_source(m.logits, **m.sizes))
    searches = {"models": [m.stepping()], "src_vocab_size": 9, "conventions": UNSORTED}
    few = {"max_new_tokens": 3, "length_penalties": (0.0,)}
    # the Transformer's greedy search may write PAD, the RNN's may not
    banned = (JOEY.bos_id,) if kind == "Transformer" else None
    yield Line(
        f"{name}, greedy", "5",
        lambda: laws.search_oracle(
            m.search, greedy_only=True, banned_ids=banned, **searches, **few
        ),
    )  # fmt: skip
    if kind == "RNN":
        yield Line(
            f"{name}, one direction", "1",
            lambda: laws.batch_invariance(Joey("RNN", False).encode, **m.sizes),
            False, "the error above", JOEY_TREE + "encoders.py",
        )  # fmt: skip
        for smoothing in (0.0, 0.1):
            yield Line(
                f"JoeyNMT XentLoss, smoothing {smoothing}", "3",
                lambda s=smoothing: laws.loss_ledger(joey_loss(s), label_smoothing=s),
            )  # fmt: skip
    else:  # one function for both; the RNN's probabilities are too even to show it
        yield Line(
            f"{name}, beams", "5",
            lambda: laws.search_oracle(m.search, num_beams=(2, 3), full_width=False, penalty=gnmt,
                banned_ids=banned, max_new_tokens=4, length_penalties=(0.0, 1.0), **searches),
            False, "no -inf placeholders", JOEY_TREE + "search.py",
        )  # fmt: skip


UNSORTED = Conventions(pad_id=1, bos_id=2, eos_id=3)


def joey_loss(smoothing: float):
    joey("RNN")
    loss = load("joeynmt.loss").XentLoss(pad_index=0, smoothing=smoothing)
    return lambda z, y, m: (loss(z.log_softmax(-1), trg=y), m.sum())


# ---------------------------------------------------------------- Dive into Deep Learning

D2L = "d2l 1.0.3, d2l/torch.py"


def of_d2l() -> Iterator[Line]:
    with without("torchvision", "torchvision.transforms", "pandas"):  # for its other chapters
        d2l = load("d2l.torch")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        rnn = d2l.Seq2SeqEncoder(11, 6, 8, 2).eval()
        transformer = d2l.TransformerEncoder(11, 8, 12, 2, 1, 0.1).eval()
        transformer(torch.ones(1, 2, dtype=torch.int64), torch.tensor([2]))  # its layers are lazy

    def encode(src: Tensor, src_lengths: Tensor):
        outputs, state = rnn(src, src_lengths)
        return outputs.transpose(0, 1), state

    first = Conventions(state_axis=1)
    yield Line(
        "d2l Seq2SeqEncoder", "1", lambda: laws.batch_invariance(encode, conventions=first), False,
        "an RNN that is not packed", D2L,
    )  # fmt: skip
    yield Line("d2l TransformerEncoder", "1", lambda: laws.batch_invariance(transformer))
    yield Line(
        "d2l Seq2Seq.loss", "3",
        lambda: laws.loss_ledger(lambda z, y, m: d2l.Seq2Seq.loss(None, z, y)), False,
        "the mean over all positions, pads included", D2L,
    )  # fmt: skip


# ---------------------------------------------------------------- torch


def of_torch() -> Iterator[Line]:
    def mean(logits, targets, mask):
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)

    yield Line("nn.CrossEntropyLoss", "3", lambda: laws.loss_ledger(mean, empty_batch=False))
    yield Line(
        "nn.CrossEntropyLoss, empty batch", "3", lambda: laws.loss_ledger(mean), False,
        "pass empty_batch=False", "https://github.com/pytorch/pytorch/issues/116349",
    )  # fmt: skip


PEERS = {  # what must be importable -> lines
    "torch": of_torch,
    "d2l": of_d2l,
    **{
        f"transformers {kind}": lambda kind=kind: of_hugging_face(kind)
        for kind in ("BART", "Marian", "T5", "GPT-2")
    },
    **{f"joeynmt {kind}": lambda kind=kind: of_joey(kind) for kind in ("RNN", "Transformer")},
}


def main() -> None:
    """Print the table."""
    rows, missing = [], []
    print("| implementation | law | verdict | true? | hint leads to the cause? |")
    print("|---|---|---|---|---|")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other people's code warns of is theirs
        for needs, lines in PEERS.items():
            try:
                found = list(lines())
            except ImportError as error:
                missing.append(f"{needs}: {error}")
                continue
            for line in found:
                rows.append(row_of(line))
                print("| " + " | ".join(rows[-1]) + " |", flush=True)
    wrong = [row for row in rows if "NO" in row[3:]]
    print(f"{len(rows)} verdicts, {len(wrong)} of them wrong or with a hint that leads astray")
    for text in missing:
        print("left out, not installed:", text)


def row_of(line: Line) -> tuple[str, str, str, str, str]:
    """Implementation, law, verdict, is it true, does the hint lead to the cause."""
    verdict = line.judge()
    true = (verdict.status == "HOLDS") == line.right
    hint = "" if line.right else ("yes" if line.hint in verdict.look_at else "NO")
    return line.name, line.law, verdict.status, "yes" if true else "NO", hint


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
