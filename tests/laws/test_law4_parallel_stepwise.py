"""Law 4 must find every view of the answer and every second program, and accept honest decoders."""

import pytest
import torch

from seq2seq_lib import laws
from tests.laws import mutants_parallel_stepwise as zoo


def judge(model, **options):
    return laws.parallel_stepwise(
        model.logits, model.start, model.step, free_run=model.free_run, **options
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", zoo.MUTANTS)
def test_law_rejects(name, seed):
    make, part = zoo.MUTANTS[name]
    verdict = judge(make(), seed=seed)
    assert not verdict.holds
    assert part in verdict.look_at
    assert "sentence" in verdict.counterexample and "tgt_in" in verdict.counterexample


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", zoo.CORRECT)
def test_law_accepts(name, seed):
    assert judge(zoo.CORRECT[name](), seed=seed)


def test_the_parallel_pass_alone_can_be_judged():
    assert laws.parallel_stepwise(zoo.Patient().logits)
    assert not laws.parallel_stepwise(zoo.BidirectionalDecoder().logits)


def test_wrong_shapes_are_named():
    model = zoo.Patient()
    verdict = laws.parallel_stepwise(lambda batch: model.logits(batch).transpose(0, 1))
    assert "logits must be [B, T, V]" in verdict.counterexample


def test_a_view_of_one_single_later_token_is_found():
    """Only the last logit looks one token ahead, by little."""

    def logits(batch):
        scores = zoo.Patient().logits(batch).clone()
        scores[:, 2, 5] += 1e-3 * batch.tgt_in[:, 3]
        return scores

    verdict = laws.parallel_stepwise(logits)
    assert not verdict and "position 3" in verdict.counterexample


def test_decoding_for_real_needs_no_reference():
    def tokens(batch):
        return zoo.Patient().free_run(batch).argmax(-1)

    assert laws.parallel_stepwise(zoo.Patient().logits, free_run=tokens)
    assert torch.is_grad_enabled()
