"""Law 1 must find every published way to depend on the batch, and accept every correct one."""

import mutants_batch_invariance as zoo
import pytest
import torch

from seq2seq_lib import laws

TWO_SEEDS = pytest.mark.parametrize("seed", [0, 1])


@TWO_SEEDS
@pytest.mark.parametrize("name", zoo.ENCODERS)
def test_law_rejects_encoder(name, seed):
    make, hint = zoo.ENCODERS[name]
    verdict = laws.batch_invariance(make(), seed=seed)
    assert not verdict.holds
    hints = [check.look_at for check in verdict.checks if not check.holds]
    assert any(hint in text for text in hints), verdict
    assert "sentence" in verdict.counterexample or "encode returned" in verdict.counterexample


@TWO_SEEDS
@pytest.mark.parametrize("name", zoo.MODELS)
def test_law_rejects_attention(name, seed):
    make, hint = zoo.MODELS[name]
    verdict = laws.batch_invariance(logits=make(), seed=seed)
    assert not verdict.holds
    assert hint in verdict.look_at, verdict
    assert "in the batch" in verdict.counterexample


def test_law_rejects_a_loss_over_the_padded_length():
    verdict = laws.batch_invariance(loss=zoo.padded_mean_loss)
    assert not verdict.holds
    assert "summed loss: more PAD columns" in str(verdict)


def test_law_rejects_a_decoder_that_stops_the_whole_batch():
    verdict = laws.batch_invariance(decode=zoo.ends_together)
    assert not verdict.holds
    assert "decoded output" in str(verdict)


def test_law_rejects_wrong_gradients_behind_a_right_loss():
    """A leak in the backward pass alone: the value is right, the gradient is the batch's mean."""
    weight = torch.randn(13, generator=torch.Generator().manual_seed(1)).requires_grad_()

    def loss(batch):
        words = weight[batch.tgt_out]  # [B, T]
        real = words.masked_fill(~batch.tgt_mask, 0).sum()
        pads = words.masked_fill(batch.tgt_mask, 0).sum()
        return real + pads - pads.detach(), batch.tgt_mask.sum()

    verdict = laws.batch_invariance(loss=loss, parameters=[weight])
    broken = [check.name for check in verdict.checks if not check.holds]
    assert broken and all("gradient" in name for name in broken)
    assert "gradient of parameter 0" in verdict.counterexample


@TWO_SEEDS
@pytest.mark.parametrize("name", zoo.CORRECT)
def test_law_accepts_encoder(name, seed):
    laws.batch_invariance(zoo.CORRECT[name](), seed=seed).raise_if_broken()


def test_law_accepts_attention_with_a_large_negative_number():
    model = zoo.AttendsWell()
    laws.batch_invariance(logits=model, parameters=model.parameters()).raise_if_broken()


def test_pads_found_by_their_id_are_told_apart():
    verdict = laws.batch_invariance(zoo.FindsPadsById())
    assert not verdict.holds and "plant_at_pads=False" in verdict.look_at
    laws.batch_invariance(zoo.FindsPadsById(), plant_at_pads=False).raise_if_broken()


def test_dropout_is_named_and_nothing_else_is_blamed():
    verdict = laws.batch_invariance(lambda src, lengths: (None, torch.rand(len(src), 3)))
    assert [check.name for check in verdict.checks] == ["encoder final state: the same batch again"]
    assert "dropout" in verdict.look_at


@pytest.mark.parametrize("other", [4, 5])
def test_outputs_that_nearly_tie_may_differ(other):
    """A decoder whose two best first tokens tie chooses by rounding, here by the batch's size."""

    def logits(batch):
        scores = torch.zeros(*batch.tgt_in.shape, 13)
        scores[..., 2] += 3.0
        scores[:, 0, 4] += 9.0
        scores[:, 0, 5] += 9.00001
        return scores

    def decode(src, lengths):
        return [[other if len(src) == 1 else 5, 2]] * len(src)

    laws.batch_invariance(logits=logits, decode=decode).raise_if_broken()
    assert laws.batch_invariance(decode=decode).holds == (other == 5)
