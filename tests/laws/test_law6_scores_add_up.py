"""Law 6 must find every number that does not belong to its words."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import laws
from seq2seq_lib.decoding import beam_search
from seq2seq_lib.laws.plain_beam import PlainBeam
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.vocab import EOS_ID
from tests.laws import mutants_scores_add_up as zoo


def small_model(cell="lstm", **options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        config = Seq2SeqConfig(11, 9, 5, 6, 2, 0.0, cell, **options)
        model = Seq2Seq(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(3.0)  # so that the state matters for what comes next
    return model


@pytest.mark.parametrize("name", zoo.MUTANTS)
def test_law_rejects(name):
    search, part = zoo.MUTANTS[name]
    verdict = laws.scores_add_up(search)
    assert not verdict.holds
    assert part in verdict.look_at, verdict
    assert "hypothesis" in verdict.counterexample


def test_one_beam_is_judged_too_and_no_two_axes_of_a_probe_are_of_one_size():
    """What goes wrong at one width alone, or takes an axis for another, is seen."""
    widths, shapes = set(), set()

    def search(model, src, src_lengths, num_beams, *settings):
        widths.add(num_beams)
        shapes.add(tuple(src.shape))
        return PlainBeam()(model, src, src_lengths, num_beams, *settings)

    assert laws.scores_add_up(search)
    assert widths == {1, 2, 4} and all(B != S for B, S in shapes)


def test_law_rejects_a_cell_left_behind():
    model = small_model()
    verdict = laws.scores_add_up(zoo.cell_stays, models=[model], num_beams=(4,))
    assert not verdict.holds
    assert "reordered by the same parents" in verdict.look_at
    assert laws.scores_add_up(PlainBeam(), models=[model], num_beams=(4,))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("search", [laws.beam_search, PlainBeam()], ids=["ours", "plain lists"])
def test_law_accepts(search, seed):
    assert laws.scores_add_up(search, seed=seed)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), bias=st.floats(-3, 3), alpha=st.floats(-1, 2))
def test_law_accepts_ours_on_any_model(seed, bias, alpha):
    models = [laws.HashModel(7, seed, eos_bias=bias)]
    assert laws.scores_add_up(
        laws.beam_search, models=models, length_penalties=(alpha,), seed=seed, max_new_tokens=4
    )


def gnmt_search(model, src, lengths, num_beams, longest, n_best, alpha):
    return beam_search(
        model, src, lengths, num_beams=num_beams, max_new_tokens=longest, n_best=n_best,
        length_penalty=alpha, length_penalty_kind="gnmt",
    )  # fmt: skip


def test_the_law_says_where_no_hypothesis_has_two_children():
    apart = {(): {3: 0.6, 4: 0.4}, (3,): {EOS_ID: 1.0}, (4,): {EOS_ID: 1.0}}
    for search in (laws.beam_search, PlainBeam()):
        verdict = laws.scores_add_up(search, models=[laws.TableModel(apart)], num_beams=(2,))
        assert verdict and "share their first token" in str(verdict)
        assert "share their first token" not in str(laws.scores_add_up(search, num_beams=(2,)))


def test_another_penalty_can_be_stated():
    def gnmt(length, exponent):
        return ((5 + length) / 6) ** exponent

    assert laws.scores_add_up(gnmt_search, penalty=gnmt)
    assert laws.search_oracle(gnmt_search, penalty=gnmt, max_new_tokens=3)
    assert not laws.scores_add_up(gnmt_search)


def test_a_finished_flag_must_tell_the_truth():
    def search(*args):
        hyps = laws.beam_search(*args)
        for hyp in (h for row in hyps for h in row):
            object.__setattr__(hyp, "finished", True)
        return hyps

    verdict = laws.scores_add_up(search)
    assert [c.name for c in verdict.checks if not c.holds] == ["finished = ends with EOS"]


def test_dropout_is_off_while_a_module_is_rescored_and_on_again_afterwards():
    model = small_model("gru")
    model.encoder.dropout.p = model.decoder.dropout.p = 0.5
    assert model.training
    assert laws.scores_add_up(laws.beam_search, models=[model], num_beams=(2,))
    assert model.training and model.encoder.dropout.training


def changed(function):
    return lambda *args: function(PlainBeam()(*args))


@pytest.mark.parametrize(
    ("search", "says"),
    [
        (changed(lambda found: found[:1]), "1 lists for 4 sentences"),
        (changed(lambda found: [[] for _ in found]), "no hypothesis came back"),
        (changed(lambda found: [[h._replace(tokens=[]) for h in s] for s in found]), "it is empty"),
        (changed(lambda found: [[h._replace(tokens=[99]) for h in s] for s in found]), "no id of"),
    ],
)
def test_law_rejects_a_search_that_loses_sentences_or_ids(search, says):
    verdict = laws.scores_add_up(search)
    assert not verdict.holds
    assert says in verdict.counterexample
