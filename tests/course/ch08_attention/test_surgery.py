"""What chapter 8 changes in a model is changed, and nothing else; gold links are counted right."""

from dataclasses import replace

import pytest
import torch

from seq2seq_lib.attention import DotAttention
from seq2seq_lib.corpora import Pair
from seq2seq_lib.course.ch08_attention.alignment import on_gold
from seq2seq_lib.course.ch08_attention.surgery import Transplanted, Weighing, stale_step
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.masks import masked_softmax
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

SRC = torch.tensor([[4, 5, 6, 2], [7, 8, 9, 2], [9, 4, 7, 2]])
FOUR = torch.tensor([4, 4, 4])


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = Seq2SeqConfig(11, 13, 8, 16, attention="dot")
    return Seq2Seq(config).eval().requires_grad_(False)


def test_columns_come_from_the_row_above_in_memory_and_keys(model):
    own, found = model.start(SRC, FOUR), Transplanted(model, [1, 3]).start(SRC, FOUR)
    for name in ("memory", "keys"):
        ours, theirs = getattr(own, name), getattr(found, name)
        for b in range(3):
            for s in range(4):
                assert torch.equal(theirs[b, s], ours[b - 1 if s in (1, 3) else b, s]), (name, b, s)
    assert torch.equal(found.hidden, own.hidden)


def test_without_a_column_it_is_the_model_itself(model):
    ours, theirs = (
        greedy_search(m, SRC, FOUR, max_new_tokens=5) for m in (model, Transplanted(model, []))
    )
    assert [best.tokens for (best,) in ours] == [best.tokens for (best,) in theirs]


def test_rows_of_several_lengths_are_refused(model):
    with pytest.raises(ValueError, match=r"one length, but they have \[4, 3, 4\]"):
        Transplanted(model, [0]).start(SRC, torch.tensor([4, 3, 4]))


def test_a_stale_step_goes_on_as_the_model_but_asks_with_the_old_state(model):
    state, tokens = model.start(SRC, FOUR), torch.tensor([4, 5, 6])
    logits, new = stale_step(model)(tokens, state)
    right, expected = model.step(tokens, state)
    assert torch.equal(new.hidden, expected.hidden) and not torch.allclose(logits, right, atol=1e-4)
    flat = replace(state, memory=state.memory * 0, keys=state.keys * 0)  # nothing to ask for
    torch.testing.assert_close(stale_step(model)(tokens, flat)[0], model.step(tokens, flat)[0])


def test_weights_made_by_a_function_mix_the_memory(model):
    query, memory = torch.randn(3, 2, 16), torch.randn(3, 4, 16)
    mask = torch.tensor([[True] * 4, [True] * 3 + [False], [True] * 2 + [False] * 2])
    ours, theirs = Weighing(masked_softmax), DotAttention()
    args = (query, memory, memory, mask)
    for one, two in zip(ours(*args), theirs(*args), strict=True):
        torch.testing.assert_close(one, two)
    first = Weighing(lambda scores, real: torch.eye(4)[0].expand_as(scores))
    assert torch.equal(first(*args)[0], memory[:, :1].expand(3, 2, 16))


def test_links_are_counted_by_target_token_and_those_that_cross_again():
    pairs = [
        Pair(("the", "red", "cat"), ("le", "chat", "rouge"), frozenset({(0, 0), (2, 1), (1, 2)})),
        Pair(("he", "does", "not"), ("il", "ne"), frozenset({(0, 0), (1, 1), (2, 1)})),
    ]
    attention = torch.zeros(2, 3, 4)
    for b, t, s in ((0, 0, 0), (0, 1, 2), (0, 2, 0), (1, 0, 3), (1, 1, 2)):
        attention[b, t, s] = 1.0
    hits, crossing = on_gold(attention, pairs)
    assert hits == [True, True, False, False, True]
    assert crossing == [True, False], "chat and rouge; le and il cross nothing, nor does ne"
    with pytest.raises(ValueError, match="2 rows of attention, but 1 pairs"):
        on_gold(attention, pairs[:1])
