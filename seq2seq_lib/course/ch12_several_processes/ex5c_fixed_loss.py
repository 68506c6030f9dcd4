"""Exercise 12.5c: the patient healed, so that a cut changes nothing."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch12_several_processes import windows
from seq2seq_lib.course.ch12_several_processes.patient import MicroBatches, patient_loss
from seq2seq_lib.course.ch12_several_processes.probes import cuts
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def fixed_loss_spec(micro_batches: MicroBatches) -> Tensor:
    total, count = 0.0, 0
    for logits, labels in micro_batches:
        log_probs = logits.log_softmax(-1)
        for place, label in enumerate(labels.tolist()):
            if label != -100:
                total, count = total - log_probs[place, label], count + 1
    return total / count


def fixed_loss(micro_batches: MicroBatches) -> Tensor:
    count = sum((labels != -100).sum() for _, labels in micro_batches)
    total = torch.zeros(())
    for logits, labels in micro_batches:
        loss = F.cross_entropy(logits, labels, reduction="sum") / count
        total = total + loss  # what backward adds up
    return total


# ---------------------------------------------------------------- wrong answers


def no_return(*args: Any) -> None:
    fixed_loss(*args)


def plain_average(micro_batches: MicroBatches) -> Tensor:
    return torch.stack([F.cross_entropy(*pair) for pair in micro_batches]).mean()


def mean_over_count(micro_batches: MicroBatches) -> Tensor:
    return patient_loss(micro_batches) / sum((labels != -100).sum() for _, labels in micro_batches)


def undivided(micro_batches: MicroBatches) -> Tensor:
    return sum(F.cross_entropy(*pair, reduction="sum") for pair in micro_batches)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("sum_of_means", patient_loss),
    Mutant("average_of_means", windows.average_of_means),
    Mutant("average_of_means", plain_average),
    Mutant("all_places", windows.all_places),
    Mutant("weighed_by_places", windows.weighed_by_places),
    Mutant("last_only", windows.last_only),
    Mutant("divided_again", windows.divided_again),
    Mutant("nan_share", windows.nan_share),
    Mutant("mean_over_count", mean_over_count),
    Mutant("undivided", undivided),
    Mutant("no_gradient", lambda micro_batches: fixed_loss(micro_batches).detach()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Micro-batches of very different sizes, with prompts of -100, and some without a label."""
    drawn = []
    for number, tokens in enumerate(cuts(generator)):
        V, micro_batches = 5 + number, []
        for n in tokens.tolist():
            prompt = int(torch.randint(0, 4, (), generator=generator)) + (n == 0)
            labels = torch.randint(V, (prompt + n,), generator=generator)
            labels[:prompt] = -100
            micro_batches.append((torch.randn(len(labels), V, generator=generator), labels))
        words = f"micro-batches with {tokens.tolist()} labels, of V = {V} classes"
        drawn.append(Probe({"micro_batches": micro_batches}, words))
    return drawn


TASK = FunctionTask(
    spec=fixed_loss_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="micro_batches",
)
EXERCISES = (
    Exercise(
        "12.5c",
        "fixed_loss",
        kind="D",
        difficulty=2,
        importance=5,
        minutes=5,
        points=3,
        task=TASK,
        reference=fixed_loss,
        words=words_beside(__file__),
        alternatives=(windows.joined, windows.sums_divided_once),
    ),
)
