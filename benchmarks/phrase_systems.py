"""Chapter 9: three seeds of one small translator, one with more data, and what their scores say.

python -m benchmarks.phrase_systems            # prints it; two minutes on a quiet core
python -m benchmarks.phrase_systems --write    # keeps it in results/phrase_systems.json

Generated phrases, English to French (`seq2seq_lib.course.assets.translation`); 800 for the test.
"""

import argparse
import datetime
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.report import write_whole
from seq2seq_lib.corpora import Pair, detokenize
from seq2seq_lib.course.assets import translation
from seq2seq_lib.course.ch09_real_translation.links import gold_links
from seq2seq_lib.metrics import (
    bleu_of,
    bleu_statistics,
    bootstrap_interval,
    chrf,
    corpus_bleu,
    exact_match,
)
from seq2seq_lib.translate import Translation, Translator, train

RESULT = Path(__file__).parent / "results" / "phrase_systems.json"
SEEDS = (1, 2, 3)
WIDTHS, PENALTIES, SEARCHED = (1, 2, 5, 10, 20), (0.0, 1.0), 300


def texts(side: str, pairs: Sequence[Pair]) -> list[str]:
    """The source or the target of pairs, as plain text."""
    return [detokenize(getattr(pair, side)) for pair in pairs]


def statistics(hypotheses: Sequence[str], references: Sequence[str]) -> torch.Tensor:
    """BLEU's counts: the phrases have no punctuation, so their words are split at spaces."""
    return bleu_statistics([h.split() for h in hypotheses], [[r.split()] for r in references])


def scores(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """What the table of the seeds shows."""
    return {
        "bleu": round(corpus_bleu(hypotheses, references).score, 2),
        "chrf": round(chrf(hypotheses, references).score, 2),
        "exact_match": round(exact_match(hypotheses, references), 4),
    }


def attention(pairs: Sequence[Pair], translations: Sequence[Translation]) -> dict[str, float]:
    """Where the largest weight of each piece lies, in outputs that are right word for word."""
    on_link = on_end = pieces = 0
    for pair, found in zip(pairs, translations, strict=True):
        if found.text != detokenize(pair.target):
            continue
        looked = found.attention.argmax(1).tolist()
        for t, links in enumerate(gold_links(pair, found)):
            if links:
                pieces += 1
                on_link += looked[t] in links
                on_end += looked[t] == len(found.source)
    return {
        "pieces": pieces,
        "on_gold_link": round(on_link / pieces, 4),
        "on_end": round(on_end / pieces, 4),
    }


def search(translator: Translator, sources: Sequence[str], references: Sequence[str]) -> list[dict]:
    """Width and penalty: BLEU, what it gains over greedy, length ratio, mean log-probability.

    The gain has its paired interval, its ends being points of BLEU.
    """
    rows, greedy = [], None
    for penalty in PENALTIES:
        for width in WIDTHS:
            found = translator(sources, num_beams=width, length_penalty=penalty)
            outputs = [one.text for one in found]
            bleu, counts = corpus_bleu(outputs, references), statistics(outputs, references)
            greedy = counts if greedy is None else greedy  # one beam, no penalty
            rows.append({
                "penalty": penalty, "width": width, "bleu": round(bleu.score, 2),
                "over_greedy": interval(greedy, counts),
                "length_ratio": round(bleu.hypothesis_length / bleu.reference_length, 3),
                "log_prob": round(sum(one.log_prob for one in found) / len(found), 3),
            })  # fmt: skip
            print(rows[-1], flush=True)
    return rows


def interval(one: torch.Tensor, two: torch.Tensor) -> dict[str, float]:
    """A paired difference with its ends."""
    low, high = bootstrap_interval(one, two)
    gain = bleu_of(two.sum(0).tolist()) - bleu_of(one.sum(0).tolist())
    return {"gain": round(gain, 2), "low": round(low, 2), "high": round(high, 2)}


def measure(write: bool) -> dict:
    """Everything; kept after each part where ``write`` says so."""
    pairs = translation.phrase_corpus().test
    sources, references = texts("source", pairs), texts("target", pairs)
    kept: dict = {"date": str(datetime.date.today()), "torch": torch.__version__, "systems": {}}
    outputs, first = {}, None
    trainings = {str(seed): (3000, 6, seed) for seed in SEEDS} | {"twice the data": (6000, 4, 1)}
    for name, (num_train, epochs, seed) in trainings.items():
        start = time.process_time()
        corpus = translation.phrase_corpus(num_train)
        translator, _ = train(corpus, translation.recipe(seed, epochs), progress=False)
        row: dict = {"pairs": len(corpus.train), "cpu_seconds": round(time.process_time() - start)}
        for search_name, beams in (("greedy", 1), ("5 beams", 5)):
            found = translator(sources, num_beams=beams)
            outputs[name, search_name] = [one.text for one in found]
            row[search_name] = scores(outputs[name, search_name], references)
        row["attention"] = attention(pairs, found)
        kept["systems"][name] = row
        print(name, row, flush=True)
        first = first or translator
    kept["gains"] = {}
    rows = {key: statistics(out, references) for key, out in outputs.items()}
    compared = [((str(s), "greedy"), (str(s), "5 beams")) for s in SEEDS]
    for search_name in ("greedy", "5 beams"):
        for one, two in (("1", "2"), ("1", "3"), ("2", "3")):
            compared.append(((one, search_name), (two, search_name)))
    compared.append((("1", "5 beams"), ("twice the data", "5 beams")))
    for one, two in compared:
        kept["gains"][f"{', '.join(one)} -> {', '.join(two)}"] = interval(rows[one], rows[two])
    print(json.dumps(kept["gains"], indent=1), flush=True)
    if write:
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")
    kept["search"] = search(first, sources[:SEARCHED], references[:SEARCHED])
    if write:
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    measure(parser.parse_args().write)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
