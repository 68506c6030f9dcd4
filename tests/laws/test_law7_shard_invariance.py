"""Law 7 must find every average of averages, and accept every way to divide once."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import laws
from tests.laws import mutants_shard_invariance as zoo


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", zoo.MUTANTS)
def test_law_rejects(name, seed):
    gradients, part = zoo.MUTANTS[name]
    verdict = laws.shard_invariance(gradients, seed=seed)
    assert not verdict.holds
    hints = [check.look_at for check in verdict.checks if not check.holds]
    assert any(part in hint for hint in hints), verdict
    assert "shards of [" in verdict.counterexample


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", zoo.CORRECT)
def test_law_accepts(name, seed):
    assert laws.shard_invariance(zoo.CORRECT[name], seed=seed)


def test_what_half_precision_rounds_is_called_that():
    def gradients(shards):
        with torch.autocast("cpu", torch.bfloat16):
            return zoo.update(sum(zoo.nll(s).sum() for s in shards) / sum(map(zoo.tokens, shards)))

    verdict = laws.shard_invariance(gradients)
    assert not verdict and "pass tolerance=2e-2" in verdict.look_at
    assert laws.shard_invariance(gradients, tolerance=2e-2)
    wrong = laws.shard_invariance(zoo.mean_of_means, tolerance=2e-2)
    assert "averaging averages" in wrong.look_at


def test_an_empty_shard_can_be_left_out():
    gradients, _ = zoo.MUTANTS["NaN from an empty rank (B29)"]
    assert laws.shard_invariance(gradients, empty_shard=False)


def test_gradients_are_left_as_they_were():
    before = [p.grad for p in zoo.PARAMETERS]
    laws.shard_invariance(zoo.accumulated_in_grad)
    assert all(p.grad is b for p, b in zip(zoo.PARAMETERS, before, strict=True))


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_any_seed_tells_them_apart(seed):
    assert laws.shard_invariance(zoo.weighed_by_tokens, seed=seed)
    assert not laws.shard_invariance(zoo.mean_of_means, seed=seed)
