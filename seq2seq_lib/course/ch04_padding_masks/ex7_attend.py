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


def exponentials_first(scores: Tensor, mask: Tensor) -> Tensor:
    shares = torch.where(mask, scores.exp(), 0.0)
    return shares / shares.sum(1, keepdim=True).clamp(min=1e-9)


def without_empty_rows(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(~mask, float("-inf")).softmax(-1)


def reads_values_at_pads(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, scores.size(1))
    return (masked_softmax(scores, mask)[..., None] * values).sum(1)


def by_weights_alone(make) -> object:
    """The same where the values at pads are read as they are."""

    def wrong(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
        mask = sequence_mask(lengths, scores.size(1))
        return (make(scores, mask)[..., None] * values).sum(1)

    return wrong


def softmax_first(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.softmax(-1) * mask


def divided_again(scores: Tensor, mask: Tensor) -> Tensor:
    weights = softmax_first(scores, mask)
    return weights / weights.sum(1, keepdim=True)


def scores_times_mask(scores: Tensor, mask: Tensor) -> Tensor:
    return (scores * mask).softmax(-1)


def zeros_for_nan_at_the_end(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    return reads_values_at_pads(scores, values, lengths).nan_to_num()


def empty_row_reads_pads(scores: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, scores.size(1))
    scores = scores.masked_fill(~mask, float("-inf")).masked_fill(lengths[:, None] == 0, 0.0)
    return (scores.softmax(-1)[..., None] * values.nan_to_num()).sum(1)


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
    Mutant("empty_row", by_weights_alone(without_empty_rows)),
    Mutant("empty_row", by_weights(divided_again)),
    Mutant("empty_row", by_weights_alone(divided_again)),
    Mutant("nan_values", reads_values_at_pads),
    Mutant("nan_replaced", zeros_for_nan_at_the_end),
    Mutant("empty_row_reads_pads", empty_row_reads_pads),
    Mutant("no_mask", lambda s, v, n: (s.softmax(-1)[..., None] * v).sum(1)),
    Mutant("no_mask", lambda s, v, n: (s.softmax(-1)[..., None] * v.nan_to_num()).sum(1)),
    Mutant("softmax_first", by_weights(softmax_first)),
    Mutant("softmax_first", by_weights_alone(softmax_first)),
    Mutant("zero_score", by_weights(scores_times_mask)),
    Mutant("zero_score", by_weights_alone(scores_times_mask)),
    Mutant("zero_score", by_weights(lambda s, m: (s * m).softmax(-1) * m)),
    Mutant("mean", by_weights(lambda s, m: m / m.sum(1, keepdim=True).clamp(min=1))),
    Mutant(
        "wrong_axis",
        by_weights(lambda s, m: s.masked_fill(~m, -1e9).softmax(0) * m),
    ),
    Mutant("no_softmax", by_weights(lambda scores, mask: scores.masked_fill(~mask, 0.0))),
    Mutant("one_too_many", one_too_many),
    Mutant("one_position", last_state),
    Mutant("not_summed", lambda s, v, n: masked_softmax(s, sequence_mask(n, s.size(1)))),
    Mutant("no_shift", by_weights(exponentials_first)),
    Mutant("squeezed", lambda s, v, n: attend(s, v, n).squeeze()),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Scores at pads are large; some batches hold an empty row; in the last one all are far from 0.

    The two small batches come twice: first with finite values at the pads, which tell wrong weights
    from right ones, then with NaN there, as all others have it, which hides the weights.
    """
    fixed = torch.Generator().manual_seed(4)
    finite, with_nan = [], []
    for number, (lengths, S) in enumerate(batches(generator)):
        source = fixed if number < FIXED else generator
        B, H = len(lengths), 1 if S == 1 else 3
        if number in (1, 2, 6, 8):
            lengths = lengths.clone()
            lengths[lengths.argmin()] = 0
        mask = sequence_mask(lengths, S)
        scores = torch.randint(0, 4, (B, S), generator=source).float()
        scores = scores.where(mask, 9.0)
        values = torch.randn(B, S, H, generator=source)
        if number < FIXED:
            finite.append(_probe(scores, values.where(mask[..., None], 50.0), lengths, "50"))
        values = values.masked_fill(~mask[..., None], float("nan"))
        with_nan.append(_probe(scores, values, lengths, "NaN"))
    lengths = torch.tensor([2, 3])
    scores = torch.tensor([[1000.0, 999.0, 9.0], [-200.0, -201.0, -199.0]])  # e to the 1000 is inf
    values = torch.randn(2, 3, 3, generator=generator)
    values[0, 2] = float("nan")
    return [*finite, *with_nan, _probe(scores, values, lengths, "NaN")]


def _probe(scores: Tensor, values: Tensor, lengths: Tensor, at_pads: str) -> Probe:
    _, S, H = values.shape
    words = fed(lengths, S).replace("T =", "S =") + f", H = {H}, {at_pads} in values at pads"
    words += shown_losses(scores, sequence_mask(lengths, S)).replace("losses", "scores")
    return Probe({"scores": scores, "values": values, "lengths": lengths}, words, gradient=False)


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
