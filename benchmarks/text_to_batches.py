"""What padding, vocabularies and truncation cost. Measured, for chapter 1.

    python -m benchmarks.text_to_batches            # three minutes on one core
    python -m benchmarks.text_to_batches --write    # and keep it: results/text_to_batches.json

- ``waste``: the share of source cells that are PAD, in batches made in five ways, of three corpora.
- ``vocabularies``: Multi30k's German side as letters, words and pieces: entries, tokens a line, and
  how often UNK is met in training and in the validation text. Needs the corpus (see README.md).
- ``truncation``: four models that differ in what was done to targets of more than seven tokens.

Nothing here asserts a time.
"""

import argparse
import datetime
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch.utils.data import DataLoader, RandomSampler

from benchmarks.report import write_whole
from seq2seq_lib.batching import (
    Batch,
    BucketSampler,
    TokenBatchSampler,
    collate,
    encode_pairs,
    pad_sequences,
)
from seq2seq_lib.corpora import CorpusError, Pair, dates, multi30k, phrases
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import TrainConfig, fit
from seq2seq_lib.vocab import BOS_ID, EOS_ID, UNK_ID, Vocab

RESULT = Path(__file__).parent / "results" / "text_to_batches.json"
SEEDS, BATCH, POOLS = (0, 1, 2), 64, (1, 2, 5, 10, 50)
MIN_FREQ, PIECES, LIMIT = (1, 2, 5), (1000, 4000, 8000), 7


# ---------------------------------------------------------------- padding


def share_of_pads(lengths: Sequence[int], batches: Iterable[Sequence[int]]) -> float:
    """PAD cells over all cells, where a batch is as wide as its longest row."""
    real = cells = 0
    for rows in batches:
        held = [lengths[row] for row in rows]
        real, cells = real + sum(held), cells + len(held) * max(held)
    return 1 - real / cells


def cut(order: Sequence[int], size: int) -> list[Sequence[int]]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def shuffled(count: int, seed: int) -> list[int]:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()


def waste_of(name: str, lengths: list[int], seed: int) -> dict:
    """One corpus, five ways to make batches of it."""
    count, budget = len(lengths), BATCH * round(sum(lengths) / len(lengths))
    token_batches = list(TokenBatchSampler(lengths, budget, seed=seed))
    shares = {
        "fixed_width": 1 - sum(lengths) / (count * max(lengths)),
        "shuffled": share_of_pads(lengths, cut(shuffled(count, seed), BATCH)),
        "buckets": share_of_pads(lengths, BucketSampler(lengths, BATCH, seed=seed)),
        "sorted": share_of_pads(lengths, BucketSampler(lengths, BATCH, shuffle=False)),
        "tokens": share_of_pads(lengths, token_batches),
    }
    rows = [len(batch) for batch in token_batches]
    pools = {
        pool: share_of_pads(lengths, BucketSampler(lengths, BATCH, seed=seed, pool_batches=pool))
        for pool in POOLS
    }
    return {
        "corpus": name, "seed": seed, "sentences": count, "longest": max(lengths),
        "mean": round(sum(lengths) / count, 2), "max_tokens": budget,
        "rows_of_a_token_batch": [min(rows), max(rows)],
        **{way: round(share, 4) for way, share in shares.items()},
        "pool_of_batches": {pool: round(share, 4) for pool, share in pools.items()},
    }  # fmt: skip


def waste(german: list[list[str]] | None) -> list[dict]:
    corpora = {
        "dates": [len(p.source) + 1 for p in dates(2048, 0, 0).train],  # + 1: EOS
        "phrases": [len(p.source) + 1 for p in phrases(20_000, 0, 0).train],
    }
    if german:
        corpora["multi30k_german"] = [len(tokens) + 1 for tokens in german]
    return [waste_of(name, lengths, s) for name, lengths in corpora.items() for s in SEEDS]


def waste_of_pairs() -> dict:
    """Source cells of phrases, in batches sorted by the target's length alone, and by both."""
    pairs = phrases(20_000, 0, 0).train
    source, target = ([len(getattr(p, side)) + 1 for p in pairs] for side in ("source", "target"))
    both = list(zip(target, source, strict=True))
    by = {"target": target, "target_and_source": both}
    return {
        key: round(share_of_pads(source, BucketSampler(sizes, BATCH)), 4)
        for key, sizes in by.items()
    }


# ---------------------------------------------------------------- vocabularies


def unknown(vocab: Vocab, lines: Iterable[Sequence[str]]) -> tuple[int, int]:
    """Tokens that become UNK, and all of them."""
    ids = [i for line in lines for i in vocab.encode(line)]
    return ids.count(UNK_ID), len(ids)


def row_of(kind: str, vocab: Vocab, train: list, valid: list) -> dict:
    (missed, tokens), (foreign, of) = unknown(vocab, train), unknown(vocab, valid)
    return {
        "tokens_are": kind, "V": len(vocab), "tokens_a_line": round(tokens / len(train), 1),
        "unk_in_train": missed, "unk_in_valid_percent": round(100 * foreign / of, 2),
    }  # fmt: skip


def vocabularies(
    train: list[list[str]], valid: list[list[str]], pieces: Sequence[int] = PIECES
) -> list[dict]:
    spelt = [[list(" ".join(line)) for line in split] for split in (train, valid)]
    rows = [row_of("letters", Vocab.build(spelt[0]), *spelt)]
    for least in MIN_FREQ:
        rows.append(row_of(f"words, min_freq {least}", Vocab.build(train, least), train, valid))
    for size in pieces:
        subwords = Subwords.train((" ".join(line) for line in train), size)
        split = [[subwords.encode(" ".join(line)) for line in lines] for lines in (train, valid)]
        rows.append(row_of(f"pieces, {size}", subwords.vocab(), *split))
    return rows


def from_both_splits(train: list[list[str]], valid: list[list[str]]) -> dict:
    """What a vocabulary of training and validation text hides."""
    seen = {token for line in train for token in line}
    new = {token for line in valid for token in line} - seen
    return {
        "never_trained": len(new),
        "valid_lines_with_one": sum(any(token in new for token in line) for line in valid),
        "valid_lines": len(valid),
    }


# ---------------------------------------------------------------- truncation


def whole(ids: list[int]) -> list[int] | None:
    return [*ids, EOS_ID]


def cut_eos_lost(ids: list[int]) -> list[int] | None:
    return [*ids, EOS_ID][:LIMIT]


def cut_eos_kept(ids: list[int]) -> list[int] | None:
    return [*ids[: LIMIT - 1], EOS_ID]


def dropped(ids: list[int]) -> list[int] | None:
    return [*ids, EOS_ID] if len(ids) < LIMIT else None


WAYS = (whole, cut_eos_lost, cut_eos_kept, dropped)


def ended_as(examples: list, way: Callable) -> list[tuple[list[int], list[int]]]:
    """Whole sources; targets after ``way``. Both with their own ends."""
    made = [([*source, EOS_ID], way(target)) for source, target in examples]
    return [(source, target) for source, target in made if target is not None]


def collate_as_they_end(examples: list) -> Batch:
    """Like ``collate``, but nothing is appended: a target that lost its EOS has none."""
    src, src_lengths = pad_sequences([source for source, _ in examples])
    tgt_out, tgt_lengths = pad_sequences([target for _, target in examples])
    tgt_in, _ = pad_sequences([[BOS_ID, *target[:-1]] for _, target in examples])
    return Batch(src, src_lengths, tgt_in, tgt_out, tgt_lengths)


def trained(examples: list, sizes: tuple[int, int], seed: int, steps: int = 300) -> Seq2Seq:
    """A small model after so many steps of 64 random pairs, from a seed."""
    seed_everything(seed)
    model = Seq2Seq(
        Seq2SeqConfig(*sizes, embed_size=48, hidden_size=64, dropout=0.0, bidirectional=False)
    )
    draw = torch.Generator().manual_seed(seed)
    sampler = RandomSampler(examples, replacement=True, num_samples=64 * steps, generator=draw)
    loader = DataLoader(examples, 64, sampler=sampler, collate_fn=collate_as_they_end)
    settings = TrainConfig(epochs=1, learning_rate=5e-3)
    fit(model, loader, None, settings, progress=False, device=get_device())
    return model


def outputs_of(model: Seq2Seq, examples: list, max_new_tokens: int = 20) -> list:
    """The greedy output of each source."""
    batch = collate(examples).to(get_device())
    found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=max_new_tokens)
    return [best for (best,) in found]


def encoded(pairs: dict[str, list[Pair]]) -> tuple[dict[str, list], tuple[int, int]]:
    """Examples of each split, and the sizes of the two vocabularies."""
    vocabs = [
        Vocab.build(getattr(p, side) for p in pairs["train"]) for side in ("source", "target")
    ]
    examples = {split: encode_pairs(kept, *vocabs) for split, kept in pairs.items()}
    return examples, (len(vocabs[0]), len(vocabs[1]))


def truncation(seed: int, steps: int = 300, train: int = 6000) -> list[dict]:
    """Phrases: four ways to treat a target of more than ``LIMIT`` tokens, EOS counted."""
    corpus = phrases(train, 10, 389)
    examples, sizes = encoded({"train": corpus.train, "test": corpus.test})
    rows = []
    for way in WAYS:
        kept = ended_as(examples["train"], way)
        model = trained(kept, sizes, seed, steps)
        found = outputs_of(model, examples["test"])
        gold = [[*target, EOS_ID] for _, target in examples["test"]]
        pairs = list(zip(found, gold, strict=True))
        groups = {
            "short": [(best, due) for best, due in pairs if len(due) <= LIMIT],
            "long": [(best, due) for best, due in pairs if len(due) > LIMIT],
        }
        long = [len(best.tokens) for best, _ in groups["long"]]
        rows.append(
            {
                "seed": seed, "targets": way.__name__, "pairs": len(kept), "steps": steps,
                **{
                    f"{name}_right": f"{sum(list(b.tokens) == g for b, g in group)}/{len(group)}"
                    for name, group in groups.items()
                },
                "ended": f"{sum(best.finished for best in found)}/{len(found)}",
                "mean_length_of_long": round(sum(long) / len(long), 1),
                "long_with_at_most_7": round(sum(n <= LIMIT for n in long) / len(long), 2),
            }
        )  # fmt: skip
    return rows


def no_row_ends(seed: int, steps: int = 300) -> dict:
    """Dates: all targets have 10 characters, so a cut to 10 takes EOS from every one."""
    corpus = dates(4000, 10, 200)
    examples, sizes = encoded({"train": corpus.train, "test": corpus.test})
    kept = ended_as(examples["train"], lambda ids: [*ids, EOS_ID][:10])
    found = outputs_of(trained(kept, sizes, seed, steps), examples["test"])
    return {"seed": seed, "ended": f"{sum(best.finished for best in found)}/{len(found)}"}


# ---------------------------------------------------------------- the command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    try:
        corpus = multi30k(("de", "en"))
        train, valid = ([list(p.source) for p in half] for half in (corpus.train, corpus.valid))
    except CorpusError as missing:
        print(f"Without Multi30k, whose rows are left out: {missing}")
        train = valid = None
    found = {
        "waste": waste(train),
        "source_waste_of_pairs_sorted_by": waste_of_pairs(),
        "vocabularies": train and vocabularies(train, valid),
        "from_both_splits": train and from_both_splits(train, valid),
        "truncation": [row for seed in SEEDS for row in truncation(seed)],
        "no_row_ends": [no_row_ends(seed) for seed in SEEDS],
    }
    print(json.dumps(found, indent=1))
    if arguments.write:
        kept = {"date": str(datetime.date.today()), "torch": torch.__version__, **found}
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
