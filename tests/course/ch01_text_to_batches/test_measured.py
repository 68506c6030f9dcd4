"""What chapter 1 says was measured once is what the kept result of the script says."""

import json
import re
from pathlib import Path

from benchmarks import text_to_batches
from seq2seq_lib.course.ch01_text_to_batches import given

SOURCE = Path(__file__).parents[3] / "chapters" / "_src" / "ch01_text_to_batches.py"


def test_the_table_of_truncation_is_what_the_script_kept():
    rows = json.loads(text_to_batches.RESULT.read_text("utf-8"))["truncation"]
    names = {
        "left whole": "whole",
        "cut, EOS lost": "cut_eos_lost",
        "cut, EOS kept": "cut_eos_kept",
        "pair dropped": "dropped",
    }
    for way, counts in given.TRUNCATION.items():
        mine = [row for row in rows if row["targets"] == names[way]]
        assert len(mine) == 3
        short, long = (
            [int(row[f"{kind}_right"].split("/")[0]) for row in mine] for kind in ("short", "long")
        )
        few = [round(100 * row["long_with_at_most_7"]) for row in mine]
        assert counts == tuple((min(kept), max(kept)) for kept in (short, long, few)), way
        assert {row["short_right"].split("/")[1] for row in mine} == {str(given.SHORT)}
        assert {row["long_right"].split("/")[1] for row in mine} == {str(given.LONG)}


def test_the_chapter_s_other_measured_numbers_are_what_the_script_kept():
    kept = json.loads(text_to_batches.RESULT.read_text("utf-8"))
    text = SOURCE.read_text("utf-8")
    rows = {row["tokens_are"]: row for row in kept["vocabularies"]}
    words, letters = rows["words, min_freq 1"], rows["letters"]
    pieces = [rows[f"pieces, {size}"] for size in (1000, 4000, 8000)]
    lengths = " / ".join(str(row["tokens_a_line"]) for row in pieces)
    splits, by = kept["from_both_splits"], kept["source_waste_of_pairs_sorted_by"]
    assert all(row["unk_in_valid_percent"] == 0 for row in (letters, *pieces))
    for shown in (
        f"| {letters['V']} | {letters['tokens_a_line']} |",
        f"| {lengths} |",
        f"| {words['V']:,} | {words['tokens_a_line']} | {words['unk_in_valid_percent']} % |",
        f"{splits['never_trained']} German",
        f"{splits['valid_lines_with_one']} of the {splits['valid_lines']:,} validation",
        f"{100 * by['target']:.1f} % of their",
        f"{100 * by['target_and_source']:.1f} % (measured",
    ):
        assert shown in " ".join(re.sub(r"\n# ?", " ", text).split()), shown
    assert {row["ended"] for row in kept["no_row_ends"]} == {"0/200"}


def test_shares_are_those_of_pencil_and_paper():
    assert text_to_batches.share_of_pads([3, 1, 5], [[0, 1], [2]]) == 1 - 9 / 11
    row = text_to_batches.waste_of("hand", [2, 9] * 128, seed=0)
    assert row["sorted"] == 0 and row["fixed_width"] == round(7 / 18, 4)


def test_the_script_still_trains_on_targets_as_they_were_cut():
    rows = text_to_batches.truncation(0, steps=2, train=80)
    assert [row["targets"] for row in rows] == [way.__name__ for way in text_to_batches.WAYS]
    assert rows[0]["pairs"] == 80 > rows[3]["pairs"]
    ids = list(range(4, 14))
    cut = {way.__name__: way(ids) for way in text_to_batches.WAYS}
    assert cut["whole"] == [*ids, 2] and cut["dropped"] is None
    assert cut["cut_eos_lost"] == ids[:7] and cut["cut_eos_kept"] == [*ids[:6], 2]
    batch = text_to_batches.collate_as_they_end([([5, 2], cut["cut_eos_lost"])])
    assert batch.tgt_out.tolist() == [ids[:7]] and batch.tgt_in.tolist() == [[1, *ids[:6]]]


def test_vocabularies_count_unknown_tokens():
    train, valid = [["a", "b", "a"], ["b", "c"]], [["a", "d"], ["c"]]
    rows = text_to_batches.vocabularies(train * 5, valid, pieces=())
    assert [row["tokens_are"] for row in rows[1:]] == [
        f"words, min_freq {least}" for least in text_to_batches.MIN_FREQ
    ]
    assert rows[1]["unk_in_train"] == 0 and rows[1]["unk_in_valid_percent"] == 33.33
    assert text_to_batches.from_both_splits(train, valid) == {
        "never_trained": 1,
        "valid_lines_with_one": 1,
        "valid_lines": 2,
    }
