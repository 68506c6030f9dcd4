"""Best-first search: it is exhaustive search, asks far less, and says when it cannot be sure."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib import laws
from seq2seq_lib.decoding import NotProven, beam_search, best_first_search, exhaustive_search
from seq2seq_lib.laws import HashModel, TableModel, four_letters
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.vocab import BOS_ID, EOS_ID

ONE = (torch.tensor([[5, 6, EOS_ID]]), torch.tensor([3]))
TWO = (torch.tensor([[5, 6, EOS_ID], [4, EOS_ID, 0]]), torch.tensor([3, 2]))


class Counted:
    """A model that counts how often it was asked, and for how many rows."""

    def __init__(self, model):
        self.model, self.calls, self.rows = model, 0, 0

    def start(self, src, src_lengths):
        return self.model.start(src, src_lengths)

    def step(self, tokens, state):
        self.calls, self.rows = self.calls + 1, self.rows + len(tokens)
        return self.model.step(tokens, state)


def as_a_law_calls_it(model, src, src_lengths, num_beams, max_new_tokens, n_best, length_penalty):
    """There is no beam, so its width says nothing."""
    return best_first_search(
        model,
        src,
        src_lengths,
        max_new_tokens=max_new_tokens,
        n_best=n_best,
        length_penalty=length_penalty,
    )


def test_of_law_5_it_breaks_the_check_that_asks_for_greedy_search_and_no_other():
    verdict = laws.search_oracle(as_a_law_calls_it, max_new_tokens=3)
    assert [c.name for c in verdict.checks if not c.holds] == ["one beam = greedy search"]
    assert len(verdict.checks) == 8


def test_law_6_holds():
    assert laws.scores_add_up(as_a_law_calls_it, max_new_tokens=4)


def shown(found):
    return [[(h.tokens, h.finished) for h in hyps] for hyps in found]


@given(
    seed=st.integers(0, 10_000),
    n_best=st.integers(1, 5),
    alpha=st.sampled_from([0.0, 0.6, 1.0, -0.5]),
    kind=st.sampled_from(["plain", "gnmt"]),
    longest=st.integers(1, 4),
    least=st.integers(0, 1),
    ngram=st.sampled_from([None, 1, 2]),
    prefix=st.sampled_from([(), (4,), (5, 4)]),
)
def test_it_is_exhaustive_search(seed, n_best, alpha, kind, longest, least, ngram, prefix):
    model = HashModel(6, seed, eos_bias=(-2.0, 0.0, 2.0)[seed % 3])
    options = {
        "max_new_tokens": longest,
        "n_best": n_best,
        "length_penalty": alpha,
        "length_penalty_kind": kind,
        "min_new_tokens": least,
        "no_repeat_ngram_size": ngram,
        "prefix": prefix,
    }
    exact, every = (
        best_first_search(model, *TWO, **options),
        exhaustive_search(model, *TWO, **options),
    )
    assert shown(exact) == shown(every)
    for one, two in zip(exact, every, strict=True):
        assert [h.score for h in one] == pytest.approx([h.score for h in two], abs=1e-5)


def test_ties_come_as_in_exhaustive_search():
    table = {4: 0.25, 5: 0.25, 6: 0.25, EOS_ID: 0.25}
    model = laws.BigramModel({last: dict(table) for last in (BOS_ID, 4, 5, 6)})
    options = {"max_new_tokens": 3, "n_best": 7}
    assert shown(best_first_search(model, *ONE, **options)) == shown(
        exhaustive_search(model, *ONE, **options)
    )


def test_on_the_card_it_is_sure_after_six_calls():
    """'', a, c, b, ac, ab are read; then b• leads. Exhaustive search reads 40 beginnings."""
    card, every = Counted(four_letters()), Counted(four_letters())
    ((best,),) = best_first_search(card, *ONE, max_new_tokens=4)
    assert best.tokens == [5, EOS_ID] and math.exp(best.log_prob) == pytest.approx(0.1125)
    exhaustive_search(every, *ONE, max_new_tokens=4)
    assert (card.calls, card.rows, every.rows) == (6, 6, 40)


def test_what_is_a_little_better_than_a_found_end_is_still_read():
    """3 • has 0.5, and • alone 0.45 was found before."""
    model = TableModel({(): {3: 0.5, EOS_ID: 0.45, 4: 0.05}, (3,): {EOS_ID: 1.0}})
    ((best,),) = best_first_search(model, *ONE, max_new_tokens=3)
    assert best.tokens == [3, EOS_ID]


def test_too_few_calls_are_an_error_that_carries_what_was_found():
    best_first_search(four_letters(), *ONE, max_new_tokens=4, max_calls=6)
    with pytest.raises(NotProven, match="max_calls = 5 times for sentence 0") as raised:
        best_first_search(four_letters(), *ONE, max_new_tokens=4, max_calls=5)
    assert raised.value.sentence == 0
    assert [h.tokens for h in raised.value.best] == [[5, EOS_ID]]
    with pytest.raises(NotProven, match="sentence 1") as raised:
        hard = TableModel({(): {3: 0.5, EOS_ID: 0.5}})
        best_first_search(_Second(hard, four_letters()), *TWO, max_new_tokens=4, max_calls=3)
    assert raised.value.sentence == 1


class _Second:
    """An easy model for the first sentence, another for the second."""

    def __init__(self, easy, hard):
        self.models, self.starts = [easy, hard], 0

    def start(self, src, src_lengths):
        self.model = self.models[self.starts]
        self.starts += 1
        return self.model.start(src, src_lengths)

    def step(self, tokens, state):
        return self.model.step(tokens, state)


def test_no_beam_is_better_and_attention_and_modes_are_as_in_other_searches():
    torch.manual_seed(0)
    model = Seq2Seq(Seq2SeqConfig(11, 9, 6, 8, dropout=0.5, attention="dot"))
    src, lengths = torch.tensor([[5, 6, 7, EOS_ID], [4, 8, EOS_ID, 0]]), torch.tensor([4, 3])
    exact = best_first_search(model, src, lengths, max_new_tokens=4, n_best=2)
    assert model.training
    for k in (1, 2, 5):
        beams = beam_search(model, src, lengths, num_beams=k, max_new_tokens=4)
        for (best, _), (beam,) in zip(exact, beams, strict=True):
            assert best.score >= beam.score - 1e-6
    assert exact[0][0].attention.shape == (len(exact[0][0].tokens), 4)


def test_dead_ends_count_only_if_there_is_nothing_else():
    options = {"max_new_tokens": 3, "n_best": 3}
    for banned in ([0, 1, 2, 4, 5, 6], [0, 1, 2]):
        assert shown(
            best_first_search(four_letters(), *ONE, **options, banned_ids=banned)
        ) == shown(exhaustive_search(four_letters(), *ONE, **options, banned_ids=banned))


@pytest.mark.parametrize("wrong", [{"n_best": 0}, {"max_calls": 0}, {"max_new_tokens": 0}])
def test_arguments_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        best_first_search(four_letters(), *ONE, **{"max_new_tokens": 2, **wrong})


def test_a_hypothesis_is_the_library_s():
    ((best,),) = best_first_search(four_letters(), *ONE, max_new_tokens=4, length_penalty=1.0)
    assert best == replace(best, score=best.log_prob / len(best.tokens))
    assert sum(best.token_log_probs) == pytest.approx(best.log_prob)
