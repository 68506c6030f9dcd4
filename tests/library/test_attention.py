"""Each kind of attention against loops, and: pads, neighbours and earlier calls change nothing."""

import math

import pytest
import torch

from seq2seq_lib.attention import AdditiveAttention, Attention, DotAttention, GeneralAttention
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.runtime import get_device

DEVICE = get_device()
B, T, S, Q, M, A = 4, 3, 6, 5, 7, 2
LENGTHS = torch.tensor([3, 6, 1, 4], device=DEVICE)  # unsorted, one of length 1, one full
MASK = sequence_mask(LENGTHS)
# float64: sums of some ten products near 1, added in different orders
TIGHT = {"atol": 1e-13, "rtol": 1e-12}

KINDS = {
    "dot": lambda: DotAttention(),
    "dot unscaled": lambda: DotAttention(scaled=False),
    "general": lambda: GeneralAttention(Q, M),
    "general unscaled": lambda: GeneralAttention(Q, M, scaled=False),
    "additive": lambda: AdditiveAttention(Q, M, A),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(DEVICE)


def make(kind, seed=0):
    """An attention with random weights, a query and a memory that fit it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        attention = KINDS[kind]().to(DEVICE, torch.float64)
    size = Q if kind.startswith("dot") else M
    return attention, randn(B, T, Q, seed=1), randn(B, S, size, seed=2)


def attend(attention, query, memory, mask=MASK):
    return attention(query, attention.precompute(memory), memory, mask)


def slow_score(attention, q, m):
    """One query vector, one memory vector, from the equation."""
    if isinstance(attention, DotAttention):
        return (q * m).sum() / (math.sqrt(len(q)) if attention.scaled else 1)
    if isinstance(attention, GeneralAttention):
        score = sum(q[i] * (attention.key.weight[i] * m).sum() for i in range(len(q)))
        return score / (math.sqrt(len(q)) if attention.scaled else 1)
    hidden = attention.query.weight @ q + attention.key.weight @ m + attention.key.bias
    return (attention.energy.weight[0] * hidden.tanh()).sum()


@every_kind
def test_scores_weights_and_context_equal_slow_loops(kind):
    attention, query, memory = make(kind)
    scores = attention.score(query, attention.precompute(memory))
    context, weights = attend(attention, query, memory)
    assert scores.shape == weights.shape == (B, T, S)
    assert context.shape == (B, T, memory.size(-1))
    for b, length in enumerate(LENGTHS.tolist()):
        for t in range(T):
            expected = torch.stack([slow_score(attention, query[b, t], m) for m in memory[b]])
            torch.testing.assert_close(scores[b, t], expected, **TIGHT)
            exponentials = [score.exp() for score in expected[:length]]
            shares = [e / sum(exponentials) for e in exponentials]
            torch.testing.assert_close(weights[b, t, :length], torch.stack(shares), **TIGHT)
            mixture = sum(share * memory[b, s] for s, share in enumerate(shares))
            torch.testing.assert_close(context[b, t], mixture, **TIGHT)


@every_kind
def test_weights_sum_to_one_and_are_exactly_zero_at_pads(kind):
    attention, query, memory = make(kind)
    _, weights = attend(attention, query, memory)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]), **TIGHT)
    assert (weights.masked_select(~MASK.unsqueeze(1)) == 0).all()
    assert (weights.masked_select(MASK.unsqueeze(1)) > 0).all()


@every_kind
@pytest.mark.parametrize("garbage", [1e30, -1e30, 3.0])
def test_what_stands_at_pads_changes_nothing_and_gets_no_gradient(kind, garbage):
    def run(memory):
        memory = memory.clone().requires_grad_()
        context, weights = attend(attention, query, memory)
        inputs = (memory, query, *attention.parameters())
        probes = randn(*context.shape, seed=3), randn(*weights.shape, seed=4)
        total = (context * probes[0]).sum() + (weights * probes[1]).sum()
        return context, weights, *torch.autograd.grad(total, inputs)

    attention, query, memory = make(kind)
    query.requires_grad_()
    clean = run(memory.masked_fill(~MASK.unsqueeze(-1), 0.0))
    dirty = run(memory.masked_fill(~MASK.unsqueeze(-1), garbage))
    for a, b in zip(clean, dirty, strict=True):
        torch.testing.assert_close(a, b, **TIGHT)
    gradient = dirty[2]
    assert (gradient[~MASK] == 0).all() and (gradient[MASK] != 0).any()
    assert all((g != 0).any() for g in dirty[2:])  # every parameter has a say


@every_kind
def test_neighbours_in_the_batch_do_not_matter(kind):
    attention, query, memory = make(kind)
    context, weights = attend(attention, query, memory)
    for b, length in enumerate(LENGTHS.tolist()):
        row = slice(b, b + 1)
        alone = attend(attention, query[row], memory[row, :length], MASK[row, :length])
        torch.testing.assert_close(alone[0], context[row], **TIGHT)
        torch.testing.assert_close(alone[1], weights[row, :, :length], **TIGHT)
    order = torch.tensor([2, 0, 3, 1], device=DEVICE)
    moved = attend(attention, query[order], memory[order], MASK[order])
    torch.testing.assert_close(moved[0], context[order], **TIGHT)


@every_kind
def test_one_query_is_a_pass_of_length_one(kind):
    attention, query, memory = make(kind)
    context, weights = attend(attention, query, memory)
    for t in range(T):
        one_context, one_weights = attend(attention, query[:, t], memory)
        assert one_context.shape == (B, memory.size(-1)) and one_weights.shape == (B, S)
        torch.testing.assert_close(one_context, context[:, t], **TIGHT)
        torch.testing.assert_close(one_weights, weights[:, t], **TIGHT)


@every_kind
def test_nothing_is_kept_from_call_to_call(kind):
    attention, query, memory = make(kind)
    keys = attention.precompute(memory)
    before = set(vars(attention)), {name: w.clone() for name, w in attention.state_dict().items()}
    inputs = query.clone(), keys.clone(), memory.clone(), MASK.clone()
    first = attention(query, keys, memory, MASK)
    attend(attention, 2 * query + 1, -memory)  # another sentence in between
    again = attention(query, keys, memory, MASK)  # keys computed once, used twice
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert set(vars(attention)) == before[0]
    for name, weight in attention.state_dict().items():
        assert torch.equal(weight, before[1][name])
    for a, b in zip(inputs, (query, keys, memory, MASK), strict=True):
        assert torch.equal(a, b)


@every_kind
def test_an_empty_sentence_has_context_zero_and_finite_gradients(kind):
    attention, query, memory = make(kind)
    mask = sequence_mask(torch.tensor([3, 0, 1, 6], device=DEVICE))
    memory.requires_grad_()
    context, weights = attend(attention, query, memory, mask)
    assert (context[1] == 0).all() and (weights[1] == 0).all()
    for gradient in torch.autograd.grad(context.sum(), (memory, *attention.parameters())):
        assert gradient.isfinite().all()


def test_scaled_dot_products_fit_into_half_precision():
    # each of 64 products is 1600: their sum, 102 400, does not fit, but a eighth of it does
    query, memory = (torch.full((1, n, 64), 40.0, dtype=torch.float16) for n in (T, S))
    scores = DotAttention().score(query, memory)
    assert (scores == 12800).all()


def test_additive_attention_uses_the_size_of_the_query_unless_told():
    assert AdditiveAttention(Q, M).energy.in_features == Q
    assert AdditiveAttention(Q, M, A).energy.in_features == A


def test_a_kind_of_ones_own_needs_two_methods():
    class LastWord(Attention):
        def precompute(self, memory):
            return memory[..., :1]  # [B, S, 1]

        def score(self, query, keys):
            position = torch.arange(keys.size(1), dtype=keys.dtype, device=keys.device)
            return (100 * position).expand(*query.shape[:2], -1)  # [B, T, S]

    context, _ = attend(LastWord(), randn(B, T, Q), memory := randn(B, S, M, seed=1))
    last = memory[torch.arange(B, device=DEVICE), LENGTHS - 1]
    torch.testing.assert_close(context, last.unsqueeze(1).expand(-1, T, -1), **TIGHT)
    with pytest.raises(NotImplementedError):
        Attention().precompute(memory)
    with pytest.raises(NotImplementedError):
        Attention().score(memory, memory)


def test_dot_attention_names_the_kind_that_maps_sizes():
    with pytest.raises(ValueError, match="they have 5 and 7: use GeneralAttention"):
        attend(DotAttention(), randn(B, T, Q), randn(B, S, M))


@every_kind
def test_a_mask_of_another_type_or_shape_is_refused(kind):
    attention, query, memory = make(kind)
    for wrong in (MASK.T, MASK[:, :-1], MASK[:1], MASK[None], MASK[0]):
        with pytest.raises(ValueError, match=r"src_mask \[B, S\] and keys .* \[4, 6\]"):
            attend(attention, query, memory, wrong)
    with pytest.raises(TypeError, match="bool tensor"):
        attend(attention, query, memory, MASK.double())


@every_kind
def test_rows_are_not_repeated_silently(kind):
    attention, query, memory = make(kind)
    keys = attention.precompute(memory)
    for wrong in (query[:1], query[:3], query[0, 0], query[None], query[:1, 0]):
        with pytest.raises(ValueError, match=r"query must be \[B, Q\] or \[B, T, Q\] with B = 4"):
            attention(wrong, keys, memory, MASK)
    for wrong in (keys[:1], keys[:, :1]):
        with pytest.raises(ValueError, match="keys .* must have the B and S of the memory"):
            attention(query, wrong, memory, MASK)
    with pytest.raises(ValueError, match=r"memory must be \[B, S, M\]"):
        attention(query, keys, memory[0], MASK)


def test_scores_are_scaled_unless_told_otherwise():
    assert DotAttention().scaled
    assert GeneralAttention(Q, M).scaled
