"""Law 2 must name every other recurrent network, and accept every way to write the right one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import laws
from tests.laws import mutants_parity as zoo


@pytest.mark.parametrize("name", zoo.MUTANTS)
def test_law_rejects(name):
    recompute, claims, part = zoo.MUTANTS[name]
    verdict = laws.parity(recompute, **claims)
    assert not verdict.holds
    assert part in str(verdict)


@pytest.mark.parametrize("name", zoo.CORRECT)
def test_law_accepts(name):
    recompute, claims = zoo.CORRECT[name]
    assert laws.parity(recompute, **claims)


def test_law_judges_every_combination_that_is_claimed():
    names = [check.name for check in laws.parity(zoo.CORRECT["our cells"][0]).checks]
    assert len(names) == 2 * 2 * 2 * 2 * 2  # cell, layers, directions, pads; forward and gradient
    assert "nn.LSTM 2 layers, bidirectional, packed: gradient" in names


def test_wrong_weight_gradients_are_seen_behind_right_outputs():
    def recompute(rnn, x, lengths):
        found = zoo.cells.unroll_stack(rnn, x, lengths)
        ghost = sum(p.sum() for p in rnn.parameters())
        return found.outputs + (ghost - ghost.detach()), None

    verdict = laws.parity(recompute, cells=("gru",))
    assert not verdict.holds and "gradient of weight_" in verdict.counterexample
    assert laws.parity(recompute, cells=("gru",), weight_gradients=False).holds


def test_an_unknown_cell_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="Valid: 'gru', 'lstm'"):
        laws.parity(zoo.CORRECT["our cells"][0], cells=("rnn",))


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([1e-5, 1e-3, 1e-1]))
def test_an_error_of_any_size_is_found(seed, size):
    """One number of one output is off: far above the tolerance, or still above it."""

    def recompute(rnn, x, lengths):
        outputs, _ = zoo.gru_as_interpolation(rnn, x, lengths)
        off = torch.zeros_like(outputs)
        off[2, 3, 1] = size
        return outputs + off, None

    verdict = laws.parity(recompute, seed=seed, **zoo.GRU)
    assert not verdict.holds and verdict.counterexample.count("[2, 3, 1]") == 1


def test_the_wrong_layer_is_this_laws_business_and_not_law_1s():
    """It is the same wrong layer in every batch; only beside torch's own state does it show."""
    torch.manual_seed(0)
    rnn = torch.nn.GRU(4, 3, num_layers=2, bidirectional=True, batch_first=True)
    embedding = torch.nn.Embedding(11, 4)

    def encode(src, lengths):
        found = zoo.cells.unroll_stack(rnn, embedding(src), lengths)
        return found.outputs, found.state[:, :2]  # h_n[:2]: layer 0, where the top was meant

    assert laws.batch_invariance(encode).holds
    recompute, claims, part = zoo.MUTANTS["top layer dropped"]
    assert part in str(laws.parity(recompute, **claims))


def test_a_variant_is_named_without_biases_too():
    """And what is wrong without biases alone is laid to the biases."""
    claims = {**zoo.GRU, "bias": (False,)}
    verdict = laws.parity(zoo.reset_before, **claims)
    assert "acts BEFORE the matrix product" in verdict.look_at

    def biased(rnn, x, lengths):
        outputs, _ = zoo.gru_as_interpolation(rnn, x, lengths)
        return outputs + 0.1 * (not rnn.bias), None

    assert "with bias=False there are none" in laws.parity(biased, **claims).look_at
