"""The table of a page without a kernel: every declared value, each at its place, and small."""

from dataclasses import replace

import pytest

from seq2seq_lib.course.explorers.kit import table as tables
from tests.course.explorers.kit.toy import WALK
from tests.support.pictures import drawn, follow


def test_the_toys_table_by_hand():
    table = tables.table(WALK)
    # a square of size 2 or 3 with five steps, a triangle with four, and the large square where
    # it starts and at its other steps
    assert len(table["views"]) == 2 * 5 + 4 + 5
    start = table["starts"]["square"]
    assert [[d["key"] for d in row] for row in table["views"][start]["rows"]] == [
        ["shape"],
        ["size"],
        ["step"],
    ]
    last = follow(table, start, "step", 4)
    assert "square 2 4" in drawn(table, table["views"][last]["open"])
    tidied = follow(table, last, "shape", "triangle")
    assert "triangle 2 3" in drawn(table, table["views"][tidied]["open"])
    back = follow(table, tidied, "shape", "square")
    assert "square 2 3" in drawn(table, table["views"][back]["open"])


def test_what_is_not_declared_is_not_offered():
    table = tables.table(WALK)
    start = table["views"][table["starts"]["square"]]
    (size,) = [d for row in start["rows"] for d in row if d["key"] == "size"]
    assert (size["low"], size["high"]) == (2, 3)
    large = table["views"][table["starts"]["large"]]
    assert "size" not in [d["key"] for row in large["rows"] for d in row], "9 is not declared"


def test_a_table_that_is_too_large_is_refused(monkeypatch):
    table = tables.table(WALK)
    size = len(tables.packed(table))
    monkeypatch.setattr(tables, "LIMIT", size)
    assert len(tables.packed(table)) == size
    monkeypatch.setattr(tables, "LIMIT", size - 1)
    with pytest.raises(ValueError, match=f"{size:,} bytes compressed, more than {size - 1:,}"):
        tables.packed(table)


def test_an_explorer_without_a_question_has_a_table_too():
    table = tables.table(replace(WALK, question=None, judge=None))
    view = table["views"][table["starts"]["square"]]
    assert view["veiled"] is None and "square 2 1" in drawn(table, view["open"])
