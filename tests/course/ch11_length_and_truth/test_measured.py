"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import length_and_truth as script
from seq2seq_lib.course.ch11_length_and_truth import given, measured
from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID

KEPT = json.loads(script.RESULT.read_text(encoding="utf-8"))
KEYWORDS, LETTERS = KEPT["keywords"], KEPT["letters"]
TEXT = (Path(__file__).parents[3] / "chapters" / "_src" / "ch11_length_and_truth.py").read_text(
    encoding="utf-8"
)


def test_the_chapter_s_numbers_are_those_of_the_kept_result():
    assert KEPT["date"] == measured.DATE and script.SEEDS == measured.SEEDS
    assert [row["seed"] for row in KEYWORDS] == [row["seed"] for row in LETTERS] == [0, 1, 2, 3, 4]
    for name, rows in measured.KEYWORDS.items():
        for k, values in rows.items():
            assert list(values) == [row["widths"][str(k)][name] for row in KEYWORDS]
    for k, values in measured.EMPTY_WRITTEN.items():
        assert list(values) == [row["empty_written"][str(k)] for row in KEYWORDS]
    assert list(measured.EMPTY_BEATS_GREEDY) == [row["empty_beats_greedy"] for row in KEYWORDS]
    assert list(measured.LOSS) == [row["loss"] for row in KEYWORDS]
    assert measured.REFERENCE_TOKENS == KEYWORDS[0]["reference_tokens"]
    for k, values in measured.SEARCH_ERRORS.items():
        assert list(values) == [row["search_errors"][str(k)] for row in LETTERS]
    for k, values in measured.TOKENS.items():
        assert list(values) == [row["tokens"][str(k)] for row in LETTERS]
    for search, rulers in measured.RULERS.items():
        for name, values in rulers.items():
            assert list(values) == [row["rulers"][search][name] for row in LETTERS]
    assert list(measured.CALLS_MAX) == [row["calls"]["max"] for row in LETTERS]
    assert list(measured.CALLS_MEDIAN) == [row["calls"]["median"] for row in LETTERS]
    assert list(measured.MODE_IS_TRUE) == [row["mode_is_true_mode"] for row in LETTERS]


def test_what_the_text_says_of_them():
    rulers = measured.RULERS
    for one, two in zip(rulers["MBR"]["F1"], rulers["beam 5"]["F1"], strict=True):
        assert one > two, "it wins its own utility on every seed"
    gains = [a - b for a, b in zip(rulers["MBR"]["BLEU"], rulers["beam 5"]["BLEU"], strict=True)]
    assert min(gains) < 0 < max(gains), "in BLEU it ties"
    pairs = zip(rulers["MBR"]["true p"], rulers["beam 5"]["true p"], strict=True)
    assert all(mbr < five for mbr, five in pairs), "in true probability it loses"
    assert 0.4 < min(rulers["MBR"]["possible"]) <= max(rulers["MBR"]["possible"]) < 0.6
    errors = list(measured.SEARCH_ERRORS.values())
    for wide, wider in zip(errors, errors[1:], strict=False):
        assert all(a > b for a, b in zip(wide, wider, strict=True)), "fall with the width"
    assert max(measured.MODE_IS_TRUE) < 60
    share = KEPT["bans"]["2"]["wrong"]
    assert (
        f"{share:.0%}".replace("%", " %") == re.search(r"Of 500 dates it is[\s#]+(\d+ %)", TEXT)[1]
    )
    for row in KEPT["bans"].values():
        assert row["wrong"] == row["with a repeat"]


def test_the_script_runs():
    row = script.measure_letters(0, sources=3, exact=1, epochs=1, num_train=100)
    assert set(row) == set(LETTERS[0]) and set(row["rulers"]) == set(measured.RULERS)
    row = script.measure_keywords(0, sources=3, num_train=100, epochs=1, hidden_size=8)
    assert set(row) == set(KEYWORDS[0])


@pytest.mark.parametrize(
    ("one", "two", "f1"),
    [("ab", "ab", 1.0), ("ab", "cd", 0.0), ("ab", "b", 0.5), ("", "", 1.0), ("", "a", 0.0),
     ("aab", "ab", 0.75)],
)  # fmt: skip
def test_f1_of_short_runs(one, two, f1):
    assert given.ngram_f1(one, two) == given.ngram_f1(two, one) == pytest.approx(f1)


def test_equal_places_over_the_longer_length():
    assert given.equal_places("ux", "uy") == 0.5 and given.equal_places("u", "uxyz") == 0.25
    assert given.equal_places("", "") == 1.0


def test_the_least_risk_is_found_by_counting():
    samples = ["w", "ux", "w", "uy", "w", "uz", "vx", "ux"]
    worth = {
        y: sum(given.equal_places(y, ref) for ref in samples) / len(samples) for y in set(samples)
    }
    best = given.least_risk(samples, given.equal_places)
    assert worth[best] == max(worth.values()) and best == "ux"
    # a draw that came three times counts three times
    assert given.least_risk(["ux", "w", "w", "uy", "w"], given.equal_places) == "w"


def test_the_card_is_the_library_s():
    """The table of the chapter and the model of the laws hold the same numbers."""
    probs = four_letters().log_probs.exp()  # [V, V]
    ids = {letter: i for i, letter in given.LETTERS.items()} | {"": BOS_ID}
    for last, row in given.CARD.items():
        for token, p in row.items():
            assert probs[ids[last], ids[token]].item() == pytest.approx(p)


def test_a_counter_counts_calls_and_changes_nothing():
    counted = given.Counted(given.Writer().model)
    source = given.Writer().source("cat")
    state = counted.start(*source)
    assert counted.calls == 0
    counted.step(source[0][:, 0] * 0 + 1, state)
    assert counted.calls == 1
