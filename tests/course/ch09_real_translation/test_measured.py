"""What the chapter says was measured once is what the scripts found, and the scripts still run."""

import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from benchmarks import phrase_systems, real_text
from seq2seq_lib.corpora import Corpus, Pair
from seq2seq_lib.course.assets import translation
from seq2seq_lib.course.ch09_real_translation import gold_links, measured
from seq2seq_lib.course.ch09_real_translation import real_text as rows
from seq2seq_lib.translate import Translation

ROOT = Path(__file__).parents[3]
PHRASES = json.loads(phrase_systems.RESULT.read_text(encoding="utf-8"))
REAL = json.loads(real_text.RESULT.read_text(encoding="utf-8"))


def text_of_the_chapter():
    path = ROOT / "chapters" / "_src" / "ch09_real_translation.py"
    return " ".join(path.read_text(encoding="utf-8").replace("\n# ", " ").split())


def test_the_chapter_s_numbers_are_those_of_the_kept_results():
    assert PHRASES["date"] == REAL["date"] == measured.DATE
    assert tuple(measured.SEEDS) == phrase_systems.SEEDS
    for seed, row in measured.SEEDS.items():
        kept = PHRASES["systems"][str(seed)]
        assert row == (
            kept["greedy"]["bleu"],
            kept["5 beams"]["bleu"],
            kept["5 beams"]["exact_match"],
        )
        assert measured.ATTENTION[seed] == kept["attention"]["on_gold_link"]
    for (name, points), penalty in zip(
        measured.SEARCH.items(), phrase_systems.PENALTIES, strict=True
    ):
        assert ("no" in name) == (penalty == 0)
        kept = [r for r in PHRASES["search"] if r["penalty"] == penalty]
        ends = [(r["over_greedy"]["low"], r["over_greedy"]["high"]) for r in kept]
        rows = [(r["width"], r["bleu"], *end) for r, end in zip(kept, ends, strict=True)]
        assert rows == points
    for name, pair in measured.REAL.items():
        assert pair == tuple(REAL["systems"][system]["rows"][name] for system in "AB")
    assert list(measured.REAL) == list(REAL["systems"]["A"]["rows"])


def test_what_the_text_says_of_them():
    text = text_of_the_chapter()
    shares = [round(100 * share) for share in measured.ATTENTION.values()]
    found = re.search(r"linked word for (\d+), (\d+) and (\d+) % of the pieces", text)
    assert list(map(int, found.groups())) == shares
    free, held = measured.SEARCH.values()
    assert all(width.low <= 0 <= width.high for width in free), "nothing is shown without a penalty"
    assert all(width.low > 0 for width in held[1:])
    assert held[2].beams == 5 and "a gain of 1.7 to 4.9" in text
    assert (round(held[2].low, 1), round(held[2].high, 1)) == (1.7, 4.9)
    assert free[-1].beams == 20 and "−2.6 to 1.6" in text
    assert (round(free[-1].low, 1), round(free[-1].high, 1)) == (-2.6, 1.6)
    by_length = [pair[0] for name, pair in measured.REAL.items() if name in rows.LENGTH]
    assert by_length[-1] < min(by_length[:-1]) - 5 and max(by_length[:-1]) - min(by_length[:-1]) < 3
    rarity = [pair for name, pair in measured.REAL.items() if name in rows.RARITY]
    assert all(sorted(column) == list(column) for column in zip(*rarity, strict=True))
    for system in (0, 1):
        lower = measured.REAL["5 beams"][system]
        assert lower - measured.REAL["5 beams, capital letters count"][system] > 4
        assert lower > 5 * measured.REAL["chance: the next sentence's reference"][system]
    assert all(system["alone_as_in_the_batch"] == 20 for system in REAL["systems"].values())


def test_no_sentence_of_the_corpus_is_stored():
    """The notebook is built without Multi30k: its one cell about it says so, and shows no row."""
    path = ROOT / "chapters" / "ch09_real_translation.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    (cell,) = [c for c in cells if "real_text.find()" in c.source]
    (output,) = cell.outputs
    assert output.name == "stdout" and output.text.strip() == rows.MISSING
    kept = real_text.RESULT.read_text(encoding="utf-8")
    assert set(json.loads(kept)["systems"]["A"]) == {
        "num_train", "epochs", "seed", "cpu_seconds", "rows", "sizes", "alone_as_in_the_batch"
    }  # fmt: skip


def test_the_rows_can_be_computed_for_any_translator():
    """On generated phrases, in the form in which the corpus is read: a line a side."""

    def line(pair):
        return Pair((" ".join(pair.source),), (" ".join(pair.target).replace("' ", "'"),))

    whole = translation.phrase_corpus()
    published = Corpus("lines", *(tuple(map(line, part)) for part in (whole.train, (), whole.test)))
    scored = rows.score(translation.phrase_translator(), published, num_test=40)
    shown = [name for name in measured.REAL if name in scored.rows]
    assert list(scored.rows) == shown and len(scored.translations) == 40
    assert scored.rows["5 beams"] > 5 * scored.rows["chance: the next sentence's reference"]
    assert scored.rows["5 beams"] == scored.rows["5 beams, capital letters count"]  # there are none
    for bands in (rows.RARITY, rows.LENGTH):
        assert sum(scored.sizes.get(name, 0) for name in bands) == 40


def test_a_missing_corpus_is_one_line_and_a_reason(monkeypatch, tmp_path):
    def gone(*args, **kwargs):
        raise rows.CorpusError("No connection")

    monkeypatch.setattr(rows, "multi30k", gone)
    real = rows.find()
    assert real.corpus is None and real.why == "No connection" and "\n" not in rows.MISSING


def test_links_are_those_of_the_grammar():
    corpus, translator = translation.phrase_corpus(), translation.phrase_translator()
    pair = corpus.test[2]
    (found,) = translator(["an aunt speaks to these grey bees"], num_beams=5)
    links = gold_links(pair, found)
    assert len(links) == len(found.target)
    said = {
        piece: "".join(found.source[i] for i in sorted(linked))
        for piece, linked in zip(found.target, links, strict=True)
    }
    assert said["▁une"] == "▁an" and "▁speaks" in said["▁parle"]
    wrong = replace(found, text="une tante")
    with pytest.raises(ValueError, match="links are known for"):
        gold_links(pair, wrong)
    assert isinstance(found, Translation)


def test_the_parts_of_the_script_run(monkeypatch):
    monkeypatch.setattr(phrase_systems, "WIDTHS", (1, 2))
    pairs = translation.phrase_corpus().test[:30]
    translator = translation.phrase_translator()
    sources, references = (phrase_systems.texts(side, pairs) for side in ("source", "target"))
    found = phrase_systems.search(translator, sources, references)
    assert [(row["penalty"], row["width"]) for row in found] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    translations = translator(sources, num_beams=2)
    looked = phrase_systems.attention(pairs, translations)
    assert 0.5 < looked["on_gold_link"] < 1 and looked["pieces"] > 50
    rows = phrase_systems.statistics([one.text for one in translations], references)
    gain = phrase_systems.interval(rows, rows)
    assert gain == {"gain": 0, "low": 0, "high": 0}


def test_the_recipes_are_those_that_are_shipped():
    assert {name: (s.num_train, s.epochs, s.seed) for name, s in translation.SYSTEMS.items()} == {
        "A, greedy": (3000, 6, 1),
        "A, 5 beams": (3000, 6, 1),
        "A again with seed 2, greedy": (3000, 6, 2),
        "twice the data, 5 beams": (6000, 4, 1),
    }
