"""The loss ledger: every way to mask gives one loss, pads weigh nothing, and sums add up."""

import inspect
import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributed, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib.losses import (
    LossSum,
    gaussian_kl,
    masked_cross_entropy,
    masked_nll_loss,
    sequence_loss,
)
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.runtime import get_device

DEVICE = get_device()
NAN, INF = float("nan"), float("inf")
B, T, V = 4, 6, 5
LENGTHS = torch.tensor([3, 6, 1, 4], device=DEVICE)  # unsorted, one of length 1, one full
MASK = sequence_mask(LENGTHS)
# Few pads are computed too, many are left out (losses.FEW_PADS): no promise may depend on which.
FEW = sequence_mask(torch.tensor([6, 6, 5, 6], device=DEVICE))
BOTH = pytest.mark.parametrize("mask", [MASK, FEW], ids=["many pads", "few pads"])
# float64: sums of some 14 terms near 1, added in different orders
TIGHT = {"atol": 1e-13, "rtol": 0}
REDUCTIONS = ["mean", "sum", "none"]


def randn(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(DEVICE, dtype)


def make_targets(shape=(B, T), seed=0, classes=V):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(classes, shape, generator=generator).to(DEVICE)


LOGITS, TARGETS = randn(B, T, V), make_targets()
WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.25, 3.0], dtype=torch.float64, device=DEVICE)


def slow_nll(logits, targets, mask):
    """The sum of -log softmax over the real positions, position by position."""
    total = logits.new_zeros(())
    for b in range(mask.size(0)):
        for t in range(mask.size(1)):
            if mask[b, t]:
                exponentials = logits[b, t].exp()
                total = total - (exponentials[targets[b, t]] / exponentials.sum()).log()
    return total


# --- one loss, many routes -----------------------------------------------------------------------


def by_mask(logits, targets, mask):
    log_probs = logits.log_softmax(-1)
    nll = -log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return (nll * mask).sum()


def by_masked_select(logits, targets, mask):
    nll = nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return nll.masked_select(mask).sum()


def by_ignore_index(logits, targets, mask):
    marked = targets.masked_fill(~mask, -1).flatten()
    criterion = nn.CrossEntropyLoss(ignore_index=-1, reduction="sum")
    return criterion(logits.flatten(0, 1), marked)


def by_packing(logits, targets, mask):
    def pack(x):
        lengths = mask.sum(1).cpu()
        return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False).data

    return nn.functional.cross_entropy(pack(logits), pack(targets), reduction="sum")


OURS = {
    "sequence_loss": lambda *a: sequence_loss(*a).total,
    "masked_cross_entropy": lambda *a: masked_cross_entropy(*a, reduction="sum"),
    "masked_nll_loss": lambda x, *a: masked_nll_loss(x.log_softmax(-1), *a, reduction="sum"),
}
ROUTES = {
    **OURS,
    "mask times NLL": by_mask,
    "masked_select": by_masked_select,
    "ignore_index": by_ignore_index,
    "packed": by_packing,
}


@settings(max_examples=25)
@given(st.data())
def test_all_routes_to_a_masked_loss_agree(data):
    b, t, v = (data.draw(st.integers(1, 5)) for _ in range(3))
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, t), min_size=b, max_size=b)))
    mask = sequence_mask(lengths.to(DEVICE), t)
    seed = data.draw(st.integers(0, 99))
    logits = (3 * randn(b, t, v, seed=seed)).requires_grad_()
    targets = make_targets((b, t), seed, v)
    expected = slow_nll(logits, targets, mask)
    (expected_gradient,) = torch.autograd.grad(expected, logits)
    for name, route in ROUTES.items():
        total = route(logits, targets, mask)
        torch.testing.assert_close(total, expected, **TIGHT, msg=lambda m, n=name: f"{n}: {m}")
        (gradient,) = torch.autograd.grad(total, logits)
        torch.testing.assert_close(gradient, expected_gradient, **TIGHT)


def test_sequence_loss_counts_the_real_tokens():
    loss = sequence_loss(LOGITS, TARGETS, MASK)
    assert loss.tokens == 14 == MASK.sum() and loss.tokens.dim() == loss.total.dim() == 0
    torch.testing.assert_close(loss.mean, slow_nll(LOGITS, TARGETS, MASK) / 14, **TIGHT)


def test_no_class_is_taken_for_a_mark_of_pads():
    logits, targets = randn(B, T, 120, seed=4), torch.arange(B * T, device=DEVICE).view(B, T) + 90
    for name, route in OURS.items():
        expected = slow_nll(logits, targets, MASK)
        torch.testing.assert_close(
            route(logits, targets, MASK), expected, **TIGHT, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_rows_are_tokens_also_where_a_wrong_axis_would_fit():
    logits = randn(V, V, V, seed=3)  # B = T = V: every transposition has the right shape
    targets, mask = make_targets((V, V), 3), sequence_mask(torch.tensor([2, 5, 1, 3, 4]).to(DEVICE))
    for name, route in OURS.items():
        expected = slow_nll(logits, targets, mask)
        torch.testing.assert_close(
            route(logits, targets, mask), expected, **TIGHT, msg=lambda m, n=name: f"{n}: {m}"
        )


# --- equal to torch's criteria ------------------------------------------------------------------


def assert_equals_torch(ours, criterion, inputs):
    """Ours on a padded batch = torch's on the real tokens alone, forward and gradient."""
    inputs = inputs.detach().requires_grad_()
    expected = criterion(inputs[MASK], TARGETS[MASK])  # [N]
    if expected.dim():  # "none": [N] -> [B, T], 0 at pads
        expected = inputs.new_zeros(B, T).masked_scatter(MASK, expected)
    assert ours(inputs).shape == expected.shape
    torch.testing.assert_close(ours(inputs), expected, **TIGHT)
    probe = randn(*expected.shape, seed=9)
    gradients = [
        torch.autograd.grad((x * probe).sum(), inputs)[0] for x in (ours(inputs), expected)
    ]
    torch.testing.assert_close(*gradients, **TIGHT)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weight"])
def test_masked_nll_loss_equals_nn_nll_loss_on_the_real_tokens(reduction, weight):
    assert_equals_torch(
        lambda x: masked_nll_loss(x, TARGETS, MASK, weight=weight, reduction=reduction),
        nn.NLLLoss(weight=weight, reduction=reduction),
        LOGITS.log_softmax(-1),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weight"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_masked_cross_entropy_equals_nn_cross_entropy_loss(reduction, weight, smoothing):
    assert_equals_torch(
        lambda x: masked_cross_entropy(
            x, TARGETS, MASK, weight=weight, label_smoothing=smoothing, reduction=reduction
        ),
        nn.CrossEntropyLoss(weight=weight, reduction=reduction, label_smoothing=smoothing),
        LOGITS,
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_denominator_is_the_sum_of_the_weights_of_the_real_targets(smoothing):
    loss = sequence_loss(LOGITS, TARGETS, MASK, weight=WEIGHT, label_smoothing=smoothing)
    expected = sum(WEIGHT[TARGETS[b, t]] for b in range(B) for t in range(LENGTHS[b]))
    torch.testing.assert_close(loss.tokens, expected, **TIGHT)
    torch.testing.assert_close(loss.total, expected * loss.mean, **TIGHT)
    criterion = nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=smoothing)
    torch.testing.assert_close(loss.mean, criterion(LOGITS[MASK], TARGETS[MASK]), **TIGHT)


def test_mean_is_what_is_reduced_by_default():
    expected = nn.functional.cross_entropy(LOGITS[MASK], TARGETS[MASK])
    torch.testing.assert_close(masked_cross_entropy(LOGITS, TARGETS, MASK), expected, **TIGHT)
    log_probs = LOGITS.log_softmax(-1)
    torch.testing.assert_close(masked_nll_loss(log_probs, TARGETS, MASK), expected, **TIGHT)


def test_the_worked_example_of_nll_loss():
    # (-0.6 · 0.6 - 1.2 · 0.2) / (0.6 + 0.2), from a text that feeds NLLLoss plain numbers
    scores = torch.tensor([[[0.6, 0.2, 0.2], [0.4, 1.2, 0.4]]], device=DEVICE)
    targets, mask = (
        torch.tensor([[0, 1]], device=DEVICE),
        torch.tensor([[True, True]], device=DEVICE),
    )
    weight = torch.tensor([0.6, 0.2, 0.2], device=DEVICE)
    loss = masked_nll_loss(scores, targets, mask, weight=weight)
    assert loss.item() == pytest.approx(-0.75, abs=1e-6)  # float32
    torch.testing.assert_close(loss, nn.NLLLoss(weight=weight)(scores[0], targets[0]))
    # below zero is the symptom; with the log-softmax that NLLLoss expects, it is a loss
    assert masked_cross_entropy(scores, targets, mask, weight=weight) > 0


# --- pads ----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("garbage", [1e30, -1e30, INF, -INF, NAN])
@pytest.mark.parametrize("target", [0, -100, V, 10**9])
def test_what_stands_at_pads_changes_neither_loss_nor_gradient(mask, name, garbage, target):
    logits = LOGITS.masked_fill(~mask.unsqueeze(-1), garbage).requires_grad_()
    targets = TARGETS.masked_fill(~mask, target)
    clean = LOGITS.clone().requires_grad_()
    total, expected = OURS[name](logits, targets, mask), OURS[name](clean, TARGETS, mask)
    assert torch.equal(total, expected)
    if name == "masked_nll_loss":  # its argument is the log-softmax: that is where its promise ends
        logits = logits.detach().log_softmax(-1).requires_grad_()
        clean = clean.detach().log_softmax(-1).requires_grad_()
        total = masked_nll_loss(logits, targets, mask, reduction="sum")
        expected = masked_nll_loss(clean, TARGETS, mask, reduction="sum")
    (gradient,) = torch.autograd.grad(total, logits)
    assert (gradient[~mask] == 0).all()
    assert (gradient[mask] != 0).any(-1).all()
    assert torch.equal(gradient, torch.autograd.grad(expected, clean)[0])


@BOTH
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}, {"weight": WEIGHT}], ids=str)
def test_a_class_that_is_impossible_at_pads_changes_nothing(mask, options):
    for impossible in range(V):  # one of them stands for the target that pads do not have
        logits = LOGITS.clone()
        logits[..., impossible][~mask] = -INF
        logits.requires_grad_()
        loss = sequence_loss(logits, TARGETS, mask, **options).total
        assert torch.equal(loss, sequence_loss(LOGITS, TARGETS, mask, **options).total)
        assert (torch.autograd.grad(loss, logits)[0][~mask] == 0).all()


@BOTH
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}, {"weight": WEIGHT}], ids=str)
def test_extra_pad_columns_change_neither_loss_nor_gradient(mask, reduction, options):
    def loss_and_gradient(columns):
        logits = nn.functional.pad(LOGITS, (0, 0, 0, columns), value=7.0).requires_grad_()
        targets = nn.functional.pad(TARGETS, (0, columns))
        wide = nn.functional.pad(mask, (0, columns))
        loss = masked_cross_entropy(logits, targets, wide, reduction=reduction, **options)
        (gradient,) = torch.autograd.grad(loss.square().sum(), logits)
        return loss[:, :T] if reduction == "none" else loss, gradient

    (loss, gradient), (wide_loss, wide_gradient) = loss_and_gradient(0), loss_and_gradient(3)
    torch.testing.assert_close(wide_loss, loss, **TIGHT)
    # the gradient of a square is as large as the sum, some hundreds: a few roundings of that
    torch.testing.assert_close(wide_gradient[:, :T], gradient, atol=1e-13, rtol=1e-15)
    assert (wide_gradient[:, T:] == 0).all()


def test_the_mask_need_not_be_a_prefix():
    mask = torch.rand(B, T, generator=torch.Generator().manual_seed(1)).to(DEVICE) > 0.5
    expected = slow_nll(LOGITS, TARGETS, mask)
    torch.testing.assert_close(sequence_loss(LOGITS, TARGETS, mask).total, expected, **TIGHT)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"weight": WEIGHT}], ids=str)
def test_a_batch_of_pads_alone_has_loss_zero_and_gradient_zero(options):
    logits, nothing = LOGITS.clone().requires_grad_(), torch.zeros_like(MASK)
    loss = sequence_loss(logits, TARGETS, nothing, **options)
    assert loss.total == 0 == loss.tokens and loss.mean == 0
    for reduction in REDUCTIONS:
        value = masked_cross_entropy(logits, TARGETS, nothing, reduction=reduction, **options)
        assert (value == 0).all()
        assert (torch.autograd.grad(value.sum(), logits)[0] == 0).all()
    assert (torch.autograd.grad(loss.mean, logits)[0] == 0).all()
    assert masked_nll_loss(logits, TARGETS, nothing) == 0


def test_the_pad_class_stays_in_the_softmax():
    # masking a position is not banning a class: https://github.com/pytorch/pytorch/issues/63004
    targets = TARGETS.masked_fill(TARGETS == 0, 1)
    logits = LOGITS.clone()
    logits[..., 0] += 1
    assert sequence_loss(logits, targets, MASK).total > sequence_loss(LOGITS, targets, MASK).total


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype):
    rows, steps = 300, 500  # 150 000 tokens of 1.6 nats: a sum beyond 65504
    logits = randn(1, 1, V, dtype=dtype).expand(rows, steps, V)
    targets, mask = make_targets((rows, steps)), torch.ones(rows, steps, dtype=torch.bool)
    loss = sequence_loss(logits, targets, mask.to(DEVICE))
    assert loss.total.dtype == torch.float32
    expected = nn.functional.cross_entropy(logits.double().flatten(0, 1), targets.flatten())
    # float32 logits from half ones are exact; a sum of 150 000 float32 terms errs by some 1e-5
    assert loss.mean.item() == pytest.approx(expected.item(), rel=1e-4)
    log_probs = logits.float().log_softmax(-1).to(dtype)
    nll = masked_nll_loss(log_probs, targets, mask.to(DEVICE), reduction="sum")
    assert nll.dtype == torch.float32
    # here the log-probabilities themselves are rounded to 8 or 11 bits
    assert nll.item() == pytest.approx(expected.item() * rows * steps, rel=1e-2)
    weight = torch.ones(V, dtype=dtype, device=DEVICE)
    assert sequence_loss(logits, targets, mask.to(DEVICE), weight=weight).total.isfinite()


def test_arguments_are_not_changed():
    inputs = LOGITS.clone(), TARGETS.clone(), MASK.clone(), WEIGHT.clone()
    logits, targets, mask, weight = (x.clone() for x in inputs)
    sequence_loss(logits, targets, mask, weight=weight, label_smoothing=0.1)
    masked_nll_loss(logits, targets, mask, weight=weight)
    for before, after in zip(inputs, (logits, targets, mask, weight), strict=True):
        assert torch.equal(before, after)


# --- LossSum -------------------------------------------------------------------------------------


def shards():
    return [
        sequence_loss(LOGITS[rows], TARGETS[rows], MASK[rows])
        for rows in (slice(0, 1), slice(1, 2), slice(2, 4))
    ]


def test_sums_of_shards_are_the_loss_of_the_whole():
    whole, parts = sequence_loss(LOGITS, TARGETS, MASK), shards()
    for added in (sum(parts), parts[0] + parts[1] + parts[2], sum(parts[1:], parts[0])):
        torch.testing.assert_close(added.total, whole.total, **TIGHT)
        assert added.tokens == whole.tokens
        torch.testing.assert_close(added.mean, whole.mean, **TIGHT)
    mean_of_means = sum(part.mean for part in parts) / 3
    assert abs(mean_of_means - whole.mean) > 0.01  # the mistake that LossSum makes impossible


@pytest.mark.parametrize("other", [1, 0.0, 2.5, torch.tensor(0.0), "x"])
def test_nothing_but_another_sum_is_added(other):
    loss = sequence_loss(LOGITS, TARGETS, MASK)
    with pytest.raises(TypeError):
        loss + other
    with pytest.raises(TypeError):
        other + loss


def test_a_sum_is_fixed_and_detached_on_request():
    loss = LossSum(randn(seed=1).requires_grad_(), randn(seed=2).requires_grad_())
    plain = loss.detach()
    assert not plain.total.requires_grad and not plain.tokens.requires_grad
    assert torch.equal(plain.total, loss.total) and torch.equal(plain.tokens, loss.tokens)
    with pytest.raises(FrozenInstanceError):
        loss.total = 0


SHARES = [(1.5, 3), (4.0, 1)]  # total and tokens of two ranks


def reduce_as(rank, size, store):
    """Join a group of processes, add this rank's share, leave again."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=size
    )
    try:
        total, tokens = SHARES[rank]
        total = torch.tensor(total, dtype=torch.float64, requires_grad=True)
        loss = LossSum(2 * total, torch.tensor(tokens))
        added = loss.all_reduce()
        assert not added.total.requires_grad
        assert loss.total == 2 * total and loss.tokens == tokens  # what it is called on stays
        return added.total.item(), added.tokens.item(), added.mean.item()
    finally:
        distributed.destroy_process_group()


@pytest.mark.skipif(
    not (distributed.is_available() and distributed.is_gloo_available()),
    reason="this PyTorch has no gloo",
)
@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, (3.0, 3, 1.0)), pytest.param(2, (11.0, 4, 2.75), marks=pytest.mark.slow)],
)
def test_all_reduce_adds_the_ranks(tmp_path, size, expected):
    code = (
        "import sys, torch\nfrom torch import distributed\nfrom seq2seq_lib.losses import LossSum\n"
        f"SHARES = {SHARES}\n{inspect.getsource(reduce_as)}\nprint(reduce_as(1, 2, sys.argv[1]))"
    )
    others = [  # rank 0 is this process
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(1, size)
    ]
    assert reduce_as(0, size, tmp_path / "store") == expected
    for other in others:
        out, err = other.communicate(timeout=120)
        assert (other.returncode, out.strip()) == (0, str(expected)), err


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"logits": randn(B, V, T)}, ValueError, r"\[B, T\] = \[4, 5\]"),
        ({"logits": randn(B * T, V)}, ValueError, r"floats \[B, T, V\]"),
        ({"targets": TARGETS.int()}, TypeError, "int64 token ids, but they are torch.int32"),
        ({"targets": TARGETS.double()}, TypeError, "int64 token ids, but they are torch.float64"),
        ({"targets": TARGETS[:, :1]}, ValueError, "nothing is broadcast"),
        ({"targets": TARGETS[0]}, ValueError, "nothing is broadcast"),
        ({"mask": MASK[:, :1]}, ValueError, "nothing is broadcast"),
        ({"mask": MASK.long()}, TypeError, "bool .* but it is torch.int64"),
        ({"mask": None}, TypeError, "bool .* but it is NoneType"),
    ],
    ids=str,
)
def test_tensors_that_do_not_fit_are_refused(name, change, error, message):
    given_ = {"logits": LOGITS, "targets": TARGETS, "mask": MASK, **change}
    with pytest.raises(error, match=message):
        OURS[name](given_["logits"], given_["targets"], given_["mask"])


def test_integer_scores_are_refused():
    with pytest.raises(ValueError, match="log_probs must be floats .* torch.int64"):
        masked_nll_loss(torch.ones(B, T, V, dtype=torch.int64, device=DEVICE), TARGETS, MASK)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("wrong", [-1, -100, V, 10**9])
def test_an_impossible_target_is_refused_where_it_is_real(name, wrong):
    targets = TARGETS.clone()
    targets[3, 2] = wrong
    with pytest.raises(ValueError, match=rf"in 0 \.\. 4 .* but targets\[3, 2\] is {wrong}"):
        OURS[name](LOGITS, targets, MASK)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, 2.0, NAN])
def test_smoothing_outside_its_range_is_refused(smoothing):
    for loss in (sequence_loss, masked_cross_entropy):
        with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\)"):
            loss(LOGITS, TARGETS, MASK, label_smoothing=smoothing)


@pytest.mark.parametrize("loss", [sequence_loss, masked_cross_entropy, masked_nll_loss])
@pytest.mark.parametrize("weight", [WEIGHT[:-1], WEIGHT[:1], WEIGHT[0], WEIGHT[None]], ids=str)
def test_weights_are_one_a_class(loss, weight):
    with pytest.raises(ValueError, match=r"weight must be \[V\] = \[5\]"):
        loss(LOGITS, TARGETS, MASK, weight=weight)


@pytest.mark.parametrize("loss", [masked_cross_entropy, masked_nll_loss])
def test_an_unknown_reduction_lists_the_known(loss):
    with pytest.raises(ValueError, match="Unknown reduction: 'avg'. Valid: 'mean', 'sum', 'none'"):
        loss(LOGITS, TARGETS, MASK, reduction="avg")


# --- gaussian_kl ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
@pytest.mark.parametrize("loss", [sequence_loss, masked_cross_entropy, masked_nll_loss])
def test_a_weight_that_no_target_uses_touches_nothing(loss, bad):
    """As of 1 / counts, where PAD was never counted."""
    scores = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    targets = torch.tensor([[1, 2, 3], [4, 0, 0]])
    mask = sequence_mask(torch.tensor([3, 1]), 3)
    results = []
    for first in (1.0, bad):
        x = scores.clone().requires_grad_()
        found = loss(x, targets, mask, weight=torch.tensor([first, 1.0, 2.0, 0.5, 1.0]))
        found = found.mean if loss is sequence_loss else found
        results.append((found, torch.autograd.grad(found, x)[0]))
    for one, two in zip(*results, strict=True):
        assert two.isfinite().all() and torch.allclose(one, two, atol=1e-6)
    assert (results[1][1][~mask] == 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("loss", [sequence_loss, masked_cross_entropy, masked_nll_loss])
def test_weights_in_half_precision_are_summed_in_float32(loss, dtype):
    scores = torch.zeros(2, 35_000, 5).log_softmax(-1)  # more tokens than float16 has numbers
    mask = torch.ones(2, 35_000, dtype=torch.bool)
    found = loss(scores, mask.long(), mask, weight=torch.ones(5, dtype=dtype))
    if loss is sequence_loss:
        assert found.tokens == 70_000
        found = found.mean
    assert found.item() == pytest.approx(1.6094, abs=1e-3)


@pytest.mark.parametrize("weight", [[1.0] * 5, torch.ones(5, dtype=torch.int64), None])
def test_arguments_that_no_loss_can_use_are_refused(weight):
    targets, mask = torch.ones(1, 2, dtype=torch.int64), torch.tensor([[True, True]])
    if weight is None:
        with pytest.raises(ValueError, match=r"logits must be floats \[B, T, V\] with V ≥ 1"):
            sequence_loss(torch.zeros(1, 2, 0), targets, mask)
    else:
        with pytest.raises(TypeError, match="weight must be a tensor of floats, but it is"):
            sequence_loss(torch.zeros(1, 2, 5), targets, mask, weight=weight)


def test_gaussian_kl_in_half_precision_neither_overflows_nor_cancels():
    mu, logvar = torch.zeros(1, 1), torch.tensor([[12.0]])
    expected = gaussian_kl(mu.double(), logvar.double()).float()
    assert torch.allclose(gaussian_kl(mu.half(), logvar.half()), expected)
    tiny = torch.tensor([[1e-4]])
    assert gaussian_kl(mu, tiny).item() == pytest.approx(1e-8 / 4, rel=0.05)


def test_gaussian_kl_equals_torch_distributions_for_each_sentence():
    mu, logvar = (2 * randn(B, 7, seed=s) for s in (1, 2))
    mu.requires_grad_()
    logvar.requires_grad_()
    posterior = torch.distributions.Normal(mu, (logvar / 2).exp())
    expected = torch.distributions.kl_divergence(
        posterior, torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    ).sum(-1)
    kl = gaussian_kl(mu, logvar)
    assert kl.shape == (B,)
    # float64, up to 1e3 nats a sentence: relative
    torch.testing.assert_close(kl, expected, atol=0, rtol=1e-12)
    probe = randn(B, seed=3)
    ours, theirs = (torch.autograd.grad((x * probe).sum(), (mu, logvar)) for x in (kl, expected))
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-12)


def test_gaussian_kl_by_hand():
    assert gaussian_kl(torch.ones(3, 8), torch.zeros(3, 8)).tolist() == [4.0] * 3  # 8 · 1/2
    assert gaussian_kl(torch.zeros(2, 8), torch.zeros(2, 8)).tolist() == [0.0] * 2


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_gaussian_kl_is_never_negative(mu, logvar):
    # float64: the terms reach 150, and their rounding 1e-14
    value = gaussian_kl(torch.tensor([[mu]]).double(), torch.tensor([[logvar]]).double())
    assert value >= -1e-13


@pytest.mark.parametrize(("mu", "logvar"), [((B, 3), (B, 1)), ((3,), (3,)), ((B, 2, 3), (B, 2, 3))])
def test_gaussian_kl_broadcasts_nothing(mu, logvar):
    with pytest.raises(ValueError, match=r"must both be \[B, Z\]"):
        gaussian_kl(randn(*mu), randn(*logvar))
