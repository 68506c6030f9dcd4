"""Law 3 must name every published wrong loss, and accept every way to write the right one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import laws, losses
from seq2seq_lib.laws.loss_reference import four_ways
from tests.laws import mutants_loss_ledger as zoo


@pytest.mark.parametrize("name", zoo.MUTANTS)
def test_law_rejects(name):
    loss, part = zoo.MUTANTS[name]
    verdict = laws.loss_ledger(loss)
    assert not verdict.holds
    assert part in str(verdict)
    assert verdict.counterexample


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", zoo.CORRECT)
def test_law_accepts(name, dtype):
    assert laws.loss_ledger(zoo.CORRECT[name], dtype=dtype)


def test_mean_of_batch_means_is_no_epoch():
    verdict = laws.loss_ledger(losses.sequence_loss, epoch=zoo.mean_of_batch_means)
    broken = [check.name for check in verdict.checks if not check.holds]
    assert broken == ["an epoch = summed NLL / summed tokens"]
    assert "mean of batch means" in verdict.look_at
    assert "tokens" in verdict.counterexample


def test_summed_batches_are_an_epoch():
    def epoch(batches):
        return sum(losses.sequence_loss(*batch) for batch in batches).mean

    assert laws.loss_ledger(losses.sequence_loss, epoch=epoch)


def test_pads_may_be_found_by_their_id():
    def loss(logits, targets):
        total = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=0, reduction="sum"
        )
        return total / max(1, int((targets != 0).sum()))

    assert laws.loss_ledger(lambda z, y, m: loss(z, y))


def test_a_loss_without_gradient_is_named():
    verdict = laws.loss_ledger(lambda *args: losses.masked_cross_entropy(*args).detach())
    assert not verdict.holds and "no gradient" in verdict.counterexample
    verdict = laws.loss_ledger(
        lambda *args: losses.masked_cross_entropy(*args).detach(), gradients=False
    )
    assert verdict.holds


def test_one_number_is_wanted():
    verdict = laws.loss_ledger(lambda *a: losses.masked_cross_entropy(*a, reduction="none"))
    assert "must be one number" in verdict.counterexample


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(2, 7)),
)
def test_the_four_ways_agree_on_any_batch(seed, shape):
    generator = torch.Generator().manual_seed(seed)
    B, T, V = shape
    logits = torch.randn(B, T, V, generator=generator, dtype=torch.float64)
    targets = torch.randint(V, (B, T), generator=generator)
    mask = torch.rand(B, T, generator=generator) < 0.6
    mask[0, 0] = True
    ways = torch.stack(list(four_ways(logits, targets, mask).values()))
    assert float(ways.max() - ways.min()) < 1e-12  # float64, a handful of additions


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.999, 1.001, -1.0]))
def test_a_loss_off_by_a_factor_is_found(seed, factor):
    def loss(logits, targets, mask):
        return losses.masked_cross_entropy(logits, targets, mask) * factor

    assert not laws.loss_ledger(loss, seed=seed)
