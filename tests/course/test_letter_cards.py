"""The cards of three letters that chapters and explorers share."""

import math

import pytest
import torch

from seq2seq_lib.course.letter_cards import LETTERS, NO_SOURCE, MemoryCard, by_prefix, spelt
from seq2seq_lib.laws import HashModel, four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

A, B, C = LETTERS


def test_a_memory_card_writes_no_letter_twice_and_shares_the_rest_of_its_row():
    card, after = MemoryCard(), by_prefix(MemoryCard())
    plain = by_prefix(four_letters())
    for prefix in ((), (A,), (B, A), (C, A, B)):
        left = {t: math.exp(x) for t, x in plain(prefix[-1:]).items() if t not in prefix}
        found = {t: math.exp(x) for t, x in after(prefix).items()}
        assert found == pytest.approx({t: p / sum(left.values()) for t, p in left.items()})
    state = card.start(*NO_SOURCE).select(torch.tensor([0, 0]))
    _, state = card.step(torch.tensor([BOS_ID, BOS_ID]), state)
    _, state = card.step(torch.tensor([A, C]), state)
    assert state.select(torch.tensor([1, 1, 0])).letters == ({C}, {C}, {A})


def test_a_function_of_the_prefix_reads_from_the_start():
    model, src, lengths = HashModel(7, seed=3), torch.tensor([[5, EOS_ID]]), torch.tensor([2])
    state = model.start(src, lengths)
    for token in (BOS_ID, 4, 6):
        log_probs, state = model.step(torch.tensor([token]), state)
    found = by_prefix(model, src, lengths)((4, 6))
    assert found == {t: log_probs[0, t].item() for t in range(2, 7)}  # PAD and BOS cannot happen


def test_outputs_are_spelt_as_on_paper():
    assert spelt(torch.tensor([A, B, EOS_ID])) == "ab•" and spelt(()) == ""
