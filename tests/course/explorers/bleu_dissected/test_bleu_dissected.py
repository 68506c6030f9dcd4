"""The BLEU explorer: what is counted against sacreBLEU, its verdict, its picture as XML."""

import math
import time

import pytest

from seq2seq_lib.course.explorers.bleu_dissected import (
    COMPARED,
    DELETIONS,
    EXPLORER,
    PRESETS,
    compute,
    draw,
)
from seq2seq_lib.course.explorers.bleu_dissected.compute import (
    BASE,
    CLIPPED,
    DOUBLED,
    LONGEST,
    MATCH,
    REFERENCE,
    SCOPES,
    SECOND,
    SMOOTHING,
    _compute,
    _score,
)
from seq2seq_lib.course.explorers.kit.table import packed, table
from seq2seq_lib.metrics import corpus_bleu
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

HYPOTHESES = [{"preset": name} for name in PRESETS] + [{"delete": i} for i in range(1, 11)]
SETTINGS = [
    {**hypothesis, "smoothing": smoothing, "max_n": max_n, "scope": scope}
    for hypothesis in HYPOTHESES
    for smoothing in SMOOTHING
    for max_n in LONGEST
    for scope in SCOPES
]
SCORES = {  # of the sentence, without smoothing
    "base": 56.23, "doubled_the": 66.90, "too_short": 40.83, "two_words": 0.0, "all_the": 0.0,
    "reversed": 0.0, "moved": 78.56, "one_more": 89.32,
}  # fmt: skip


# ---------------------------------------------------------------- compute


@pytest.mark.parametrize("name", PRESETS)
def test_the_named_hypotheses_have_the_scores_of_the_chapter(name):
    assert round(compute(preset=name).alone.score, 2) == SCORES[name]


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
@pytest.mark.parametrize("smoothing", SMOOTHING)
def test_both_scores_are_sacrebleu_s(hypothesis, smoothing):
    result = compute(**hypothesis, smoothing=smoothing)
    options = {
        "tokenize": "none",
        "smoothing": "none" if smoothing == "none" else "exp",
        "effective_order": smoothing == "effective",
    }
    text, reference = " ".join(result.words), " ".join(REFERENCE)
    one = corpus_bleu([text], [reference], **options)
    two = corpus_bleu([text, " ".join(SECOND[0])], [reference, " ".join(SECOND[1])], **options)
    assert result.alone.score == pytest.approx(one.score, abs=1e-9)
    assert result.both.score == pytest.approx(two.score, abs=1e-9)


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
def test_marks_are_what_is_counted(hypothesis):
    result = compute(**hypothesis)
    for n, kinds in enumerate(result.ngrams):
        assert len(kinds) == result.alone.totals[n]
        assert kinds.count(MATCH) == result.alone.matches[n]
        reference = {REFERENCE[i : i + n + 1] for i in range(len(REFERENCE) - n)}
        for i, kind in enumerate(kinds):
            ngram = tuple(result.words[i : i + n + 1])
            assert (kind in (MATCH, CLIPPED)) == (ngram in reference)


def test_only_one_of_the_doubled_words_may_go():
    result = compute()
    assert result.raised == DOUBLED and [BASE.split()[i - 1] for i in DOUBLED] == ["the", "the"]
    assert [round(result.deleted[i - 1], 2) for i in DOUBLED] == [66.90, 66.90]
    others = [s for i, s in enumerate(result.deleted, 1) if i not in DOUBLED]
    assert round(max(others), 2) == 53.42 and max(others) < result.base


def test_too_long_a_sentence_and_none_have_a_message():
    for own, clue in ((" ", "no word"), ("a " * 20, "At most 12 words"), ("x" * 90, "52 letters")):
        result = compute(preset="own", own=own)
        assert clue in result.problem
        for veiled in (False, True):
            assert clue in " ".join(words(parsed(draw(result, veiled=veiled))))
        assert EXPLORER.judge(result).why == result.problem


def test_own_words_are_escaped_and_scored():
    result = compute(preset="own", own="The <b>KING</b> & co")
    assert result.words[0] == "the" and result.alone.matches[0] == 1
    parsed(draw(result))


# ---------------------------------------------------------------- verdict and picture


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_the_verdict_is_what_was_counted(params):
    result = compute(**params)
    verdict = EXPLORER.judge(result)
    base = compute(**{**params, "preset": "base", "delete": 0})
    if result.preset == "base" and not result.delete:
        gained = []
        for i in range(10):
            left = BASE.split()
            del left[i]
            score = _score(tuple(left), params["smoothing"], params["max_n"], params["scope"])
            gained += [i + 1] if score > base.shown.score + 1e-9 else []
        expected = {(): "none", DOUBLED: "the", tuple(range(1, 11)): "any"}
        assert verdict.answer == expected.get(tuple(gained), "other")
        assert verdict.answer in DELETIONS.values()
    else:
        difference = result.shown.score - base.shown.score
        sign = "same" if abs(difference) < 0.005 else "higher" if difference > 0 else "lower"
        assert verdict.answer == sign and sign in COMPARED.values()
        assert f"It is {result.shown.score:.2f} against" in verdict.why


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_all_is_drawn_and_nothing_is_cut_off(params):
    result = compute(**params)
    root = parsed(draw(result))
    for kind in (MATCH, CLIPPED, "miss"):
        assert len(of_class(root, kind)) == sum(row.count(kind) for row in result.ngrams)
    assert len(of_class(root, "word")) == len(result.words) + len(REFERENCE)
    wide = [float(bar.get("width")) for bar in of_class(root, "precision")]
    assert wide == pytest.approx([1.5 * p for p in result.shown.precisions], abs=0.06)
    width, height = float(root.get("width")), float(root.get("height"))
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("x"):
            assert 0 <= float(rect.get("x")) <= width - float(rect.get("width"))
            assert 0 <= float(rect.get("y")) <= height - float(rect.get("height"))
    assert unreadable(root) == []
    assert f"{result.shown.score:.2f}" in root.find(f"{SVG}title").text


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_the_product_that_is_written_gives_the_score(params):
    """Factors, root and penalty as a reader sees them."""
    result = compute(**params)
    said = " ".join(words(parsed(draw(result))))
    bleu = result.shown
    orders = sum(t > 0 for t in bleu.totals) if result.smoothing == "effective" else result.max_n
    mean = math.prod(p / 100 for p in bleu.precisions[:orders]) ** (1 / orders)
    assert f"= {mean:.4f};" in said
    assert 100 * mean * bleu.brevity_penalty == pytest.approx(bleu.score, abs=1e-6)


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name in EXPLORER.states:
        result = compute(**EXPLORER.params(name))
        veiled = parsed(draw(result, veiled=True))
        assert len(of_class(veiled, "veil")) == 1 and of_class(veiled, MATCH) == []
        shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert "BLEU" not in shown and "Matches" not in shown


def test_a_page_without_a_kernel_gets_every_setting_in_a_small_table():
    whole = table(EXPLORER)
    assert len(whole["views"]) == len(SETTINGS) == 432
    assert len(packed(whole)) < 300_000


def test_a_picture_is_quick():
    _compute.cache_clear()
    seconds = []
    for params in SETTINGS[::4]:
        start = time.process_time()
        draw(compute(**params))
        seconds.append(time.process_time() - start)
    assert sorted(seconds)[int(0.95 * len(seconds))] < 0.05
