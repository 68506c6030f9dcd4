"""What a reader waits for, against its budget.

A picture after a click, a check of an exercise, an import, a chapter.
"""

import gc
import importlib
import itertools
import os
import pkgutil
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

import seq2seq_lib
from benchmarks.report import Row
from benchmarks.timing import clock
from seq2seq_lib.course import exercises, explorers, find
from seq2seq_lib.course.explorers import translation_box
from seq2seq_lib.course.explorers.kit.explorer import Explorer
from seq2seq_lib.course.judging.engine import judge
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.translate import Translator, default_checkpoint, load_translator
from seq2seq_lib.vocab import Vocab

README = Path(__file__).parents[1] / "README.md"
ANSWER = 50  # milliseconds; the others are seconds
CHECK, IMPORT, CHAPTER, TRANSLATION_CHAPTER, ALL_CHAPTERS = 2, 0.2, 90, 240, 900
SENTENCES = (
    "Ein Hund läuft im Schnee.",
    "Zwei Männer sitzen auf einer Bank.",
    "Eine Frau mit einem roten Hut spielt am Strand Gitarre.",
    "Kinder spielen Fußball.",
    "Ein kleiner Junge springt von einer Mauer in das Wasser und lacht dabei.",
)


def rows(device: torch.device, quick: bool) -> list[Row]:
    found = [
        _answers(name, _settings(explorer, quick), device) for name, explorer in every_explorer()
    ]
    return [*found, _box(device, quick), _slowest_check(quick), *_imports(quick), *_chapters()]


# ---------------------------------------------------------------- explorers


def every_explorer() -> Iterator[tuple[str, Explorer]]:
    """All modules of ``seq2seq_lib.course.explorers`` that hold an ``EXPLORER``, by name."""
    for found in pkgutil.iter_modules(explorers.__path__):
        module = importlib.import_module(f"{explorers.__name__}.{found.name}")
        if isinstance(getattr(module, "EXPLORER", None), Explorer):
            yield found.name, module.EXPLORER


def _settings(explorer: Explorer, quick: bool) -> Iterator[Callable[[], str]]:
    """Every state, and from it every value of every control: what one click can ask for."""
    states = itertools.islice(explorer.states, 1 if quick else None)
    for state in states:
        start = explorer.params(state)
        yield _answer(explorer, start)
        for control in explorer.all_controls():
            if not control.matters(start):
                continue
            for value in itertools.islice(control.values(start), 2 if quick else None):
                yield _answer(explorer, explorer.move(start, control.key, value))


def _answer(explorer: Explorer, params: dict) -> Callable[[], str]:
    return lambda: explorer.draw(explorer.compute(**params))


def _answers(
    name: str,
    calls: Iterator[Callable[[], str]],
    device: torch.device,
    of: str = "p95 of all states and values",
) -> Row:
    calls = list(calls)
    calls[0]()  # what is loaded or built at the first call is not the reader's to wait for twice
    gc.collect()
    gc.freeze()  # what other benchmarks left is not collected at this one's cost
    seconds = []
    for call in calls:
        start = clock(device)
        call()
        seconds.append(clock(device) - start)
    gc.unfreeze()
    p95 = 1000 * statistics.quantiles(seconds, n=20)[-1]
    median = 1000 * statistics.median(seconds)
    measured = f"{p95:.1f} ms (median {median:.1f})"
    return Row(f"explorer {name}: answer, {of}", measured, f"≤ {ANSWER} ms", p95 <= ANSWER)


def _box(device: torch.device, quick: bool) -> Row:
    path = default_checkpoint(("de", "en"))
    if not quick and not path.exists():
        return Row("explorer translation_box: answer", "skipped: no trained model")
    translator = _tiny_translator(device) if quick else load_translator(path, device)

    def answer(sentence: str) -> str:
        return translation_box.draw(translation_box.compute(translator, sentence))

    calls = (lambda s=s: answer(s) for s in SENTENCES * (1 if quick else 5))
    return _answers("translation_box", calls, device, "p95 of five sentences, five times each")


def _tiny_translator(device: torch.device) -> Translator:
    vocab = Vocab.build([sentence.split() for sentence in SENTENCES])
    config = Seq2SeqConfig(len(vocab), len(vocab), embed_size=4, hidden_size=4)
    return Translator(Seq2Seq(config).to(device).eval(), vocab, vocab, str.split, " ".join)


# ---------------------------------------------------------------- checks


def _slowest_check(quick: bool) -> Row:
    """Of the right answer and of every known wrong one to each exercise."""
    answers = [(e.id, a) for e in exercises() for a in (e.reference, *e.mutants)]
    answers, seconds = answers[: 2 if quick else None], {}
    for id, answer in answers:
        start = time.process_time()  # checks compute on the CPU
        judge(find(id), answer, seed=0)
        seconds[id] = max(seconds.get(id, 0), time.process_time() - start)
    slowest = max(seconds, key=seconds.__getitem__)
    measured = f"{seconds[slowest]:.2f} s ({slowest})"
    what = f"the slowest check of {len(answers)} answers to {len(seconds)} exercises"
    return Row(what, measured, f"≤ {CHECK} s", seconds[slowest] <= CHECK)


# ---------------------------------------------------------------- imports


def _imports(quick: bool) -> list[Row]:
    public = [m.name for m in pkgutil.iter_modules(seq2seq_lib.__path__) if m.name[0] != "_"]
    public = public[: 1 if quick else None]
    for _ in range(1 if quick else 2):  # the first time fills the cache
        seconds = {name: _import_seconds(f"seq2seq_lib.{name}") for name in public}
    slowest = max(seconds, key=seconds.__getitem__)
    found = []
    for what, module, name in (
        ("seq2seq_lib", "seq2seq_lib", ""),
        ("its slowest public module", f"seq2seq_lib.{slowest}", f" ({slowest})"),
    ):
        median = statistics.median(_import_seconds(module) for _ in range(1 if quick else 5))
        what = f"import {what}, beyond import torch"
        found.append(Row(what, f"{median:.2f} s{name}", f"≤ {IMPORT} s", median <= IMPORT))
    return found


def _import_seconds(module: str) -> float:
    """In a process of its own, CPU seconds, from Python's cache as on every day but the first."""
    code = (
        f"import time, torch; start = time.process_time(); import {module}; "
        f"print(time.process_time() - start)"
    )
    caching = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=caching, capture_output=True, text=True, check=True
    )
    return float(run.stdout)


# ---------------------------------------------------------------- chapters


def _chapters() -> list[Row]:
    """The seconds that the builds of the notebooks measured, from the table in README.md."""
    line = r"^\| \[(\d+)\. .+?\]\(chapters/.*\| (?:(\d+) min)? ?(?:(\d+) s)? \|$"
    found, total = [], 0
    for number, minutes, seconds in re.findall(line, README.read_text("utf-8"), flags=re.MULTILINE):
        spent = 60 * int(minutes or 0) + int(seconds or 0)
        budget = TRANSLATION_CHAPTER if number == "9" else CHAPTER
        what = f"chapter {number}, top to bottom, s (the last build)"
        found.append(Row.at_most(what, spent, budget, "{:d}"))
        total += spent
    if not found:
        raise ValueError(f"There is no table of chapters in {README.name}.")
    return [*found, Row.at_most("all chapters, s", total, ALL_CHAPTERS, "{:d}")]
