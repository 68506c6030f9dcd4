"""What must change: a decoder that never reads its source obeys laws 1 and 4, and fails here."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib import laws
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

V_SRC, V, H = 11, 13, 6


class Reader(nn.Module):
    """Right: a packed GRU reads, and a GRU that starts from its final state writes."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            self.source, self.words = nn.Embedding(V_SRC, H), nn.Embedding(V, H)
            self.encoder = nn.GRU(H, H, batch_first=True)
            self.decoder = nn.GRU(H, H, batch_first=True)
            self.out = nn.Linear(H, V)

    def read(self, src, lengths):
        packed = pack_padded_sequence(self.source(src), lengths, True, enforce_sorted=False)
        return self.encoder(packed)[1]  # [1, B, H]

    def start(self, src, lengths):
        return self.bridge(self.read(src, lengths)).transpose(0, 1)

    def bridge(self, state):
        return state

    def logits(self, batch):
        state = self.start(batch.src, batch.src_lengths).transpose(0, 1).contiguous()
        return self.out(self.decoder(self.words(batch.tgt_in), state)[0])

    def step(self, tokens, state):
        outputs, state = self.decoder(
            self.words(tokens[:, None]), state.transpose(0, 1).contiguous()
        )
        return self.out(outputs[:, 0]), state.transpose(0, 1)

    def encoder_parameters(self):
        return [*self.source.parameters(), *self.encoder.parameters()]


class Blind(Reader):
    def bridge(self, state):
        return torch.zeros_like(state)


class Detached(Reader):
    def bridge(self, state):
        return state.detach()


class ZeroGradient(Reader):
    """Its encoder stands in the graph, with a factor of 0."""

    def bridge(self, state):
        return state.detach() + 0 * state


class LastWordAlone(Reader):
    def read(self, src, lengths):
        last = src.gather(1, (lengths - 2).clamp(min=0)[:, None])
        return self.encoder(self.source(last))[1]


class LengthAlone(Reader):
    def read(self, src, lengths):
        return super().read(torch.full_like(src, 4), lengths)


class OtherRow(Reader):
    def bridge(self, state):
        return state.roll(1, 1)


class SortedBackByTheOrder(Reader):
    def read(self, src, lengths):
        order = lengths.argsort(descending=True, stable=True)
        return super().read(src[order], lengths[order])[:, order]


class FirstRow(Reader):
    def bridge(self, state):
        return state[:, :1].expand_as(state)


class MeanOfTheBatch(Reader):
    def bridge(self, state):
        return state.mean(1, keepdim=True).expand_as(state)


class Dead(Reader):
    """Its encoder's weights are not used: the embeddings are summed instead."""

    def read(self, src, lengths):
        mask = torch.arange(src.size(1)) < lengths[:, None]
        return (self.source(src) * mask[..., None]).sum(1)[None]


WRONG = {
    Blind: ("every source token moves its row", "starts at zero"),
    LengthAlone: ("every source token moves its row", "starts at zero"),
    LastWordAlone: ("every source token moves its row", "thrown away"),
    OtherRow: ("other rows stay", "which axis is the sentence"),
    SortedBackByTheOrder: ("other rows stay", "which axis is the sentence"),
    FirstRow: ("other rows stay", "which axis is the sentence"),
    MeanOfTheBatch: ("other rows stay", "which axis is the sentence"),
    Detached: ("the encoder gets gradients", "detach()"),
    ZeroGradient: ("the encoder gets gradients", "detach()"),
    Dead: ("the encoder gets gradients", "not used"),
}


def judge(model):
    return laws.reads_source(model.logits, parameters=model.encoder_parameters())


def test_a_model_that_reads_holds():
    verdict = judge(Reader())
    assert verdict, verdict
    assert len(verdict.checks) == 3


@pytest.mark.parametrize("attention", ["none", "general"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_our_models_read_their_source(cell, attention):
    torch.manual_seed(0)
    model = Seq2Seq(Seq2SeqConfig(V_SRC, V, 6, 8, cell=cell, attention=attention)).eval()
    verdict = laws.reads_source(model, parameters=model.encoder.parameters())
    assert verdict, verdict


@pytest.mark.parametrize(
    ("wrong", "found"), WRONG.items(), ids=lambda x: getattr(x, "__name__", "")
)
def test_what_does_not_read_is_named(wrong, found):
    verdict = judge(wrong())
    check, words = found
    assert not verdict
    assert check in [c.name for c in verdict.checks if not c.holds]
    assert words in verdict.look_at, verdict


@pytest.mark.parametrize("wrong", [Blind, Detached])
def test_laws_1_and_4_hold_for_them(wrong):
    model = wrong()
    assert laws.batch_invariance(logits=model.logits)
    assert laws.parallel_stepwise(model.logits, model.start, model.step)


def test_without_parameters_gradients_are_not_asked_for():
    assert laws.reads_source(Detached().logits)


def test_logits_without_any_graph_reach_no_parameter():
    model = Reader()
    verdict = laws.reads_source(
        lambda batch: model.logits(batch).detach(), parameters=model.encoder_parameters()
    )
    assert "no gradient reaches parameters [0, 1, 2, 3, 4] of 5" in verdict.counterexample


def test_what_raises_does_not_hold():
    verdict = laws.reads_source(lambda batch: batch.src)
    assert not verdict and "logits must be [B, T, V]" in verdict.counterexample
