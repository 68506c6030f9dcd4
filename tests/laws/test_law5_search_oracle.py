"""Law 5 must reject every way to lose, repeat or invent hypotheses, and accept honest searches."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import laws
from seq2seq_lib.decoding import exhaustive_search
from seq2seq_lib.laws.oracle import BEST, GARDEN_PATH
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID
from tests.laws import mutants_search_oracle as zoo

FAST = {"max_new_tokens": 3}


@pytest.mark.parametrize("name", zoo.MUTANTS)
def test_law_rejects(name):
    make, part = zoo.MUTANTS[name]
    verdict = laws.search_oracle(make(), length_penalties=(0.0, 1.0))
    assert not verdict.holds
    hints = [c.name + c.counterexample + c.look_at for c in verdict.checks if not c.holds]
    assert any(part in text for text in hints), verdict
    assert ("without EOS" in verdict.look_at) == name.startswith("EOS free"), verdict
    assert "Model(" in verdict.counterexample or "Error" in verdict.counterexample


@pytest.mark.parametrize(
    ("rubbish", "why"),
    [
        ([4, EOS_ID, 4], "goes on after EOS"),
        ([3, 4, 5, 3], "longer than 3 tokens"),
        ([], "empty"),
        ([3, PAD_ID, EOS_ID], "holds PAD or BOS"),
        ([BOS_ID, 4, 4], "holds PAD or BOS"),
        ([3, 4], "neither ended nor full"),
        ([3, EOS_ID], "of probability 0"),
    ],
)
def test_law_says_why_an_output_is_none(rubbish, why):
    class Invents(PlainBeam):
        def answer(self, finished, live, n_best, alpha):
            return [*super().answer(finished, live, n_best, alpha)[1:], Hyp(rubbish, -1.0, -1.0)]

    models = [laws.HashModel(6, 1, eos_bias=-math.inf)]  # nothing ends
    verdict = laws.search_oracle(Invents(), models=models, **FAST)
    checks = {c.name: c.counterexample for c in verdict.checks if not c.holds}
    (found,) = [text for name, text in checks.items() if "only possible outputs" in name]
    assert found.endswith(f"({why}) is no possible output"), found


def test_an_output_that_cannot_be_is_told_as_that():
    """Not as a greedy search that errs, nor as a batch that differs: one that stops too early."""

    class StopsWithTheFirst(PlainBeam):
        def one(self, model, state, num_beams, longest, *settings):
            return super().one(model, state, num_beams, longest - 1, *settings)

    verdict = laws.search_oracle(StopsWithTheFirst(), length_penalties=(0.0,), **FAST)
    assert "one beam = greedy" in str(verdict) and "This one: neither ended" in verdict.look_at
    assert not any("with nan" in check.counterexample for check in verdict.checks), verdict


def test_eos_is_not_to_blame_where_nothing_ends():
    class SecondBest(PlainBeam):
        def rank(self, live, log_probs, num_beams):
            return super().rank(live, log_probs, num_beams)[num_beams == 1 :]

    models = [laws.HashModel(6, 1, eos_bias=-math.inf)]
    verdict = laws.search_oracle(SecondBest(), models=models, **FAST)
    assert verdict.look_at.startswith("the top-1 path"), verdict


@pytest.mark.parametrize("name", zoo.CORRECT)
def test_law_accepts(name):
    for seed in range(2):
        assert laws.search_oracle(zoo.CORRECT[name], seed=seed, **FAST)


def test_law_accepts_ours_at_full_length():
    assert laws.search_oracle(laws.beam_search)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), bias=st.floats(-3, 3), vocab_size=st.integers(5, 7))
def test_law_accepts_ours_on_any_model(seed, bias, vocab_size):
    models = [laws.HashModel(vocab_size, seed, eos_bias=bias)]
    assert laws.search_oracle(laws.beam_search, models=models, seed=seed, **FAST)


def test_the_oracle_writes_down_every_output():
    """V - 3 words besides EOS: words^t outputs that end after t words, words^T that do not."""
    src = torch.tensor([[4, 5, EOS_ID]])
    found = laws.every_output(laws.HashModel(6, 1), src, 3)
    words = [3, 4, 5]
    expected = {(*w, EOS_ID) for n in range(3) for w in itertools.product(words, repeat=n)}
    expected |= set(itertools.product(words, repeat=3))
    assert {output.tokens for output in found} == expected
    assert len(found) == len(expected)
    total = sum(torch.tensor(output.log_prob, dtype=torch.float64).exp() for output in found)
    assert abs(float(total) - 1) < 1e-12  # float64: the outputs share all probability


def test_two_oracles_agree():
    src, lengths = torch.tensor([[4, 5, EOS_ID]]), torch.tensor([3])
    model = laws.HashModel(6, 3)
    (ours,) = exhaustive_search(model, src, lengths, max_new_tokens=3, n_best=None)
    theirs = sorted(laws.every_output(model, src, 3), key=lambda output: -output.log_prob)
    assert [tuple(h.tokens) for h in ours] == [output.tokens for output in theirs]


def test_the_garden_is_what_it_says():
    """The best output lies among the two most probable open prefixes at every length."""
    model, src = laws.TableModel(GARDEN_PATH), torch.tensor([[5, EOS_ID]])
    outputs = laws.every_output(model, src, 4)
    best = max(outputs, key=lambda output: output.log_prob / len(output.tokens))
    assert best.tokens == BEST
    assert best.log_prob == pytest.approx(math.log(0.31))  # after 4 all is certain
    assert sum(math.exp(output.log_prob) for output in outputs) == pytest.approx(1.0)
    by_prob = sorted(GARDEN_PATH[()], key=GARDEN_PATH[()].get, reverse=True)
    assert by_prob == [EOS_ID, 3, 4]


def test_hash_model_is_a_function_of_the_prefix_alone():
    model = laws.HashModel(9, 4)
    src, lengths = torch.tensor([[4, 5, 2], [6, 2, 8]]), torch.tensor([3, 2])
    both, _ = model.step(torch.tensor([BOS_ID, 5]), model.start(src, lengths))
    one = model.start(src[1:, :2], lengths[1:])
    alone, after = model.step(torch.tensor([5]), one)
    assert torch.equal(both[1], alone[0])
    assert torch.equal(both[:, [PAD_ID, BOS_ID]], torch.full((2, 2), float("-inf")).double())
    assert both.exp().sum(1).sub(1).abs().max() < 1e-12  # float64
    again, _ = model.step(torch.tensor([6, 7]), after.select(torch.tensor([0, 0])))
    assert not torch.equal(again[0], again[1])
    other = laws.HashModel(9, 5)
    start = other.start(src[1:, :2], lengths[1:])
    assert not torch.equal(other.step(torch.tensor([5]), start)[0], alone)


def test_hash_models_spread_their_probabilities():
    """Neither constant nor one-hot, and no two rows alike: else an oracle proves nothing."""
    src = torch.arange(3, 103)[:, None]
    model = laws.HashModel(8, 0)
    log_probs, _ = model.step(
        torch.full((100,), BOS_ID), model.start(src, torch.ones(100, dtype=torch.int64))
    )
    assert len({tuple(row) for row in log_probs.tolist()}) == 100
    winners = log_probs.argmax(1).bincount(minlength=8)
    assert (winners[2:] > 5).all()  # of 100 rows, each of six tokens wins about 17


def test_eos_bias_reaches_from_never_to_at_once():
    src = torch.tensor([[4, EOS_ID]])
    never = laws.every_output(laws.HashModel(6, eos_bias=float("-inf")), src, 2)
    assert all(EOS_ID not in output.tokens for output in never)
    outputs = laws.every_output(laws.HashModel(6, eos_bias=60.0), src, 2)
    assert max(outputs, key=lambda output: output.log_prob).tokens == (EOS_ID,)


def test_the_suspect_whose_width_shrinks_ends_with_its_last_beam():
    """As the published search does: what would come after has no place any more."""
    widths = [zoo.WidthShrinks().next_width(3, finished) for finished in range(5)]
    assert widths == [3, 2, 1, 0, 0]
