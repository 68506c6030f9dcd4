"""Decoders against a loop that anyone can read; one pass = its steps; nobody sees the future."""

from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from seq2seq_lib.attention import AdditiveAttention, DotAttention, GeneralAttention
from seq2seq_lib.cells import GRUCell, LSTMCell
from seq2seq_lib.decoder import FEW, AttentionDecoder, BahdanauDecoder, Decoder, log_probs
from seq2seq_lib.encoder import EncoderOutput, map_state
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.runtime import get_device
from seq2seq_lib.vocab import BOS_ID, PAD_ID

DEVICE = get_device()
B, S, T, V, E, H = 4, 6, 3, 13, 5, 8
LENGTHS = torch.tensor([3, 6, 1, 4], device=DEVICE)  # of the sources: unsorted, one 1, one full
TGT_IN = torch.randint(3, V, (B, T), generator=torch.Generator().manual_seed(0)).to(DEVICE)
TGT_IN[:, 0] = BOS_ID
# float64, two layers, three steps: some hundred roundings of 1e-16 each
TIGHT = {"atol": 1e-13, "rtol": 1e-11}

KINDS = {
    "none": (Decoder, lambda: ()),
    "dot": (AttentionDecoder, lambda: (DotAttention(),)),
    "general": (AttentionDecoder, lambda: (GeneralAttention(H, H),)),
    "additive": (AttentionDecoder, lambda: (AdditiveAttention(H, H, 7),)),
    "bahdanau": (BahdanauDecoder, lambda: (AdditiveAttention(H, H, 7),)),
}


def every_decoder(test):
    for name, values in (("kind", KINDS), ("num_layers", [1, 2]), ("cell", ["gru", "lstm"])):
        test = pytest.mark.parametrize(name, values)(test)
    return test


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(DEVICE)


def make(kind, num_layers=1, cell="gru", seed=1, **options):
    decoder_class, attention = KINDS[kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        options = {"num_layers": num_layers, "cell": cell, **options}
        return decoder_class(V, E, H, *attention(), **options).to(DEVICE, torch.float64)


def make_encoded(num_layers=1, cell="gru", seed=2):
    """What an encoder might have returned; large numbers stand at the pads of the memory."""
    mask = sequence_mask(LENGTHS)
    memory = randn(B, S, H, seed=seed).masked_fill(~mask.unsqueeze(-1), 1e6)
    state = randn(B, num_layers, H, seed=seed + 1)
    if cell == "lstm":
        state = (state, randn(B, num_layers, H, seed=seed + 2))
    return EncoderOutput(memory, state, mask)


def state_parts(state):
    """Every tensor of a state by name."""
    found = {}
    for field in fields(state):
        value = getattr(state, field.name)
        for i, tensor in enumerate(value if isinstance(value, tuple) else (value,)):
            if tensor is not None:
                found[f"{field.name}[{i}]"] = tensor
    return found


# --- the specification ---------------------------------------------------------------------------


def read_sentence(decoder, tgt_in, memory, state):
    """Teacher forcing of one sentence, token by token, from the equations.

    Args:
        tgt_in: [T]; memory: [S, H], real tokens only; state: a list of one h or (h, c) a layer.

    Returns:
        logits [T, V], weights [T, S] or None, and the states after the last token.
    """
    kind = LSTMCell if isinstance(decoder.rnn, nn.LSTM) else GRUCell
    layers = [kind.from_torch(decoder.rnn, layer) for layer in range(decoder.rnn.num_layers)]

    def h_of(layer_state):
        return layer_state[0] if isinstance(layer_state, tuple) else layer_state

    def attend(query):
        keys = decoder.attention.precompute(memory[None])
        scores = decoder.attention.score(query[None, None], keys)[0, 0]  # [S]
        weights = scores.exp() / scores.exp().sum()
        return weights @ memory, weights

    summary = h_of(state[-1])  # the only thing that a decoder without attention knows
    all_logits, all_weights = [], []
    for token in tgt_in:
        x = decoder.embedding.weight[token] * decoder.input_scale
        if isinstance(decoder, Decoder):
            context, weights = summary, None
            x = torch.cat([x, context])
        if isinstance(decoder, BahdanauDecoder):  # look first: the query is the step before
            context, weights = attend(h_of(state[-1]))
            x = torch.cat([x, context])
        for i, layer in enumerate(layers):
            state[i] = map_state(
                lambda s: s[0], layer(x[None], map_state(lambda s: s[None], state[i]))
            )
            x = h_of(state[i])
        if isinstance(decoder, AttentionDecoder):  # look afterwards
            context, weights = attend(x)
        mixed = torch.tanh(decoder.readout(torch.cat([x, context])))
        all_logits.append(decoder.output(mixed))
        all_weights.append(weights)
    weights = None if all_weights[0] is None else torch.stack(all_weights)
    return torch.stack(all_logits), weights, state


@every_decoder
@pytest.mark.parametrize("tie_embeddings", [False, True])
def test_a_pass_equals_the_readable_loop(kind, num_layers, cell, tie_embeddings):
    decoder = make(kind, num_layers, cell, tie_embeddings=tie_embeddings)
    encoded = make_encoded(num_layers, cell)
    logits, state, attention = decoder(TGT_IN, decoder.start(encoded))
    assert logits.shape == (B, T, V)
    assert (attention is None) == (kind == "none")
    for b, length in enumerate(LENGTHS.tolist()):
        layers = [
            map_state(lambda s, b=b, i=i: s[b, i], encoded.final_state) for i in range(num_layers)
        ]
        expected, weights, after = read_sentence(
            decoder, TGT_IN[b], encoded.memory[b, :length], layers
        )
        torch.testing.assert_close(logits[b], expected, **TIGHT)
        for i in range(num_layers):
            ours = map_state(lambda s, b=b, i=i: s[b, i], state.hidden)
            torch.testing.assert_close(ours, after[i], **TIGHT)
        if weights is not None:
            torch.testing.assert_close(attention[b, :, :length], weights, **TIGHT)
            assert (attention[b, :, length:] == 0).all()


# --- parallel = stepwise -------------------------------------------------------------------------


@every_decoder
def test_a_pass_equals_its_steps(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    state = decoder.start(make_encoded(num_layers, cell))
    assert state.attention is None
    output = decoder(TGT_IN, state)
    for t in range(T):
        logits, state = decoder.step(TGT_IN[:, t], state)
        assert logits.shape == (B, V)
        torch.testing.assert_close(logits, output.logits[:, t], **TIGHT)
        if kind != "none":
            assert state.attention.shape == (B, S)
            torch.testing.assert_close(state.attention, output.attention[:, t], **TIGHT)
    end = state_parts(output.state)
    for name, tensor in state_parts(state).items():
        torch.testing.assert_close(tensor, end[name], **TIGHT)


@every_decoder
def test_a_pass_can_be_continued(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    state = decoder.start(make_encoded(num_layers, cell))
    whole = decoder(TGT_IN, state)
    first = decoder(TGT_IN[:, :1], state)
    rest = decoder(TGT_IN[:, 1:], first.state)
    logits = torch.cat([first.logits, rest.logits], 1)
    torch.testing.assert_close(logits, whole.logits, **TIGHT)


@every_decoder
def test_no_logit_depends_on_a_later_token(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    state = decoder.start(make_encoded(num_layers, cell))
    logits = decoder(TGT_IN, state).logits
    for t in range(1, T):
        changed = TGT_IN.clone()
        changed[:, t:] = (changed[:, t:] + 1) % V
        other = decoder(changed, state).logits
        torch.testing.assert_close(other[:, :t], logits[:, :t], **TIGHT)
        assert (other[:, t] != logits[:, t]).all()


@every_decoder
def test_every_parameter_learns_and_the_source_reaches_every_logit(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    encoded = make_encoded(num_layers, cell)
    encoded.memory.requires_grad_()
    final = encoded.final_state
    for part in final if cell == "lstm" else (final,):
        part.requires_grad_()
    output = decoder(TGT_IN, decoder.start(encoded))
    (output.logits * randn(B, T, V, seed=7)).sum().backward()
    assert all((p.grad != 0).any() for p in decoder.parameters())
    assert (decoder.embedding.weight.grad[PAD_ID] == 0).all()
    for part in final if cell == "lstm" else (final,):
        assert (part.grad != 0).all()
    if kind != "none":
        assert (encoded.memory.grad[sequence_mask(LENGTHS)] != 0).any(-1).all()
        assert (encoded.memory.grad[~sequence_mask(LENGTHS)] == 0).all()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_without_attention_the_context_enters_every_step(cell):
    decoder, encoded = make("none", 2, cell), make_encoded(2, cell)
    state = decoder.start(encoded)
    top = (encoded.final_state[0] if cell == "lstm" else encoded.final_state)[:, -1]
    assert torch.equal(state.context, top)
    assert state.memory is None and state.keys is None
    context = state.context.clone().requires_grad_()
    state = replace(state, context=context)
    logits = decoder(TGT_IN, state).logits
    for t in range(T):
        (gradient,) = torch.autograd.grad(logits[:, t].sum(), context, retain_graph=True)
        assert (gradient != 0).all()
    # the recurrent input sees it too, not the readout alone
    decoder.readout.weight.data[:, H:] = 0
    assert (torch.autograd.grad(decoder(TGT_IN, state).logits.sum(), context)[0] != 0).all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
def test_keys_are_computed_once_a_sentence(kind, monkeypatch):
    decoder, calls = make(kind), []
    precompute = decoder.attention.precompute
    monkeypatch.setattr(decoder.attention, "precompute", lambda m: calls.append(1) or precompute(m))
    state = decoder.start(make_encoded())
    torch.testing.assert_close(state.keys, precompute(state.memory), **TIGHT)
    decoder(TGT_IN, state)
    decoder.step(TGT_IN[:, 0], state)
    assert calls == [1]


# --- select --------------------------------------------------------------------------------------


@every_decoder
def test_select_moves_everything_together(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    _, state = decoder.step(TGT_IN[:, 0], decoder.start(make_encoded(num_layers, cell)))
    rows = torch.tensor([2, 0, 0, 3, 1], device=DEVICE)  # repeated, reordered
    chosen = state.select(rows)
    assert (len(state), len(chosen)) == (B, 5) and torch.equal(chosen.source, rows)
    before, after = state_parts(state), state_parts(chosen)
    assert after.keys() == before.keys() | {"source[0]"}
    for name, tensor in before.items():
        shared = name in ("memory[0]", "keys[0]", "src_mask[0]")
        moved = after[name][chosen.source] if shared else after[name]
        assert torch.equal(moved, tensor[rows]), name
    expected, _ = decoder.step(TGT_IN[:, 1], state)
    logits, _ = decoder.step(TGT_IN[rows, 1], chosen)
    torch.testing.assert_close(logits, expected[rows], **TIGHT)
    fewer = state.select(rows[:1])  # rows may be left out
    torch.testing.assert_close(decoder.step(TGT_IN[2:3, 1], fewer)[0], expected[2:3], **TIGHT)


@every_decoder
def test_rows_that_share_a_memory_read_it_as_if_each_had_its_own(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    _, state = decoder.step(TGT_IN[:, 0], decoder.start(make_encoded(num_layers, cell)))
    beams = state.select(torch.tensor([0, 0, 2, 2, 3, 3], device=DEVICE))  # of three sentences
    chosen = {
        "beams of equal width": [0, 1, 2, 3, 4, 5],
        "in another order": [1, 0, 3, 3, 5, 4],
        "sentences mixed": [4, 0, 2, 5, 1, 3],
        "one beam lost": [0, 1, 2, 3, 4],
        "a sentence gone": [4, 5, 0, 1, 1],
        "one left of each": [5, 0, 2],
    }
    for what, rows in chosen.items():
        rows = torch.tensor(rows, device=DEVICE)
        sentence = torch.tensor([0, 0, 2, 2, 3, 3], device=DEVICE)[rows]
        shared = beams.select(rows)
        if shared.memory is not None:
            assert len(shared.memory) == len(sentence.unique()), what
        own = [state.select(sentence[i : i + 1]) for i in range(len(rows))]
        expected = [decoder(TGT_IN[sentence[i : i + 1], 1:], own[i]) for i in range(len(rows))]
        found = decoder(TGT_IN[sentence, 1:], shared)
        torch.testing.assert_close(found.logits, torch.cat([e.logits for e in expected]), **TIGHT)
        if found.attention is not None:
            weights = torch.cat([e.attention for e in expected])
            torch.testing.assert_close(found.attention, weights, **TIGHT)


def test_a_state_has_the_parts_that_its_decoder_needs():
    names = {
        kind: set(state_parts(make(kind, cell="lstm").start(make_encoded(cell="lstm"))))
        for kind in ("none", "general", "bahdanau")
    }
    assert names["none"] == {"hidden[0]", "hidden[1]", "src_mask[0]", "context[0]"}
    assert names["general"] == {"hidden[0]", "hidden[1]", "memory[0]", "keys[0]", "src_mask[0]"}
    assert names["bahdanau"] == names["general"]


@every_decoder
def test_a_step_leaves_its_state_as_it_was(kind, num_layers, cell):
    decoder = make(kind, num_layers, cell)
    state = decoder.start(make_encoded(num_layers, cell))
    before = {name: tensor.clone() for name, tensor in state_parts(state).items()}
    decoder.step(TGT_IN[:, 0], state)
    decoder(TGT_IN, state)
    after = state_parts(state)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


# --- embeddings, dropout, arguments --------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_tied_embeddings_are_one_matrix(kind):
    decoder, free = make(kind, tie_embeddings=True), make(kind)
    assert decoder.output.weight is decoder.embedding.weight
    assert decoder.output.weight.data_ptr() == decoder.embedding.weight.data_ptr()
    assert free.output.weight is not free.embedding.weight
    count = [sum(p.numel() for p in d.parameters()) for d in (free, decoder)]
    assert count[0] - count[1] == V * E
    decoder(TGT_IN, decoder.start(make_encoded())).logits.sum().backward()
    assert (decoder.embedding.weight.grad != 0).any(-1).all()  # as output, every word learns


def test_tied_embeddings_begin_small_and_enter_at_size_one():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        decoder = AttentionDecoder(500, 400, H, DotAttention(), tie_embeddings=True)
        free = AttentionDecoder(500, 400, H, DotAttention())
    words = decoder.embedding.weight[PAD_ID + 1 :]
    # the standard deviation of 200 000 normal numbers is known to 0.2 %
    assert words.std().item() == pytest.approx(1 / 20, rel=0.02)
    assert (words * decoder.input_scale).std().item() == pytest.approx(1, rel=0.02)
    assert decoder.input_scale == 20 and free.input_scale == 1
    assert free.embedding.weight[PAD_ID + 1 :].std().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("tie_embeddings", [False, True])
def test_the_pad_row_begins_at_zero(tie_embeddings):
    decoder = make("general", tie_embeddings=tie_embeddings)
    assert (decoder.embedding.weight[PAD_ID] == 0).all()
    assert (decoder.embedding.weight[PAD_ID + 1 :] != 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_acts_in_training_only(kind):
    decoder, plain = make(kind, dropout=0.5), make(kind)  # one layer: no warning
    state = decoder.start(make_encoded())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        logits = decoder(TGT_IN, state).logits
        assert not torch.equal(logits, decoder(TGT_IN, state).logits)
    decoder.eval()
    torch.testing.assert_close(decoder(TGT_IN, state).logits, plain(TGT_IN, state).logits, **TIGHT)
    assert make(kind, 2, dropout=0.5).rnn.dropout == 0.5


@pytest.mark.parametrize("place", ["embedding", "readout"])
def test_dropout_acts_on_embeddings_and_readout(place):
    decoder, seen = make("general", dropout=0.5), []
    watched = decoder.rnn if place == "embedding" else decoder.output
    watched.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        decoder(TGT_IN, decoder.start(make_encoded()))
    share = (seen[0] == 0).double().mean()
    assert 0.25 < share < 0.75  # of 60 numbers half are dropped


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [-1, V, 10**9])
def test_an_id_of_another_vocabulary_is_named(kind, wrong):
    decoder = make(kind)
    state, tokens = decoder.start(make_encoded()), TGT_IN.clone()
    tokens[2, 1] = wrong
    with pytest.raises(ValueError, match=rf"in 0 \.\. 12, but tgt_in\[2, 1\] is {wrong}"):
        decoder(tokens, state)
    with pytest.raises(ValueError, match=rf"in 0 \.\. 12, but tgt_in\[2, 0\] is {wrong}"):
        decoder.step(tokens[:, 1], state)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_do_not_fit_the_state_are_refused(kind):
    decoder = make(kind)
    state = decoder.start(make_encoded())
    with pytest.raises(ValueError, match=r"tgt_in has 3 rows but the state has 4.*state\.select"):
        decoder(TGT_IN[:3], state)
    with pytest.raises(ValueError, match="tgt_in has 1 rows but the state has 4"):
        decoder.step(TGT_IN[:1, 0], state)
    with pytest.raises(ValueError, match=r"tokens must be \[B\], one a row, but they are \[4, 3\]"):
        decoder.step(TGT_IN, state)
    with pytest.raises(ValueError, match=r"tgt_in must have shape \[B, T\]"):
        decoder(TGT_IN[:, 0], state)
    with pytest.raises(TypeError, match="tgt_in must be an int64 tensor"):
        decoder(TGT_IN.double(), state)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cell": "rnn"}, ValueError, "Unknown cell: 'rnn'. Valid: 'gru', 'lstm'"),
        ({"num_layers": 0}, ValueError, "num_layers must be ≥ 1"),
        ({"vocab_size": 0}, ValueError, "vocab_size must be ≥ 1"),
        ({"embed_size": 0}, ValueError, "embed_size must be ≥ 1"),
        ({"hidden_size": 0}, ValueError, "hidden_size must be ≥ 1"),
        ({"hidden_size": 2.0}, TypeError, "hidden_size must be an integer"),
    ],
)
def test_sizes_that_make_no_decoder_are_refused(kind, change, error, message):
    decoder_class, attention = KINDS[kind]
    sizes = {"vocab_size": V, "embed_size": E, "hidden_size": H, **change}
    if kind != "none":
        sizes["attention"] = attention()[0]
    with pytest.raises(error, match=message):
        decoder_class(**sizes)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_one_gru_without_dropout(kind):
    decoder_class, attention = KINDS[kind]
    decoder = decoder_class(V, E, H, *attention())
    assert isinstance(decoder.rnn, nn.GRU) and decoder.rnn.num_layers == 1
    assert decoder.dropout.p == 0 and decoder.output.weight is not decoder.embedding.weight


def test_a_decoder_of_ones_own_needs_start_and_forward():
    class Parrot(Decoder):
        start = Decoder.__base__.start
        forward = Decoder.__base__.forward

    parrot = Parrot(V, E, H)
    with pytest.raises(NotImplementedError):
        parrot.start(make_encoded())
    with pytest.raises(NotImplementedError):
        parrot(TGT_IN, None)


# --- log_probs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_log_probs_are_normalised_in_float32_at_least(dtype):
    logits = (5 * randn(B, T, V)).to(dtype)
    result = log_probs(logits)
    assert result.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    exact = logits.double().log_softmax(-1)
    # float32 carries 1e-7 of numbers near 20
    torch.testing.assert_close(result.double(), exact, atol=1e-5, rtol=0)


@pytest.mark.skipif(DEVICE.type != "cpu", reason="oneDNN is for CPUs")
@pytest.mark.parametrize("mode", [nn.Module.eval, nn.Module.train])
@pytest.mark.parametrize("rows", [1, FEW, FEW + 1])
def test_an_lstm_s_step_of_few_rows_goes_past_onednn_to_the_same_place(rows, mode, monkeypatch):
    decoder, calls, cell = mode(make("dot", num_layers=2, cell="lstm")), [], torch.lstm_cell
    monkeypatch.setattr(torch, "lstm_cell", lambda *parts: calls.append(parts) or cell(*parts))
    inputs = randn(rows, 1, E)
    hidden = randn(rows, 2, H, seed=3), randn(rows, 2, H, seed=4)
    outputs, (h, c) = decoder._recur(inputs, hidden)
    expected, (last, memory) = decoder.rnn(
        inputs, tuple(x.transpose(0, 1).contiguous() for x in hidden)
    )
    torch.testing.assert_close(outputs, expected, **TIGHT)
    torch.testing.assert_close(h, last.transpose(0, 1), **TIGHT)
    torch.testing.assert_close(c, memory.transpose(0, 1), **TIGHT)
    assert len(calls) == (2 if rows <= FEW and not decoder.training else 0)  # one a layer
