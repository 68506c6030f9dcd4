"""Real translation: how good, after how many minutes?

python -m benchmarks.translation --languages de en     # trains the default recipe: half an hour
python -m benchmarks.translation --languages en de     # the same recipe, the other way round
python -m benchmarks.translation --corpus tatoeba --pieces 2000
torchrun --nproc-per-node 2 -m benchmarks.translation  # two processes, a core each
python -m benchmarks.translation --write               # results/*.json as tables in README.md

Minutes are those of training and of the validation loss; the BLEU that is measured after each epoch
for the curve is not counted. CPU minutes are what one process used, with learning the subwords: on
a machine that others share they tell better what a quiet one would take.
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from benchmarks import report
from seq2seq_lib._files import write_whole
from seq2seq_lib.corpora import Corpus, CorpusError, multi30k, tatoeba
from seq2seq_lib.runtime import get_device
from seq2seq_lib.training import Processes, joined
from seq2seq_lib.translate import PLAIN, Recipe, bleu, load_translator, train

RESULTS = Path(__file__).parent / "results"
SEARCHES = {  # what is measured on the test set at the end
    "greedy": {"num_beams": 1},
    "beam 5, penalty 1": {"num_beams": 5, "length_penalty": 1.0},
}


def published_lines(corpus: Corpus, split: str) -> tuple[list[str], list]:
    """Sources and references, for a corpus whose only token a side is the published line.

    Multi30k line by line, as everyone scores it; a Tatoeba sentence once, with all its references.
    """
    if corpus.name.startswith("multi30k"):
        pairs = corpus.split(split)
        return [pair.source[0] for pair in pairs], [pair.target[0] for pair in pairs]
    references = corpus.references(split)
    return [line for (line,) in references], [[t for (t,) in r] for r in references.values()]


def say_at_once(line: str) -> None:
    """Print it now, also where the output goes to a file that someone follows."""
    print(line, flush=True)


def measure(
    load: Callable[..., Corpus],
    recipe: Recipe,
    *,
    path: Path,
    checkpoint: Path,
    device: torch.device,
    limit: int | None = None,
    searches: Mapping[str, dict] = SEARCHES,
    say: Callable[[str], None] = say_at_once,
) -> dict:
    """Train, translate the validation set after each epoch and the test set after the last.

    Args:
        load: ``multi30k`` or ``tatoeba``, takes ``tokenizer``.
        path: JSON, replaced when all is measured; before that the curve so far stands beside it, in
            ``NAME.partial.json``.
        checkpoint: written by the training; a file that is there is replaced.
        limit: so many training pairs and sentences to translate, for a trial.
        searches: of the test set at the end, by name.

    Of several processes the first one measures, writes and speaks; the others only train.
    """
    corpus, lines = load(), load(tokenizer=lambda line: [line.strip()])
    if limit is not None:
        corpus = Corpus(corpus.name, corpus.train[:limit], corpus.valid[:limit], corpus.test)
    result = {
        "corpus": corpus.name,
        "pairs": len(corpus.train),
        "processes": Processes().size,
        "recipe": dataclasses.asdict(recipe),
        "machine": report.machine(device),
        "versions": report.versions("torch", "sentencepiece", "sacrebleu"),
        "curve": [],  # a point an epoch
        "test": {},
    }

    def score(split: str, **search) -> dict:
        sources, references = published_lines(lines, split)
        translator = load_translator(checkpoint, device)
        found, _ = bleu(translator, sources[:limit], references[:limit], **search)
        return {"bleu": round(found.score, 2), "signature": found.signature}

    unfinished = path.with_suffix(".partial.json")

    def save() -> None:
        write_whole(unfinished, json.dumps(result, indent=1) + "\n")

    used = time.process_time()  # what BLEU takes is left out
    minutes = cpu_minutes = 0.0

    def after_epoch(model, record) -> None:
        nonlocal used, minutes, cpu_minutes
        minutes += record.seconds / 60
        cpu_minutes += (time.process_time() - used) / 60
        point = {
            "epoch": record.epoch,
            "minutes": round(minutes, 2),
            "cpu_minutes": round(cpu_minutes, 2),
            "tokens_per_second": round(record.tokens / record.seconds),
            "train_loss": round(record.train_loss, 3),
            "valid_loss": round(record.valid_loss, 3),
            "valid_bleu": score("valid", num_beams=1)["bleu"],
        }
        result["curve"].append(point)
        save()
        say(", ".join(f"{name} {value}" for name, value in point.items()))
        used = time.process_time()

    train(
        corpus,
        recipe,
        checkpoint_path=checkpoint,
        device=device,
        after_epoch=after_epoch,
        progress=False,
    )
    if not Processes().speaks:
        return result
    for name, search in searches.items():
        result["test"][name] = score("test", **search)
        say(f"test, {name}: {result['test'][name]}")
    save()
    os.replace(unfinished, path)
    return result


def table(result: dict) -> str:
    """One run as Markdown: its circumstances, the curve, the test set."""
    recipe = {f.name: f.default for f in dataclasses.fields(Recipe)}
    # what a result was measured with that was written before a recipe could say it
    used = PLAIN | result["recipe"]
    used = {k: v for k, v in used.items() if recipe[k] != v and k != "seed"}
    changed = [f"{k} {v} for {recipe[k]}" for k, v in used.items()]
    processes = result.get("processes", 1)
    together, each = (f", {processes} processes", " each") if processes > 1 else ("", "")
    seed = result["recipe"]["seed"]
    other = f", seed {seed}" if seed != Recipe.seed else ""
    text = [
        f"### {result['corpus']}{together}, {len(result['curve'])} epochs{other}",
        "",
        f"{result['pairs']:,} training pairs; {', '.join(changed) or 'the default recipe'}; one "
        f"run, seed {seed}. {result['machine']}"
        f"{each}; {result['versions']}.",
        "",
        "| epoch | minutes | CPU minutes | target tokens a second, validation included "
        "| validation loss, nats | validation BLEU, greedy |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    text += [
        f"| {p['epoch']} | {p['minutes']:.1f} | {_cpu(p)} | {p['tokens_per_second']:,} | "
        f"{p['valid_loss']:.3f} | {p['valid_bleu']:.1f} |"
        for p in result["curve"]
    ]
    text += ["", "| test set | BLEU |", "|---|--:|"]
    text += [f"| {name} | {score['bleu']:.2f} |" for name, score in result["test"].items()]
    text += ["", *sorted({f"Signature: `{s['signature']}`" for s in result["test"].values()})]
    return "\n".join(text)


def _cpu(point: dict) -> str:
    return f"{point['cpu_minutes']:.1f}" if "cpu_minutes" in point else "–"


def write_tables(results: Path = RESULTS, page: Path = report.README) -> None:
    """All finished runs into the page."""
    paths = [path for path in sorted(results.glob("*.json")) if ".partial" not in path.suffixes]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    runs = [run for run in found if "recipe" in run and "curve" in run]  # others lie there, too
    if not runs:
        raise ValueError(f"There are no results in {results}.")
    report.write_section("translation", "\n\n".join(map(table, runs)), page)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.translation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--corpus", choices=("multi30k", "tatoeba"), default="multi30k")
    parser.add_argument("--languages", nargs=2, default=("de", "en"), help="of Multi30k")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--pieces", type=int, default=Recipe.num_pieces, help="of each language")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--limit", type=int, help="use so many pairs only; needs --results")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; default: 1")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON file")
    parser.add_argument("--checkpoint", type=Path, help="keep the model in this file")
    parser.add_argument("--write", action="store_true", help="train nothing, write README.md")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.limit is not None and options.results == RESULTS:
        print("error: a trial needs a folder of its own: --limit and --results", file=sys.stderr)
        return 2
    if options.write:
        write_tables(options.results)
        return 0
    options.results.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    languages = tuple(options.languages)

    def load(**choices) -> Corpus:
        return tatoeba(**choices) if options.corpus == "tatoeba" else multi30k(languages, **choices)

    recipe = Recipe(epochs=options.epochs, num_pieces=options.pieces, seed=options.seed)
    try:
        name = load().name
        with (
            tempfile.TemporaryDirectory() as folder,
            joined(get_device()) as device,
        ):
            together = f"-x{Processes().size}" if Processes().size > 1 else ""
            seed = f"-seed-{recipe.seed}" if recipe.seed != Recipe.seed else ""
            measure(
                load,
                recipe,
                path=options.results / f"{name}{together}{seed}.json",
                checkpoint=options.checkpoint or Path(folder) / "model.pt",
                device=device,
                limit=options.limit,
            )
    except CorpusError as error:
        print(f"skipped: no data. {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
