"""Width, length and truth: measured for chapter 11.

    python -m benchmarks.length_and_truth            # some ten minutes on one core
    python -m benchmarks.length_and_truth --write    # and keep it: results/length_and_truth.json

*letters*: targets whose probabilities are known. For 100 sources the model's exact mode, found by
best-first search, and for each width how many outputs are less probable than it: search errors.
For 300 sources how good outputs of several searches are by four rulers: probability under the rules
of the task, share that is possible at all, BLEU and n-gram F1 against five drawn references each.

*keywords*: sentences from nouns, a task with many right answers whose probabilities nobody knows.
Log-probability, length and BLEU by width, and how often the empty sentence is written, or is more
probable than greedy search's.

*n-gram bans*: the shipped reader of dates, forbidden to repeat an n-gram.
"""

import argparse
import datetime
import json
import math
import random
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.report import write_whole
from seq2seq_lib.batching import collate, encode_pairs, make_loader
from seq2seq_lib.corpora import (
    dates,
    letters,
    letters_distribution,
    letters_log_prob,
    letters_mode,
)
from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.course.assets.keywords import Recipe, keyword_pairs
from seq2seq_lib.course.assets.keywords import train as train_keywords
from seq2seq_lib.course.ch11_length_and_truth.given import (
    LONGEST,
    Counted,
    least_risk,
    ngram_f1,
)
from seq2seq_lib.decoding import beam_search, best_first_search, greedy_search, rescore, sample
from seq2seq_lib.metrics import corpus_bleu
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, evaluate, fit
from seq2seq_lib.vocab import EOS_ID, Vocab

RESULT = Path(__file__).parent / "results" / "length_and_truth.json"
SEEDS = (0, 1, 2, 3, 4)
WIDTHS = (1, 2, 3, 5, 10, 20, 50)
NEAR = 1e-4  # nats: below it two log-probabilities are one
CAP = 26  # tokens of an output of letters


def bleu(outputs: list[tuple[str, ...]], references: list[tuple[str, ...]]) -> float:
    return corpus_bleu(
        [" ".join(y) for y in outputs], [" ".join(y) for y in references], tokenize="none"
    ).score


def letter_model(seed: int, epochs: int = 6, num_train: int = 6000) -> tuple[Any, ...]:
    corpus = letters(num_train, 300, 300)
    vocabs = [
        Vocab.build(getattr(pair, side) for pair in corpus.train) for side in ("source", "target")
    ]
    seed_everything(seed)
    sizes = {"embed_size": 24, "hidden_size": 64, "dropout": 0.0, "attention": "dot"}
    model = Seq2Seq(Seq2SeqConfig(len(vocabs[0]), len(vocabs[1]), **sizes))
    loader = make_loader(encode_pairs(corpus.train, *vocabs), 50, shuffle=True, seed=seed)
    settings = TrainConfig(epochs=epochs, learning_rate=6e-3, cosine_decay=True)
    fit(model, loader, None, settings, progress=False)
    return model.eval(), vocabs, corpus


def measure_letters(seed: int, sources: int = 300, exact: int = 100, **smaller: int) -> dict:
    model, vocabs, corpus = letter_model(seed, **smaller)
    test = encode_pairs(corpus.test, *vocabs)
    row: dict[str, Any] = {"seed": seed, "floor": round(corpus.entropy_floor, 3)}
    row["loss"] = round(evaluate(model, make_loader(test, 100)).mean.item(), 3)
    pairs = corpus.test[:sources]
    batch = collate(test[:sources])
    decode = vocabs[1].decode

    # search errors
    few = collate(test[:exact])
    modes, calls, started = [], [], time.process_time()
    for b in range(exact):
        counted = Counted(model)
        source = few.src[b : b + 1, : few.src_lengths[b]], few.src_lengths[b : b + 1]
        modes.append(best_first_search(counted, *source, max_new_tokens=CAP)[0][0])
        calls.append(counted.calls)
    row["exact_seconds"] = round(time.process_time() - started, 1)
    row["calls"] = {
        "mean": round(statistics.mean(calls)),
        "median": statistics.median(calls),
        "max": max(calls),
    }
    row["mode_is_true_mode"] = sum(
        tuple(decode(h.tokens)) == letters_mode(p.source)
        for h, p in zip(modes, pairs[:exact], strict=True)
    )
    row["search_errors"], row["tokens"] = {}, {}
    log_probs = {}
    for k in WIDTHS:
        found = beam_search(model, few.src, few.src_lengths, num_beams=k, max_new_tokens=CAP)
        log_probs[k] = [best.log_prob for (best,) in found]
        errors = [p < h.log_prob - NEAR for p, h in zip(log_probs[k], modes, strict=True)]
        row["search_errors"][k] = sum(errors)
        row["tokens"][k] = round(statistics.mean(len(best.tokens) for (best,) in found), 2)
        assert all(p <= h.log_prob + NEAR for p, h in zip(log_probs[k], modes, strict=True))
    row["tokens"]["exact"] = round(statistics.mean(len(h.tokens) for h in modes), 2)
    row["two_below_one"] = sum(
        two < one - NEAR for one, two in zip(log_probs[1], log_probs[2], strict=True)
    )

    # four rulers
    rng = random.Random(seed)
    truths = [letters_distribution(pair.source) for pair in pairs]

    def draw(b: int, n: int) -> list[tuple[str, ...]]:
        return rng.choices(list(truths[b]), weights=list(truths[b].values()), k=n)

    references = [draw(b, 5) for b in range(len(pairs))]
    generator = torch.Generator().manual_seed(seed)
    drawn = sample(
        model,
        batch.src,
        batch.src_lengths,
        max_new_tokens=CAP,
        num_samples=50,
        generator=generator,
    )
    samples = [[tuple(decode(h.tokens)) for h in hyps] for hyps in drawn]
    rng.shuffle(samples[0])  # they came sorted; which one is "the sample" must be random
    for some in samples[1:]:
        rng.shuffle(some)
    outputs = {"true mode": [letters_mode(pair.source) for pair in pairs]}
    for name, k in (("greedy", 1), ("beam 5", 5), ("beam 20", 20)):
        found = beam_search(model, batch.src, batch.src_lengths, num_beams=k, max_new_tokens=CAP)
        outputs[name] = [tuple(decode(best.tokens)) for (best,) in found]
    outputs["sample"] = [some[0] for some in samples]
    outputs["MBR"] = [least_risk(some, ngram_f1) for some in samples]
    outputs["MBR in the truth"] = [least_risk(draw(b, 50), ngram_f1) for b in range(len(pairs))]
    row["rulers"] = {}
    for name, written in outputs.items():
        true = [letters_log_prob(p.source, y) for p, y in zip(pairs, written, strict=True)]
        row["rulers"][name] = {
            "true p": round(statistics.mean(map(math.exp, true)), 3),
            "possible": round(statistics.mean(t > -math.inf for t in true), 3),
            "BLEU": round(
                statistics.mean(bleu(written, [r[i] for r in references]) for i in range(5)), 1
            ),
            "F1": round(
                statistics.mean(
                    ngram_f1(y, ref)
                    for y, refs in zip(written, references, strict=True)
                    for ref in refs
                ),
                3,
            ),
        }
    return row


def measure_keywords(seed: int, sources: int = 200, **smaller: int) -> dict:
    recipe = Recipe(seed=seed, **smaller)
    made, corpus = train_keywords(recipe), keyword_pairs(recipe)
    test = encode_pairs(corpus.test, made.src_vocab, made.tgt_vocab)
    row: dict[str, Any] = {"seed": seed, "widths": {}, "alpha_1": {}}
    row["loss"] = round(evaluate(made.model, make_loader(test, 100)).mean.item(), 2)
    pairs, batch = corpus.test[:sources], collate(test[:sources])
    references = [pair.target for pair in pairs]
    row["reference_tokens"] = round(statistics.mean(len(y) + 1 for y in references), 2)
    greedy: list[float] = []
    for alpha, key, widths in ((0.0, "widths", WIDTHS), (1.0, "alpha_1", (5, 10, 50))):
        for k in widths:
            found = beam_search(
                made.model,
                batch.src,
                batch.src_lengths,
                num_beams=k,
                max_new_tokens=LONGEST,
                length_penalty=alpha,
            )
            totals = [best.log_prob for (best,) in found]
            greedy = greedy or totals
            written = [tuple(made.tgt_vocab.decode(best.tokens)) for (best,) in found]
            row[key][k] = {
                "log p": round(statistics.mean(totals), 2),
                "tokens": round(statistics.mean(len(best.tokens) for (best,) in found), 2),
                "BLEU": round(bleu(written, references), 1),
                "below greedy": sum(t < g - NEAR for t, g in zip(totals, greedy, strict=True)),
                "empty": sum(len(y) == 0 for y in written),
            }
    two = [pair for pair in corpus.test if len(pair.source) == 2][:100]
    batch = collate(encode_pairs(two, made.src_vocab, made.tgt_vocab))
    best = greedy_search(made.model, batch.src, batch.src_lengths, max_new_tokens=LONGEST)
    empty = rescore(made.model, batch.src, batch.src_lengths, [[[EOS_ID]]] * len(two))
    row["empty_beats_greedy"] = sum(
        e.log_prob > g.log_prob for (e,), (g,) in zip(empty, best, strict=True)
    )
    row["empty_written"] = {}
    for k in (1, 5, 10, 50):
        found = beam_search(
            made.model, batch.src, batch.src_lengths, num_beams=k, max_new_tokens=LONGEST
        )
        row["empty_written"][k] = sum(h.tokens == [EOS_ID] for (h,) in found)
    return row


def repeats(text: str, n: int) -> bool:
    """Whether some n-gram occurs twice."""
    grams = [text[i : i + n] for i in range(len(text) - n + 1)]
    return len(set(grams)) < len(grams)


def measure_bans(num_test: int = 500) -> dict:
    reader = date_reader()
    pairs = dates(num_train=6000, num_valid=0, num_test=num_test, seed=0).test
    batch = collate(encode_pairs(pairs, reader.src_vocab, reader.tgt_vocab))
    row = {}
    for n in (None, 1, 2, 3, 4):
        found = greedy_search(
            reader.model, batch.src, batch.src_lengths, max_new_tokens=12, no_repeat_ngram_size=n
        )
        written = ["".join(reader.tgt_vocab.decode(best.tokens)) for (best,) in found]
        gold = ["".join(pair.target) for pair in pairs]
        wrong = statistics.mean(a != b for a, b in zip(written, gold, strict=True))
        share = statistics.mean(repeats(y, n) for y in gold) if n else 0.0
        row[str(n)] = {"wrong": round(wrong, 3), "with a repeat": round(share, 3)}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    kept = {"date": str(datetime.date.today()), "torch": torch.__version__}
    kept |= {"bans": measure_bans(), "letters": [], "keywords": []}
    print(kept["bans"], flush=True)
    for seed in SEEDS:
        for name, measure in (("keywords", measure_keywords), ("letters", measure_letters)):
            kept[name].append(measure(seed))
            print(name, kept[name][-1], flush=True)
        if arguments.write:
            write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
