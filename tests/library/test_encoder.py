"""The encoder: pads and neighbours change neither memory, nor state, nor gradient."""

import pytest
import torch
from torch import nn

from seq2seq_lib.cells import unroll_stack
from seq2seq_lib.encoder import Encoder, make_rnn, map_state
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.runtime import get_device
from seq2seq_lib.vocab import PAD_ID

DEVICE = get_device()
B, S, V, E, H = 4, 6, 13, 5, 8
LENGTHS = torch.tensor([3, 6, 1, 4], device=DEVICE)  # unsorted, one of length 1, one full
MASK = sequence_mask(LENGTHS)
SRC = torch.randint(1, V, (B, S), generator=torch.Generator().manual_seed(0)).to(DEVICE)
SRC = SRC.masked_fill(~MASK, PAD_ID)
# float64, two layers, six steps: some hundred roundings of 1e-16 each
TIGHT = {"atol": 1e-13, "rtol": 1e-11}


def every_encoder(test):
    for name, values in (
        ("bidirectional", [False, True]),
        ("num_layers", [1, 2]),
        ("cell", ["gru", "lstm"]),
    ):
        test = pytest.mark.parametrize(name, values)(test)
    return test


def make(cell, num_layers, bidirectional, dropout=0.0, seed=1):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = Encoder(
            V, E, H, cell=cell, num_layers=num_layers, bidirectional=bidirectional, dropout=dropout
        )
    return encoder.to(DEVICE, torch.float64)


def parts(encoded):
    """Memory and every state, as a flat tuple."""
    state = encoded.final_state
    return (encoded.memory, *(state if isinstance(state, tuple) else (state,)))


def read_sentence(encoder, src, lengths, row):
    """Memory and states of one sentence of a batch, and gradients of a functional of them alone."""
    memory, *states = parts(encoder(src, lengths))
    seen = (memory[row, : lengths[row]], *(state[row] for state in states))
    generator = torch.Generator().manual_seed(3)
    probes = [torch.randn(x.shape, generator=generator, dtype=x.dtype).to(DEVICE) for x in seen]
    total = sum((x * probe).sum() for x, probe in zip(seen, probes, strict=True))
    return (*seen, *torch.autograd.grad(total, tuple(encoder.parameters())))


@every_encoder
def test_neighbours_pads_and_their_order_change_nothing(cell, num_layers, bidirectional):
    encoder = make(cell, num_layers, bidirectional)
    order = torch.tensor([2, 0, 3, 1], device=DEVICE)
    for row, length in enumerate(LENGTHS.tolist()):
        here = slice(row, row + 1)
        alone = read_sentence(encoder, SRC[here, :length], LENGTHS[here], 0)
        place = order.tolist().index(row)
        for how, read in {
            "in a batch": read_sentence(encoder, SRC, LENGTHS, row),
            "in a wider batch": read_sentence(
                encoder, nn.functional.pad(SRC, (0, 3)), LENGTHS, row
            ),
            "words at pads": read_sentence(encoder, SRC.masked_fill(~MASK, V - 1), LENGTHS, row),
            "in another order": read_sentence(encoder, SRC[order], LENGTHS[order], place),
        }.items():
            for ours, expected in zip(read, alone, strict=True):
                torch.testing.assert_close(
                    ours, expected, **TIGHT, msg=lambda m, r=row, h=how: f"sentence {r} {h}: {m}"
                )


@every_encoder
def test_shapes_masks_and_zeros_at_pads(cell, num_layers, bidirectional):
    encoded = make(cell, num_layers, bidirectional)(SRC, LENGTHS)
    assert encoded.memory.shape == (B, S, H)
    assert (encoded.memory[~MASK] == 0).all() and (encoded.memory[MASK] != 0).all()
    assert torch.equal(encoded.src_mask, MASK)
    assert isinstance(encoded.final_state, tuple) == (cell == "lstm")
    assert all(state.shape == (B, num_layers, H) for state in parts(encoded)[1:])


@every_encoder
def test_it_computes_what_the_equations_say(cell, num_layers, bidirectional):
    encoder = make(cell, num_layers, bidirectional)
    bridge, encoder.bridge = encoder.bridge, None
    encoded = encoder(SRC, LENGTHS)
    oracle = unroll_stack(encoder.rnn, encoder.embedding.weight[SRC], LENGTHS)
    torch.testing.assert_close(encoded.memory, oracle.outputs, **TIGHT)
    states = oracle.state if cell == "lstm" else (oracle.state,)
    # [B, L*D, U] -> [B, L, D*U]: forward and backward of one layer side by side
    for ours, theirs in zip(parts(encoded)[1:], states, strict=True):
        torch.testing.assert_close(ours, theirs.reshape(B, num_layers, H), **TIGHT)
    assert (bridge is not None) == bidirectional
    if bidirectional:
        encoder.bridge = bridge
        bridged = parts(encoder(SRC, LENGTHS))[1:]
        expected = [torch.tanh(parts(encoded)[1] @ bridge.hidden.weight.T + bridge.hidden.bias)]
        if cell == "lstm":
            expected.append(parts(encoded)[2] @ bridge.cell.weight.T + bridge.cell.bias)
        for ours, theirs in zip(bridged, expected, strict=True):
            torch.testing.assert_close(ours, theirs, **TIGHT)


@every_encoder
def test_the_final_state_is_the_memory_where_each_direction_ends(cell, num_layers, bidirectional):
    encoder = make(cell, num_layers, bidirectional)
    encoder.bridge = None
    memory, hidden, *_ = parts(encoder(SRC, LENGTHS))
    units = H // 2 if bidirectional else H
    for row, length in enumerate(LENGTHS.tolist()):
        top = hidden[row, -1]
        assert torch.equal(top[:units], memory[row, length - 1, :units])
        if bidirectional:
            assert torch.equal(top[units:], memory[row, 0, units:])


@every_encoder
def test_no_sentence_needs_to_be_as_wide_as_the_batch(cell, num_layers, bidirectional):
    encoder = make(cell, num_layers, bidirectional)
    lengths = torch.tensor([2, 3, 1, 2], device=DEVICE)
    encoded = encoder(SRC, lengths)
    assert encoded.memory.shape == (B, S, H) and encoded.src_mask.shape == (B, S)
    assert (encoded.memory[:, 3:] == 0).all() and not encoded.src_mask[:, 3:].any()
    narrow = encoder(SRC[:, :3], lengths)
    for a, b in zip(parts(encoded)[1:], parts(narrow)[1:], strict=True):
        torch.testing.assert_close(a, b, **TIGHT)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int32, torch.int64])
def test_lengths_of_any_integer_type_on_any_device(dtype):
    encoder = make("gru", 1, True)
    expected = parts(encoder(SRC, LENGTHS))
    for device in {"cpu", DEVICE}:
        lengths = LENGTHS.to(device, dtype)
        before = lengths.clone()
        encoded = encoder(SRC, lengths)
        assert encoded.src_mask.device == SRC.device
        assert all(torch.equal(a, b) for a, b in zip(parts(encoded), expected, strict=True))
        assert torch.equal(lengths, before)


def test_arguments_are_not_changed():
    src, lengths = SRC.clone(), LENGTHS.clone()
    make("lstm", 2, True)(src, lengths)
    assert torch.equal(src, SRC) and torch.equal(lengths, LENGTHS)


@every_encoder
def test_every_parameter_learns_and_the_pad_row_stays_zero(cell, num_layers, bidirectional):
    encoder = make(cell, num_layers, bidirectional)
    encoder.reads_pads = True
    src = SRC.clone()
    src[1, 2] = PAD_ID  # even read as a word, PAD has no gradient
    sum(part.square().sum() for part in parts(encoder(src, LENGTHS))).backward()
    assert all((p.grad != 0).any() for p in encoder.parameters())
    assert (encoder.embedding.weight[PAD_ID] == 0).all()
    assert (encoder.embedding.weight.grad[PAD_ID] == 0).all()
    assert (encoder.embedding.weight.grad[SRC[1, 0]] != 0).all()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_cell_state_of_an_lstm_reaches_the_decoder(bidirectional):
    encoder = make("lstm", 2, bidirectional)
    _, (_, cell) = encoder(SRC, LENGTHS)[:2]
    cell[..., 0].sum().backward()  # a loss that sees the cell state alone
    assert (encoder.rnn.weight_ih_l0.grad != 0).any()
    if bidirectional:
        assert (encoder.bridge.cell.weight.grad[0] != 0).any()
        assert encoder.bridge.hidden.weight.grad is None


def test_the_cell_state_is_not_squashed():
    encoder = make("lstm", 1, True)
    with torch.no_grad():
        encoder.bridge.cell.bias.fill_(5.0)
    _, (hidden, cell) = encoder(SRC, LENGTHS)[:2]
    assert hidden.abs().max() < 1 < cell.abs().max()


@pytest.mark.parametrize(("num_layers", "between"), [(1, 0.0), (2, 0.4)])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_dropout_lies_between_layers_and_on_embeddings_without_a_warning(cell, num_layers, between):
    encoder = make(cell, num_layers, True, dropout=0.4)  # a warning would be an error here
    assert encoder.rnn.dropout == between
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        training = encoder(SRC, LENGTHS).memory
        assert not torch.equal(training, encoder(SRC, LENGTHS).memory)
    encoder.eval()
    first = encoder(SRC, LENGTHS).memory
    assert torch.equal(first, encoder(SRC, LENGTHS).memory)
    plain = make(cell, num_layers, True)
    torch.testing.assert_close(first, plain(SRC, LENGTHS).memory, **TIGHT)


@pytest.mark.parametrize(
    ("src", "lengths", "error", "message"),
    [
        (SRC, [3, 6, 0, 4], ValueError, "src_lengths must be ≥ 1, but row 2 is 0: an empty"),
        (SRC, [3, 7, 1, 4], ValueError, "src_lengths must be ≤ 6, .* but row 1 is 7"),
        (SRC, [3.0, 6.0, 1.0, 4.0], TypeError, "src_lengths must be an integer tensor"),
        (SRC, [[3, 6, 1, 4]], ValueError, r"src_lengths must have shape \[B\]"),
        (SRC, [3, 6, 1], ValueError, "src has 4 rows but src_lengths has 3"),
        (SRC[0], [3], ValueError, r"src must have shape \[B, T\]"),
        (SRC[:0], [], ValueError, r"src must have shape .* \[0, 6\]"),
        (SRC[:, :0], [3, 6, 1, 4], ValueError, r"src must have shape .* \[4, 0\]"),
        (SRC.double(), [3, 6, 1, 4], TypeError, "src must be an int64 tensor .* torch.float64"),
        (SRC.tolist(), [3, 6, 1, 4], TypeError, "src must be an int64 tensor .* list"),
    ],
)
def test_what_is_no_padded_batch_is_refused(src, lengths, error, message):
    with pytest.raises(error, match=message):
        make("gru", 1, True)(src, torch.tensor(lengths, device=DEVICE))


@pytest.mark.parametrize("wrong", [-1, V, 10**9])
def test_an_id_of_another_vocabulary_is_named(wrong):
    src = SRC.clone()
    src[3, 1] = wrong
    message = rf"src must hold ids in 0 \.\. 12, but src\[3, 1\] is {wrong}: was it encoded with"
    with pytest.raises(ValueError, match=message):
        make("gru", 1, True)(src, LENGTHS)
    src[3, 1] = V - 1
    make("gru", 1, True)(src.int(), LENGTHS)  # the largest id, and int32


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cell": "rnn"}, ValueError, "Unknown cell: 'rnn'. Valid: 'gru', 'lstm'"),
        ({"hidden_size": 7}, ValueError, "must be even for a bidirectional encoder, but it is 7"),
        ({"hidden_size": 0}, ValueError, "hidden_size must be ≥ 1"),
        ({"embed_size": 0}, ValueError, "embed_size must be ≥ 1"),
        ({"vocab_size": -3}, ValueError, "vocab_size must be ≥ 1"),
        ({"num_layers": 0}, ValueError, "num_layers must be ≥ 1"),
        ({"num_layers": 1.0}, TypeError, "num_layers must be an integer"),
        ({"num_layers": True}, TypeError, "num_layers must be an integer"),
    ],
)
def test_sizes_that_make_no_encoder_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        Encoder(**{"vocab_size": V, "embed_size": E, "hidden_size": H, **change})


def test_one_direction_may_have_an_odd_size():
    encoder = Encoder(V, E, 7, bidirectional=False)
    assert encoder(SRC.cpu(), LENGTHS.cpu()).memory.shape == (B, S, 7)


def test_defaults_are_one_bidirectional_gru():
    encoder = Encoder(V, E, H)
    assert isinstance(encoder.rnn, nn.GRU) and encoder.rnn.bidirectional
    assert encoder.rnn.num_layers == 1 and encoder.dropout.p == 0
    rnn = make_rnn("lstm", E, H, 1, 0.0)
    assert rnn.batch_first and not rnn.bidirectional


def test_map_state_reaches_both_halves():
    assert map_state(lambda x: x + 1, torch.tensor(1)) == 2
    assert map_state(lambda x: x + 1, (torch.tensor(1), torch.tensor(5))) == (2, 6)
