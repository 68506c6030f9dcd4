"""Masks against slow loops, and their promise: pads have no influence, whatever they hold."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib.masks import masked_mean, masked_softmax, padding_mask, sequence_mask
from seq2seq_lib.runtime import get_device

DEVICE = get_device()
NAN, INF = float("nan"), float("inf")
B, T, S, D = 4, 3, 6, 5
LENGTHS = torch.tensor([3, 6, 1, 4], device=DEVICE)  # unsorted, one of length 1, one full
# float32 holds 24 bits: a sum of S terms near 1 is off by a few 1e-7
EPSILON = {torch.float64: 1e-15, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}
every_float = pytest.mark.parametrize("dtype", EPSILON, ids=str)


def randn(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(DEVICE, dtype)


# --- sequence_mask and padding_mask --------------------------------------------------------------


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(0, 3))
def test_sequence_mask_equals_a_slow_loop(lengths, extra):
    width = max(lengths) + extra
    expected = [[t < length for t in range(width)] for length in lengths]
    mask = sequence_mask(torch.tensor(lengths), width)
    assert mask.shape == (len(lengths), width)
    assert mask.tolist() == expected


def test_rows_are_sentences_also_in_a_square():
    mask = sequence_mask(torch.tensor([1, 3, 2], device=DEVICE))  # B = T: a transposition would fit
    assert mask.tolist() == [[True, False, False], [True, True, True], [True, True, False]]


def test_the_width_is_the_longest_length_unless_given():
    assert sequence_mask(LENGTHS).shape == (B, 6)
    assert sequence_mask(LENGTHS, 9).shape == (B, 9)
    assert sequence_mask(torch.tensor([0, 0])).shape == (2, 0)
    assert sequence_mask(torch.tensor([0]), 2).tolist() == [[False, False]]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_lengths_of_any_integer_type_give_a_bool_mask_beside_them(dtype):
    lengths = LENGTHS.to(dtype)
    mask = sequence_mask(lengths, 200)  # wider than int8 can count
    assert mask.dtype == torch.bool
    assert mask.device == lengths.device
    assert torch.equal(mask.sum(1), LENGTHS)


def test_arguments_are_not_changed():
    lengths, scores, values = LENGTHS.clone(), randn(B, T, S), randn(B, S, D)
    mask = sequence_mask(lengths)
    inputs = lengths, mask.clone(), scores.clone(), values.clone()
    masked_softmax(scores, mask.unsqueeze(1))
    masked_mean(values, mask)
    padding_mask(lengths)
    for before, after in zip(inputs, (lengths, mask, scores, values), strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize(
    ("lengths", "max_len", "error", "message"),
    [
        ([2, -1, 3], None, ValueError, r"must be ≥ 0, but row 1 is -1\.$"),
        ([2, 3, 9], 8, ValueError, "must be ≤ 8, .* but row 2 is 9"),
        ([2.0, 3.0], None, TypeError, "integer tensor .* torch.float32"),
        ([True, False], None, TypeError, "integer tensor .* torch.bool"),
        ([[2, 3]], None, ValueError, r"shape \[B\].* \[1, 2\]"),
        (3, None, ValueError, r"shape \[B\].* \[\]"),
    ],
)
def test_lengths_that_are_none_are_refused(lengths, max_len, error, message):
    with pytest.raises(error, match=message):
        sequence_mask(torch.tensor(lengths), max_len)


def test_a_list_or_nothing_instead_of_lengths_is_refused():
    with pytest.raises(TypeError, match="integer tensor .* list"):
        sequence_mask([2, 3])
    with pytest.raises(ValueError, match="B ≥ 1"):
        sequence_mask(torch.tensor([], dtype=torch.int64))


def test_padding_mask_is_true_at_real_tokens():
    ids = torch.tensor([[5, 3, 0, 0], [7, 0, 9, 2]], device=DEVICE)
    assert padding_mask(ids).tolist() == [[True, True, False, False], [True, False, True, True]]
    assert padding_mask(ids, pad_id=9).tolist() == [[True] * 4, [True, True, False, True]]
    assert padding_mask(ids[0]).shape == (4,)


def test_padding_mask_equals_sequence_mask_when_ids_are_padded():
    mask = sequence_mask(LENGTHS)
    ids = torch.randint(1, 9, mask.shape, device=DEVICE).masked_fill(~mask, 0)
    assert torch.equal(padding_mask(ids), mask)


@pytest.mark.parametrize("ids", [torch.tensor([1.0]), torch.tensor([True]), [1, 0]])
def test_padding_mask_refuses_what_are_no_ids(ids):
    with pytest.raises(TypeError, match="integer tensor of token ids"):
        padding_mask(ids)


# --- masked_softmax ------------------------------------------------------------------------------


def slow_softmax(scores, mask):
    """Each row: exponentials of the real scores over their sum. For scores [B, T, S]."""
    weights = torch.zeros_like(scores)
    for b in range(scores.size(0)):
        for t in range(scores.size(1)):
            real = [s for s in range(scores.size(2)) if mask[b, t, s]]
            total = sum(scores[b, t, s].exp() for s in real)
            for s in real:
                weights[b, t, s] = scores[b, t, s].exp() / total
    return weights


@settings(max_examples=40)
@given(st.data())
def test_masked_softmax_equals_a_slow_loop(data):
    b, t, s = (data.draw(st.integers(1, 4)) for _ in range(3))
    scores = randn(b, t, s, seed=data.draw(st.integers(0, 99)))
    flags = st.lists(st.booleans(), min_size=b * t * s, max_size=b * t * s)
    mask = torch.tensor(data.draw(flags), device=DEVICE).view(b, t, s)
    # float64: a few roundings of 1e-16
    torch.testing.assert_close(
        masked_softmax(scores, mask), slow_softmax(scores, mask), atol=1e-14, rtol=0
    )


@every_float
@pytest.mark.parametrize("garbage", [NAN, INF, -INF, 6e4, -6e4])
def test_rows_sum_to_one_and_pads_are_exactly_zero_whatever_they_hold(dtype, garbage):
    mask = sequence_mask(LENGTHS)[:, None]  # [B, 1, S]
    clean = randn(B, T, S, dtype=dtype)
    scores = clean.masked_fill(~mask, garbage).requires_grad_()
    weights = masked_softmax(scores, mask)
    assert weights.dtype == dtype and weights.shape == (B, T, S)
    assert (weights.masked_select(~mask) == 0).all()
    sums = weights.double().sum(-1)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=EPSILON[dtype], rtol=0)
    assert torch.equal(weights, masked_softmax(clean, mask))
    (gradient,) = torch.autograd.grad((weights * randn(B, T, S, seed=1, dtype=dtype)).sum(), scores)
    assert gradient.isfinite().all()
    assert (gradient.masked_select(~mask) == 0).all()
    assert (gradient.masked_select(mask) != 0).any()


@every_float
def test_an_empty_row_gives_zeros_and_finite_gradients_also_through_the_memory(dtype):
    lengths = torch.tensor([3, 0, 6, 1], device=DEVICE)
    mask = sequence_mask(lengths)[:, None]
    scores = randn(B, T, S, dtype=dtype).requires_grad_()
    memory = randn(B, S, D, seed=1, dtype=dtype).requires_grad_()
    weights = masked_softmax(scores, mask)
    context = weights @ memory
    assert (weights[1] == 0).all() and (context[1] == 0).all()
    assert context.isfinite().all()
    gradients = torch.autograd.grad(
        (context * randn(B, T, D, seed=2, dtype=dtype)).sum(), (scores, memory)
    )
    for gradient in gradients:
        assert gradient.isfinite().all()
        assert (gradient[1] == 0).all()
        assert (gradient[0] != 0).any()


def test_no_nan_arises_on_the_way_back_either():
    # a NaN that a later masked_fill hides still stops a run under detect_anomaly
    mask = sequence_mask(torch.tensor([3, 0, 6, 1], device=DEVICE))[:, None]
    scores = randn(B, T, S).requires_grad_()
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        masked_softmax(scores, mask).square().sum().backward()
    assert scores.grad.isfinite().all()


def test_masked_softmax_normalises_the_axis_that_is_asked_for():
    mask = sequence_mask(LENGTHS)[:, :, None]  # [B, S, 1]
    weights = masked_softmax(randn(B, S, D), mask, dim=1)
    # float64: a few roundings of 1e-16
    torch.testing.assert_close(
        weights.sum(1), torch.ones(B, D, dtype=torch.float64, device=DEVICE), atol=1e-14, rtol=0
    )
    assert (weights.masked_select(~mask) == 0).all()


def test_large_scores_do_not_overflow():
    scores = torch.tensor([[6e4, 6e4, -6e4]], dtype=torch.float16, device=DEVICE)
    mask = torch.tensor([[True, True, True]], device=DEVICE)
    assert masked_softmax(scores, mask).tolist() == [[0.5, 0.5, 0.0]]


@pytest.mark.parametrize("shape", [(B, S), (S,), (B, T), (B, 1, T), (2, 1, S), (1, B, 1, S)])
def test_a_mask_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match=r"does not fit scores \[4, 3, 6\]"):
        masked_softmax(randn(B, T, S), torch.ones(shape, dtype=torch.bool, device=DEVICE))


def test_a_source_mask_without_its_target_axis_is_refused_also_where_it_would_fit():
    # [B, S] would be laid over [T, S] when B = T: the sentences would swap masks
    with pytest.raises(ValueError, match="as many dimensions"):
        masked_softmax(randn(B, B, S), sequence_mask(LENGTHS))


@pytest.mark.parametrize("function", [masked_softmax, masked_mean])
def test_masks_must_be_bool(function):
    for wrong in (torch.ones(B, S), torch.ones(B, S, dtype=torch.int64)):
        with pytest.raises(TypeError, match=f"bool tensor .* {wrong.dtype}"):
            function(randn(B, S), wrong.to(DEVICE))
    with pytest.raises(TypeError, match="bool tensor .* NoneType"):
        function(randn(B, S), None)


def test_scores_must_be_floats():
    with pytest.raises(TypeError, match="floats, but they are torch.int64"):
        masked_softmax(torch.ones(B, S, dtype=torch.int64), torch.ones(B, S, dtype=torch.bool))


# --- masked_mean ---------------------------------------------------------------------------------


@given(st.data())
def test_masked_mean_equals_a_slow_loop(data):
    b, t, d = (data.draw(st.integers(1, 4)) for _ in range(3))
    values = randn(b, t, d, seed=data.draw(st.integers(0, 99)))
    flags = data.draw(st.lists(st.booleans(), min_size=b * t, max_size=b * t))
    mask = torch.tensor(flags, device=DEVICE).view(b, t)
    real = [values[i, j] for i in range(b) for j in range(t) if mask[i, j]]
    expected = sum(real) / len(real) if real else values.new_zeros(d)
    # float64: a sum of up to 16 terms
    torch.testing.assert_close(masked_mean(values, mask), expected, atol=1e-14, rtol=0)


def test_masked_mean_over_one_axis():
    values, mask = randn(B, S, D), sequence_mask(LENGTHS)
    rows = torch.stack([values[b, :n].mean(0) for b, n in enumerate(LENGTHS.tolist())])
    torch.testing.assert_close(masked_mean(values, mask, dim=1), rows)
    torch.testing.assert_close(masked_mean(values, mask, dim=-2), rows)
    columns = torch.stack([values[LENGTHS > s, s].mean(0) for s in range(S)])
    torch.testing.assert_close(masked_mean(values, mask, dim=0), columns)
    torch.testing.assert_close(masked_mean(values[..., 0], mask, dim=1), rows[:, 0])
    # an axis that the mask does not have: a mean of all features at each real position
    features = masked_mean(values, mask, dim=-1)
    torch.testing.assert_close(features, values.mean(-1).masked_fill(~mask, 0))
    with pytest.raises(IndexError):
        masked_mean(values, mask, dim=3)


@pytest.mark.parametrize("garbage", [NAN, INF, 1e30])
def test_pads_influence_neither_a_mean_nor_its_gradient(garbage):
    mask = sequence_mask(LENGTHS)
    clean = randn(B, S)
    values = clean.masked_fill(~mask, garbage).requires_grad_()
    mean = masked_mean(values, mask)
    # float64: a sum of 14 terms, added in another order
    torch.testing.assert_close(mean, clean[mask].mean(), atol=1e-14, rtol=0)
    (gradient,) = torch.autograd.grad(mean, values)
    assert (gradient[~mask] == 0).all()
    torch.testing.assert_close(gradient[mask], torch.full_like(gradient[mask], 1 / 14))


def test_the_mean_of_nothing_is_zero_with_zero_gradient():
    values = randn(B, S).requires_grad_()
    mask = sequence_mask(torch.tensor([2, 0, 6, 0], device=DEVICE))
    rows = masked_mean(values, mask, dim=1)
    assert rows[1] == 0 == rows[3] and rows[0] != 0
    assert (torch.autograd.grad(rows.sum(), values)[0][1] == 0).all()
    assert masked_mean(values, torch.zeros_like(mask)) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_sum_beyond_half_precision_still_has_a_mean(dtype):
    values = torch.full((400, 500), 3.0, dtype=dtype, device=DEVICE)  # the sum is 600 000
    mean = masked_mean(values, torch.ones(400, 500, dtype=torch.bool, device=DEVICE))
    assert mean == 3 and mean.dtype == dtype


def test_bool_values_are_counted():
    right = torch.tensor([[True, False, True], [True, True, True]], device=DEVICE)
    mask = torch.tensor([[True, True, False], [True, True, False]], device=DEVICE)
    mean = masked_mean(right, mask)
    assert mean == 0.75 and mean.dtype == torch.float32


@pytest.mark.parametrize(
    ("values", "mask"),
    [
        ((B,), (B, 1)),  # the famous one: broadcast, it is [B, B]
        ((B, 1), (B,)),
        ((B, S), (B,)),
        ((B, S), (S,)),
        ((B, S), (B, 1)),
        ((B, S, D), (B, S, 1)),
        ((B, S), (S, B)),
    ],
)
def test_masked_mean_broadcasts_nothing(values, mask):
    with pytest.raises(ValueError, match="nothing is broadcast here"):
        masked_mean(randn(*values), torch.ones(mask, dtype=torch.bool, device=DEVICE))


def test_a_mean_over_sentences_takes_a_mask_of_sentences():
    values = torch.tensor([1.0, 5.0, 3.0], device=DEVICE)
    assert masked_mean(values, torch.tensor([True, False, True], device=DEVICE)) == 2
