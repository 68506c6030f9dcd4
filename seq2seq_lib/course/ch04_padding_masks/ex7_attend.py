"""Exercise 4.7: attention over what is real, and nothing where nothing is."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.probes import FIXED, batches, fed, shown_losses
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import masked_softmax, sequence_mask


def attend_spec(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    rows = []
    for b, length in enumerate(lengths.tolist()):
        context = torch.zeros(values.size(-1))
        if length > 0:
            weights = scores[b, :length].softmax(0)
            for t in range(length):
                context = context + weights[t] * values[b, t]
        rows.append(context)
    return torch.stack(rows)


def attend(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, scores.size(1))  # [B, S]
    scores = scores.masked_fill(~mask, float("-inf"))
    scores = scores.masked_fill(lengths[:, None] == 0, 0.0)  # a row of -inf alone would be NaN
    weights = scores.softmax(-1)  # [B, S]; 0 at pads, but for empty rows
    values = values.masked_fill(~mask[..., None], 0.0)  # 0 * NaN would be NaN
    return (weights[..., None] * values).sum(1)  # [B, S, 1] * [B, S, H] -> [B, H]


def attend_with_the_library(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, scores.size(1))
    weights = masked_softmax(scores, mask)  # [B, S]
    return torch.einsum("bs,bsh->bh", weights, torch.where(mask[..., None], values, 0.0))


def attend_row_by_row(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    rows = zip(scores, values, lengths.tolist(), strict=True)
    return torch.stack([row[:n].softmax(0) @ real[:n] for row, real, n in rows])


def attend_with_a_large_number(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, scores.size(1))
    weights = torch.where(mask, scores, -1e9).softmax(-1)  # an empty row: a mean over pads,
    return torch.einsum("bs,bsh->bh", weights, values.masked_fill(~mask[..., None], 0))  # all 0


# ---------------------------------------------------------------- wrong answers


def clean(values: Tensor, mask: Tensor) -> Tensor:
    return values.masked_fill(~mask[..., None], 0.0)


def by_weights(make) -> object:
    """A wrong answer whose weights are wrong, and which reads no pad of the values."""

    def wrong(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
        mask = sequence_mask(lengths, scores.size(1))
        return (make(scores, mask)[..., None] * clean(values, mask)).sum(1)

    return wrong


def without_empty_rows(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(~mask, float("-inf")).softmax(-1)


def reads_values_at_pads(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, scores.size(1))
    return (masked_softmax(scores, mask)[..., None] * values).sum(1)


def one_too_many(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    return attend(scores, values.nan_to_num(), (lengths + 1).clamp(max=scores.size(1)))


def into_argument(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    values[~sequence_mask(lengths, scores.size(1))] = 0.0
    return attend(scores, values, lengths)


def last_state(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    return values[torch.arange(len(lengths)), (lengths - 1).clamp(min=0)].nan_to_num()


def without_return(scores: Tensor, values: Tensor, lengths: Tensor) -> None:
    attend(scores, values, lengths)


MUTANTS = (
    Mutant("no_return", without_return),
    Mutant("empty_row", by_weights(without_empty_rows)),
    Mutant("nan_values", reads_values_at_pads),
    Mutant("softmax_first", by_weights(lambda scores, mask: scores.softmax(-1) * mask)),
    Mutant("mean", by_weights(lambda s, m: m / m.sum(1, keepdim=True).clamp(min=1))),
    Mutant(
        "wrong_axis",
        by_weights(lambda s, m: s.masked_fill(~m, -1e9).softmax(0) * m),
    ),
    Mutant("no_softmax", by_weights(lambda scores, mask: scores.masked_fill(~mask, 0.0))),
    Mutant("one_too_many", one_too_many),
    Mutant("one_position", last_state),
    Mutant("not_summed", lambda s, v, n: masked_softmax(s, sequence_mask(n, s.size(1)))),
    Mutant("squeezed", lambda s, v, n: attend(s, v, n).squeeze()),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Scores at pads are large, values there NaN; some batches hold an empty row."""
    fixed = torch.Generator().manual_seed(4)
    drawn = []
    for number, (lengths, S) in enumerate(batches(generator)):
        source = fixed if number < FIXED else generator
        B, H = len(lengths), 1 if S == 1 else 3
        if number in (1, 2, 6, 8):
            lengths = lengths.clone()
            lengths[lengths.argmin()] = 0
        mask = sequence_mask(lengths, S)
        scores = torch.randint(0, 4, (B, S), generator=source).float()
        scores = scores.where(mask, 9.0)
        values = torch.randn(B, S, H, generator=source).masked_fill(~mask[..., None], float("nan"))
        words = fed(lengths, S).replace("T =", "S =") + f", H = {H}, NaN in values at pads"
        words += shown_losses(scores, mask).replace("losses", "scores")
        drawn.append(
            Probe({"scores": scores, "values": values, "lengths": lengths}, words, gradient=False)
        )
    return drawn


TASK = FunctionTask(
    spec=attend_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "4.7",
        "attend",
        kind="I",
        difficulty=4,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=attend,
        words=words_beside(__file__),
        alternatives=(attend_with_the_library, attend_row_by_row, attend_with_a_large_number),
    ),
)
