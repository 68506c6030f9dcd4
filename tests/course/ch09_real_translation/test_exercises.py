"""Chapter 9's exercises: their probes, typical mistakes, the bug clinic, what the notebooks get."""

import math
import re

import pytest
import torch
from sacrebleu.metrics import CHRF

from seq2seq_lib.course import ch09_real_translation as chapter09
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.assets.translation import phrase_translator
from seq2seq_lib.course.ch09_real_translation import ex5_split, ex6b_test_score, patient, scores
from seq2seq_lib.metrics import bleu_from_scratch, bleu_of, bleu_statistics, bootstrap_interval
from tests.support.answers import found, probes_of, sparing

FUNCTIONS = ("9.2", "9.3", "9.4", "9.5", "9.6c", "9.7", "9.8", "9.9")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("9")} == {
        "9.1a": 1,
        "9.1b": 1,
        "9.1c": 1,
        "9.2": 4,
        "9.3": 4,
        "9.4": 4,
        "9.5": 4,
        "9.6a": 1,
        "9.6b": 2,
        "9.6c": 2,
        "9.7": 6,
        "9.8": 0,
        "9.9": 0,
    }
    assert [e.id for e in exercises("9") if e.manual] == ["9.7"]


# ---------------------------------------------------------------- what is right


def test_the_letters_are_right():
    line = "a b c d e f g h".split()
    lost = bleu_from_scratch([line[:2] + line[3:]], [[line]], smoothing="none")
    assert round(lost.score, 1) == 61.3 and round(100 * lost.brevity_penalty, 1) == 86.7
    short = [["x", "y", "z"]] * 9 + [["a", "b", "c", "d"]]
    assert bleu_from_scratch(short, [[s] for s in short], smoothing="none").score == 100


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_of_9_3_is_sacrebleu_s(seed):
    for probe in probes_of("9.3", seed):
        h, r, n, beta = probe.args.values()
        if beta == int(beta) and r.strip():
            metric = CHRF(char_order=n, beta=int(beta))
            due = metric.sentence_score(h, [r]).score
            assert find("9.3").reference(h, r, n, beta) == pytest.approx(due, abs=1e-6)


def test_the_reference_of_9_4_is_the_library_s_bootstrap():
    hyps = ["a b c d e", "a b x", "c d e f g h", "b a"]
    refs = ["a b c d e", "a b c d", "c d e g g h", "a b"]
    one, two = (
        bleu_statistics([h.split() for h in lines], [[r.split()] for r in refs])
        for lines in (hyps, hyps[:1] + refs[1:2] + hyps[2:])
    )
    picks = torch.randint(4, (200, 4), generator=torch.Generator().manual_seed(5))
    answer = find("9.4").reference(one, two, picks, lambda sums: bleu_of(sums.tolist()))
    assert answer == pytest.approx(bootstrap_interval(one, two, resamples=200, seed=5), abs=1e-9)


def test_pieces_of_the_chapter():
    encode, merges = find("9.2").reference, chapter09.ex2_encode.SNOW
    assert encode("snowman", merges) == ["▁snow", "man"]
    assert encode("anow", merges) == ["▁", "a", "now"]
    wrong = dict((m.finding, m.function) for m in find("9.2").mutants)
    assert wrong["one_pass"]("snowman", merges) == ["▁s", "n", "ow", "m", "an"]
    assert wrong["longest_match"]("anow", merges) == ["▁", "an", "ow"]


@pytest.mark.parametrize("seed", range(4))
def test_a_split_has_no_source_on_both_sides_and_all_pairs(seed):
    for probe in ex5_split.probes(torch.Generator().manual_seed(seed)):
        pairs, share, _, key = probe.args.values()
        train, test = find("9.5").reference(**probe.args)
        assert sorted(train + test) == sorted(pairs) and test
        assert not {key(s) for s, _ in train} & {key(s) for s, _ in test}
        keys = {key(s) for s, _ in pairs}
        assert len({key(s) for s, _ in test}) == max(1, round(share * len(keys)))


# ---------------------------------------------------------------- probes and messages


def test_probes_reach_the_edges():
    generator = torch.Generator().manual_seed(0)
    drawn = {id: [p.args for p in find(id).task.probes(generator)] for id in FUNCTIONS}
    assert any(a["word"] == "" for a in drawn["9.2"]) and any(not a["merges"] for a in drawn["9.2"])
    assert {"", " "} & {a["h"] for a in drawn["9.3"]}
    assert 1 in {len(a["stats_a"]) for a in drawn["9.4"]}
    assert 1 in {len(a["picks"]) for a in drawn["9.4"]}
    assert 1 in {len(a["pairs"]) for a in drawn["9.5"]}
    assert any("" in a["hypotheses"] for a in drawn["9.6c"])
    assert any(a["hypotheses"][-1] == "" for a in drawn["9.6c"])
    assert any(a["hypothesis"] == "" for a in drawn["9.7"])
    assert any(a["pieces"] == [] for a in drawn["9.8"])
    assert any(len(a["hyp"]) + 1 < a["n"] for a in drawn["9.9"])


MISTAKES = [
    ("9.1a", "not_a_choice", 61.3),
    ("9.2", "raised", lambda word, merges: merges[99]),
    ("9.2", "value", lambda word, merges: ["▁", *word][::-1]),
    (
        "9.2",
        "longest_merges_first",
        lambda word, merges: find("9.2").reference(
            word, sorted(merges, key=lambda pair: -len("".join(pair)))
        ),
    ),
    ("9.3", "not_a_number", lambda h, r, max_n, beta: [1.0]),
    ("9.3", "value", lambda h, r, max_n, beta: 42.0),
    ("9.4", "value", lambda stats_a, stats_b, picks, score: (0.0, 1.0)),
    ("9.5", "not_two_lists", lambda pairs, share, seed, key: pairs),
    ("9.5", "value", lambda pairs, share, seed, key: (pairs[1:], pairs[:1])),
    ("9.6c", "not_a_number", lambda hypotheses, references: "61"),
    ("9.6c", "value", lambda hypotheses, references: 50.0),
    ("9.7", "no_kind", lambda hypothesis, reference: "wrong"),
    ("9.7", "value", lambda hypothesis, reference: "other"),
    ("9.8", "not_pieces", lambda pieces, pair: "".join(pieces)),
    ("9.8", "value", lambda pieces, pair: ["x"]),
    ("9.9", "value", lambda hyp, ref, n: (1, 2)),
    ("9.8", "not_a_function", ["aa", "a"]),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, "9.6b"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given = {mutant.finding for mutant in find(exercise_id).mutants}
    given |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id == "9.6b":
        given = {finding for finding, *_ in WRONG_TESTS}
    assert set(find(exercise_id).words.findings) <= given


# ---------------------------------------------------------------- tests that learners write


def plain_bleu(score):
    said, wanted = ["a b c d e"], ["a b c d x"]
    due = bleu_from_scratch([said[0].split()], [[wanted[0].split()]], smoothing="none").score
    assert abs(score(said, wanted) - due) < 1e-6


WRONG_TESTS = [
    ("innocent_rejected", 0, plain_bleu),
    ("last_line", 0, sparing("9.6b", "last_line")),
    *[(name, 1, sparing("9.6b", name)) for name in ex6b_test_score.SUSPECTS if name != "last_line"],
]


@pytest.mark.parametrize(("finding", "earned", "answer"), WRONG_TESTS)
def test_a_weak_test_is_told_which_wrong_one_it_lets_pass(finding, earned, answer):
    report, result = found("9.6b", answer)
    assert (result.name, result.earned) == (finding, earned), report.text


def test_a_test_that_asks_for_the_last_digit_is_told_so():
    def exactly(score):
        wanted = ["a b c d e f g", "a b c d", "b a"]
        for end in range(1, 7):
            said = [line[: 2 * end - 1] + " x" for line in wanted]
            assert score(said, wanted) == scores.right_score(said, wanted)

    assert found("9.6b", exactly)[1].name == "last_digits"


# ---------------------------------------------------------------- the clinic


def test_the_log_is_what_the_bug_really_produces():
    assert patient.reproduce_log() == patient.LOG == chapter09.score_log()
    numbers = [float(line.split()[-1]) for line in patient.LOG.splitlines()]
    line, came, first, last, perfect = numbers
    assert f"by hand {line:.2f}" in patient.LOG and len({came, first, last}) == 3
    assert perfect > 100 and last > 100


def test_the_patient_is_right_for_one_line_and_wrong_for_two():
    for hypothesis, reference in (("a b c", "a b d e"), ("a b c d e f", "a b c d e f")):
        due = scores.right_score([hypothesis], [reference])
        assert math.isclose(chapter09.patient_score([hypothesis], [reference]), due)
    two = ["a b c d e f", "a"]
    assert chapter09.patient_score(two, two) > 100 == scores.right_score(two, two)


# ---------------------------------------------------------------- what the chapter is given


def test_the_wrong_ways_are_as_wrong_as_the_chapter_says():
    got = chapter09.wrong_bleus(chapter09.HYPOTHESES, chapter09.REFERENCES)
    due = [28.12, 50.03, 52.87, 56.79, 47.84, 53.33, 65.72, 73.52]
    assert [round(score, 2) for score in got.values()] == due
    assert round(chapter09.bleu_of_lines(chapter09.HYPOTHESES, chapter09.REFERENCES), 2) == 48.96


def test_without_pads_the_naive_batch_is_ours():
    translator = phrase_translator()
    sources = [
        "an aunt speaks to these grey bees",
        "the cat sees the house",
        "a tree near his owls",
    ]
    for source in sources:
        ((tokens, log_prob),) = chapter09.padded_length_search(translator, [source])
        ours = translator([source], num_beams=5)[0]
        assert tokens[:-1] == translator.tgt_vocab.encode(ours.target)
        assert log_prob == pytest.approx(ours.log_prob, abs=1e-4)
    longest = max(len(translator.tokenize(source)) for source in sources)
    assert longest > min(len(translator.tokenize(source)) for source in sources)
    naive = chapter09.padded_length_search(translator, sources)  # pads are read, not refused
    ours = [translation.log_prob for translation in translator(sources, num_beams=5)]
    assert max(abs(a - b) for (_, a), b in zip(naive, ours, strict=True)) > 0.01


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("exercise_id", "finding"), [("9.3", "own_orders"), ("9.5", "rounded_down")]
)
def test_these_pass_with_no_draw_of_the_probes(exercise_id, finding, seed):
    (wrong,) = [m.function for m in find(exercise_id).mutants if m.finding == finding]
    assert found(exercise_id, wrong, seed)[1].name == finding


def test_places_and_bands_are_counted():
    assert chapter09.words_off("a b c", "a x c") == 1 and chapter09.words_off("a", "a b") is None
    bands = chapter09.exact_by_band(
        ["a", "b", "c"], ["a", "x", "c"], [0, 0, 5], [(0, 1, "few"), (2, 9, "many")]
    )
    assert bands == [("few", 0.5, 2), ("many", 1.0, 1)]
