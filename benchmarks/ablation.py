"""What each part of the translation recipe is worth: three epochs each.

The recipe that the others stand beside is the first one of ``seq2seq_lib.translate``. One thing
changed a run; then the steps from there to today's recipe, each with those before it.

python -m benchmarks.ablation                    # all, five to eight minutes each on a quiet core
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
from seq2seq_lib.translate import PLAIN, Recipe

RESULTS = Path(__file__).parent / "results" / "ablation"
EPOCHS = 3  # each with its own schedule, so that the learning rate ends at 0
FIRST = Recipe(**PLAIN, num_pieces=6000, dropout=0.3, epochs=EPOCHS)
CHANGES = {  # of the first recipe: what stands in the table, and what changes
    "recipe": ("nothing: the first recipe", {}),
    "tied": ("an output matrix apart from the target embedding", {"tie_embeddings": False}),
    "parallel": ("attention before the recurrent step: token by token", {"attend_first": True}),
    "dot": ("attention with a matrix of its own (general)", {"attention": "general"}),
    "dropout": ("no dropout", {"dropout": 0.0}),
    "smoothing": ("no label smoothing", {"label_smoothing": 0.0}),
    "cosine": ("no decay of the learning rate", {"cosine_decay": False}),
    "warmup": ("no warm-up", {"warmup_steps": 0}),
    "average": ("the weights of the last third averaged", {"average_from": 2 / 3}),
    "pieces": ("3,000 subwords instead of 6,000", {"num_pieces": 3000}),
}
STEPS = {  # towards today's recipe: each with those before it
    "step1": ("3,000 subwords and general attention", {"num_pieces": 3000, "attention": "general"}),
    "step2": (
        "… and LSTM layers with residual connections, attention between the decoder's",
        {"cell": "lstm", "residual": True},
    ),
    "step3": ("… and BPE-dropout of the source, 0.1", {"piece_dropout": 0.1}),
}


def recipes() -> dict[str, tuple[str, Recipe]]:
    """All that is trained, by the names of their files: what stands in the table, and a recipe."""
    found = {name: (what, replace(FIRST, **changes)) for name, (what, changes) in CHANGES.items()}
    last = FIRST
    for name, (what, changes) in STEPS.items():
        last = replace(last, **changes)
        found[name] = what, last
    return found


SAME = ("corpus", "pairs", "machine", "versions")  # in all runs of a table


def table(results: Path = RESULTS) -> str:
    """All finished runs beside the whole recipe.

    Raises:
        ValueError: no run of the recipe itself; runs that cannot be compared.
    """
    all_recipes = recipes()
    paths = {name: results / f"{name}.json" for name in all_recipes}
    runs = {n: json.loads(p.read_text(encoding="utf-8")) for n, p in paths.items() if p.exists()}
    if "recipe" not in runs:
        raise ValueError(f"There is no {paths['recipe']}, the run that the others stand beside.")
    whole = runs["recipe"]
    for name, run in runs.items():
        differ = [part for part in SAME if run[part] != whole[part]]
        differ += ["epochs"] * (len(run["curve"]) != len(whole["curve"]))
        if differ:
            raise ValueError(f"{paths[name]} and recipe.json differ in: {', '.join(differ)}.")
    lines = [
        f"{whole['machine']}; {whole['versions']}.",
        "",
        "| what is changed | CPU minutes | validation loss, nats a piece | validation BLEU, greedy "
        "| change |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, run in runs.items():
        last = run["curve"][-1]
        what, recipe = all_recipes[name]
        other = recipe.num_pieces != FIRST.num_pieces  # then another loss, of other pieces
        loss = "–" if other else f"{last['valid_loss']:.3f}"
        gain = f"{last['valid_bleu'] - whole['curve'][-1]['valid_bleu']:+.1f}"
        lines.append(
            f"| {what} | {last['cpu_minutes']:.1f} | {loss} | "
            f"{last['valid_bleu']:.1f} | {gain if run is not whole else '–'} |"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=recipes(), metavar="NAME", help="some of them")
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
        for name in options.only or recipes():
            what, recipe = recipes()[name]
            print(f"{name}: {what}", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                translation.measure(
                    multi30k,
                    recipe,
                    path=options.results / f"{name}.json",
                    checkpoint=Path(folder) / "model.pt",
                    device=get_device(),
                    searches={},  # the test set stays out of it
                )
    except CorpusError as error:
        print(f"skipped: no data. {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
