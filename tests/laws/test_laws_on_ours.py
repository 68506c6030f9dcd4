"""Our own model, search and losses obey the laws: every kind of model, several seeds."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import cells, laws, losses
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

GRID = [
    (cell, layers, both_ways, attention, first)
    for cell, layers, both_ways, attention, first in itertools.product(
        ("gru", "lstm"),
        (1, 2),
        (False, True),
        ("none", "dot", "general", "additive"),
        (False, True),
    )
    if not (attention == "none" and first)
]


def make_model(cell, layers, both_ways, attention, first, *, seed=0, dropout=0.0, tied=False):
    config = Seq2SeqConfig(
        src_vocab_size=11,
        tgt_vocab_size=13,
        embed_size=5,
        hidden_size=6,
        num_layers=layers,
        dropout=dropout,
        cell=cell,
        bidirectional=both_ways,
        attention=attention,
        attend_first=first,
        tie_embeddings=tied,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Seq2Seq(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)  # states that move: what leaks is seen
    return model


@pytest.mark.parametrize("kind", GRID, ids=lambda kind: "-".join(map(str, kind)))
def test_every_kind_of_model_obeys(kind):
    model = make_model(*kind, seed=GRID.index(kind))
    mine = laws.of_model(model)
    assert laws.batch_invariance(
        mine.encode, logits=mine.logits, loss=mine.loss, parameters=mine.parameters
    )
    assert laws.parallel_stepwise(mine.logits, mine.start, mine.step, free_run=mine.free_run)


@settings(max_examples=3)
@given(kind=st.sampled_from(GRID), seed=st.integers(0, 10_000), tied=st.booleans())
def test_any_model_obeys_all_laws(kind, seed, tied):
    model = make_model(*kind, seed=seed, dropout=0.4, tied=tied).eval()
    for verdict in laws.judge_model(model, seed=seed):
        assert verdict


@pytest.mark.parametrize("decode", ["greedy", "beam"])
def test_decoding_is_batch_invariant(decode):
    mine = laws.of_model(make_model("lstm", 2, True, "additive", True))
    decode = getattr(mine, decode)
    assert laws.batch_invariance(logits=mine.logits, decode=decode)


def test_in_float64_rounding_is_no_excuse():
    model = make_model("gru", 2, True, "general", False).double()
    for verdict in laws.judge_model(model):
        assert verdict
        assert verdict.max_diff < 1e-9


def test_search_obeys_on_a_model_with_weights():
    """Four live tokens: everything can be written down."""
    config = Seq2SeqConfig(11, 6, 5, 6, 1, 0.5)  # dropout: search switches it off
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = Seq2Seq(config)
    assert laws.search_oracle(laws.beam_search, models=[model], max_new_tokens=3)
    assert model.training and model.decoder.dropout.training


def test_dropout_left_on_is_the_verdict_on_a_model_in_training_mode():
    model = make_model("gru", 1, True, "general", False, dropout=0.3)
    mine = laws.of_model(model)
    verdict = laws.parallel_stepwise(mine.logits, mine.start, mine.step)
    assert not verdict and "call .eval()" in verdict.look_at
    assert model.training


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_laws_hold_on_cuda(cell):
    model = make_model(cell, 2, True, "general", False, dropout=0.4).eval().cuda()
    for verdict in laws.judge_model(model):
        assert verdict
    assert torch.backends.cudnn.enabled
    assert laws.loss_ledger(losses.sequence_loss, device="cuda")
    assert laws.parity(cells.unroll_stack, device="cuda")
    assert laws.search_oracle(laws.beam_search, max_new_tokens=3, device="cuda")
