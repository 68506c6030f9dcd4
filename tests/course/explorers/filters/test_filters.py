"""The filters explorer: how many stay, against slow loops, and the picture as XML."""

import itertools

import pytest

from seq2seq_lib.course.explorers.filters import EXPLORER, compute, draw
from seq2seq_lib.course.explorers.filters.compute import KS, PS, ROWS, SHARES, TEMPERATURES
from seq2seq_lib.course.explorers.kit.table import packed, table
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

FILTERS = [
    {"kind": "none"},
    *({"kind": "top-k", "k": k} for k in KS),
    *({"kind": "top-p", "p": p} for p in PS),
    *({"kind": "min-p", "share": share} for share in SHARES),
]
SETTINGS = [
    {"row": row, "temperature": t, **chosen}
    for row, t, chosen in itertools.product(ROWS, TEMPERATURES, FILTERS)
]


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_what_stays_is_what_the_definition_says(params):
    result = compute(**params)
    powers = [p ** (1 / params["temperature"]) for p in ROWS[params["row"]]]
    warm = [p / sum(powers) for p in powers]
    kept, mass = [], 0.0
    for rank, p in enumerate(warm):  # rows are sorted: the best first
        stays = {
            "none": True,
            "top-k": rank < params.get("k", 0),
            "top-p": mass < params.get("p", 0),
            "min-p": p >= params.get("share", 0) * warm[0],
        }[params["kind"]]
        kept.append(stays)
        mass += p
    assert result.kept == sum(kept)
    total = sum(p for p, stays in zip(warm, kept, strict=True) if stays)
    wanted = [p / total if stays else 0.0 for p, stays in zip(warm, kept, strict=True)]
    assert result.after == pytest.approx(wanted) and result.warm == pytest.approx(warm)
    assert EXPLORER.judge(result).answer == str(sum(kept))


def test_three_filters_on_three_rows():
    kept = {
        name: [compute(row=row, **chosen).kept for row in ("peaked", "cliff", "flat")]
        for name, chosen in (
            ("top-k", {"kind": "top-k", "k": 3}),
            ("top-p", {"kind": "top-p", "p": 0.85}),
            ("min-p", {"kind": "min-p", "share": 0.3}),
        )
    }
    assert kept == {"top-k": [3, 3, 3], "top-p": [1, 3, 5], "min-p": [1, 2, 5]}


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_each_token_is_drawn_and_what_is_cut_is_hatched(params):
    result = compute(**params)
    root = parsed(draw(result))
    assert len(of_class(root, "warm")) == len(result.before)
    assert len(of_class(root, "after")) == result.kept
    assert words(root).count("cut") == len(result.before) - result.kept + 1  # and the legend's
    assert len(of_class(root, "pad")) == len(result.before) - result.kept + 1
    assert unreadable(root) == []
    for bar, p in zip(of_class(root, "after"), filter(None, result.after), strict=True):
        assert float(bar.get("height")) == pytest.approx(150 * p, abs=0.06)


@pytest.mark.parametrize("state", EXPLORER.states)
def test_before_the_prediction_nothing_gives_the_answer_away(state):
    result = compute(**EXPLORER.params(state))
    veiled = parsed(draw(result, veiled=True))
    assert len(of_class(veiled, "veil")) == 1 and not of_class(veiled, "warm", "after")
    shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
    assert "stay" not in shown.replace("What stays is hidden", "")
    assert veiled.get("height") == parsed(draw(result)).get("height")


def test_bad_parameters_are_refused_by_name():
    for name, wrong in (
        ("k", {"kind": "top-k", "k": 9}),
        ("p", {"kind": "top-p", "p": 0.4}),
        ("row", {"row": "steep"}),
        ("temperature", {"temperature": 0.0}),
        ("kind", {"kind": "top"}),
    ):
        with pytest.raises(ValueError, match=name):
            EXPLORER.view({**EXPLORER.defaults(), **wrong})


def test_a_page_without_a_kernel_gets_every_setting_in_a_small_table():
    whole = table(EXPLORER)
    assert len(whole["views"]) >= len(SETTINGS) == 108
    assert len(packed(whole)) < 300_000
