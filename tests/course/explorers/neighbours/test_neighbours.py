"""The neighbours: what two shipped models answer at every setting, the verdict, the picture."""

import time

import pytest
import torch

from seq2seq_lib.batching import collate
from seq2seq_lib.corpora import DATE_FORMS
from seq2seq_lib.course.assets import careless_reader, date_reader
from seq2seq_lib.course.explorers.kit.table import packed, table
from seq2seq_lib.course.explorers.neighbours import ANSWERS, EXPLORER, compute, draw
from seq2seq_lib.course.explorers.neighbours.compute import (
    DATES,
    LONGEST,
    MOST,
    Answer,
    Result,
    answer,
)
from seq2seq_lib.course.explorers.neighbours.picture import NOTHING
from seq2seq_lib.decoding import greedy_search
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

SETTINGS = [(date, longer) for date in DATES for longer in range(MOST + 1)]


# ---------------------------------------------------------------- compute


@pytest.mark.parametrize("date", DATES)
def test_ours_never_moves(date):
    alone = compute(date=date)
    assert alone.ours.same and alone.careless.same and alone.careless.text == alone.ours.text
    for longer in range(MOST + 1):
        ours = compute(date=date, longer=longer).ours
        assert ours.same and ours.text == alone.ours.text
        assert ours.probability == pytest.approx(alone.ours.probability, abs=1e-4)


def test_what_the_chapter_and_the_captions_say_of_the_careless_one():
    """Presets belong to one file of weights: who trains it anew chooses them anew."""
    said = {
        ("24 december 1984", 6): "1984-12-24",
        ("24 december 1984", 8): "1984-11-24",
        ("24 december 1984", 10): "1984-11-24",
        ("20 july 1969", 16): "1961-07-20",
        ("1 january 2000", 12): "2001-01-01",
        ("29 february 2000", 6): "2000-01-29",
    }
    for (date, longer), text in said.items():
        assert compute(date=date, longer=longer).careless.text == text
    lucky = [compute(date="july 4, 1976", longer=n).careless.same for n in range(MOST + 1)]
    assert all(lucky)
    moved = [date for date in DATES if not compute(date=date, longer=MOST).careless.same]
    assert 6 <= len(moved) < len(DATES)


def test_pads_are_what_a_longer_neighbour_brings():
    """One row with pads gives what a real batch with a longer neighbour gives."""
    for name, reader in (("ours", date_reader()), ("careless", careless_reader())):
        date, neighbour = "24 december 1984", "monday, september 24, 1984"
        rows = [(reader.src_vocab.encode(tuple(text)), []) for text in (date, neighbour)]
        batch = collate(rows)
        found = greedy_search(reader.model, batch.src, batch.src_lengths, max_new_tokens=14)
        text = "".join(reader.tgt_vocab.decode(found[0][0].tokens))
        assert text == answer(name, date, len(neighbour) - len(date))[0]


def test_a_typed_date_is_read_as_the_models_read_it():
    assert compute(date="  24  December 1984 ", longer=8) == compute(longer=8)
    assert compute(date="Ω 日", longer=3).ours is not None


@pytest.mark.parametrize("date", ["", "  ", "\u200b", "x" * (LONGEST + 1)])
def test_what_cannot_be_read_gets_a_message(date):
    result = compute(date=date)
    assert result.ours is result.careless is None and result.message
    root = parsed(draw(result))
    assert result.message in root.find(f"{SVG}desc").text and unreadable(root) == []
    assert draw(result, veiled=True) == draw(result)
    assert EXPLORER.judge(result).answer in ANSWERS.values()


def test_the_dates_are_of_different_forms():
    assert len(DATES) == len(set(DATES)) and len(DATES) <= len(DATE_FORMS)


# ---------------------------------------------------------------- verdict


@pytest.mark.parametrize("date", DATES)
def test_the_verdict_is_about_the_longest_neighbour_wherever_the_slider_stands(date):
    last = compute(date=date, longer=MOST)
    verdicts = [EXPLORER.judge(compute(date=date, longer=n)) for n in (0, 3, MOST)]
    assert len(set(verdicts)) == 1
    assert verdicts[0].answer == ("none" if last.careless.same else "one")
    assert last.careless.same or last.careless.text in verdicts[0].why


def test_one_prediction_is_kept_for_each_date():
    def about(**changes):
        return EXPLORER.question(EXPLORER.defaults() | changes).about

    assert about(longer=0) == about(longer=9) != about(date=DATES[1])


# ---------------------------------------------------------------- picture


@pytest.mark.parametrize("longer", [0, 1, 8, MOST])
@pytest.mark.parametrize("date", DATES)
def test_every_cell_is_drawn_pads_are_hatched_and_differences_framed(date, longer):
    result = compute(date=date, longer=longer)
    root = parsed(draw(result))
    width = len(date) + 1 + longer
    assert len(of_class(root, "cell")) == len(of_class(root, "neighbour")) == width
    assert len(of_class(root, "pad")) == longer + 1  # and the legend
    changed = [
        c != a for c, a in zip(result.careless.text, result.careless.alone.ljust(99), strict=False)
    ]
    assert len(of_class(root, "changed")) == sum(changed)
    bars = [float(bar.get("width")) for bar in of_class(root, "probability")]
    assert bars[0] > 120 and bars[1] == pytest.approx(150 * result.careless.probability, abs=0.1)
    verdicts = [text for text in words(root) if "alone" in text]
    said = "same as alone" if result.careless.same else f"≠ alone: {result.careless.alone}"
    assert verdicts == ["same as alone", said]
    assert len(list(root.iter(f"{SVG}polyline"))) == verdicts.count("same as alone")
    assert unreadable(root) == []


def test_a_date_too_long_for_a_letter_a_cell_is_written_in_one_piece():
    date = DATES[0].ljust(LONGEST, "x")
    root = parsed(draw(compute(date=date, longer=MOST)))
    assert date in words(root) and "•" not in words(root)
    assert len(of_class(root, "cell")) == len(date) + 1 + MOST
    assert unreadable(root) == []


def test_an_empty_answer_is_said_in_words():
    nothing = Answer("", 0.6, "1999-08-04")
    same = Answer("1999-08-04", 0.9, "1999-08-04")
    root = parsed(draw(Result("4 august 1999", 8, "", same, nothing)))
    assert NOTHING in words(root) and len(of_class(root, "changed")) == 1
    assert "The careless model answers (writes nothing)" in root.find(f"{SVG}desc").text


def test_the_words_of_the_first_screen():
    told = parsed(draw(compute())).find(f"{SVG}desc").text
    assert told.startswith("A date, 24 december 1984, 17 symbols with its end, no pads behind it.")
    assert told.count("the same as alone") == 2


def test_a_page_without_a_kernel_gets_every_preset_in_a_small_table():
    whole = table(EXPLORER)
    assert len(whole["views"]) == len(SETTINGS)
    assert len(packed(whole)) < 300_000


def test_a_picture_is_quick():
    torch.set_num_threads(1)
    answer.cache_clear()
    compute()  # reads the files
    seconds = []
    for date, longer in SETTINGS[::5]:
        start = time.process_time()
        draw(compute(date=date, longer=longer))
        seconds.append(time.process_time() - start)
    assert sorted(seconds)[int(0.9 * len(seconds))] < 0.05
