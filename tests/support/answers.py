"""Answers to exercises, as the chapters' tests hand them in."""

import gc
from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib.course import find
from seq2seq_lib.course.judging import engine
from seq2seq_lib.course.judging.exercise import Finding
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.report import Report


def found(exercise_id: str, answer: Any, seed: int | None = 0) -> tuple[Report, Finding]:
    """What the check says of an answer."""
    return engine.judge(find(exercise_id), answer, seed)


def probes_of(exercise_id: str, seed: int = 0) -> list[Probe]:
    """What an answer is fed by a check with this seed."""
    return find(exercise_id).task.probes(torch.Generator().manual_seed(seed))


def text_of(report: Report) -> str:
    """The words of a report, in one line."""
    return " ".join(report.text.split())


def sparing(exercise_id: str, *names: str) -> Callable:
    """A test as a learner writes it: the course's own, but these suspects pass it.

    It looks behind what it is handed, as an answer could not.
    """
    exercise = find(exercise_id)
    spared = [exercise.task.suspects[name] for name in names]

    def spare(handed: Callable) -> None:
        behind = gc.get_referents(handed)
        if not any(function is suspect for suspect in spared for function in behind):
            exercise.reference(handed)

    return spare
