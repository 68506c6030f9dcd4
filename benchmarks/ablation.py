"""What each part of the translation recipe is worth: the recipe without it, three epochs each.

python -m benchmarks.ablation                    # all, seven minutes each on one quiet core
python -m benchmarks.ablation --only dropout     # some
python -m benchmarks.ablation --write            # results/ablation/*.json as a table in README.md
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import report, translation
from seq2seq_lib.corpora import CorpusError, multi30k
from seq2seq_lib.runtime import get_device
from seq2seq_lib.translate import Recipe

RESULTS = Path(__file__).parent / "results" / "ablation"
EPOCHS = 3  # each with its own schedule, so that the learning rate ends at 0
BEAM = "beam 5, penalty 1"
WITHOUT = {  # what is done to the recipe: its name in the table, and what changes
    "recipe": ("the recipe, all of it", {}),
    "tied": ("output matrix apart from the target embedding", {"tie_embeddings": False}),
    "parallel": ("attention before the recurrent step: token by token", {"attend_first": True}),
    "dot": ("attention with a matrix of its own (general)", {"attention": "general"}),
    "dropout": ("no dropout", {"dropout": 0.0}),
    "smoothing": ("no label smoothing", {"label_smoothing": 0.0}),
    "cosine": ("no decay of the learning rate", {"cosine_decay": False}),
    "warmup": ("no warm-up", {"warmup_steps": 0}),
    "average": ("weights averaged over the last third", {"average_from": 2 / 3}),
    "constant-average": (
        "weights averaged over the last third, no decay",
        {"cosine_decay": False, "average_from": 2 / 3},
    ),
    "batch-32": ("batches of 32", {"batch_size": 32}),
    "batch-128": ("batches of 128", {"batch_size": 128}),
    "pieces-3000": ("3,000 subwords", {"num_pieces": 3000}),
    "pieces-10000": ("10,000 subwords", {"num_pieces": 10000}),
}


def table(results: Path = RESULTS) -> str:
    """All finished runs beside the whole recipe."""
    runs = {name: results / f"{name}.json" for name in WITHOUT}
    runs = {n: json.loads(p.read_text(encoding="utf-8")) for n, p in runs.items() if p.exists()}
    runs = {name: run for name, run in runs.items() if run["test"]}
    lines = [
        f"{runs['recipe']['machine']}; {runs['recipe']['versions']}.",
        "",
        "| recipe, three epochs | CPU minutes | validation loss | test BLEU | against the recipe |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, run in runs.items():
        last, score = run["curve"][-1], run["test"][BEAM]["bleu"]
        gain = score - runs["recipe"]["test"][BEAM]["bleu"]
        lines.append(
            f"| {WITHOUT[name][0]} | {last['cpu_minutes']:.1f} | {last['valid_loss']:.3f} | "
            f"{score:.1f} | {f'{gain:+.1f}' if name != 'recipe' else '–'} |"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=WITHOUT, metavar="NAME", help="some of them")
    parser.add_argument("--limit", type=int, help="use so many pairs only, for a trial")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON files")
    parser.add_argument("--write", action="store_true", help="train nothing, write README.md")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.write:
        report.write_section("ablation", table(options.results))
        return 0
    torch.set_num_threads(1)
    options.results.mkdir(parents=True, exist_ok=True)
    try:
        for name in options.only or WITHOUT:
            print(f"{name}: {WITHOUT[name][0]}", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                translation.measure(
                    multi30k,
                    replace(Recipe(epochs=EPOCHS), **WITHOUT[name][1]),
                    path=options.results / f"{name}.json",
                    checkpoint=Path(folder) / "model.pt",
                    device=get_device(),
                    limit=options.limit,
                    searches={BEAM: translation.SEARCHES[BEAM]},
                    say=lambda line: print(line, flush=True),
                )
    except CorpusError as error:
        print(f"skipped: no data. {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
