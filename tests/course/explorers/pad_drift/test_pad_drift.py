"""The pad drift explorer: which readings stay still, its verdict, its picture as XML."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.pad_drift import EXPLORER, PREDICTIONS, compute, draw
from seq2seq_lib.course.explorers.pad_drift.compute import (
    NAMES,
    READINGS,
    SENTENCE,
    _encoder,
)
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

EXTRA = st.integers(0, 12)


# ---------------------------------------------------------------- compute


@given(EXTRA, st.booleans())
def test_packed_and_gathered_states_do_not_move_at_all(extra, neighbours):
    result = compute(extra_pads=extra, neighbours=neighbours)
    assert result.distances["packed"] == result.distances["gather"] == 0.0
    assert result.states["packed"] == result.states["gather"] == result.before


@given(st.integers(1, 12), st.booleans())
def test_the_raw_state_moves_with_every_pad(extra, neighbours):
    fewer, more = (compute(extra_pads=n, neighbours=neighbours) for n in (extra - 1, extra))
    assert more.distances["raw"] > fewer.distances["raw"]
    assert more.distances["raw"] > 0.4, "far more than rounding"


@given(EXTRA)
def test_the_last_output_of_a_packed_batch_is_right_alone_and_zero_beside_a_longer_one(extra):
    alone, beside = (compute(extra_pads=extra, neighbours=n) for n in (False, True))
    assert alone.distances["last_output"] == 0.0, "so a test on one sentence does not find it"
    assert beside.states["last_output"] == (0.0,) * 8
    assert beside.distances["last_output"] == max(map(abs, beside.before))


def test_a_longer_neighbour_is_padding_enough_for_the_raw_state():
    assert compute(neighbours=True).distances["raw"] > 0.4


def test_alone_and_without_pads_all_four_agree():
    result = compute()
    assert set(result.states.values()) == {result.before} and len(result.before) == 8
    assert set(result.distances.values()) == {0.0}


def test_the_answer_to_the_question_is_what_is_measured():
    result = compute(extra_pads=6, neighbours=True)
    assert result.still == tuple(n for n, d in result.distances.items() if d == 0)
    assert result.still == compute().still == ("gather", "packed")
    assert ", ".join(result.still) in PREDICTIONS.values()


def test_a_still_shows_what_the_question_asks_about():
    settings = [EXPLORER.params(name) for name in EXPLORER.film]
    asked = [p for p in settings if p["extra_pads"] == 6 and p["neighbours"]]
    assert asked, "6 PADs and a longer neighbour: where a page has no buttons, a still answers"
    result = compute(**asked[0])
    assert tuple(n for n, d in result.distances.items() if d == 0) == result.still


def test_the_packed_state_is_the_librarys_encoder():
    encoder = _encoder()
    src = torch.tensor([[*SENTENCE, 0, 0, 0]])
    state = encoder(src, torch.tensor([5])).final_state  # [1, 1, H]
    expected = torch.tensor(compute(extra_pads=3).states["packed"], dtype=torch.float64)
    torch.testing.assert_close(state[0, 0], expected, rtol=0, atol=1e-11)


@given(EXTRA, st.booleans(), st.sampled_from(list(READINGS)))
def test_the_code_that_is_shown_is_the_code_that_runs(extra, neighbours, reading):
    result = compute(extra_pads=extra, neighbours=neighbours, reading=reading)
    encoder = _encoder()
    names = {
        "torch": torch,
        "pack_padded_sequence": pack_padded_sequence,
        "pad_packed_sequence": pad_packed_sequence,
        "embedding": encoder.embedding,
        "rnn": encoder.rnn,
        "src": torch.tensor(result.rows),
        "lengths": torch.tensor(result.lengths),
        "B": len(result.rows),
    }
    with torch.no_grad():
        exec("\n".join(READINGS[reading]), names)
    expected = torch.tensor(result.states[reading], dtype=torch.float64)
    torch.testing.assert_close(names["state"][0], expected, rtol=0, atol=1e-11)


def test_compute_leaves_the_global_random_state_alone():
    _encoder.cache_clear()
    before = torch.get_rng_state()
    _encoder()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_batch_is_padded_to_its_longest_row_and_then_some():
    result = compute(extra_pads=2, neighbours=True)
    assert result.lengths == (5, 8, 3) and {len(row) for row in result.rows} == {10}
    for row, length in zip(result.rows, result.lengths, strict=True):
        assert 0 not in row[:length] and set(row[length:]) == {0}


def test_the_verdict_is_the_measured_answer_with_its_reason():
    verdict = EXPLORER.judge(compute())
    assert verdict.answer == "gather, packed"
    assert verdict.why.startswith("Still: length − 1 and packed h_n;")


# ---------------------------------------------------------------- draw


def some_params() -> list:
    settings = itertools.product(READINGS, (False, True), (0, 12))
    names = ("reading", "neighbours", "extra_pads")
    return [dict(zip(names, setting, strict=True)) for setting in settings]


@pytest.mark.parametrize("params", some_params(), ids=str)
def test_every_place_is_drawn_exactly_the_pads_are_hatched_and_nothing_is_cut_off(params):
    result = compute(**params)
    root = parsed(draw(result))
    cells = of_class(root, "cell")
    assert len(cells) == sum(map(len, result.rows))
    pads = [cell for cell in cells if cell.find(f"{SVG}title").text.endswith(": PAD")]
    hatched = of_class(root, "pad")
    assert len(hatched) == len(pads) == sum(row.count(0) for row in result.rows)
    for cell, path in zip(pads, hatched, strict=True):
        x, y = path.get("d").split("L")[0].removeprefix("M").split()
        assert 0 <= float(x) - float(cell.get("x")) <= 38
        assert 0 <= float(y) - float(cell.get("y")) <= 24
    width, height = float(root.get("width")), float(root.get("height"))
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("x"):
            assert 0 <= float(rect.get("x")) <= width - float(rect.get("width"))
            assert 0 <= float(rect.get("y")) <= height - float(rect.get("height"))
    assert unreadable(root) == []


def test_bars_are_as_high_as_the_units_are_large():
    result = compute(extra_pads=6)
    units = of_class(parsed(draw(result)), "unit")
    values = [v for pair in zip(result.before, result.states["raw"], strict=True) for v in pair]
    assert len(units) == 16
    for bar, value in zip(units, values, strict=True):
        assert float(bar.get("height")) == pytest.approx(75 * abs(value), abs=0.06)
        assert bar.find(f"{SVG}title").text.endswith(f"{value:.2f}")
    zero = {round(float(b.get("y")), 1) for b, v in zip(units, values, strict=True) if v < 0}
    assert len(zero) == 1, "negative units hang from the line of zero"
    fills = [bar.get("fill") for bar in units]
    assert len(set(fills[::2])) == len(set(fills[1::2])) == 1 and fills[0] != fills[1]


def test_distances_of_all_four_are_printed_and_the_chosen_one_stands_out():
    result = compute(extra_pads=6, reading="gather")
    root = parsed(draw(result))
    shown = words(root)
    for name, distance in result.distances.items():
        place = shown.index(NAMES[name])
        assert shown[place + 1] == f"{distance:.2f}"
    bold = [t.text for t in root.iter(f"{SVG}text") if t.get("font-weight") == "bold"]
    assert NAMES["gather"] in bold and NAMES["raw"] not in bold
    assert shown.count("0.00") == 3 and f"{result.distances['raw']:.2f}" in shown


def test_distances_are_bars_of_full_blue_as_the_units_are():
    bars = of_class(parsed(EXPLORER.picture("both_raw")), "distance")
    assert len(bars) == 4 and {b.get("fill-opacity") for b in bars} == {None}
    assert {b.get("fill") for b in bars} == {svg.BLUE}


def test_one_state_shows_exactly_what_the_question_asks():
    params = EXPLORER.params("both_raw")
    asks = EXPLORER.question(params).asks
    assert f"A longer neighbour and {params['extra_pads']} PADs join" in asks
    assert params["neighbours"] and not compute(**params).distances["packed"]


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        ("no_pads", "No pads yet: all four ways agree"),
        ("six_pads_raw", "raw last state: the state moves by 0.96"),
        ("both_raw", "raw last state: the state moves by 1.03"),
        ("six_pads_packed", "packed h_n: the state stays where it was"),
        ("last_output_alone", "packed, outputs[:, -1]: the state stays where it was"),
        ("last_output_neighbours", "packed, outputs[:, -1]: the state is all zeros"),
    ],
)
def test_the_headline_states_the_finding(state, headline):
    root = parsed(EXPLORER.picture(state))
    assert root[0].tag == f"{SVG}title" and root[0].text == headline
    assert headline in words(root)
    assert root[1].tag == f"{SVG}desc" and headline in root[1].text
    distance = compute(**EXPLORER.params(state)).distances["raw"]
    assert f"raw last state {distance:.2f}" in root[1].text


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name in EXPLORER.states:
        result = compute(**EXPLORER.params(name))
        veiled = parsed(draw(result, veiled=True))
        assert len(of_class(veiled, "veil")) == 1 and of_class(veiled, "unit") == []
        assert "0.00" not in " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert veiled.get("height") == parsed(draw(result)).get("height")
