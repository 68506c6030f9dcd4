"""The width explorer: what is stored is what a search finds, its verdict, its picture as XML."""

import itertools

import pytest

from seq2seq_lib.course.explorers.kit.table import packed, table
from seq2seq_lib.course.explorers.width import EXPLORER, compute, draw
from seq2seq_lib.course.explorers.width import found as stored
from seq2seq_lib.course.explorers.width.compute import SAME, Written
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

SETTINGS = [
    {"source": source, "width": width, "alpha": alpha}
    for source, (width, alpha) in itertools.product(
        stored.SOURCES,
        [*itertools.product(stored.WIDTHS, stored.PENALTIES), (stored.EXACT, 0.0)],
    )
]


@pytest.mark.parametrize(
    ("source", "width", "alpha"),
    [
        ("cat", 1, 0.0),
        ("cat", 5, 0.0),
        ("cat", stored.EXACT, 0.0),
        ("king", stored.EXACT, 0.0),
        ("owls boat", 10, 0.0),
        ("owls boat", 50, 1.0),
        ("horses", 20, 0.6),
    ],
)
def test_what_is_stored_is_what_a_search_finds(source, width, alpha):
    """Words and calls exactly; numbers as another processor may round them."""
    new, kept = (
        stored.search(source, width, alpha),
        stored.found()[stored.key(source, width, alpha)],
    )
    assert new["calls"] == kept["calls"]
    assert [text for text, _ in new["outputs"]] == [text for text, _ in kept["outputs"]]
    for (_, one), (_, two) in zip(new["outputs"], kept["outputs"], strict=True):
        assert one == pytest.approx(two, abs=2e-3)


def test_every_setting_is_stored_and_nothing_else():
    assert set(stored.found()) == {stored.key(**params) for params in SETTINGS}
    assert len(stored.found()) == 8 * (7 * 3 + 1)


@pytest.mark.parametrize("source", stored.SOURCES)
def test_no_search_beats_the_exact_one(source):
    exact = compute(source=source, width=stored.EXACT).best.log_prob
    for params in SETTINGS:
        if params["source"] == source:
            assert compute(**params).best.log_prob <= exact + SAME


def test_a_sum_is_rounded_once_on_every_python():
    """Stored numbers end at 0.001, so a sum may lie half-way between the two that are shown."""
    assert Written("ten alike", ("x",) * 10, (0.1,) * 10).log_prob == -1.0


def test_the_hook():
    """What chapter 11 says of the first screen."""
    texts = {k: compute(width=k).best for k in (1, 5, 10, 50, stored.EXACT)}
    assert texts[1].text == "our owls do not dream of their boat"
    assert texts[50].text == texts[stored.EXACT].text == "(nothing)"
    assert texts[10].log_prob < texts[1].log_prob - 1.6  # five times less probable
    cat = compute(source="cat", width=5)
    assert [w.text for w in cat.outputs] == [
        "this cat is not large",
        "this cat is not bad",
        "my cat is not large",
        "this cat is not italian",
        "this cat is not white",
    ]
    assert compute(source="cat", width=stored.EXACT).calls == 35


def of_source(source, settings):
    return [params for params in settings if params["source"] == source]


@pytest.mark.parametrize("source", stored.SOURCES)
def test_the_verdict_is_what_the_numbers_say(source):
    for params in of_source(source, SETTINGS):
        result = compute(**params)
        verdict = EXPLORER.judge(result)
        gain = result.best.log_prob - result.greedy.log_prob
        if params["width"] == stored.EXACT:
            more = len(result.best.tokens) - len(result.greedy.tokens)
            due = "longer" if more > 0 else "shorter" if more < 0 else "equal"
        else:
            due = "same" if abs(gain) < SAME else "more" if gain > 0 else "less"
        assert verdict.answer == due, params
        assert due in EXPLORER.question(params).answers.values(), params


@pytest.mark.parametrize("source", stored.SOURCES)
def test_each_token_has_a_bar_as_long_as_its_cost(source):
    for params in of_source(source, covering(SETTINGS)):
        result = compute(**params)
        root = parsed(draw(result))
        bars = of_class(root, "cost")
        wide = [float(bar.get("width")) for bar in bars]
        assert wide == pytest.approx([max(1.0, 34 * x) for x in result.best.costs], abs=0.06)
        assert len(wide) == len(result.best.tokens), params
        ends = [float(bar.get("x")) + w for bar, w in zip(bars, wide, strict=True)]
        assert max(ends) < 520, params
        assert unreadable(root) == [], params
        assert all(w.text in words(root) for w in result.outputs[1:]), params


@pytest.mark.parametrize("state", EXPLORER.states)
def test_before_the_prediction_nothing_gives_the_answer_away(state):
    result = compute(**EXPLORER.params(state))
    veiled = parsed(draw(result, veiled=True))
    assert len(of_class(veiled, "veil")) == 1 and not of_class(veiled, "cost")
    shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
    if result.best.text != result.greedy.text:
        assert f"{result.best.text}," not in shown
    assert veiled.get("height") == parsed(draw(result)).get("height")


def test_an_end_alone_is_one_token_wherever_it_is_counted():
    params = EXPLORER.params("mode")
    result = compute(**params)
    assert len(result.best.tokens) == 1
    said = [*words(parsed(draw(result))), EXPLORER.judge(result).why]
    assert not [text for text in said if "1 tokens" in text]


def test_bad_parameters_are_refused_by_name():
    for name, wrong in (
        ("width", {"width": 4}),
        ("source", {"source": "dragon"}),
        ("alpha", {"width": 5, "alpha": 0.5}),
    ):
        with pytest.raises(ValueError, match=name):
            EXPLORER.view({**EXPLORER.defaults(), **wrong})


def test_a_page_without_a_kernel_gets_every_setting_in_a_small_table():
    whole = table(EXPLORER)
    assert len(whole["views"]) >= len(SETTINGS)
    assert len(packed(whole)) < 300_000
