"""The laws aimed at an ``nn.Transformer``: right ones hold, planted bugs are named by cause."""

import pytest

from seq2seq_lib import laws
from tests.laws import mutants_transformer as zoo


def test_a_right_transformer_holds():
    verdicts = laws.judge(zoo.adapter())
    assert len(verdicts) == 5
    for verdict in verdicts:
        assert verdict, verdict


@pytest.mark.parametrize("wrong", zoo.MUTANTS)
def test_a_planted_bug_is_named(wrong):
    guilty, words = zoo.MUTANTS[wrong]
    found = zoo.adapter(wrong)
    verdicts = [zoo.JUDGES[law](found) for law in guilty]
    assert not any(verdicts), verdicts
    assert words in verdicts[0].look_at, verdicts[0]
    assert all("RNN" not in str(verdict) for verdict in verdicts)


def test_a_mask_of_training_alone_is_a_difference_of_modes():
    for wrong, holds in (("", True), ("causal mask in training alone", False)):
        found = zoo.adapter(wrong)
        model = found.logits.__closure__[0].cell_contents
        verdict = laws.modes_agree(found.logits, model)
        assert verdict.holds == holds, verdict
        assert holds or "self.training" in verdict.look_at
        assert not model.training
