"""What bucketing saves on Multi30k: pads, and seconds of an epoch."""

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from benchmarks.report import Row
from benchmarks.timing import clock
from seq2seq_lib.batching import Batch, BucketSampler, Example, collate, encode_pairs
from seq2seq_lib.corpora import CorpusError, multi30k
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.training import teacher_forced_loss, train_step
from seq2seq_lib.translate import Recipe
from seq2seq_lib.vocab import Vocab

PADS = "Multi30k, pads among the target's cells"
SECONDS = "Multi30k, seconds of training an epoch"
SHUFFLED, BUCKETED = "shuffled", "bucketed"


def rows(device: torch.device, quick: bool) -> list[Row]:
    try:
        examples, vocabs = _words()
    except CorpusError:
        no_data = "skipped: no data"
        names = [f"{PADS}: {order}" for order in (SHUFFLED, BUCKETED)]
        names += [f"{PADS.replace('target', 'source')}: {BUCKETED}"]
        names += [f"{SECONDS}: {order}" for order in (SHUFFLED, BUCKETED)]
        return [Row(name, no_data) for name in names]
    lengths = [(len(target) + 1, len(source) + 1) for source, target in examples]  # + 1: EOS
    size = Recipe.batch_size
    shuffled = torch.randperm(len(lengths), generator=torch.Generator().manual_seed(0)).tolist()
    orders = {
        SHUFFLED: [shuffled[i : i + size] for i in range(0, len(shuffled), size)],
        BUCKETED: list(BucketSampler(lengths, size)),
    }
    target, source = (
        {o: _pads(lengths, batches, k) for o, batches in orders.items()} for k in (0, 1)
    )
    found = [
        Row(f"{PADS}: {SHUFFLED}", f"{target[SHUFFLED]:.1%}"),
        Row.at_most(f"{PADS}: {BUCKETED}", target[BUCKETED], 0.03, "{:.1%}"),
        Row(f"{PADS.replace('target', 'source')}: {BUCKETED}", f"{source[BUCKETED]:.1%}"),
    ]
    batches = {
        order: (collate([examples[i] for i in batch]).to(device) for batch in some)
        for order, some in orders.items()
    }
    steps = 2 if quick else 100
    sizes = {"embed_size": 8, "hidden_size": 8} if quick else {}
    cells = {o: sum(_cells(lengths, batch) for batch in some) for o, some in orders.items()}
    seconds = _epoch(batches, steps, cells, _model(vocabs, device, **sizes))
    slowest = seconds[SHUFFLED]
    for order, value in seconds.items():
        gained = f"{value:.0f} s" + (f" ({value / slowest - 1:+.0%})" if value != slowest else "")
        found.append(Row(f"{SECONDS}: {order}", gained))
    return found


def _words() -> tuple[list[Example], tuple[Vocab, Vocab]]:
    """Words and not subwords: to learn those takes longer than all that is measured here."""
    pairs = multi30k().train
    vocabs = tuple(
        Vocab.build((getattr(pair, side) for pair in pairs), max_size=Recipe.num_pieces)
        for side in ("source", "target")
    )
    return encode_pairs(pairs, *vocabs), vocabs


def _pads(lengths: Sequence[tuple[int, int]], batches: Sequence[list[int]], side: int) -> float:
    real = sum(length[side] for length in lengths)
    return 1 - real / sum(_cells(lengths, batch, side) for batch in batches)


def _cells(lengths: Sequence[tuple[int, int]], batch: list[int], side: int = 0) -> int:
    return len(batch) * max(lengths[i][side] for i in batch)


def _model(vocabs: tuple[Vocab, Vocab], device: torch.device, **changed: float) -> nn.Module:
    torch.manual_seed(0)
    return Seq2Seq(Recipe(**changed).config(*map(len, vocabs))).to(device)


def _epoch(
    batches: dict[str, Iterator[Batch]], steps: int, cells: dict[str, int], model: Seq2Seq
) -> dict[str, float]:
    """Seconds of an epoch in each order, from some steps that they do in turns.

    Bucketed batches differ in size, so an epoch is so many times the steps as it has target cells.
    """
    device = next(model.parameters()).device
    loss = teacher_forced_loss(Recipe.label_smoothing)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    seconds, done = dict.fromkeys(batches, 0.0), dict.fromkeys(batches, 0)
    for step in range(-1, steps):  # the first one warms up
        for order, some in batches.items():
            batch = next(some)
            done[order] += batch.tgt_out.numel() if step >= 0 else 0
            start = clock(device)
            train_step(model, [batch], optimizer, loss_function=loss)
            if step >= 0:
                seconds[order] += clock(device) - start
    return {order: seconds[order] * cells[order] / done[order] for order in batches}
