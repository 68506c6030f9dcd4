"""Exercise 4.5b: the loss of a chat model on its answers alone, shifted by one."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.ex5a_prompt_labels import chats, prompt_labels
from seq2seq_lib.course.ch04_padding_masks.probes import FIXED, HUGE, fed, law_3, pad_counted
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import Verdict


def answer_loss_spec(logits: Tensor, labels: Tensor) -> Tensor:
    losses = []
    B, T = labels.shape
    for b in range(B):
        for t in range(1, T):
            if labels[b, t] != -100:
                losses.append(-logits[b, t - 1].log_softmax(-1)[labels[b, t]])
    return torch.stack(losses).mean()


def answer_loss(logits: Tensor, labels: Tensor) -> Tensor:
    said = logits[:, :-1]  # [B, T - 1, V]: position t speaks of token t + 1
    wanted = labels[:, 1:]  # [B, T - 1]
    return F.cross_entropy(said.transpose(1, 2), wanted)  # -100 is its ignore_index


def answer_loss_flat(logits: Tensor, labels: Tensor) -> Tensor:
    V = logits.size(-1)
    return F.cross_entropy(logits[:, :-1].reshape(-1, V), labels[:, 1:].reshape(-1))


def answer_loss_by_select(logits: Tensor, labels: Tensor) -> Tensor:
    wanted = labels[:, 1:]
    keep = wanted != -100  # [B, T - 1]
    log_probs = logits[:, :-1][keep].log_softmax(-1)  # [N, V]
    return -log_probs.gather(1, wanted[keep][:, None]).mean()


def answer_loss_rolled(logits: Tensor, labels: Tensor) -> Tensor:
    # the last position comes to stand before the first label, which is -100 behind any prompt
    return F.cross_entropy(logits.roll(1, 1).transpose(1, 2), labels)


# ---------------------------------------------------------------- wrong answers


def cells(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of each predicted token ``[B, T - 1]``, and where there is one."""
    wanted = labels[:, 1:]
    nll = F.cross_entropy(logits[:, :-1].transpose(1, 2), wanted, reduction="none")
    return nll, wanted != -100


def sentence_means(logits: Tensor, labels: Tensor) -> Tensor:
    nll, keep = cells(logits, labels)
    return (nll.sum(1) / keep.sum(1)).mean()


def reshaped(logits: Tensor, labels: Tensor) -> Tensor:
    B, T, V = logits.shape
    return F.cross_entropy(logits[:, :-1].reshape(B, V, T - 1), labels[:, 1:])


def zero_ignored(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(
        logits[:, :-1].transpose(1, 2), labels[:, 1:].clamp(min=0), ignore_index=0
    )


def pads_become_zero(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:].clamp(min=0))


def of_raw_logits(logits: Tensor, labels: Tensor) -> Tensor:
    wanted = labels[:, 1:]
    keep = wanted != -100
    return -logits[:, :-1][keep].gather(1, wanted[keep][:, None]).mean()


def softmax_first(logits: Tensor, labels: Tensor) -> Tensor:
    return answer_loss_flat(logits.softmax(-1), labels)


def writes_labels(logits: Tensor, labels: Tensor) -> Tensor:
    labels[:, 0] = 1
    return answer_loss_flat(logits, labels)


MUTANTS = (
    Mutant("no_shift", lambda z, y: F.cross_entropy(z.transpose(1, 2), y)),
    Mutant("no_shift", lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten())),
    Mutant("wrong_way", lambda z, y: F.cross_entropy(z[:, 1:].transpose(1, 2), y[:, :-1])),
    Mutant("next_but_one", lambda z, y: F.cross_entropy(z[:, :-2].transpose(1, 2), y[:, 2:])),
    Mutant("padded_cells", lambda z, y: cells(z, y)[0].mean()),
    Mutant("padded_cells", lambda z, y: cells(z, y)[0].sum() / y.numel()),
    Mutant("sentence_mean", sentence_means),
    Mutant("per_sentence", lambda z, y: cells(z, y)[0].sum() / len(y)),
    Mutant("sum", lambda z, y: cells(z, y)[0].sum()),
    Mutant("reshaped", reshaped),
    Mutant("zero_ignored", zero_ignored),
    Mutant("ignored_become_zero", pads_become_zero),
    Mutant("raw_logits", of_raw_logits),
    Mutant("softmax_first", softmax_first),
    Mutant("class_axis", lambda z, y: F.cross_entropy(z[:, :-1], y[:, 1:])),
    Mutant("sign", lambda z, y: -answer_loss_flat(z, y)),
    Mutant("perplexity", lambda z, y: answer_loss_flat(z, y).exp()),
    Mutant("not_reduced", lambda z, y: cells(z, y)[0]),
    Mutant("plain_number", lambda z, y: answer_loss_flat(z, y).item()),
    Mutant("no_gradient", lambda z, y: answer_loss_flat(z, y).detach()),
    Mutant("argument_changed", writes_labels),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Where nothing is wanted the logits are huge; 0 is a word like any other."""
    fixed = torch.Generator().manual_seed(4)
    drawn = []
    for number, (prompts, lengths, T) in enumerate(chats(generator)):
        source = fixed if number < FIXED else generator
        B, V = len(lengths), 2 if T == 2 else 7
        ids = torch.randint(0, V, (B, T), generator=source)
        labels = prompt_labels(ids, prompts, lengths)
        logits = torch.randn(B, T, V, generator=source) * 2
        huge = HUGE * torch.randn(B, T, V, generator=source)
        wanted = torch.nn.functional.pad(labels[:, 1:] != -100, (0, 1))  # [B, T]: who speaks
        logits = torch.where(wanted[..., None], logits, huge)
        words = f"prompt_lengths = {prompts.tolist()}, {fed(lengths, T, f', V = {V}')}"
        words += f"; labels = {describe.rows(labels)}" if labels.numel() <= describe.MANY else ""
        drawn.append(Probe({"logits": logits, "labels": labels}, words))
    return drawn


def law(answer: Any) -> Verdict:
    """Law 3: a column of prompt in front of the targets, and one more of logits behind."""

    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        labels = F.pad(targets.masked_fill(~mask, -100), (1, 0), value=-100)  # [B, 1 + T]
        return answer(F.pad(logits, (0, 0, 0, 1)), labels)

    return law_3(loss)


TASK = FunctionTask(
    spec=answer_loss_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="logits",
    law=law,
    explain=pad_counted,
)
EXERCISES = (
    Exercise(
        "4.5b",
        "answer_loss",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=12,
        points=4,
        task=TASK,
        reference=answer_loss,
        words=words_beside(__file__),
        alternatives=(answer_loss_flat, answer_loss_by_select, answer_loss_rolled),
    ),
)
