"""7.6 ``width_report``: what beams of several widths find, with a model that is perfect."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import torch

from seq2seq_lib.corpora import letters_mode
from seq2seq_lib.course.ch07_search.given import search_letters
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Report = dict[int, dict[str, float]]

NAMES = ("log_prob", "length", "mode")

# ---------------------------------------------------------------- right answers


def width_report(sources: list[str], widths: list[int]) -> dict[int, dict[str, float]]:
    report = {}
    for k in widths:
        best = [search_letters(source, k)[0] for source in sources]
        modes = ["".join(letters_mode(source)) for source in sources]
        report[k] = {
            "log_prob": sum(log_prob for _, log_prob in best) / len(sources),
            "length": sum(len(output) for output, _ in best) / len(sources),
            "mode": sum(b[0] == mode for b, mode in zip(best, modes, strict=True)) / len(sources),
        }
    return report


def width_report_by_tensors(sources: list[str], widths: list[int]) -> dict[int, dict[str, float]]:
    def numbers(source: str, k: int) -> list[float]:
        output, log_prob = max(search_letters(source, k), key=lambda found: found[1])
        return [log_prob, len(output), tuple(output) == letters_mode(source)]

    return {
        k: dict(
            zip(
                NAMES,
                torch.tensor([numbers(s, k) for s in sources], dtype=torch.float64)
                .mean(0)
                .tolist(),
                strict=True,
            )
        )
        for k in widths
    }


# ---------------------------------------------------------------- probes


def width_probes(generator: torch.Generator) -> list[Probe]:
    """``(sources, widths)`` of the letters task."""

    def draw(count: int, alphabet: str, length: int) -> list[str]:
        ids = torch.randint(len(alphabet), (count, length), generator=generator).tolist()
        return ["".join(alphabet[i] for i in row) for row in ids]

    cases = [
        (["ab", "ea", "b"], [1, 2]),
        (draw(5, "abe", 3), [1, 3, 4]),
        (draw(4, "abc", 2), [2, 5]),
    ]
    return [
        Probe({"sources": sources, "widths": widths}, f"sources = {sources}, widths = {widths}")
        for sources, widths in cases
    ]


# ---------------------------------------------------------------- wrong answers


def report_with(
    *,
    chosen: Callable[[list], list] = lambda found: found[:1],
    log_prob: Callable[[float], float] = lambda number: number,
    length: Callable[[str], float] = len,
    compared: Callable[[str], Any] = tuple,
    mean: Callable[[list[float]], float] = lambda numbers: sum(numbers) / len(numbers),
) -> Callable:
    """A report; each argument is a decision that can be wrong."""

    def width_report(sources: list[str], widths: list[int]) -> Report:
        report = {}
        for k in widths:
            found = [(s, *f) for s in sources for f in chosen(search_letters(s, k))]
            report[k] = {
                "log_prob": float(mean([log_prob(number) for _, _, number in found])),
                "length": float(mean([length(output) for _, output, _ in found])),
                "mode": float(mean([compared(o) == letters_mode(s) for s, o, _ in found])),
            }
        return report

    return width_report


MUTANTS = (
    Mutant("whole_list", report_with(chosen=lambda found: found)),
    Mutant("last_of_list", report_with(chosen=lambda found: found[-1:])),
    Mutant("probabilities", report_with(log_prob=math.exp)),
    Mutant("length_with_end", report_with(length=lambda output: len(output) + 1)),
    Mutant("never_equal", report_with(compared=str)),
    Mutant("sums", report_with(mean=sum)),
)

# ---------------------------------------------------------------- the exercise


def is_report(value: Any, expected: Any) -> Problem | None:
    """A step: for each width, three numbers that can be what they are called."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict) or not all(isinstance(row, dict) for row in value.values()):
        return "not_a_dict", {}
    if value.keys() != expected.keys():
        return "widths", {"keys": ", ".join(map(repr, value))}
    for k, row in value.items():
        if row.keys() != set(NAMES):
            return "keys", {"keys": ", ".join(map(repr, row)), "k": str(k)}
        for name, number in row.items():
            if isinstance(number, bool) or not isinstance(number, Real):
                return "not_numbers", {"name": name, "k": str(k)}
            low, high = {"log_prob": (-math.inf, 0), "length": (0, math.inf), "mode": (0, 1)}[name]
            if not low <= number <= high:
                return "range", {"name": name, "k": str(k), "value": describe.number(number)}
    return None


EXERCISES = (
    Exercise(
        "7.6",
        "width_report",
        kind="X",
        difficulty=3,
        importance=4,
        minutes=45,
        points=6,
        task=FunctionTask(
            spec=width_report_by_tensors,
            probes=width_probes,
            steps=(is_report,),
            mutants=MUTANTS,
        ),
        reference=width_report,
        alternatives=(width_report_by_tensors,),
        manual=True,
        words=words_beside(__file__),
    ),
)
