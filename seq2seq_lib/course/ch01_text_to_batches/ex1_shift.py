"""Exercise 1.1, in the chapter: one target becomes what the decoder reads and what it says."""

from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, plain
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


def shift_spec(target: list[int]) -> tuple[list[int], list[int]]:
    read, say = [BOS_ID], []
    for token in target:
        say.append(token)  # asked for now
        read.append(token)  # known from the next step on
    say.append(EOS_ID)
    return read, say


def shift(target: list[int]) -> tuple[list[int], list[int]]:
    read, say = [BOS_ID] + target, target + [EOS_ID]
    return read, say


def shift_by_slices(target: list[int]) -> tuple[list[int], list[int]]:
    whole = [BOS_ID, *target, EOS_ID]
    return whole[:-1], whole[1:]


# ---------------------------------------------------------------- wrong answers


def into_argument(target: list[int]) -> tuple[list[int], list[int]]:
    target.append(EOS_ID)
    return [BOS_ID, *target[:-1]], target


def without_return(target: list[int]) -> None:
    shift(target)


MUTANTS = (
    Mutant("no_return", without_return),
    Mutant("same_twice", lambda target: ([*target, EOS_ID], [*target, EOS_ID])),
    Mutant("same_twice", lambda target: ([BOS_ID, *target, EOS_ID],) * 2),
    Mutant("same_twice", lambda target: ([BOS_ID, *target], [BOS_ID, *target])),
    Mutant("no_end", lambda target: ([BOS_ID, *target[:-1]], [*target])),
    Mutant("no_end", lambda target: ([BOS_ID, *target], [*target])),
    Mutant("start_is_said", lambda target: ([BOS_ID, *target], [BOS_ID, *target, EOS_ID])),
    Mutant("end_is_read", lambda target: ([BOS_ID, *target, EOS_ID], [*target, EOS_ID])),
    Mutant("no_start", lambda target: ([*target], [*target, EOS_ID])),
    Mutant("no_start", lambda target: ([*target], [*target[1:], EOS_ID])),
    Mutant("word_lost", lambda target: ([BOS_ID, *target[:-1]], [*target[:-1], EOS_ID])),
    Mutant("swapped", lambda target: ([*target, EOS_ID], [BOS_ID, *target])),
    Mutant("ends_exchanged", lambda target: ([EOS_ID, *target], [*target, BOS_ID])),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = torch.randint(4, 60, (7,), generator=generator).tolist()
    targets = ([16, 5, 11], [4], [9, 9, 4, 9], drawn, [])
    return [Probe({"target": list(target)}, f"target = {list(target)}") for target in targets]


def is_a_pair(value: Any, expected: Any) -> Problem | None:
    """A step: two lists."""
    if value is None:
        return "no_return", {}
    two = isinstance(value, list | tuple) and len(value) == 2
    if two and all(isinstance(plain(part), list | tuple) for part in value):
        return None
    return "not_a_pair", {}


def what_is_odd(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Lists in lists, pads, or two lists that cannot be compared step by step."""
    read, say = (list(plain(part)) for part in value)
    if any(isinstance(plain(item), list | tuple) for item in read + say):
        return "nested", {}
    if PAD_ID in read + say:
        return "pads_added", {}
    if len(read) != len(say):
        return "lengths_differ", {"read": str(len(read)), "say": str(len(say))}
    return None


TASK = FunctionTask(
    spec=shift_spec, probes=probes, steps=(is_a_pair,), mutants=MUTANTS, explain=what_is_odd
)
EXERCISES = (
    Exercise(
        "1.1",
        "shift",
        kind="I",
        difficulty=1,
        importance=5,
        minutes=4,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=shift,
        words=words_beside(__file__),
        alternatives=(shift_by_slices,),
    ),
)
