"""The cells against torch's own modules, against slow loops, and against their promises."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.cells import GRUCell, LSTMCell, unroll, unroll_stack

KINDS = {"gru": (nn.GRU, nn.GRUCell, GRUCell), "lstm": (nn.LSTM, nn.LSTMCell, LSTMCell)}
every_kind = pytest.mark.parametrize("kind", KINDS)
# One rounding per operation, accumulated over some ten steps; law 2 promises no less.
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
LENGTHS = torch.tensor([3, 7, 1, 5])  # unsorted, one of length 1, one full
B, T, INPUT, HIDDEN = 4, 7, 5, 3


def random_input(*shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def make_rnn(kind, seed=1, dtype=torch.float32, **options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return KINDS[kind][0](INPUT, HIDDEN, batch_first=True, dtype=dtype, **options)


def make_cell(kind, seed=2, dtype=torch.float32, **options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return KINDS[kind][2](INPUT, HIDDEN, **options).to(dtype)


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


def torch_on_packed(rnn, x, lengths):
    """What torch gives for a padded batch, batch first: outputs and the final states."""
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    outputs, state = rnn(packed)
    outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])
    return outputs, tuple(part.transpose(0, 1) for part in as_tuple(state))


def gradients(outputs, states, inputs):
    """Gradients of a fixed random functional that weighs every output and state differently."""
    total = sum(
        (part * random_input(*part.shape, seed=100 + i, dtype=part.dtype).to(part.device)).sum()
        for i, part in enumerate((outputs, *states))
    )
    return torch.autograd.grad(total, inputs)


def assert_all_close(actual, expected, tolerance):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        # rtol: gradients of weights sum over B*T terms and grow beyond 1
        torch.testing.assert_close(a, b, atol=tolerance, rtol=10 * tolerance)


def assert_parity(rnn, x, lengths):
    x = x.requires_grad_()
    tolerance = TOLERANCE[x.dtype]
    outputs, states = torch_on_packed(rnn, x, lengths)
    ours = unroll_stack(rnn, x, lengths)
    assert_all_close((ours.outputs, *as_tuple(ours.state)), (outputs, *states), tolerance)
    inputs = (x, *rnn.parameters())
    expected = gradients(outputs, states, inputs)
    actual = gradients(ours.outputs, as_tuple(ours.state), inputs)
    assert_all_close(actual, expected, tolerance)


# --- parity with torch ---------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_states_and_gradients_equal_torch(kind, dtype, num_layers, bidirectional, bias):
    rnn = make_rnn(kind, dtype=dtype, num_layers=num_layers, bidirectional=bidirectional, bias=bias)
    assert_parity(rnn, random_input(B, T, INPUT, dtype=dtype), LENGTHS)


@every_kind
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_parity_for_any_sizes_and_lengths(kind, data):
    size = st.integers(1, 5)
    rows, steps, input_size, hidden_size = (data.draw(size) for _ in range(4))
    lengths = torch.tensor([data.draw(st.integers(1, steps)) for _ in range(rows)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(data.draw(st.integers(0, 999)))
        rnn = KINDS[kind][0](
            input_size,
            hidden_size,
            num_layers=data.draw(st.integers(1, 2)),
            bidirectional=data.draw(st.booleans()),
            bias=data.draw(st.booleans()),
            batch_first=True,
            dtype=torch.float64,
        )
    assert_parity(rnn, random_input(rows, steps, input_size, dtype=torch.float64), lengths)


@every_kind
def test_no_lengths_means_no_pads_and_the_time_first_module_is_read_batch_first(kind):
    rnn = make_rnn(kind, num_layers=2, bidirectional=True)
    x = random_input(B, T, INPUT)
    outputs, state = rnn(x)
    rnn.batch_first = False  # only how *its* caller lays out the data
    ours = unroll_stack(rnn, x)
    states = tuple(part.transpose(0, 1) for part in as_tuple(state))
    assert_all_close((ours.outputs, *as_tuple(ours.state)), (outputs, *states), 1e-6)


@every_kind
@pytest.mark.parametrize("bias", [True, False])
def test_one_step_equals_torchs_cell(kind, bias):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        theirs = KINDS[kind][1](INPUT, HIDDEN, bias=bias)
    ours = KINDS[kind][2].from_torch(theirs)
    x, h, c = (random_input(B, size, seed=size) for size in (INPUT, HIDDEN, HIDDEN))
    state = h if kind == "gru" else (h, c)
    assert_all_close(as_tuple(ours(x, state)), as_tuple(theirs(x, state)), 1e-6)


@every_kind
def test_unroll_starts_from_the_state_it_is_given(kind):
    rnn = make_rnn(kind)
    x, h, c = random_input(B, T, INPUT), *random_input(2, B, HIDDEN, seed=5)
    theirs = h[None] if kind == "gru" else (h[None], c[None])
    expected, _ = rnn(x, theirs)
    run = unroll(KINDS[kind][2].from_torch(rnn), x, h if kind == "gru" else (h, c))
    assert_all_close([run.outputs], [expected], 1e-6)


@every_kind
def test_new_cells_are_initialised_as_torch_does(kind):
    torch_cell, our_cell = KINDS[kind][1:]
    ours, theirs = our_cell(40, 100), torch_cell(40, 100)
    assert [(n, p.shape) for n, p in ours.named_parameters()] == [
        (n, p.shape) for n, p in theirs.named_parameters()
    ]
    for parameter in ours.parameters():  # uniform between -1/sqrt(H) and 1/sqrt(H)
        assert parameter.abs().max() <= 0.1
        assert parameter.std().item() == pytest.approx(0.1 / math.sqrt(3), rel=0.15)
    theirs.load_state_dict(ours.state_dict())  # the same layout


@every_kind
def test_gradients_equal_finite_differences(kind):
    cell = make_cell(kind, dtype=torch.float64)
    x = random_input(3, 4, INPUT, dtype=torch.float64).requires_grad_()
    h0 = random_input(3, HIDDEN, seed=6, dtype=torch.float64).requires_grad_()
    lengths = torch.tensor([2, 4, 1])

    def run(x, h0, *_):
        state = h0 if kind == "gru" else (h0, 2 * h0)
        unrolled = unroll(cell, x, state, lengths, reverse=True)
        return unrolled.outputs, *as_tuple(unrolled.state)

    assert torch.autograd.gradcheck(run, (x, h0, *cell.parameters()))


# --- the two reset gates -------------------------------------------------------------------------


def slow_gru_step(cell, x, h):
    """One step for one row, unit by unit, straight from the equations."""
    H, I = cell.hidden_size, cell.input_size  # noqa: E741
    W, U, b, d = (p.tolist() for p in (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh))

    def gate(row):
        from_x = sum(W[row][i] * x[i] for i in range(I)) + b[row]
        return from_x + sum(U[row][j] * h[j] for j in range(H)) + d[row]

    r = [1 / (1 + math.exp(-gate(unit))) for unit in range(H)]
    z = [1 / (1 + math.exp(-gate(H + unit))) for unit in range(H)]
    new = []
    for unit in range(H):
        row = 2 * H + unit
        from_x = sum(W[row][i] * x[i] for i in range(I)) + b[row]
        if cell.reset == "before":
            n = math.tanh(from_x + sum(U[row][j] * r[j] * h[j] for j in range(H)) + d[row])
        else:
            n = math.tanh(from_x + r[unit] * (sum(U[row][j] * h[j] for j in range(H)) + d[row]))
        new.append((1 - z[unit]) * n + z[unit] * h[unit])
    return new


@pytest.mark.parametrize("reset", ["after", "before"])
def test_both_reset_gates_equal_the_slow_loop(reset):
    cell = make_cell("gru", dtype=torch.float64, reset=reset)
    x, h = random_input(B, INPUT, dtype=torch.float64), random_input(B, HIDDEN, seed=7).double()
    slow = [slow_gru_step(cell, x[b].tolist(), h[b].tolist()) for b in range(B)]
    torch.testing.assert_close(
        cell(x, h), torch.tensor(slow, dtype=torch.float64), atol=1e-12, rtol=0
    )


def test_reset_before_is_another_model_than_nn_gru():
    rnn = make_rnn("gru")
    before = GRUCell(INPUT, HIDDEN, reset="before")
    before.load_state_dict(GRUCell.from_torch(rnn).state_dict())  # same weights, same layout
    x = random_input(B, T, INPUT)
    difference = (unroll(before, x).outputs - rnn(x)[0]).abs().amax()
    assert 0.01 < difference < 1
    # From a state of zeros the products vanish: only r * d_n against d_n differs in step one.
    before.bias_hh.data.zero_()
    after = GRUCell(INPUT, HIDDEN)
    after.load_state_dict(before.state_dict())
    first = x[:, 0], torch.zeros(B, HIDDEN)
    torch.testing.assert_close(before(*first), after(*first))


def test_reset_before_works_without_biases():
    cell = make_cell("gru", reset="before", bias=False)
    with_zeros = GRUCell(INPUT, HIDDEN, reset="before")
    with_zeros.load_state_dict(
        {**cell.state_dict(), "bias_ih": torch.zeros(9), "bias_hh": torch.zeros(9)}
    )
    x = random_input(B, T, INPUT)
    torch.testing.assert_close(unroll(cell, x).outputs, unroll(with_zeros, x).outputs)


# --- gates ---------------------------------------------------------------------------------------


def test_gates_are_in_their_ranges_and_make_up_the_state():
    x = 3 * random_input(B, T, INPUT)
    for reset in ("after", "before"):
        run = unroll(make_cell("gru", reset=reset), x)
        gates = run.gates
        for gate in (gates.reset, gates.update):
            assert gate.shape == (B, T, HIDDEN)
            assert ((gate > 0) & (gate < 1)).all()
        assert (gates.candidate.abs() < 1).all()
        assert gates.hidden is run.outputs
        before = torch.cat([torch.zeros(B, 1, HIDDEN), gates.hidden[:, :-1]], dim=1)
        mixed = (1 - gates.update) * gates.candidate + gates.update * before
        torch.testing.assert_close(mixed, gates.hidden)

    run = unroll(make_cell("lstm"), x)
    gates = run.gates
    for gate in (gates.input, gates.forget, gates.output):
        assert gate.shape == (B, T, HIDDEN)
        assert ((gate > 0) & (gate < 1)).all()
    assert (gates.candidate.abs() < 1).all()
    before = torch.cat([torch.zeros(B, 1, HIDDEN), gates.cell[:, :-1]], dim=1)
    torch.testing.assert_close(gates.forget * before + gates.input * gates.candidate, gates.cell)
    torch.testing.assert_close(gates.output * gates.cell.tanh(), gates.hidden)


def test_an_update_gate_of_one_keeps_the_old_state():
    cell, h = make_cell("gru"), random_input(B, HIDDEN)
    cell.bias_hh.data[HIDDEN : 2 * HIDDEN] = 100.0  # z = 1
    torch.testing.assert_close(cell(random_input(B, INPUT), h), h)
    cell.bias_hh.data[HIDDEN : 2 * HIDDEN] = -100.0  # z = 0
    gates = cell.gates(random_input(B, INPUT), h)
    torch.testing.assert_close(gates.hidden, gates.candidate)


@pytest.mark.parametrize("forget", [0.5, 0.9, 0.98])
def test_half_life_of_a_constant_forget_gate(forget):
    cell = LSTMCell(1, 1)
    for parameter in cell.parameters():
        parameter.data.zero_()
    cell.bias_ih.data[1] = math.log(forget / (1 - forget))  # the forget gate's row; g = tanh(0) = 0
    half_life = math.log(2) / -math.log(forget)
    steps = 80
    run = unroll(cell, torch.zeros(1, steps, 1), (torch.zeros(1, 1), torch.ones(1, 1)))
    left = run.gates.cell[0, :, 0]
    expected = torch.tensor([0.5 ** ((t + 1) / half_life) for t in range(steps)])
    torch.testing.assert_close(left, expected, atol=0, rtol=1e-4)
    assert (left >= 0.5 - 1e-6).sum() == math.floor(half_life)  # 1, 6 and 34 steps


# --- padding -------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("reverse", [False, True])
def test_what_stands_at_pads_does_not_matter(kind, reverse):
    cell = make_cell(kind)
    pads = torch.arange(T) >= LENGTHS[:, None]  # [B, T]
    clean = random_input(B, T, INPUT).masked_fill(pads[..., None], 0)
    expected = unroll(cell, clean, lengths=LENGTHS, reverse=reverse)
    expected_grads = gradients(expected.outputs, as_tuple(expected.state), list(cell.parameters()))
    for filling in (1e30, float("inf"), float("nan")):
        dirty = clean.masked_fill(pads[..., None], filling).requires_grad_()
        run = unroll(cell, dirty, lengths=LENGTHS, reverse=reverse)
        assert torch.equal(run.outputs, expected.outputs)
        assert all(map(torch.equal, as_tuple(run.state), as_tuple(expected.state)))
        inputs = [dirty, *cell.parameters()]
        x_grad, *grads = gradients(run.outputs, as_tuple(run.state), inputs)
        assert (x_grad[pads] == 0).all()
        assert all(map(torch.equal, grads, expected_grads))
    for gate in expected.gates:
        assert (gate[pads] == 0).all()
        assert (gate[~pads] != 0).all()


@every_kind
@pytest.mark.parametrize("reverse", [False, True])
def test_a_row_alone_equals_the_row_in_a_batch(kind, reverse):
    cell, x = make_cell(kind), random_input(B, T, INPUT)
    batch = unroll(cell, x, lengths=LENGTHS, reverse=reverse)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = unroll(cell, x[row : row + 1, :length], reverse=reverse)
        for actual, expected in zip(
            (batch.outputs[row, :length], *(part[row] for part in as_tuple(batch.state))),
            (alone.outputs[0], *(part[0] for part in as_tuple(alone.state))),
            strict=True,
        ):
            torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)
        last = 0 if reverse else length - 1
        assert torch.equal(batch.outputs[row, last], as_tuple(batch.state)[0][row])


@every_kind
def test_reading_in_reverse_is_reading_the_reversed_rows(kind):
    cell, x = make_cell(kind), random_input(B, T, INPUT)
    run = unroll(cell, x, lengths=LENGTHS, reverse=True)
    for row, length in enumerate(LENGTHS.tolist()):
        flipped = unroll(cell, x[row : row + 1, :length].flip(1))
        torch.testing.assert_close(
            run.outputs[row, :length], flipped.outputs[0].flip(0), atol=1e-6, rtol=0
        )


@every_kind
def test_arguments_are_not_changed(kind):
    cell, x = make_cell(kind), random_input(B, T, INPUT)
    h, c = random_input(2, B, HIDDEN)
    arguments = (x, h, c, LENGTHS)
    before = [argument.clone() for argument in arguments]
    unroll(cell, x, h if kind == "gru" else (h, c), LENGTHS)
    unroll_stack(make_rnn(kind, bidirectional=True), x, LENGTHS)
    assert all(map(torch.equal, arguments, before))


# --- copying from torch --------------------------------------------------------------------------


@every_kind
def test_from_torch_copies_unless_told_to_share(kind):
    rnn = make_rnn(kind, num_layers=2, bidirectional=True)
    copy = KINDS[kind][2].from_torch(rnn, layer=1, reverse=True)
    shared = KINDS[kind][2].from_torch(rnn, layer=1, reverse=True, share=True)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        original = getattr(rnn, f"{name}_l1_reverse")
        assert getattr(shared, name) is original
        assert torch.equal(getattr(copy, name), original)
        assert getattr(copy, name).data_ptr() != original.data_ptr()
        assert getattr(copy, name).requires_grad
    assert copy.input_size == 2 * HIDDEN


@every_kind
def test_from_torch_draws_no_random_numbers(kind):
    rnn = make_rnn(kind)
    before = torch.get_rng_state()
    KINDS[kind][2].from_torch(rnn)
    assert torch.equal(torch.get_rng_state(), before)


def test_from_torch_refuses_what_it_cannot_copy():
    with pytest.raises(TypeError, match="module must be nn.GRU or nn.GRUCell, but it is LSTM"):
        GRUCell.from_torch(make_rnn("lstm"))
    with pytest.raises(TypeError, match="module must be nn.LSTM or nn.LSTMCell, but it is GRUCell"):
        LSTMCell.from_torch(nn.GRUCell(2, 3))
    for layer in (2, -1):
        with pytest.raises(ValueError, match=rf"layer must be in 0 \.\. 1, but it is {layer}"):
            GRUCell.from_torch(make_rnn("gru", num_layers=2), layer=layer)
    with pytest.raises(ValueError, match="needs a bidirectional module"):
        GRUCell.from_torch(make_rnn("gru"), reverse=True)
    with pytest.raises(ValueError, match="needs a bidirectional module"):
        GRUCell.from_torch(nn.GRUCell(2, 3), reverse=True)
    with pytest.raises(ValueError, match="proj_size must be 0, but it is 2"):
        LSTMCell.from_torch(nn.LSTM(4, 3, proj_size=2))


def test_unroll_stack_refuses_what_it_cannot_repeat():
    x = random_input(B, T, INPUT)
    for module in (nn.RNN(INPUT, HIDDEN), nn.GRUCell(INPUT, HIDDEN)):
        with pytest.raises(
            TypeError, match=f"nn.GRU or nn.LSTM, but it is {type(module).__name__}"
        ):
            unroll_stack(module, x)
    rnn = make_rnn("gru", num_layers=2, dropout=0.5)
    with pytest.raises(ValueError, match=r"training with dropout 0.5: call rnn.eval\(\) first"):
        unroll_stack(rnn, x)
    rnn.eval()
    assert_all_close([unroll_stack(rnn, x).outputs], [rnn(x)[0]], 1e-6)
    alone = make_rnn("gru", num_layers=1)
    alone.dropout = 0.5  # between layers: with one there is nothing to repeat
    assert_all_close([unroll_stack(alone, x).outputs], [alone(x)[0]], 1e-6)


# --- bad input -----------------------------------------------------------------------------------


@every_kind
def test_bad_sizes_are_refused(kind):
    for sizes in ((0, 3), (3, 0), (-1, 3)):
        with pytest.raises(ValueError, match="sizes must be ≥ 1, but they are"):
            KINDS[kind][2](*sizes)
    with pytest.raises(ValueError, match="Unknown reset: 'inside'. Valid: 'after'.*'before'"):
        GRUCell(2, 3, reset="inside")


@every_kind
def test_bad_steps_are_refused(kind):
    cell, x = make_cell(kind), random_input(B, INPUT)
    state = cell.initial_state(B)

    def states(h):
        return h if kind == "gru" else (h, h)

    for bad_x in (x[:, :-1], x[0], x[:, None]):
        with pytest.raises(ValueError, match=r"x must be \["):
            cell(bad_x, state)
    for shape in ((B, HIDDEN + 1), (B - 1, HIDDEN), (HIDDEN,), (1, B, HIDDEN)):
        with pytest.raises(ValueError, match=rf"(state|h) must be \[{B}, {HIDDEN}\], not"):
            cell(x, states(torch.zeros(shape)))
    with pytest.raises(ValueError, match="x is torch.float64 on cpu, but the weights are torch.fl"):
        cell(x.double(), state)
    with pytest.raises(ValueError, match=r"(state|h) is torch.float16 on cpu"):
        cell(x, states(torch.zeros(B, HIDDEN, dtype=torch.float16)))
    with pytest.raises(ValueError, match="x is torch.float32 on meta, but the weights are .* cpu"):
        cell(x.to("meta"), state)
    with pytest.raises(TypeError, match="x must be a tensor, but it is list"):
        cell(x.tolist(), state)


def test_a_state_of_the_other_kind_is_refused():
    x, h = random_input(B, INPUT), torch.zeros(B, HIDDEN)
    for bad in ((h, h), None):
        with pytest.raises(TypeError, match="state must be a tensor, but it is (tuple|NoneType)"):
            make_cell("gru")(x, bad)
    for bad in (h, (h,), None):
        with pytest.raises(TypeError, match=r"state must be a tuple \(h, c\), but it is"):
            make_cell("lstm")(x, bad)
    with pytest.raises(ValueError, match=r"c must be \[4, 3\], not \[4, 2\]"):
        make_cell("lstm")(x, (h, h[:, :2]))
    with pytest.raises(TypeError, match="state must be a tensor, but it is tuple"):
        unroll(make_cell("gru"), x[:, None], (h, h))


@every_kind
def test_bad_batches_are_refused(kind):
    cell = make_cell(kind)
    for shape in ((B, INPUT), (0, T, INPUT), (B, 0, INPUT), (1, B, T, INPUT)):
        with pytest.raises(ValueError, match=r"x must have shape \[B, T, I\] with B, T ≥ 1"):
            unroll(cell, torch.zeros(shape))
    x = random_input(B, T, INPUT)
    for lengths in (LENGTHS.float(), LENGTHS.bool(), LENGTHS.tolist()):
        with pytest.raises(TypeError, match="lengths must be an integer tensor"):
            unroll(cell, x, lengths=lengths)
    for bad in (0, -2, T + 1):
        lengths = LENGTHS.clone()
        lengths[2] = bad
        with pytest.raises(ValueError, match=rf"lengths must be [≥≤] [1{T}].*, but row 2 is {bad}"):
            unroll(cell, x, lengths=lengths)
    for lengths in (LENGTHS[:-1], LENGTHS[:, None], LENGTHS[0]):
        with pytest.raises(ValueError, match=rf"lengths must have shape \[({B}|B)\]"):
            unroll(cell, x, lengths=lengths)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every_kind
def test_parity_on_cuda_in_float64(kind):
    rnn = make_rnn(kind, dtype=torch.float64, num_layers=2, bidirectional=True).cuda()
    x = random_input(B, T, INPUT, dtype=torch.float64).cuda()
    for lengths in (LENGTHS, LENGTHS.cuda()):
        assert_parity(rnn, x.detach(), lengths)


def test_a_single_torch_cell_has_one_layer():
    with pytest.raises(ValueError, match="layer must be in 0 .. 0, but it is 1"):
        GRUCell.from_torch(torch.nn.GRUCell(2, 3), layer=1)


def test_reset_before_takes_the_candidates_own_third_of_the_biases():
    # with 5 units no other way of cutting 15 rows gives a third; two or three units would hide it
    torch.manual_seed(0)
    cell = GRUCell(2, 5, reset="before").double()
    x, h = torch.randn(4, 2).double(), torch.randn(4, 5).double()
    gates = cell.gates(x, h)
    W, U, b, d = cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh
    reset = torch.sigmoid(x @ W[:5].T + b[:5] + h @ U[:5].T + d[:5])
    candidate = torch.tanh(x @ W[10:].T + b[10:] + (reset * h) @ U[10:].T + d[10:])
    torch.testing.assert_close(gates.candidate, candidate, rtol=0, atol=1e-12)
