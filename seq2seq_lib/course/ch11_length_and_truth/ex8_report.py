"""Exercise 11.8: seeds, widths and penalties on keywords; a report that a person reads."""

from typing import Any

import torch

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, plain
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import EOS_ID

Lists = list[list[int]]


def report_spec(outputs: Lists) -> tuple[int, float, float]:
    empty = tokens = unfinished = 0
    for output in outputs:
        empty += output == [EOS_ID]
        tokens += len(output)
        unfinished += output[-1] != EOS_ID
    return empty, tokens / len(outputs), unfinished / len(outputs)


def report(outputs: list[list[int]]) -> tuple[int, float, float]:
    empty = sum(output == [EOS_ID] for output in outputs)
    mean = sum(map(len, outputs)) / len(outputs)
    unfinished = sum(output[-1] != EOS_ID for output in outputs) / len(outputs)
    return empty, mean, unfinished


def report_by_tensors(outputs: Lists) -> tuple[int, float, float]:
    lengths = torch.tensor([len(output) for output in outputs], dtype=torch.float64)
    last = torch.tensor([output[-1] for output in outputs])
    ended = last == EOS_ID
    empty = int((ended & (lengths == 1)).sum())
    return empty, lengths.mean().item(), 1 - ended.double().mean().item()


# ---------------------------------------------------------------- wrong answers


def one_token(outputs: Lists) -> tuple[int, float, float]:
    return sum(len(o) == 1 for o in outputs), *report(outputs)[1:]


def no_tokens(outputs: Lists) -> tuple[int, float, float]:
    return sum(len(o) == 0 for o in outputs), *report(outputs)[1:]


def share_of_empty(outputs: Lists) -> tuple[float, float, float]:
    empty, *others = report(outputs)
    return empty / len(outputs), *others


def end_not_counted(outputs: Lists) -> tuple[int, float, float]:
    empty, _, unfinished = report(outputs)
    words = sum(token != EOS_ID for output in outputs for token in output)
    return empty, words / len(outputs), unfinished


def without_the_empty(outputs: Lists) -> tuple[int, float, float]:
    empty, _, unfinished = report(outputs)
    some = [o for o in outputs if o != [EOS_ID]] or [[]]
    return empty, sum(map(len, some)) / len(some), unfinished


def finished_share(outputs: Lists) -> tuple[int, float, float]:
    empty, mean, unfinished = report(outputs)
    return empty, mean, 1 - unfinished


def no_return(*args: Any) -> None:
    report(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("one_token", one_token),
    Mutant("no_tokens", no_tokens),
    Mutant("share_of_empty", share_of_empty),
    Mutant("end_not_counted", end_not_counted),
    Mutant("without_the_empty", without_the_empty),
    Mutant("finished_share", finished_share),
)


def are_three(value: Any, expected: Any) -> Problem | None:
    """A step: three numbers."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or len(value) != 3:
        return "not_three", {}
    numbers = list(map(plain, value))
    real = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    return None if real else ("not_three", {})


def same_numbers(value: Any, expected: Any) -> Problem | None:
    """A step: the right numbers."""
    names = ("empty", "tokens", "unfinished")
    for name, yours, right in zip(names, map(plain, value), expected, strict=True):
        if abs(yours - right) > 1e-5:
            facts = {"yours": describe.number(yours), "right": describe.number(right)}
            return "number", facts | {"name": name}
    return None


def probes(generator: torch.Generator) -> list[Probe]:
    """Empty ones, cut ones, one of a single word that was cut, one sentence, drawn ones."""
    cases: list[Lists] = [
        [[2], [5, 6, 2], [7], [2], [4, 5, 6]],
        [[2]],
        [[2], [2]],
        [[9]],
        [[5, 2]],
    ]
    for count in (4, 7):
        drawn = []
        for _ in range(count):
            size = int(torch.randint(1, 5, (), generator=generator))
            words = torch.randint(3, 9, (size,), generator=generator).tolist()
            drawn.append(words + [EOS_ID] * int(torch.randint(2, (), generator=generator)))
        cases.append([*drawn, [EOS_ID]])
    return [Probe({"outputs": case}, f"outputs = {case}") for case in cases]


TASK = FunctionTask(
    spec=report_spec,
    probes=probes,
    steps=(are_three, same_numbers),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "11.8",
        "report",
        kind="X",
        difficulty=4,
        importance=3,
        minutes=45,
        points=6,
        task=TASK,
        reference=report,
        words=words_beside(__file__),
        alternatives=(report_by_tensors,),
        manual=True,
    ),
)
