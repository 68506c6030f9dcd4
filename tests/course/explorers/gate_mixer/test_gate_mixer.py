"""The gate mixer: its unit is torch's, its picture shows the unit, its question has the answer."""

import itertools
import math
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seq2seq_lib.course.explorers.gate_mixer import EXPLORER, HALVES, SECOND_PULSES, STATES, explore
from seq2seq_lib.course.explorers.gate_mixer.compute import (
    BIASES,
    CANDIDATE,
    CELLS,
    OPEN,
    REST,
    SECOND,
    SHOW,
    STEPS,
    WEIGHTS,
    WRITE,
    compute,
    half_life,
    sigmoid,
)
from seq2seq_lib.course.explorers.gate_mixer.picture import draw
from seq2seq_lib.course.explorers.kit.still import Still
from seq2seq_lib.course.explorers.kit.table import packed, table
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words


def stored(**params) -> list[float]:
    return [step.stored for step in compute(**params).steps]


def every_setting() -> list[dict]:
    return [
        {"cell": cell, "second": second, **{name: value}}
        for cell in CELLS
        for second in (False, True)
        for name, values in ([("weight", WEIGHTS)] if cell == "rnn" else [("bias", BIASES)])
        for value in values
    ]


# ---------------------------------------------------------------- compute


def blocks(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]


def torch_cell(cell: str, weight: float, bias: float) -> nn.Module:
    """torch's cell of one unit with the weights that the docstrings name."""
    kind = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}[cell]
    module = kind(1, 1, dtype=torch.float64).requires_grad_(False)
    for parameter in module.parameters():
        parameter.zero_()
    if cell == "rnn":
        module.weight_ih.copy_(blocks(1.0))
        module.weight_hh.copy_(blocks(weight))
    elif cell == "lstm":  # i, f, g, o
        module.weight_ih.copy_(blocks(WRITE, 0, CANDIDATE, 0))
        module.bias_ih.copy_(blocks(REST, bias, 0, SHOW)[:, 0])
    else:  # r, z, n
        module.weight_ih.copy_(blocks(0, OPEN, CANDIDATE))
        module.bias_ih.copy_(blocks(0, bias, 0)[:, 0])
    return module


@pytest.mark.parametrize("params", every_setting(), ids=str)
def test_every_unit_is_torch_s_with_the_same_weights(params):
    result = compute(**params)
    module = torch_cell(result.cell, result.weight, result.bias)
    state = None
    for step in result.steps:
        state = module(torch.tensor([[step.x]], dtype=torch.float64), state)
        hidden, cell = state if result.cell == "lstm" else (state, state)
        assert cell.item() == pytest.approx(step.stored, abs=1e-12)
        assert hidden.item() == pytest.approx(step.shown, abs=1e-12)


@given(st.floats(-20, 20), st.sampled_from(["lstm", "gru"]))
def test_what_is_kept_falls_by_the_gate_and_is_halved_after_the_half_life(bias, cell):
    result = compute(cell=cell, bias=bias)
    values = [step.stored for step in result.steps]
    for before, after in itertools.pairwise(values):
        assert after == pytest.approx(result.keep * before, abs=1e-12)
    assert result.half_life == half_life(result.keep)
    if result.gone_after is None:
        assert result.half_life > STEPS - 1 - 1e-6
    else:
        assert result.gone_after - 1 - 1e-6 < result.half_life <= result.gone_after + 1e-6


@pytest.mark.parametrize(
    ("f", "steps"), [(0.0, 0.0), (0.5, 1.0), (0.9, 6.5788), (1.0, math.inf), (sigmoid(4), 38.19)]
)
def test_half_lives(f, steps):
    assert half_life(f) == pytest.approx(steps, abs=0.01)


def test_the_numbers_of_the_text():
    assert [round(stored()[t - 1], 3) for t in (1, 2, 6, 11)] == [0.947, 0.473, 0.03, 0.001]
    assert [round(stored(bias=4)[t - 1], 3) for t in (1, 2, 6, 30)] == [0.947, 0.93, 0.865, 0.559]
    assert round(stored(bias=4, second=True)[SECOND - 1], 3) == 1.681
    assert round(stored(cell="gru", bias=4, second=True)[SECOND - 1], 3) == 0.963


@given(st.sampled_from([1.1, 1.5]), st.floats(0.1, 3))
def test_a_latch_keeps_that_there_was_a_pulse_and_not_how_large(weight, pulse):
    h = math.tanh(pulse)
    for _ in range(200):
        h = math.tanh(weight * h)
    settled = stored(cell="rnn", weight=weight)[-1]
    assert h == pytest.approx(settled, abs=0.01)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_sigmoid_never_overflows(a):
    assert 0 <= sigmoid(a) <= 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cell": "LSTM"}, "Valid: 'rnn', 'lstm', 'gru'"),
        ({"cursor": 0}, "cursor must be a step, 1 to 30"),
        ({"cursor": 31}, "cursor"),
        ({"bias": math.nan}, "finite"),
        ({"cell": "rnn", "weight": math.inf}, "finite"),
    ],
)
def test_values_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        compute(**wrong)


# ---------------------------------------------------------------- the question


@pytest.mark.parametrize("params", every_setting(), ids=str)
def test_the_answer_is_one_that_is_offered_and_it_is_true(params):
    view = EXPLORER.view({**EXPLORER.params("lstm_0"), **params})
    offered = {answer["value"] for answer in view["question"]["answers"]}
    assert offered == set((SECOND_PULSES if params["second"] else HALVES).values())
    assert view["answer"] in offered and view["why"].endswith(".")
    result = compute(**params)
    if params["second"]:
        before, after = (result.steps[t - 1].stored for t in (SECOND - 1, SECOND))
        alone = result.steps[0].stored  # what a pulse writes into nothing
        kind = {"adds": "lstm", "replaces": "gru", "squashes": "rnn"}[view["answer"]]
        assert kind == params["cell"]
        if kind == "lstm":
            assert after == pytest.approx(result.keep * before + alone)
        else:
            assert after < 1 and (kind == "rnn" or after - alone < 0.02)
    else:
        low, high = {"soon": (1, 2), "some": (3, 9), "many": (10, 29), "never": (30, 999)}[
            view["answer"]
        ]
        assert low <= (999 if result.gone_after is None else result.gone_after) <= high


def test_every_answer_is_the_right_one_somewhere():
    given_by = {
        EXPLORER.view({**EXPLORER.params("lstm_0"), **p})["answer"] for p in every_setting()
    }
    assert given_by == {*HALVES.values(), *SECOND_PULSES.values()}


def test_a_prediction_is_kept_for_a_cell_and_its_setting_and_not_for_a_step():
    def about(**params):
        return EXPLORER.view({**EXPLORER.params("lstm_0"), **params})["question"]["about"]

    assert about(cursor=1) == about(cursor=20)
    assert len({about(bias=b) for b in BIASES}) == len(BIASES)
    assert about(second=True) != about() != about(cell="gru")


# ---------------------------------------------------------------- the picture


@pytest.mark.parametrize(
    "params",
    covering([{**p, "cursor": at} for p in every_setting() for at in (1, 15, 30)]),
    ids=str,
)
def test_it_has_a_mark_for_each_step_a_row_for_each_gate_and_nothing_is_cut_off(params):
    result, cursor = compute(**params), params["cursor"]
    root = parsed(draw(result))
    marks = of_class(root, "value")
    assert len(marks) == STEPS
    assert [m.get("r") for m in marks].index("5.5") == cursor - 1
    heights = [float(mark.get("cy")) for mark in marks]
    values = [step.stored for step in result.steps]
    scale = 150 / (2 if max(values) > 1 else 1)  # pixels for 1, and y points down
    for height, value in zip(heights, values, strict=True):
        assert heights[0] - height == pytest.approx(scale * (value - values[0]), abs=0.11)
    assert len(of_class(root, "gate")) == STEPS * (1 + len(result.steps[0].gates))
    assert unreadable(root) == []
    assert unreadable(parsed(draw(result, veiled=True))) == []


def test_the_equation_holds_with_the_numbers_that_stand_in_it():
    for params in every_setting():
        for cursor in (1, 2, SECOND, STEPS):
            shown = words(parsed(draw(compute(**params, cursor=cursor))))
            lines = [line for line in shown if " = " in line and line[0] in "0123456789t−"]
            assert lines
            for line in lines:
                left, right = line.replace("−", "-").replace("·", "*").split(" = ")
                # numbers of three digits, and at most two products of them
                assert eval(left, {"tanh": math.tanh}) == pytest.approx(float(right), abs=2e-3)


def test_before_the_prediction_nothing_gives_the_answer_away():
    for state in STATES:
        view = EXPLORER.view(EXPLORER.params(state))
        veiled = parsed(view["veiled"])
        assert len(of_class(veiled, "veil")) == 1
        assert of_class(veiled, "value") == of_class(veiled, "gate") == []
        shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert "gone" not in shown and "stored;" not in shown and "0.9" not in shown


def test_title_and_description_say_what_the_picture_shows():
    root = parsed(EXPLORER.picture("lstm_0"))
    assert root[0].text == "0.947 stored; half of it is gone after 1 step"
    assert "6: 0.030" in root[1].text and "f 0.500" in root[1].text
    assert "bias −2 of the gate that keeps" in draw(compute(bias=-2))
    assert "turns 0.756 into 0.963" in parsed(EXPLORER.picture("gru_two_pulses"))[0].text


# ---------------------------------------------------------------- controls, table, still


def test_only_what_matters_can_be_set():
    def keys(**params):
        rows = EXPLORER.view({**EXPLORER.params("lstm_0"), **params})["rows"]
        return [control["key"] for row in rows for control in row]

    assert keys() == ["cell", "second", "bias", "cursor"]
    assert keys(cell="rnn") == ["cell", "second", "weight", "cursor"]


def test_every_control_changes_the_picture():
    params = EXPLORER.params("lstm_0")
    for key, value in (
        ("bias", 4),
        ("second", True),
        ("cursor", 15),
        ("cell", "rnn"),
        ("weight", 1.5),
    ):
        before = EXPLORER.view(params)["open"]
        params = EXPLORER.move(params, key, value)
        EXPLORER.validate(params)
        after = EXPLORER.view(params)["open"]
        assert after != before and after == draw(compute(**params)), key


@pytest.mark.parametrize(
    ("key", "value"), [("bias", 6), ("cell", "LSTM"), ("cursor", 0), ("weight", 1)]
)
def test_values_that_no_control_offers_are_refused(key, value):
    with pytest.raises(ValueError):
        EXPLORER.move(EXPLORER.params("lstm_0"), key, value)  # and a weight is not free for an LSTM


def test_a_page_without_a_kernel_can_show_every_setting():
    made = table(EXPLORER)
    assert len(made["views"]) == (len(WEIGHTS) + 2 * len(BIASES)) * 2 * STEPS
    assert set(made["starts"]) == set(STATES)
    assert len(packed(made)) < 250_000


def test_without_a_kernel_it_is_a_still_of_three_pictures():
    still = explore()
    assert isinstance(still, Still) and still.svg.count("<svg ") == 4
    assert explore("rnn_latch").svg.count("<svg ") == 2
    with pytest.raises(ValueError, match="Valid: 'lstm_0'"):
        explore("lstm_bias_0")


def test_a_move_is_answered_in_50_ms():
    taken = []
    for params in every_setting():
        for cursor in (1, 15, 30):
            start = time.process_time()
            EXPLORER.view({**EXPLORER.params("lstm_0"), **params, "cursor": cursor})
            taken.append(time.process_time() - start)
    assert sorted(taken)[int(0.95 * len(taken))] < 0.05
