"""The one-number machine: states by value and by property, the picture as XML, the panel's data."""

import itertools
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib import laws
from seq2seq_lib.course.explorers.kit import table
from seq2seq_lib.course.explorers.one_number import EXPLORER, STATES, compute, draw, explore
from seq2seq_lib.course.explorers.one_number.compute import MAX_EXTRA, READINGS, machine, says
from tests.support.pictures import of_class, parsed, unreadable, words

DIGITS = st.text("123456789", min_size=1, max_size=4)


# ---------------------------------------------------------------- compute


def test_states_have_the_values_that_one_gets_by_hand():
    alone = compute()
    assert alone.running == (3, 31, 314)
    assert set(alone.states.values()) == {314} and set(alone.said.values()) == {"413"}
    one_pad = compute(extra_pads=1)
    assert one_pad.running[-1] == 3140 and one_pad.said["last_column"] == "0413"
    beside = compute(neighbours=True, readings="four")
    assert beside.states == {"last_column": 31400, "gather": 314, "packed_last": 0, "packed": 314}
    assert beside.said["last_column"] == "00413" and beside.said["packed_last"] == ""
    assert beside.lengths == (3, 5, 1) and beside.rows[0] == (3, 1, 4, 0, 0)


@given(DIGITS, st.integers(0, MAX_EXTRA), st.booleans())
def test_two_readings_never_move_and_the_first_counts_every_column(digits, extra, neighbours):
    result = compute(digits=digits, extra_pads=extra, neighbours=neighbours, readings="four")
    for name in ("gather", "packed"):
        assert result.states[name] == int(digits) and result.said[name] == digits[::-1]
    columns = len(result.rows[0]) - len(digits)
    assert result.states["last_column"] == int(digits) * 10**columns
    assert result.states["packed_last"] == (0 if neighbours else int(digits))
    assert result.still == ("gather", "packed")
    assert result.after_one_pad == "0" + digits[::-1]


def test_it_is_a_torch_module_and_the_law_of_batches_judges_it():
    rnn = machine()

    def unpacked(src, lengths):
        return None, rnn(src[..., None].double() % 10)[1].transpose(0, 1)

    def packed(src, lengths):
        x = src[..., None].double() % 10
        rows = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return None, rnn(rows)[1].transpose(0, 1)

    assert not laws.batch_invariance(unpacked)
    assert laws.batch_invariance(packed)


def test_float32_carries_seven_digits():
    def through(digits):
        x = torch.tensor([[float(d)] for d in digits])[None]
        return says(machine(torch.float32)(x)[1])

    assert through("9999999") == "9999999"
    assert through("16777217") == "61277761", "2 ** 24 + 1 is no float32"


@pytest.mark.parametrize("text", ["", "0", "3 0 4", "12345", "-3", "three", "٣", "3.1", "1" * 1000])
def test_other_texts_are_refused_with_what_is_wanted(text):
    with pytest.raises(ValueError, match="Type 1 to 4 digits from 1 to 9"):
        compute(digits=text)


def test_other_arguments_are_refused():
    with pytest.raises(ValueError, match="extra_pads must be in 0 .. 6"):
        compute(extra_pads=7)
    with pytest.raises(ValueError, match="readings"):
        compute(readings="two")


# ---------------------------------------------------------------- the picture


@pytest.mark.parametrize("state", STATES)
def test_the_picture_shows_the_batch_and_hatches_its_pads(state):
    result = compute(**EXPLORER.params(state))
    root = parsed(draw(result))
    columns = len(result.rows[0])
    assert len(of_class(root, "cell")) == columns * len(result.rows)
    assert len(of_class(root, "pad")) == columns * len(result.rows) - sum(result.lengths)
    shown = words(root)
    for name in READINGS if result.readings == "four" else ("last_column",):
        said = " ".join(result.said[name]) or "nothing"
        assert any(str(result.states[name]) == text for text in shown)
        assert any(text.endswith(said) for text in shown)


@pytest.mark.parametrize("readings", ["one", "four"])
def test_a_veiled_picture_does_not_give_the_answer(readings):
    result = compute(extra_pads=1, readings=readings, neighbours=readings == "four")
    veiled = draw(result, veiled=True)
    assert len(of_class(parsed(veiled), "veil")) == 1
    for secret in ("314", "413", "4 1 3", "outputs", "31400"):
        assert secret not in veiled


# ---------------------------------------------------------------- the panel's data


def all_params():
    for digits, extra, neighbours in itertools.product(
        ("3 1 4", "2 7 1 8", "5"), range(MAX_EXTRA + 1), (False, True)
    ):
        for readings in ("one", "four"):
            if readings == "four" or not neighbours:
                yield {
                    "digits": digits,
                    "extra_pads": extra,
                    "neighbours": neighbours,
                    "readings": readings,
                }


def test_every_view_has_an_answer_among_those_offered():
    for params in all_params():
        view = EXPLORER.view(params)  # raises if it is not
        assert view["why"] and view["answer"] in ("pad_first", "gather, packed")


def test_no_text_is_cut_off_or_covered():
    for params in all_params():
        assert not unreadable(parsed(draw(compute(**params)))), params


def test_every_control_moves():
    params = EXPLORER.params("alone")
    params = EXPLORER.move(params, "readings", "four")
    params = EXPLORER.move(params, "neighbours", True)
    params = EXPLORER.move(params, "extra_pads", 4)
    params = EXPLORER.move(params, "digits", "9,8")
    assert compute(**params).states["packed"] == 98
    params = EXPLORER.move(params, "readings", "one")
    assert params["neighbours"] is False, "one reading has no neighbours"
    with pytest.raises(ValueError, match="cannot be moved now"):
        EXPLORER.move(params, "neighbours", True)


def test_it_answers_at_once():
    times = []
    for params in all_params():
        start = time.perf_counter()
        EXPLORER.view(params)
        times.append(time.perf_counter() - start)
    assert sorted(times)[int(0.95 * len(times))] < 0.05


def test_its_table_is_small():
    assert len(table.packed(table.table(EXPLORER))) < 100_000


def test_a_still_stands_where_nobody_can_move_it(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert "3140" in explore("one_pad").svg
