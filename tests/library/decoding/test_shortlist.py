"""A beam looks into a few blocks of the vocabulary and finds what a look at all of it finds."""

from dataclasses import fields

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.decoding import OpenOutputs, beam, beam_search, expand, prune
from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.next_tokens import BLOCK, NextTokens
from seq2seq_lib.decoding.shortlist import shortlist
from seq2seq_lib.laws import HashModel
from seq2seq_lib.vocab import EOS_ID

NINF = float("-inf")
V = 10 * BLOCK + 7  # the last block is a short one


def open_outputs(sentence, seed=0, length=2):
    """Open outputs of these sentences, with tokens and log-probabilities drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    N = len(sentence)
    token_log_probs = -3 * torch.rand(N, length, generator=generator).double()
    return OpenOutputs(
        sentence=torch.tensor(sentence),
        tokens=torch.randint(3, V, (N, length), generator=generator),
        token_log_probs=token_log_probs,
        total=token_log_probs.sum(1),
        attention=None,
        rows=torch.arange(N),
        state=None,
        device=torch.device("cpu"),
    )


def drawn(N, seed=0, eos=0.0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(N, V, generator=generator)
    logits[:, EOS_ID] += eos
    return logits.log_softmax(-1)


def assert_a_beam_keeps_the_same(outputs, following, num_beams):
    few = shortlist(outputs, following, num_beams)
    every = expand(outputs, following.log_probs, following.allowed, num_beams)
    assert few is not None and len(few) <= 2 * num_beams * len(outputs.sentence.unique())
    for ours, theirs in zip(prune(few, num_beams), prune(every, num_beams), strict=True):
        for field in fields(ours):
            assert torch.equal(getattr(ours, field.name), getattr(theirs, field.name)), field.name


@given(
    seed=st.integers(0, 10**6),
    rows=st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any),
    num_beams=st.integers(1, 4),
    eos=st.sampled_from([0.0, 8.0]),
    bans=st.sampled_from([(), (0, 1), (0, 1, EOS_ID, V - 1), tuple(range(200))]),
    no_repeat_ngram_size=st.sampled_from([None, 1]),
)
def test_a_beam_keeps_what_it_keeps_of_all_continuations(
    seed, rows, num_beams, eos, bans, no_repeat_ngram_size
):
    counts = [min(count, num_beams) for count in rows]  # some sentences have none
    sentence = [b for b, count in enumerate(counts) for _ in range(count)]
    outputs = open_outputs(sentence, seed)
    constraints = Constraints(9, 0, bans, no_repeat_ngram_size)
    following = constraints.following(drawn(len(sentence), seed, eos), outputs.tokens)
    assert_a_beam_keeps_the_same(outputs, following, num_beams)


def test_what_is_banned_or_impossible_is_no_continuation():
    outputs = open_outputs([0, 0, 1])
    log_probs = torch.full((3, V), NINF)
    log_probs[0, [5, V - 1]] = torch.tensor([0.25, 0.75]).log()
    log_probs[2, 3] = 0.0
    following = NextTokens(log_probs, banned=(3,))
    assert following.stuck.tolist() == [False, True, True]
    few = shortlist(outputs, following, 2)
    assert few.token.tolist() == [V - 1, 5] and few.parent.tolist() == [0, 0]


def test_equals_at_the_last_place_are_left_to_the_look_at_everything():
    outputs, log_probs = open_outputs([0]), torch.full((1, V), -20.0)
    log_probs[0, [70, 200, 350]] = torch.tensor([0.3, 0.2, 0.2]).log()
    assert shortlist(outputs, NextTokens(log_probs), 1) is None  # 200 or 350 as the second?
    log_probs[0, 350] = -20.0
    few = shortlist(outputs, NextTokens(log_probs), 1)
    assert few.token.tolist() == [70, 200]
    log_probs[0, 200] = log_probs[0, 70]  # equals before the last place have an order
    assert shortlist(outputs, NextTokens(log_probs), 1).token.tolist() == [70, 200]


def test_a_small_vocabulary_is_looked_at_whole():
    outputs, log_probs = open_outputs([0]), drawn(1)
    assert shortlist(outputs, NextTokens(log_probs), 4) is not None
    assert shortlist(outputs, NextTokens(log_probs), 5) is None  # 11 of 10 whole blocks


@pytest.mark.parametrize("num_beams", [1, 3])
@pytest.mark.parametrize("options", [{}, {"no_repeat_ngram_size": 1, "min_new_tokens": 2}])
def test_a_search_finds_the_same_with_and_without(monkeypatch, num_beams, options):
    model = HashModel(V, spread=6.0, eos_bias=1.0)
    src, lengths = torch.tensor([[5, 6, 2], [7, 2, 0]]), torch.tensor([3, 2])
    options = {"num_beams": num_beams, "n_best": num_beams, "max_new_tokens": 6, **options}
    few = beam_search(model, src, lengths, length_penalty=0.5, **options)
    monkeypatch.setattr(beam, "shortlist", lambda *args: None)
    assert beam_search(model, src, lengths, length_penalty=0.5, **options) == few
    assert {h.finished for found in few for h in found} == {True, False}


def test_a_beam_does_not_copy_the_vocabulary(monkeypatch):
    """``allowed`` is as large as the log-probabilities: nobody asks for it without need."""
    monkeypatch.setattr(NextTokens, "allowed", property(lambda self: pytest.fail("asked for all")))
    src, lengths = torch.tensor([[5, 6, 2]]), torch.tensor([3])
    beam_search(HashModel(V, spread=6.0), src, lengths, num_beams=3, max_new_tokens=4)
