"""Beam search beside JoeyNMT's and Hugging Face's: time and peak memory, side by side.

    python -m benchmarks --only search_peers    # 5 and 10 beams, two settings: some ten minutes
    python -m benchmarks.search_peers           # where our search spends its time, by operator
    python -m benchmarks.search_peers --write   # the same, also into benchmarks/README.md

Needs the extra ``peers``; what is not installed is left out, in one line. All models are untrained,
have one layer, 256 features and a vocabulary of 6,000, and read the same 64 sources. When a
sentence ends is not left to the weights: the same ``Clock`` sets the score of EOS in all three, so
that outputs are equally long everywhere.
"""

import argparse
import sys
import types
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks import report, timing
from benchmarks.laws_on_others import load, without
from benchmarks.products import replay
from benchmarks.report import Row
from seq2seq_lib.decoding import beam_search
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.runtime import get_device
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.vocab import EOS_ID

SENTENCES = 64
SOURCE, LONGEST = 25, 50  # tokens
VOCABULARY, FEATURES = 6000, 256
DROPOUT = 0.1  # in training alone
NEVER, SURELY = -50.0, 50.0  # scores of EOS
MARK = 1 / 1000  # a sentence's number in the encoder's output, small enough to change little
TARGET = 2.0

Search = Callable[[Tensor, Tensor, int], list[list[int]]]  # src, lengths, beams to outputs


class Clock:
    """Says when each sentence of the batch ends, and keeps to it in any model.

    The first feature of what the encoder returns is each sentence's number, so that the rows of a
    search can be told apart whatever it does with them.
    """

    def __init__(self) -> None:
        self.ends: Tensor = torch.empty(0)  # [B], at which step
        self.step, self.sentences = 0, self.ends

    def mark(self, memory: Tensor) -> Tensor:
        """The encoder's output ``[B, S, H]`` with the numbers of its sentences in it."""
        self.step = 0
        memory = memory.clone()
        memory[:, :, 0] = torch.arange(len(memory), device=memory.device)[:, None] * MARK
        return memory

    def read(self, memory: Tensor, rows: Tensor | None = None) -> None:
        """Before a step of the decoder: which sentences its rows belong to.

        Args:
            rows: which row of the memory each reads; its own, if left out.
        """
        self.step += 1
        sentences = (memory[:, 0, 0] / MARK).round().long()
        self.sentences = sentences if rows is None else sentences[rows]

    def score(self, logits: Tensor, eos_id: int) -> Tensor:
        """The logits ``[N, ..., V]`` of a step, with EOS when its time has come and not before."""
        over = self.ends.to(logits.device)[self.sentences] <= self.step  # [N]
        logits[..., eos_id] = torch.where(over, SURELY, NEVER).view(-1, *[1] * (logits.dim() - 2))
        return logits


# ---------------------------------------------------------------- models


def our_model(vocabulary: int = VOCABULARY, features: int = FEATURES) -> Seq2Seq:
    sizes = {"embed_size": features, "hidden_size": features, "dropout": DROPOUT}
    sizes["attention"] = "dot"
    return Seq2Seq(Seq2SeqConfig(vocabulary, vocabulary, **sizes))


def joey_model(vocabulary: int = VOCABULARY, features: int = FEATURES) -> nn.Module:
    """A GRU with Luong's attention after it and without input feeding: what ours computes.

    In training with ours' dropout, which is 0 by default here.
    """
    model, enc, dec, emb, vocab = _of_joey(
        "model", "encoders", "decoders", "embeddings", "vocabulary"
    )
    ids = {"unk": 0, "pad": 1, "bos": 2, "eos": 3}  # it knows no others
    special = {f"{k}_token": f"<{k}>" for k in ids} | {f"{k}_id": i for k, i in ids.items()}
    special |= {"sep_id": None, "sep_token": None, "lang_tags": []}
    words = [str(i) for i in range(vocabulary - len(ids))]
    words = vocab.Vocabulary(words, types.SimpleNamespace(**special))
    V = len(words)
    tables = [emb.Embeddings(features, vocab_size=V, padding_idx=ids["pad"]) for _ in range(2)]
    encoder = enc.RecurrentEncoder("gru", features // 2, features, 1, emb_dropout=DROPOUT)
    decoder = dec.RecurrentDecoder(
        "gru", features, features, encoder, "luong", 1, V, input_feeding=False,
        emb_dropout=DROPOUT, hidden_dropout=DROPOUT,
    )  # fmt: skip
    return model.Model(encoder, decoder, *tables, words, words)


def marian_model(
    vocabulary: int = VOCABULARY, features: int = FEATURES, *, tied: bool = True
) -> nn.Module:
    """A Transformer of one layer on each side.

    Args:
        tied: one matrix for both embeddings and the output, the default of Marian's configuration;
            ours and JoeyNMT's have three.
    """
    transformers = load("transformers")
    transformers.logging.set_verbosity_error()
    sides = {
        **{f"{side}_layers": 1 for side in ("encoder", "decoder")},
        **{f"{side}_attention_heads": 4 for side in ("encoder", "decoder")},
        **{f"{side}_ffn_dim": 4 * features for side in ("encoder", "decoder")},
    }
    ids = {"pad_token_id": 0, "decoder_start_token_id": 1, "eos_token_id": 2}
    tying = {"share_encoder_decoder_embeddings": tied, "tie_word_embeddings": tied}
    config = transformers.MarianConfig(
        vocab_size=vocabulary, d_model=features, max_position_embeddings=64, bos_token_id=None,
        dropout=DROPOUT, forced_eos_token_id=None, **sides, **ids, **tying,
    )  # fmt: skip
    return transformers.MarianMTModel(config)


def _of_joey(*names: str) -> list[types.ModuleType]:
    with without("torch.utils.tensorboard"):  # for its training loop
        return [load(f"joeynmt.{name}") for name in names]


# ---------------------------------------------------------------- searches


def ours(clock: Clock, device: torch.device, **sizes: int) -> Search:
    model = our_model(**sizes).to(device).eval()
    model.encoder.register_forward_hook(
        lambda _, args, encoded: encoded._replace(memory=clock.mark(encoded.memory))
    )
    model.decoder.register_forward_pre_hook(
        lambda _, args: clock.read(args[1].memory, args[1].source)
    )
    model.decoder.output.register_forward_hook(lambda _, args, out: clock.score(out, EOS_ID))

    def search(src: Tensor, lengths: Tensor, beams: int) -> list[list[int]]:
        found = beam_search(model, src, lengths, num_beams=beams, max_new_tokens=LONGEST)
        return [best.tokens for (best,) in found]

    return search


def joey(clock: Clock, device: torch.device, **sizes: int) -> Search:
    made = joey_model(**sizes).to(device).eval()
    (search_module,) = _of_joey("search")
    eos = made.eos_index
    made.encoder.register_forward_hook(lambda _, args, out: (clock.mark(out[0]), *out[1:]))
    made.decoder.register_forward_pre_hook(
        lambda _, args, named: clock.read(named["encoder_output"]), with_kwargs=True
    )
    made.decoder.output_layer.register_forward_hook(lambda _, args, out: clock.score(out, eos))

    def search(src: Tensor, lengths: Tensor, beams: int) -> list[list[int]]:
        mask = sequence_mask(lengths, src.size(1))[:, None]
        memory, hidden, *_ = made("encode", src=src, src_length=lengths, src_mask=mask)
        rows, *_ = search_module.beam_search(
            made, beams, memory, hidden, mask, LONGEST, alpha=0.0, min_output_length=0
        )
        return [_until(row, eos) for row in rows.tolist()]

    return search


def marian(clock: Clock, device: torch.device, **sizes: int) -> Search:
    """With its cache."""
    model = marian_model(**sizes).to(device).eval()
    eos = model.config.eos_token_id

    def mark(_, args, out):
        out.last_hidden_state = clock.mark(out.last_hidden_state)
        return out

    model.model.encoder.register_forward_hook(mark)
    model.model.decoder.register_forward_pre_hook(
        lambda _, args, named: clock.read(named["encoder_hidden_states"]), with_kwargs=True
    )
    model.lm_head.register_forward_hook(lambda _, args, out: clock.score(out, eos))

    def search(src: Tensor, lengths: Tensor, beams: int) -> list[list[int]]:
        rows = model.generate(
            input_ids=src, attention_mask=sequence_mask(lengths, src.size(1)).long(),
            num_beams=beams, max_new_tokens=LONGEST, do_sample=False, early_stopping=False,
            length_penalty=0.0,
        )  # fmt: skip
        return [_until(row, eos) for row in rows[:, 1:].tolist()]

    return search


PEERS = {"JoeyNMT": joey, "Marian of Hugging Face": marian}
SETTINGS = ("25 equal steps", "5 to 45 steps")


def _until(row: list[int], eos_id: int) -> list[int]:
    return row[: row.index(eos_id) + 1] if eos_id in row else row


def ends(setting: str, sentences: int) -> Tensor:
    """At which step each sentence ends, ``[B]``; 25 on average."""
    if setting == "25 equal steps":
        return torch.full((sentences,), 25)
    return torch.linspace(5, 45, sentences).long()


def make(device: torch.device) -> tuple[Clock, dict[str, Search], list[str]]:
    """The clock, the searches that can be had, and why the others cannot."""
    clock, searches, missing = Clock(), {}, []
    for name, peer in {"ours": ours, **PEERS}.items():
        torch.manual_seed(0)
        try:
            searches[name] = peer(clock, device)
        except ImportError as error:
            missing.append(str(error))
    return clock, searches, missing


def sources(device: torch.device, sentences: int) -> tuple[Tensor, Tensor]:
    """Sources ``[B, S]`` and their lengths, the longest first: JoeyNMT wants them so."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(SOURCE // 2, SOURCE + 1, (sentences,), generator=generator)
    lengths = lengths.sort(descending=True).values.to(device)
    src = torch.randint(4, VOCABULARY, (sentences, int(lengths[0])), generator=generator)
    return src.to(device) * sequence_mask(lengths), lengths


def rows(device: torch.device, quick: bool, turns: int = 5) -> list[Row]:
    clock, searches, missing = make(device)
    if missing:
        why = f"skipped, the extra peers is not installed: {'; '.join(missing)}"
        return [Row("beam search of JoeyNMT and Hugging Face / ours", why, f"≥ {TARGET}")]
    found = []
    for setting in SETTINGS:
        src, lengths = sources(device, 3 if quick else SENTENCES)
        clock.ends = ends(setting, len(src))
        for beams in (2, 3) if quick else (5, 10):
            of = f"beam search, {beams} beams, {len(src)} sentences, {setting}"
            run = {
                name: partial(ended, search, src, lengths, beams, clock)
                for name, search in searches.items()
            }
            on_cpu = device.type == "cpu"
            alone = {"products": replay(run["ours"])} if on_cpu else {}
            seconds = timing.side_by_side(run | alone, device, turns=1 if quick else turns)
            for peer in PEERS:
                ratio = seconds.ratio(peer, "ours")
                found.append(Row.at_least(f"{of}: {peer} / ours", ratio, TARGET, "{:.2f}"))
                if on_cpu:
                    what = f"limit, {of}: {peer} / products and log-softmax of ours alone"
                    found.append(Row(what, f"{seconds.ratio(peer, 'products'):.2f}"))
    memory = {name: timing.peak_bytes(search, device) for name, search in run.items()}
    for peer in PEERS:
        what = f"peak memory, {of}: {peer} / ours"
        found.append(Row(what, f"{memory[peer] / memory['ours']:.2f}"))
    return found


def ended(search: Search, src: Tensor, lengths: Tensor, beams: int, clock: Clock) -> None:
    """Search; an error if an output is not as long as the clock wants it."""
    long = [len(output) for output in search(src, lengths, beams)]
    Row.equal("lengths of outputs", long == clock.ends.tolist())


def operators(device: torch.device, beams: int = 5, shown: int = 8) -> str:
    """Markdown: where our search spends its time, by operator."""
    clock, searches, _ = make(device)
    search = partial(searches["ours"], *sources(device, SENTENCES), beams)
    clock.ends = ends("25 equal steps", SENTENCES)
    search()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        search()
    own = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    largest = sorted(own, key=own.get, reverse=True)[:shown]
    lines = [f"| `{name}` | {own[name] / sum(own.values()):.0%} |" for name in largest]
    return "\n".join([f"| operator, {beams} beams, 25 equal steps | share |", "|---|--:|", *lines])


def main() -> int:
    parser = argparse.ArgumentParser(description="where our search spends its time")
    parser.add_argument("--write", action="store_true", help="write the table into README.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = operators(get_device())
    print(text)
    if options.write:
        report.write_section("operators", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
