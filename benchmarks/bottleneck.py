"""What passes through one state of fixed size? Measured, for chapter 3 and the scoreboard.

    python -m benchmarks.bottleneck             # all of it: about 15 minutes on one core
    python -m benchmarks.bottleneck reverse     # one part: reverse, dates, padding, detached, cliff
    python -m benchmarks.bottleneck --write     # and keep it: results/bottleneck.json

Every model is one encoder, one layer, one direction, and one decoder without attention, as chapter
3 writes them down: embedding, recurrent layer, linear output, no readout in between. Batches of 64,
Adam, gradients clipped to length 1, the learning rate falls to 0 along a cosine; greedy search.

reverse   digits backwards, 3 to 11 of them, 7,000 to train and 900 to test, E 32, H 64, 600 steps,
          learning rate 8e-3. GRU and LSTM, with the context at every step and without, and with
          the source fed backwards (which makes the task copying).
dates     6,000 dates to ISO, E 32, H 96, 800 steps, learning rate 6e-3.
padding   the GRU on `reverse` without packing, in length buckets and in shuffled batches: the same
          test strings alone and in batches of 300.
detached  the GRU on `reverse` with an encoder that gets no gradient.
cliff     the library's GRU without attention on `reverse`: both directions, twice the units, three
          times the steps; the length up to which half of the answers are right.
"""

import argparse
import datetime
import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader

from benchmarks.report import write_whole
from seq2seq_lib.batching import Batch, collate, encode_pairs, make_loader
from seq2seq_lib.corpora import dates, reverse
from seq2seq_lib.course.ch03_encoder_decoder.ex9_cliff import cliff
from seq2seq_lib.decoder import DecoderOutput, DecoderState
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.encoder import CELLS, EncoderOutput, map_state
from seq2seq_lib.losses import sequence_loss
from seq2seq_lib.metrics import exact_match
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.vocab import PAD_ID, Vocab

RESULT = Path(__file__).parent / "results" / "bottleneck.json"
BATCH, WIDE = 64, 300
DIGITS = "0123456789"


class PlainEncoder(nn.Module):
    """Embedding and one recurrent layer; packed or, to see what that does, not."""

    def __init__(self, vocab_size: int, embed_size: int, hidden_size: int, cell: str, packed: bool):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        self.rnn = CELLS[cell](embed_size, hidden_size, batch_first=True)
        self.packed = packed

    def forward(self, src: Tensor, src_lengths: Tensor) -> EncoderOutput:
        x = self.embedding(src)  # [B, S] -> [B, S, E]
        if self.packed:
            x = pack_padded_sequence(x, src_lengths.cpu(), batch_first=True, enforce_sorted=False)
        memory, state = self.rnn(x)  # state [1, B, H]
        if self.packed:
            memory, _ = pad_packed_sequence(memory, batch_first=True, total_length=src.size(1))
        state = map_state(lambda s: s.transpose(0, 1), state)  # [B, 1, H]
        return EncoderOutput(memory, state, src != PAD_ID)


class PlainDecoder(nn.Module):
    """Embedding, one recurrent layer, linear output; the context at every step, or at none."""

    def __init__(
        self, vocab_size: int, embed_size: int, hidden_size: int, cell: str, context: bool
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        inputs = embed_size + hidden_size if context else embed_size
        self.rnn = CELLS[cell](inputs, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, vocab_size)
        self.with_context = context

    def start(self, encoded: EncoderOutput) -> DecoderState:
        state = encoded.final_state
        top = (state[0] if isinstance(state, tuple) else state)[:, -1]  # [B, H]
        return DecoderState(state, src_mask=encoded.src_mask, context=top)

    def forward(self, tgt_in: Tensor, state: DecoderState) -> DecoderOutput:
        x = self.embedding(tgt_in)  # [B, T] -> [B, T, E]
        if self.with_context:
            context = state.context[:, None].expand(-1, tgt_in.size(1), -1)  # [B, T, H]
            x = torch.cat([x, context], -1)  # [B, T, E + H]
        hidden = map_state(lambda s: s.transpose(0, 1).contiguous(), state.hidden)
        outputs, hidden = self.rnn(x, hidden)  # [B, T, H]
        hidden = map_state(lambda s: s.transpose(0, 1), hidden)
        return DecoderOutput(self.output(outputs), replace(state, hidden=hidden), None)

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        output = self(tokens[:, None], state)
        return output.logits[:, 0], output.state


class Detached(PlainEncoder):
    """An encoder that no gradient reaches."""

    def forward(self, src: Tensor, src_lengths: Tensor) -> EncoderOutput:
        encoded = super().forward(src, src_lengths)
        return encoded._replace(final_state=map_state(Tensor.detach, encoded.final_state))


def make_model(
    vocabs: tuple[Vocab, Vocab],
    hidden_size: int,
    *,
    cell: str = "gru",
    context: bool = True,
    packed: bool = True,
    encoder: type = PlainEncoder,
) -> Seq2Seq:
    src_size, tgt_size = map(len, vocabs)
    config = Seq2SeqConfig(src_size, tgt_size, 32, hidden_size, dropout=0.0, cell=cell)
    return Seq2Seq(
        config,
        encoder=encoder(src_size, 32, hidden_size, cell, packed),
        decoder=PlainDecoder(tgt_size, 32, hidden_size, cell, context),
    )


def batches(examples: list, seed: int, buckets: bool) -> Any:
    """Endless training batches: of similar lengths, or shuffled."""
    if buckets:
        loader = make_loader(examples, batch_size=BATCH, seed=seed)
    else:
        order = torch.Generator().manual_seed(seed)
        loader = DataLoader(examples, BATCH, shuffle=True, generator=order, collate_fn=collate)
    for epoch in itertools.count():
        if hasattr(loader.batch_sampler, "set_epoch"):
            loader.batch_sampler.set_epoch(epoch)
        yield from loader


def train(
    model: Seq2Seq, examples: list, steps: int, rate: float, seed: int, buckets: bool
) -> dict:
    """The loop of section 3.5; returns CPU seconds and gradient norms."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    norms, start = [], time.process_time()
    for batch in itertools.islice(batches(examples, seed, buckets), steps):
        loss = F.cross_entropy(model(batch).transpose(1, 2), batch.tgt_out, ignore_index=PAD_ID)
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
        optimizer.step()
        schedule.step()
    seconds = time.process_time() - start
    norms = torch.tensor(norms)
    return {
        "cpu_seconds": round(seconds, 1),
        "norm_median": round(norms.median().item(), 2),
        "norm_largest": round(norms.max().item(), 1),
        "clipped": round((norms > 1).float().mean().item(), 2),
    }


@torch.no_grad()
def answers(model: Seq2Seq, batch: Batch, longest: int = 16) -> list[list[int]]:
    """What greedy search says, EOS cut off."""
    found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=longest)
    return [best.tokens[:-1] if best.finished else best.tokens for (best,) in found]


def gold(batch: Batch) -> list[list[int]]:
    pairs = zip(batch.tgt_out.tolist(), batch.tgt_lengths.tolist(), strict=True)
    return [ids[: n - 1] for ids, n in pairs]


@torch.no_grad()
def nats(model: Seq2Seq, batch: Batch) -> Tensor:
    """The summed loss of each string, ``[B]``."""
    losses = F.cross_entropy(model(batch).transpose(1, 2), batch.tgt_out, reduction="none")
    return losses.where(batch.tgt_mask, 0.0).sum(1)


@torch.no_grad()
def test(model: Seq2Seq, examples: list) -> dict:
    """Exact match, loss a token, and the loss with each source given to the next string."""
    batch = collate(examples)
    said, right = answers(model, batch), gold(batch)
    rolled = replace(batch, src=batch.src.roll(1, 0), src_lengths=batch.src_lengths.roll(1, 0))
    logits = {"nll": model(batch), "nll_shuffled": model(rolled)}
    losses = {name: sequence_loss(z, batch.tgt_out, batch.tgt_mask) for name, z in logits.items()}
    return {
        "exact_match": round(exact_match(said, right), 4),
        **{name: round(loss.mean.item(), 4) for name, loss in losses.items()},
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def by_length(model: Seq2Seq, examples: list) -> dict:
    """Exact match and missing nats a string by length, and what is wrong in wrong answers."""
    batch = collate(examples)
    said, right, missing = answers(model, batch), gold(batch), nats(model, batch).tolist()
    rows = {}
    for n in sorted({len(ids) for ids in right}):
        mine = [b for b, ids in enumerate(right) if len(ids) == n]
        hits = [said[b] == right[b] for b in mine]
        rows[n] = {
            "strings": len(mine),
            "exact_match": round(sum(hits) / len(mine), 3),
            "missing_nats": round(sum(missing[b] for b in mine) / len(mine), 2),
        }
    wrong = [(a, b) for a, b in zip(said, right, strict=True) if a != b and len(b) >= 9]
    longest = [(a, b) for a, b in zip(said, right, strict=True) if len(b) == 11]
    places = [
        sum(len(a) > t and a[t] == b[t] for a, b in longest) / len(longest) for t in range(11)
    ]
    return {
        "by_length": rows,
        "wrong_of_9_to_11": len(wrong),
        "same_digits": round(sum(sorted(a) == sorted(b) for a, b in wrong) / len(wrong), 3),
        "same_length": round(sum(len(a) == len(b) for a, b in wrong) / len(wrong), 3),
        "right_by_place_of_11": [round(place, 2) for place in places],
        "examples": [["".join(str(i - 4) for i in ids) for ids in pair] for pair in wrong[:8]],
    }


def backwards(examples: list) -> list:
    """The source read from its end: EOS stays last, because ``collate`` adds it."""
    return [(source[::-1], target) for source, target in examples]


def reverse_task() -> tuple[list, list, tuple[Vocab, Vocab]]:
    corpus = reverse(7000, 200, 900, min_length=3, max_length=11, alphabet=DIGITS)
    digits = Vocab(list(DIGITS))
    train, test = (encode_pairs(part, digits, digits) for part in (corpus.train, corpus.test))
    return train, test, (digits, digits)


def date_task() -> tuple[list, list, tuple[Vocab, Vocab]]:
    corpus = dates(6000, 100, 300)
    vocabs = tuple(
        Vocab.build(getattr(pair, side) for pair in corpus.train) for side in ("source", "target")
    )
    train, test = (encode_pairs(part, *vocabs) for part in (corpus.train, corpus.test))
    return train, test, vocabs


MODELS = (  # cell, context, source backwards
    ("gru", False, False),
    ("gru", True, False),
    ("gru", True, True),
    ("lstm", True, False),
    ("lstm", True, True),
)


def compare(task: str, seeds: range, hidden_size: int, steps: int, rate: float) -> list[dict]:
    """The scoreboard's rows of one task."""
    examples, tests, vocabs = reverse_task() if task == "reverse" else date_task()
    rows = []
    for (cell, context, flipped), seed in itertools.product(MODELS, seeds):
        if task == "dates" and not context:
            continue
        turn = backwards if flipped else list
        seed_everything(seed)
        model = make_model(vocabs, hidden_size, cell=cell, context=context)
        run = train(model, turn(examples), steps, rate, seed, buckets=True)
        row = {"task": task, "cell": cell, "context": context, "backwards": flipped, "seed": seed}
        row |= test(model, turn(tests)) | run
        if task == "reverse" and seed == 0 and not flipped:
            row |= by_length(model, tests)
        rows.append(row)
        show(row)
    return rows


def padding(seeds: range) -> list[dict]:
    """No packing: two ways to make batches, two ways to be asked."""
    examples, tests, vocabs = reverse_task()
    rows = []
    for buckets, packed, seed in itertools.product((True, False), (False, True), seeds):
        seed_everything(seed)
        model = make_model(vocabs, 64, packed=packed)
        run = train(model, examples, 600, 8e-3, seed, buckets)
        few = collate(tests[:WIDE])
        alone = [answers(model, collate([example]))[0] for example in tests[:WIDE]]
        row = {
            "task": "padding",
            "batches": "buckets" if buckets else "shuffled",
            "packed": packed,
            "seed": seed,
            "alone": round(exact_match(alone, gold(few)), 4),
            "in_batch_of_300": round(exact_match(answers(model, few), gold(few)), 4),
        }
        rows.append(row | run)
        show(rows[-1])
    return rows


def detached(seeds: range) -> list[dict]:
    """An encoder that keeps its random weights."""
    examples, tests, vocabs = reverse_task()
    rows = []
    for seed in seeds:
        seed_everything(seed)
        model = make_model(vocabs, 64, encoder=Detached)
        run = train(model, examples, 600, 8e-3, seed, buckets=True)
        rows.append({"task": "detached", "seed": seed} | test(model, tests) | run)
        show(rows[-1])
    return rows


CHANGES = {  # of hidden_size 64, one direction, 600 steps
    "as it is": {},
    "both directions": {"bidirectional": True},
    "128 units": {"hidden_size": 128},
    "1,800 steps": {"steps": 1800},
}


def move_the_cliff(seeds: range) -> list[dict]:
    """Exercise 3.9: one change at a time."""
    examples, tests, vocabs = reverse_task()
    rows = []
    for (name, change), seed in itertools.product(CHANGES.items(), seeds):
        seed_everything(seed)
        sizes = {"embed_size": 32, "hidden_size": 64, "bidirectional": False} | change
        steps = sizes.pop("steps", 600)
        src_size, tgt_size = map(len, vocabs)
        config = Seq2SeqConfig(src_size, tgt_size, dropout=0.0, attention="none", **sizes)
        model = Seq2Seq(config)
        run = train(model, examples, steps, 8e-3, seed, buckets=True)
        model.eval()
        found = by_length(model, tests)["by_length"]
        right = {n: row["exact_match"] for n, row in found.items()}
        row = {"task": "cliff", "change": name, "seed": seed, "cliff": cliff(right, 0.5)}
        rows.append(row | test(model, tests) | run | {"right_by_length": right})
        show(rows[-1])
    return rows


PARTS = {
    "reverse": lambda: compare("reverse", range(5), 64, 600, 8e-3),
    "dates": lambda: compare("dates", range(5), 96, 800, 6e-3),
    "padding": lambda: padding(range(3)),
    "detached": lambda: detached(range(3)),
    "cliff": lambda: move_the_cliff(range(2)),
}


def show(row: dict) -> None:
    print(json.dumps(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when left out")
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    measured = {part: PARTS[part]() for part in arguments.parts or PARTS}
    if arguments.write:
        kept = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
        kept |= {"date": str(datetime.date.today()), "torch": torch.__version__} | measured
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
