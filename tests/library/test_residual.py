"""The residual encoder and decoder compute their equations and obey the laws."""

import itertools

import pytest
import torch

from seq2seq_lib import laws
from seq2seq_lib.cells import GRUCell, LSTMCell, unroll
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.residual import ResidualDecoder, ResidualEncoder
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig, make_attention
from seq2seq_lib.vocab import PAD_ID

B, S, T, V, H = 4, 6, 5, 13, 8
LENGTHS = torch.tensor([3, 6, 1, 4])
MASK = sequence_mask(LENGTHS)
GENERATOR = torch.Generator().manual_seed(0)
SRC = torch.randint(4, V, (B, S), generator=GENERATOR).masked_fill(~MASK, PAD_ID)
TGT = torch.randint(4, V, (B, T), generator=GENERATOR)
TIGHT = {"atol": 1e-13, "rtol": 1e-11}  # float64: some hundred roundings of 1e-16
KINDS = list(itertools.product(("gru", "lstm"), (1, 2), (False, True), (5, H)))


def every_kind(test):
    return pytest.mark.parametrize(("cell", "layers", "both_ways", "embed"), KINDS)(test)


def make(cell, layers, both_ways, embed, dropout=0.0, attention="general"):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = Seq2Seq(
            Seq2SeqConfig(
                V,
                V,
                embed_size=embed,
                hidden_size=H,
                num_layers=layers,
                dropout=dropout,
                cell=cell,
                bidirectional=both_ways,
                attention=attention,
                residual=True,
            )
        )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)  # states that move: what leaks is seen
    return model.double()


def kind_of_cell(cell):
    return GRUCell if cell == "gru" else LSTMCell


def h_of(state):
    return state[0] if isinstance(state, tuple) else state


@every_kind
def test_the_laws_hold(cell, layers, both_ways, embed):
    model = make(cell, layers, both_ways, embed, dropout=0.4).eval()
    for verdict in laws.judge_model(model):
        assert verdict


@every_kind
def test_the_encoder_computes_what_its_equations_say(cell, layers, both_ways, embed):
    encoder = make(cell, layers, both_ways, embed).encoder
    assert isinstance(encoder, ResidualEncoder)
    encoded = encoder(SRC.masked_fill(~MASK, V - 1), LENGTHS)  # what stands at pads is not read
    hidden = encoder.embedding.weight[SRC] * embed**0.5
    for layer in range(layers):
        runs = [
            unroll(kind_of_cell(cell).from_torch(encoder.forwards[layer]), hidden, None, LENGTHS)
        ]
        if both_ways:
            backwards = kind_of_cell(cell).from_torch(encoder.backwards[layer])
            runs.append(unroll(backwards, hidden, None, LENGTHS, reverse=True))
        if layer == 0 and embed != H:
            hidden = hidden @ encoder.widen.weight.T
        hidden = hidden + torch.cat([run.outputs for run in runs], -1)
    torch.testing.assert_close(encoded.memory, hidden.masked_fill(~MASK[..., None], 0.0), **TIGHT)
    ends = torch.cat([h_of(run.state) for run in runs], -1)  # [B, H]
    first = torch.tanh(ends @ encoder.bridge.weight.T + encoder.bridge.bias)
    state = encoded.final_state if cell == "lstm" else (encoded.final_state,)
    for part, expected in zip(state, first.chunk(len(state), 1), strict=True):
        torch.testing.assert_close(part, expected.view(B, layers + 1, H), **TIGHT)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_decoder_computes_what_its_equations_say(cell):
    model = make(cell, 1, True, 5)
    decoder, state = model.decoder, model.start(SRC, LENGTHS)
    assert isinstance(decoder, ResidualDecoder)
    kind = kind_of_cell(cell)
    halves = [
        tuple(h[:, layer] for h in state.hidden) if cell == "lstm" else state.hidden[:, layer]
        for layer in (0, 1)
    ]
    lower = unroll(kind.from_torch(decoder.rnn), decoder.embedding(TGT), halves[0])
    context, weights = decoder.attention(lower.outputs, state.keys, state.memory, state.src_mask)
    both = torch.cat([lower.outputs, context], -1)
    upper = unroll(kind.from_torch(decoder.upper), both, halves[1])
    top = torch.cat([upper.outputs + lower.outputs, context], -1)
    expected = decoder.output(torch.tanh(decoder.readout(top)))

    output = decoder(TGT, state)
    torch.testing.assert_close(output.logits, expected, **TIGHT)
    torch.testing.assert_close(output.attention, weights, **TIGHT)
    after = [h_of(run.state) for run in (lower, upper)]
    torch.testing.assert_close(h_of(output.state.hidden), torch.stack(after, 1), **TIGHT)
    rows = torch.tensor([1, 0, 1])  # hypotheses that share a memory
    shared = decoder(TGT[rows], state.select(rows))
    torch.testing.assert_close(shared.logits, expected[rows], **TIGHT)


@pytest.mark.parametrize("changes", [{"attention": "none"}, {"attend_first": True}])
def test_a_model_without_an_attention_between_its_layers_is_refused(changes):
    with pytest.raises(ValueError, match="between two layers.*'dot', 'general', 'additive'"):
        Seq2SeqConfig(V, V, residual=True, **changes)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must be even"):
        ResidualEncoder(V, 5, 7)
    with pytest.raises(ValueError, match="num_layers"):
        ResidualEncoder(V, 5, 8, num_layers=0)


def test_dropout_acts_before_each_layer_and_in_training_alone():
    model = make("lstm", 2, True, 5, dropout=0.5)
    decoder = ResidualDecoder(V, 5, H, make_attention("dot", H), dropout=0.5, cell="lstm").double()
    state = make("lstm", 1, True, 5).start(SRC, LENGTHS)
    for module, inputs, sizes in (
        (model.encoder, (SRC, LENGTHS), [5, H]),  # embeddings, what the second layer reads
        (decoder, (TGT, state), [5, 2 * H, 5]),  # embeddings, what the upper layer reads, readout
    ):
        seen = []
        module.dropout.register_forward_hook(
            lambda _, __, out, seen=seen: seen.append(out.size(-1))
        )
        assert not torch.equal(module.train()(*inputs)[0], module(*inputs)[0])
        assert seen == 2 * sizes
        assert torch.equal(module.eval()(*inputs)[0], module(*inputs)[0])
