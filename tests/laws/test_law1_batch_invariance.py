"""Law 1 must find every published way to depend on the batch, and accept every correct one."""

import pytest
import torch

from seq2seq_lib import laws
from seq2seq_lib.laws import batch_hints
from seq2seq_lib.losses import sequence_loss
from tests.laws import mutants_batch_invariance as zoo

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


@pytest.mark.parametrize("source", [False, True])
@pytest.mark.parametrize("target", [False, True])
def test_law_says_whether_pads_of_the_source_or_of_the_target_move_a_loss(source, target):
    weight = torch.randn(2, 13, 13, generator=torch.Generator().manual_seed(1))

    def loss(batch):
        read = torch.ones_like(batch.src) if source else batch.src_mask
        context = (weight[0, batch.src] * read[:, :, None]).sum(1)  # [B, V]
        logits = weight[1, batch.tgt_in] + context[:, None]  # [B, T, V]
        counted = torch.ones_like(batch.tgt_mask) if target else batch.tgt_mask
        return sequence_loss(logits, batch.tgt_out, counted).total, batch.tgt_mask.sum()

    verdict = laws.batch_invariance(loss=loss)
    broken = {check.name: check.look_at for check in verdict.checks if not check.holds}
    wanted = [batch_hints.LABELS] * target + [batch_hints.PADS] * source
    assert bool(verdict) == (not wanted)
    assert broken.get("summed loss: more PAD columns", "") == "; and ".join(wanted)


def test_law_rejects_a_decoder_that_stops_the_whole_batch():
    verdict = laws.batch_invariance(decode=zoo.ends_together)
    assert not verdict.holds
    assert "decoded output" in str(verdict)
    assert "one sentence's end ending the others" in verdict.look_at


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
    assert laws.batch_invariance(zoo.CORRECT[name](), seed=seed)


def test_law_accepts_attention_with_a_large_negative_number():
    model = zoo.AttendsWell()
    assert laws.batch_invariance(logits=model, parameters=model.parameters())


def test_pads_found_by_their_id_are_told_apart():
    strict = laws.batch_invariance(zoo.FindsPadsById(), plant_at_pads=True)
    assert not strict.holds and "plant_at_pads=False" in strict.look_at
    for verdict in (
        laws.batch_invariance(zoo.FindsPadsById()),
        laws.batch_invariance(zoo.FindsPadsById(), plant_at_pads=False),
    ):
        assert verdict and "pads are found by their id" in str(verdict)


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

    assert laws.batch_invariance(logits=logits, decode=decode)
    assert laws.batch_invariance(decode=decode).holds == (other == 5)


WRONG_SHAPES = {
    "memory narrower than its sentences": (
        {"encode": lambda src, lengths: (torch.zeros(len(src), 1, 3), None)},
        "memory [5, 1, 3] for src [5, 7]",
    ),
    "state as torch gives it": (
        {"encode": lambda src, lengths: (None, torch.zeros(1, len(src), 3))},
        "transpose torch's [layers, B, H]",
    ),
    "logits time first": (
        {"logits": lambda batch: torch.zeros(*batch.tgt_in.T.shape, 13)},
        "logits must be [B, T, V]",
    ),
    "too few outputs": (
        {"decode": lambda src, lengths: [[2]]},
        "1 outputs for 5 sentences",
    ),
}


@pytest.mark.parametrize("name", WRONG_SHAPES)
def test_wrong_shapes_are_named(name):
    callables, text = WRONG_SHAPES[name]
    verdict = laws.batch_invariance(**callables)
    assert verdict.status == "NOT JUDGED" and text in str(verdict)


def test_an_output_may_be_a_tensor_and_may_be_empty():
    assert laws.batch_invariance(
        decode=lambda src, lengths: [torch.full((int(n) - 1,), 5) for n in lengths],
        logits=lambda batch: torch.zeros(*batch.tgt_in.shape, 13),
    )


def test_unused_parameters_have_no_gradient_and_harm_nothing():
    model = zoo.AttendsWell()
    unused = torch.zeros(3, requires_grad=True)
    frozen = torch.zeros(3)
    assert laws.batch_invariance(logits=model, parameters=[unused, frozen])
