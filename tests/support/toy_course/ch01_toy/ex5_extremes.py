"""1.5: the least and the largest number, as a dict, and where they stand, as a list."""

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside


def extremes_spec(values: Tensor) -> dict[str, tuple[int, float]]:
    """The slow loop: (place, number) of ``least`` and ``largest``."""
    least = largest = 0
    for n in range(len(values)):
        least = n if values[n] < values[least] else least
        largest = n if values[n] > values[largest] else largest
    return {"least": (least, float(values[least])), "largest": (largest, float(values[largest]))}


def extremes(values: Tensor) -> dict[str, tuple[int, float]]:
    places = {"least": values.argmin(), "largest": values.argmax()}
    return {name: (int(place), float(values[place])) for name, place in places.items()}


def probes(generator: torch.Generator) -> list[Probe]:
    """One that is fixed and small, and one that is drawn."""
    cases = [torch.tensor([2.5, 1.25, 4.0]), torch.rand(6, generator=generator)]
    return [Probe({"values": values}, f"values = {values.tolist()}") for values in cases]


TASK = FunctionTask(spec=extremes_spec, probes=probes, steps=())

EXERCISES = (
    Exercise(
        "1.5",
        "extremes",
        kind="X",
        difficulty=3,
        importance=2,
        minutes=30,
        points=6,
        task=TASK,
        reference=extremes,
        words=words_beside(__file__),
        alternatives=(extremes_spec,),
        manual=True,
    ),
)
