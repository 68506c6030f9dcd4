"""Exercise 5.8c: the patient, healed."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy import losses_of_rows as losses
from seq2seq_lib.course.ch05_nll_vs_cross_entropy.patient import patient_loss
from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown, sizes, targets_of
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def fixed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    scores = F.log_softmax(logits, dim=-1)  # [N, V]: NLLLoss picks and negates, the log is ours
    return F.nll_loss(scores, targets)


MUTANTS = (
    Mutant("shares_to_nll", patient_loss),
    Mutant("logits_to_nll", losses.logits_to_nll),
    Mutant("turned_round", losses.turned_round),
    Mutant("shares_to_cross_entropy", losses.shares_to_cross_entropy),
    Mutant("over_tokens", losses.over_tokens),
    Mutant("log_of_softmax", losses.log_of_softmax),
    Mutant("epsilon", losses.with_epsilon),
    Mutant("one_minus_share", losses.one_minus_share),
    Mutant("summed", losses.summed),
    Mutant("best_not_target", losses.best_not_target),
    Mutant("no_gradient", lambda z, y: fixed_loss(z, y).detach()),
)


def probes(generator: torch.Generator) -> list[Probe]:
    """Batches of all sizes, and one with a gap beyond float32's shares."""
    drawn = []
    for N, V in sizes(generator):
        source = torch.Generator().manual_seed(5) if not drawn else generator
        logits = torch.randn(N, V, generator=source) * 2
        targets = targets_of(N, V, source)
        if not drawn:
            targets[0] = logits[0].argmin()
        drawn.append((logits, targets))
    drawn.append((torch.tensor([[0.0, 200.0], [1.0, 0.0]]), torch.tensor([0, 1])))
    drawn.append((torch.tensor([[1000.0, 999, 998]]), torch.tensor([2])))
    return [
        Probe({"logits": z, "targets": y}, f"{shown(z)}, targets = {y.tolist()}") for z, y in drawn
    ]


TASK = FunctionTask(
    spec=losses.loss_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="logits",
)
EXERCISES = (
    Exercise(
        "5.8c",
        "fixed_loss",
        kind="D",
        difficulty=2,
        importance=4,
        minutes=4,
        points=3,
        task=TASK,
        reference=fixed_loss,
        words=words_beside(__file__),
        alternatives=(losses.of_logits, losses.lse_minus_target, losses.normalised_twice),
    ),
)
