"""How much a date's answer depends on pads, for the careless reader and for ours: chapter 0.

    python -m benchmarks.neighbours            # three minutes on one core
    python -m benchmarks.neighbours --write    # and keep it: results/neighbours.json

Both models are trained by the recipe of ``tools/build_assets.py``, with five seeds. Then each of
500 unseen dates is read alone, with 0 to 24 PADs behind it (greedy search), and counted is the
share of answers that differ from the one with 0 pads. "together" is exact match of all 500 in one
batch, "alone" that of each by itself, "valid_loss" the loss in batches of one source length each.
"""

import argparse
import datetime
import json
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.report import write_whole
from seq2seq_lib.batching import Example, collate, encode_pairs, make_loader
from seq2seq_lib.corpora import dates
from seq2seq_lib.course.assets.careless import SameLength
from seq2seq_lib.course.assets.careless import train as train_careless
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, evaluate, fit
from seq2seq_lib.vocab import Vocab

RESULT = Path(__file__).parent / "results" / "neighbours.json"
SEEDS, PADS = (0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 6, 8, 12, 16, 20, 24)
TRAINING = {"batch_size": 64, "epochs": 6, "learning_rate": 5e-3}


def answers(model: Seq2Seq, examples: list[Example], pads: int) -> list[list[int]]:
    """What greedy search writes for each source, read with so many PADs behind it.

    Sources of one length share a batch: they have the same number of pads, as each has alone.
    """
    lengths = [len(source) for source, _ in examples]
    written: dict[int, list[int]] = {}
    for length in sorted(set(lengths)):
        rows = [i for i, own in enumerate(lengths) if own == length]
        batch = collate([examples[i] for i in rows])
        src = torch.nn.functional.pad(batch.src, (0, pads))  # [B, S + pads]
        found = greedy_search(model, src, batch.src_lengths, max_new_tokens=12)
        written |= {i: best.tokens for i, (best,) in zip(rows, found, strict=True)}
    return [written[i] for i in range(len(examples))]


def train(name: str, seed: int) -> tuple[Seq2Seq, list[Example]]:
    """A model, and the unseen dates as ids."""
    corpus = dates(6000, 0, 500, seed=0)
    src_vocab = Vocab.build(pair.source for pair in corpus.train)
    tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
    config = Seq2SeqConfig(
        len(src_vocab), len(tgt_vocab), embed_size=32, hidden_size=64, attention="dot"
    )
    unseen = encode_pairs(corpus.test, src_vocab, tgt_vocab)
    if name == "careless":
        return train_careless(corpus, src_vocab, tgt_vocab, config, seed=seed, **TRAINING), unseen
    seed_everything(seed)
    model = Seq2Seq(config)
    examples = encode_pairs(corpus.train, src_vocab, tgt_vocab)
    loader = make_loader(examples, TRAINING["batch_size"], seed=seed)
    settings = TrainConfig(TRAINING["epochs"], TRAINING["learning_rate"], cosine_decay=True)
    fit(model, loader, None, settings, progress=False)
    return model, unseen


def measure(name: str, seed: int) -> dict[str, Any]:
    """One model of one seed."""
    started = time.process_time()
    model, unseen = train(name, seed)
    seconds = time.process_time() - started
    gold = [[*target, 2] for _, target in unseen]  # EOS behind it
    alone = answers(model, unseen, 0)
    batch = collate(unseen)
    found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=12)
    together = [best.tokens for (best,) in found]
    changed = {pads: answers(model, unseen, pads) for pads in PADS[1:]}
    sampler = SameLength([len(source) for source, _ in unseen], 64)
    sorted_batches = [collate([unseen[i] for i in rows]) for rows in sampler]
    return {
        "alone": _share(alone, gold),
        "together": _share(together, gold),
        "valid_loss": round(float(evaluate(model, sorted_batches).mean), 4),
        "changed": {str(pads): round(1 - _share(now, alone), 3) for pads, now in changed.items()},
        "cpu_seconds": round(seconds, 1),
    }


def _share(one: list[list[int]], two: list[list[int]]) -> float:
    return sum(a == b for a, b in zip(one, two, strict=True)) / len(two)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = {}
    for name in ("careless", "ours"):
        for seed in SEEDS:
            row = rows.setdefault(name, {})[str(seed)] = measure(name, seed)
            print(name, seed, json.dumps(row), flush=True)
    if options.write:
        result = {"date": datetime.date.today().isoformat(), "torch": torch.__version__, **rows}
        write_whole(RESULT, json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
