"""Does accuracy show which of three losses is wrong about padding? Measured, for chapter 4.

    python -m benchmarks.padding_accuracy            # seeds 0, 1 and 2; four minutes on one core
    python -m benchmarks.padding_accuracy --write    # and keep it: results/padding_accuracy.json

The task is to read letters and write them backwards, 4 to 9 of them. Of no length are there so few
strings that training and test would get different shares of it. Three models that differ in the
loss alone: the right one, one that counts pads, one that divides by the padded length. Each is
asked for the exact match on 300 unseen strings, and for its own loss on these, in batches of 50 and
one by one.
"""

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmarks.report import write_whole
from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.corpora import reverse
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.metrics import exact_match
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, evaluate, fit
from seq2seq_lib.vocab import Vocab

RESULT = Path(__file__).parent / "results" / "padding_accuracy.json"
SEEDS, BATCH = (0, 1, 2), 50


def right(model: Any, batch: Any, step: int) -> LossSum:
    return sequence_loss(model(batch), batch.tgt_out, batch.tgt_mask)


def pads_counted(model: Any, batch: Any, step: int) -> LossSum:
    return sequence_loss(model(batch), batch.tgt_out, torch.ones_like(batch.tgt_mask))


def over_padded_length(model: Any, batch: Any, step: int) -> LossSum:
    loss = right(model, batch, step)
    return LossSum(loss.total, torch.full_like(loss.tokens, batch.tgt_out.numel()))


LOSSES = (right, pads_counted, over_padded_length)


def loader(examples: list, size: int, seed: int | None = None) -> DataLoader:
    """Batches of random sentences, as in most tutorials' code: a fifth of the cells are pads."""
    order = None if seed is None else torch.Generator().manual_seed(seed)
    return DataLoader(examples, size, shuffle=seed is not None, generator=order, collate_fn=collate)


def measure(seed: int, num_train: int = 4000, num_test: int = 300, epochs: int = 5) -> list[dict]:
    """Train three models from the same seed on the same batches; a row of numbers for each."""
    corpus = reverse(num_train, 50, num_test, alphabet="abcdefgh", min_length=4, max_length=9)
    letters = Vocab.build(pair.source for pair in corpus.train)
    train, test = (encode_pairs(split, letters, letters) for split in (corpus.train, corpus.test))
    config = Seq2SeqConfig(
        len(letters), len(letters), embed_size=32, hidden_size=64, dropout=0.0, attention="dot"
    )
    settings = TrainConfig(epochs=epochs, learning_rate=8e-3, cosine_decay=True)
    device, rows = get_device(), []
    together = collate(test).to(device)
    for loss in LOSSES:
        seed_everything(seed)
        model = Seq2Seq(config)
        options = {"device": device, "loss_function": loss}
        fit(model, loader(train, BATCH, seed), None, settings, progress=False, **options)
        found = greedy_search(model, together.src, together.src_lengths, max_new_tokens=14)
        written = [letters.decode(best.tokens) for (best,) in found]
        own = {size: evaluate(model, loader(test, size), **options).mean for size in (BATCH, 1)}
        rows.append(
            {
                "seed": seed,
                "loss": loss.__name__,
                "exact_match": round(
                    exact_match(written, [list(p.target) for p in corpus.test]), 4
                ),
                "stopped": sum(best.finished for (best,) in found) / len(found),
                "own_loss_in_batches": round(own[BATCH].item(), 5),
                "own_loss_one_by_one": round(own[1].item(), 5),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    rows = [row for seed in SEEDS for row in measure(seed)]
    for row in rows:
        print(*(f"{name} {value}" for name, value in row.items()), sep="  ")
    if arguments.write:
        kept = {"date": str(datetime.date.today()), "torch": torch.__version__, "rows": rows}
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
