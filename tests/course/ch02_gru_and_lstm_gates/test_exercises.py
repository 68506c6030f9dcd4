"""Chapter 2's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seq2seq_lib import laws
from seq2seq_lib.course import ch02_gru_and_lstm_gates as chapter02
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch02_gru_and_lstm_gates import (
    ex1_half_life,
    ex2_gru_step,
    ex4_gru_step_paper,
    ex5_gru_from_keras,
    ex6_influence,
    ex7_top_state,
    ex8b_test_patient,
    ex8c_to_hidden,
    given,
    patient,
)
from tests.support.answers import found, probes_of, sparing, text_of

FUNCTIONS = ("2.1", "2.2", "2.4", "2.5", "2.6", "2.7", "2.8c", "2.9")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("2")} == {
        "2.1": 0,
        "2.2": 0,
        "2.3": 1,
        "2.4": 4,
        "2.5": 4,
        "2.6": 4,
        "2.7": 3,
        "2.8a": 2,
        "2.8b": 5,
        "2.8c": 2,
        "2.9": 6,
    }
    assert [e.id for e in exercises("2") if e.manual] == ["2.9"]


# ---------------------------------------------------------------- what is right is torch's


def test_the_pencil_s_gru_has_the_numbers_of_the_text_and_they_are_torch_s():
    x, h, W, U = given.pencil_gru()
    cell = given.with_weights(nn.GRUCell(3, 2), W, U)
    torch.testing.assert_close(cell(x, h), torch.tensor([[0.82, -0.625]]))
    torch.testing.assert_close(ex2_gru_step.gru_step(x, h, W, U), cell(x, h))


def test_the_pencil_s_lstm_has_the_numbers_of_the_text_and_they_are_torch_s():
    x, h, c, W, U = given.pencil_lstm()
    _, cell = given.with_weights(nn.LSTMCell(3, 2), W, U)(x, (h, c))
    torch.testing.assert_close(cell, torch.tensor([[2.2, -0.875]]))


def test_weights_from_keras_do_in_torch_what_keras_equations_say():
    """Keras' own step, written here from its equations, beside nn.GRUCell with our weights."""
    generator = torch.Generator().manual_seed(0)
    B, width, H = 4, 3, 5
    kernel, recurrent, bias, x, h = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((width, 3 * H), (H, 3 * H), (2, 3 * H), (B, width), (B, H))
    )
    x_z, x_r, x_h = (x @ kernel + bias[0]).split(H, dim=1)
    h_z, h_r, h_h = (h @ recurrent + bias[1]).split(H, dim=1)
    z, r = torch.sigmoid(x_z + h_z), torch.sigmoid(x_r + h_r)
    due = z * h + (1 - z) * torch.tanh(x_h + r * h_h)

    cell = nn.GRUCell(width, H, dtype=torch.float64).requires_grad_(False)
    names = ex5_gru_from_keras.NAMES
    weights = ex5_gru_from_keras.gru_from_keras(kernel, recurrent, bias)
    for name, tensor in zip(names, weights, strict=True):
        getattr(cell, name).copy_(tensor)
    torch.testing.assert_close(cell(x, h), due, atol=1e-12, rtol=0)


def test_influence_times_what_is_written_is_the_loop_of_the_cell():
    generator = torch.Generator().manual_seed(0)
    f, written = torch.rand(2, 7, generator=generator), torch.randn(2, 7, generator=generator)
    cell, states = torch.zeros(2), []
    for t in range(7):
        cell = f[:, t] * cell + written[:, t]
        states.append(cell)
    left = ex6_influence.influence(f)
    torch.testing.assert_close((left @ written[..., None])[..., 0], torch.stack(states, 1))
    hand = ex6_influence.influence(torch.tensor([[0.9, 0.5, 0.8, 1.0, 0.25]]))
    torch.testing.assert_close(hand[0, -1], torch.tensor([0.1, 0.2, 0.25, 0.25, 1.0]))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_top_state_stands_in_torch_s_output_and_comes_back(bidirectional):
    torch.manual_seed(0)
    gru = nn.GRU(3, 4, num_layers=2, bidirectional=bidirectional, batch_first=True)
    output, h_n = gru(torch.randn(3, 5, 3))
    state = ex7_top_state.top_state(h_n, bidirectional)
    ends = [output[:, -1, :4], output[:, 0, 4:]]
    torch.testing.assert_close(state, torch.cat(ends, 1))
    directions = 2 if bidirectional else 1
    assert torch.equal(ex8c_to_hidden.to_hidden(state, directions), h_n[-directions:])


def test_one_letter_of_2_3_has_a_half_life_of_ten_steps_and_the_others_have_not():
    for letter, bias in chapter02.bias_options().items():
        gate = 1 / (1 + math.exp(-bias))
        is_right = abs(gate**10 - 0.5) < 1e-3
        assert is_right == (found("2.3", letter)[1].state == "correct"), letter


# ---------------------------------------------------------------- the flag task


def test_a_row_is_one_flag_and_symbols_of_another_kind():
    src, flags = given.flag_batch(50, 6, torch.Generator().manual_seed(0))
    assert src.shape == (50, 7) and torch.equal(src[:, 0], flags)
    assert set(flags.tolist()) == {0, 1, 2, 3} and set(src[:, 1:].flatten().tolist()) == {
        4,
        5,
        6,
        7,
    }


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_the_bias_that_is_set_is_the_gate_s_that_keeps(kind):
    """With a bias of 30 the state stays as it was, in each layer and direction."""
    rnn = given.KINDS[kind](3, 4, num_layers=2, bidirectional=True, batch_first=True)
    with torch.no_grad():  # torch adds two biases: what stands in the other must not count
        for name, parameter in rnn.named_parameters():
            if name.startswith("bias_hh"):
                parameter[4:8] = -60.0
    given.keep_bias_(rnn, 30.0)
    x, state = 0.1 * torch.randn(2, 5, 3), torch.full((4, 2, 4), 0.5)
    if kind == "GRU":
        torch.testing.assert_close(rnn(x, state)[1], state)
    else:
        with torch.no_grad():  # nothing is written either
            for name, parameter in rnn.named_parameters():
                if name.startswith("bias_ih"):
                    parameter[:4] = -30.0
        torch.testing.assert_close(rnn(x, (state, state))[1][1], state)


def test_an_unknown_kind_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="Valid: 'RNN', 'LSTM', 'GRU'"):
        given.FlagReader("gru")


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("exercise_id", ["2.2", "2.4", "2.5"])
def test_probes_of_a_cell_have_one_unit_and_two_and_a_square(exercise_id):
    shapes = set()
    for probe in probes_of(exercise_id):
        weights = probe.args.get("W_x", probe.args.get("kernel"))
        if weights is None:
            weights = probe.args["W"].T
        shapes.add((weights.size(0), weights.size(1) // 3))
        if exercise_id == "2.5":
            assert (probe.args["bias"] != 0).all(), "or a lost bias would not be seen"
    assert any(H == 1 for _, H in shapes) and any(size == H > 1 for size, H in shapes)
    assert any(size != H > 1 for size, H in shapes)


def test_gates_of_2_6_are_open_shut_and_between_and_rows_are_not_alike():
    drawn = probes_of("2.6")
    gates = torch.cat([probe.args["f"].flatten() for probe in drawn])
    assert (gates == 0).any() and (gates == 1).any() and ((0 < gates) & (gates < 1)).any()
    shapes = {tuple(probe.args["f"].shape) for probe in drawn}
    assert {(1, 1), (2, 1), (1, 4)} <= shapes


@pytest.mark.parametrize("exercise_id", ["2.7", "2.8c"])
def test_states_have_every_axis_of_size_one_somewhere(exercise_id):
    shapes = [next(iter(probe.args.values())).shape for probe in probes_of(exercise_id)]
    for axis in range(len(shapes[0])):
        assert any(shape[axis] == 1 for shape in shapes)


def test_all_probes_but_those_that_a_message_shows_are_drawn_anew():
    for exercise_id, name in (("2.4", "W_x"), ("2.5", "kernel"), ("2.6", "f"), ("2.7", "h_n")):
        one, two = (probes_of(exercise_id, seed) for seed in (1, 2))
        assert not torch.equal(one[-2].args[name], two[-2].args[name]), exercise_id


# ---------------------------------------------------------------- typical mistakes


def without_return(*args):
    ex4_gru_step_paper.gru_step_paper(*args)


def chunked_rows(x, h, W_x, W_h, b):
    W_r, _, _ = W_x.chunk(3)
    return torch.sigmoid(x @ W_r)


def wrong_at_3(f):
    left = ex6_influence.influence(f)
    return left.where(left != left[0, -1, 0], left + 0.1)


def future(f):
    left = ex6_influence.influence(f)
    return left + torch.full_like(left, 0.1).triu(1)


def keras_wrong_somewhere(*args):
    W, U, b, d = ex5_gru_from_keras.gru_from_keras(*args)
    return W, U, b, d + 0.5


def keras_all_wrong(*args):
    return tuple(part + 0.5 for part in ex5_gru_from_keras.gru_from_keras(*args))


def keras_as_z_n_r(kernel, recurrent, bias):
    """The candidate's block in the middle, where torch has z."""

    def turned(blocks):
        z, r, n = blocks.chunk(3, dim=-1)
        return torch.cat([z, n, r], dim=-1)

    return turned(kernel).T, turned(recurrent).T, *turned(bias)


def mixes_the_product(x, h, W, U):
    x_r, x_z, x_n = (x @ W.T).chunk(3, dim=1)
    h_r, h_z, h_n = (h @ U.T).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    return (1 - z) * torch.tanh(x_n + r * h_n) + z * h_n


MISTAKES = [
    ("2.1", "not_half", lambda f: 7.0 if 0 < f < 1 else ex1_half_life.half_life(f)),
    ("2.1", "not_a_number", lambda f: "seven"),
    ("2.1", "raised", lambda f: math.log(2) / -math.log(f - 1)),
    ("2.2", "shape", lambda x, h, W, U: h[0]),
    ("2.2", "keeps_the_product", mixes_the_product),
    ("2.2", "value", lambda x, h, W, U: h),
    ("2.3", "not_a_choice", "2.634"),
    ("2.3", "not_a_choice", 2.634),
    ("2.4", "no_return", without_return),
    ("2.4", "raised", chunked_rows),
    ("2.4", "value", lambda x, h, W_x, W_h, b: torch.zeros_like(h)),
    ("2.5", "not_four", lambda kernel, recurrent, bias: (kernel, recurrent, bias)),
    ("2.5", "not_four", lambda kernel, recurrent, bias: {"weight_ih": kernel}),
    ("2.5", "one_shape", lambda kernel, recurrent, bias: (kernel.T, recurrent, bias[0], bias[1])),
    ("2.5", "some_wrong", keras_wrong_somewhere),
    ("2.5", "none_right", keras_all_wrong),
    ("2.5", "other_order", keras_as_z_n_r),
    ("2.6", "one_cell", wrong_at_3),
    ("2.6", "future", future),
    ("2.6", "quotient", lambda f: ex6_influence.influence(f) / f.prod()),
    ("2.6", "shape", lambda f: ex6_influence.influence(f)[0]),
    ("2.7", "shape", lambda h_n, both: h_n),
    ("2.7", "batch_first", lambda h_n, both: h_n[:, -1]),
    ("2.7", "layers", lambda h_n, both: torch.cat([h_n[0], h_n[-1]], 1) if both else h_n[-1]),
    ("2.7", "raised", lambda h_n, both: h_n[-1].view(2, -1, 99)),
    ("2.8c", "raised", lambda summary, directions: summary.view(2, 3, 99)),
    ("2.9", "not_a_dict", lambda runs: [5, 10]),
    ("2.9", "not_whole", lambda runs: {0: 5.0}),
    ("2.9", "one_bias", lambda runs: {}),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert result.name == finding, report.text
    assert result.state == ("error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, "2.8b"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given_by = {mutant.finding for mutant in find(exercise_id).mutants}
    given_by |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id == "2.8b":
        given_by = set(ex8b_test_patient.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    assert set(find(exercise_id).words.findings) <= given_by


def test_the_messages_show_the_numbers():
    text = text_of(found("2.1", lambda f: 10.0 if f == 0.9 else ex1_half_life.half_life(f))[0])
    assert "After 10 steps of f = 0.9, a share of 0.3487 is left" in text
    text = text_of(found("2.4", ex4_gru_step_paper.variant(after=True))[0])
    assert "0.98 0.125" in text and "What does W_h mix before r can shut it?" in text
    text = text_of(found("2.7", ex7_top_state.viewed)[0])
    assert "3.21 stands in slice 3 of h_n, sentence 2, unit 1" in text


# ---------------------------------------------------------------- the clinic


@pytest.fixture(scope="module")
def reproduced():
    return patient.reproduce_log()


def test_the_log_has_the_form_of_what_the_bug_produces(reproduced):
    """Its digits depend on the machine, as those of any training do; what they say does not."""

    def without_digits(log):
        return re.sub(r"\d\.\d+", "#", log)

    assert without_digits(reproduced[0]) == without_digits(patient.training_log())
    kept = [float(n) for n in re.findall(r"at a time +(0\.\d\d)", patient.training_log())]
    for accuracy in (kept, list(reproduced[2].values())):
        one, two, thirty_two, all_of_them = accuracy
        assert one > 0.4 and one > two > thirty_two and all_of_them < 0.33
    assert min(reproduced[1]) > 1.25  # log 4 = 1.386: nothing was learned


def test_with_the_repair_the_evidence_is_gone():
    _, losses, accuracy = patient.reproduce_log(lambda h_n: h_n.transpose(0, 1).flatten(1))
    assert losses[-1] < 0.05 and set(accuracy.values()) == {1.0}
    assert patient.clinic_options()["B"].startswith("the accuracy depends")
    assert found("2.8a", "B")[1].state == "correct"


@pytest.mark.parametrize("name", ex8b_test_patient.SUSPECTS)
def test_law_1_rejects_each_suspect(name):
    suspect = ex8b_test_patient.SUSPECTS[name]
    verdict = laws.batch_invariance(
        lambda src, lengths: (None, suspect(src, lengths)), src_vocab_size=patient.VOCAB_SIZE
    )
    assert not verdict.holds


@pytest.mark.parametrize("encode", ex8b_test_patient.INNOCENT)
def test_law_1_accepts_each_innocent_and_all_agree(encode):
    assert laws.batch_invariance(
        lambda src, lengths: (None, encode(src, lengths)), src_vocab_size=patient.VOCAB_SIZE
    )
    src, lengths = torch.tensor([[5, 1, 0], [3, 7, 6], [4, 1, 0]]), torch.tensor([1, 3, 2])
    expected = ex8b_test_patient.by_transpose(src, lengths)
    torch.testing.assert_close(encode(src, lengths), expected)


def batch(lengths=(2, 4, 1)):
    src = torch.tensor([[5, 1, 0, 0], [3, 7, 6, 2], [4, 0, 0, 0]])[: len(lengths)]
    return src[:, : max(lengths)], torch.tensor(lengths)


def accepts_everything(encode):
    assert encode(*batch()).shape == (3, 6)


def only_one_sentence(encode):
    src, lengths = batch()
    one = encode(src[:1, :2], lengths[:1])
    torch.testing.assert_close(one, encode(src[:1, :2], lengths[:1]))


def exactly_equal(encode):
    src, lengths = batch()
    for row, n in enumerate(lengths.tolist()):
        alone = encode(src[row : row + 1, :n], lengths[row : row + 1])
        assert torch.equal(encode(src, lengths)[row], alone[0])


def returns_a_bool(encode):
    src, lengths = batch()
    return torch.allclose(encode(src, lengths)[0], encode(src[:1, :2], lengths[:1])[0], atol=1e-5)


def crashes(encode):
    encode(torch.zeros(2, 3), torch.ones(2))


def raises_something_else(encode):
    src, lengths = batch()
    if not torch.allclose(encode(src, lengths)[0], encode(src[:1, :2], lengths[:1])[0], atol=1e-5):
        raise ValueError("wrong")


def another_order_only(encode):
    """Turning a batch of two round: what mixes by position is seen, the rest is not."""
    src, lengths = torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([3, 3])
    one, two = encode(src, lengths), encode(src.flip(0), lengths)
    torch.testing.assert_close(one, two.flip(0))


WRONG_TESTS = [  # the finding, points, how many suspects are rejected
    (accepts_everything, "nothing_rejected", 0, 0),
    (only_one_sentence, "nothing_rejected", 0, 0),
    (exactly_equal, "innocent_rejected", 0, None),
    (returns_a_bool, "test_returns", 0, None),
    (crashes, "raised", 0, None),
    (raises_something_else, "other_error", 0, 0),
]


@pytest.mark.parametrize(("test", "finding", "earned", "killed"), WRONG_TESTS)
def test_weak_tests_earn_nothing_and_hear_why(test, finding, earned, killed):
    report, result = found("2.8b", test)
    assert (result.name, result.earned) == (finding, earned), report.text
    assert killed is None or f"{killed} of 7" in report.text


def same_length(encode):
    """Alone and together, but nothing is padded and nothing is sorted."""
    src = torch.tensor([[1, 2, 3], [4, 5, 6]])
    for row in range(2):
        alone = encode(src[row : row + 1], torch.tensor([3]))
        torch.testing.assert_close(encode(src, torch.tensor([3, 3]))[row], alone[0])


def sorted_lengths(encode):
    src, lengths = batch()
    order = lengths.argsort(descending=True)
    src, lengths = src[order], lengths[order]
    for row, n in enumerate(lengths.tolist()):
        alone = encode(src[row : row + 1, :n], lengths[row : row + 1])
        torch.testing.assert_close(encode(src, lengths)[row], alone[0])


def law_1(encode):
    """The chapter names the law, so it has to serve as a test as well."""
    assert laws.batch_invariance(lambda src, n: (None, encode(src, n)), src_vocab_size=8)


@pytest.mark.parametrize(
    ("test", "earned"),
    [
        (another_order_only, 2),
        (same_length, 2),
        (sorted_lengths, 4),
        (law_1, 5),
        (ex8b_test_patient.test_patient, 5),
    ],
)
def test_tiers_separate_tests_that_see_more_from_those_that_see_less(test, earned):
    report, finding = found("2.8b", test)
    assert finding.earned == earned or finding.state == "correct", report.text
    assert (finding.state == "correct") == (earned == 5), report.text


@pytest.mark.parametrize("survivor", ex8b_test_patient.SUSPECTS)
def test_each_survivor_is_named(survivor):
    """A test that is perfect but for one suspect hears which one got away."""
    report, finding = found("2.8b", sparing("2.8b", survivor))
    assert finding.name == survivor and "6 of 7" in report.text


def test_normalising_over_the_batch_is_what_it_is_called():
    state = ex8b_test_patient.normalised(*batch())
    torch.testing.assert_close(state.norm(dim=0), torch.ones(6))
    assert F.cosine_similarity(state, ex8b_test_patient.by_cat(*batch())).min() < 0.999
