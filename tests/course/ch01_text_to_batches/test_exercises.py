"""Chapter 1's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import re

import pytest
import torch

from seq2seq_lib.course import ch01_text_to_batches as chapter01
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch01_text_to_batches import (
    ex2_waste,
    ex4_read_back,
    ex5_apply_merges,
    ex7_token_batches,
    ex8b_test_build,
    ex8c_fixed_build,
    patient,
)
from tests.support.answers import found, probes_of, sparing, text_of

FUNCTIONS = ("1.1", "1.2", "1.4", "1.5", "1.6", "1.7", "1.8c", "1.9")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("1")} == {
        "1.1": 0,
        "1.2": 0,
        "1.3": 1,
        "1.4": 2,
        "1.5": 4,
        "1.6": 4,
        "1.7": 4,
        "1.8a": 2,
        "1.8b": 5,
        "1.8c": 3,
        "1.9": 6,
    }
    assert [e.id for e in exercises("1") if e.manual] == ["1.9"]


# ---------------------------------------------------------------- what the notebooks are given


def test_one_letter_is_the_share_of_pad_and_the_others_have_other_reasons():
    words = [line.split() for line in chapter01.FRESH_LINES]
    rows = [[1] * (len(line) + 1) for line in words]  # EOS
    width = max(map(len, rows))
    pads, real = sum(width - len(row) for row in rows), sum(map(len, rows))
    numbers = {
        "correct": pads / (pads + real),
        "eos_forgotten": sum(width - 1 - len(line) for line in words) / (4 * (width - 1)),
        "bos_counted": pads / (4 * (width + 1)),
        "eos_as_pad": (pads + 4) / (pads + real),
        "real_share": real / (pads + real),
        "over_tokens": pads / real,
    }
    options = chapter01.share_options()
    assert len(set(options.values())) == 6
    for letter, shown in options.items():
        finding = found("1.3", letter)[1]
        assert shown == f"{100 * numbers[finding.name or finding.state]:.1f} %", letter


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("seed", range(5))
def test_probes_reach_the_edges(seed):
    def fed(exercise_id):
        drawn = probes_of(exercise_id, seed)
        return [probe.args for probe in drawn]

    assert {len(args["target"]) for args in fed("1.1")} >= {0, 1, 3}
    assert {len(args["batches"]) for args in fed("1.2")} >= {1, 2, 3}
    assert any(args["ids"] == [] for args in fed("1.4"))
    assert any(2 not in args["ids"] and args["ids"] for args in fed("1.4")), "a row that was cut"
    assert any(args["ids"][:1] == [0] for args in fed("1.4")), "padded on the left"
    assert any(args["merges"] == [] for args in fed("1.5"))
    assert {len(args["word"]) for args in fed("1.5")} >= {0, 1, 3, 9}
    shapes = {tuple(args["labels"].shape) for args in fed("1.6")}
    assert {(1, 1), (3, 1), (1, 5), (3, 3)} <= shapes
    for args in fed("1.7"):
        assert max(args["lengths"]) <= args["max_tokens"]
    assert any(len(args["lengths"]) == 1 for args in fed("1.7"))
    for args in fed("1.8c"):
        assert args["num_steps"] >= 2 and all(args["lines"])


@pytest.mark.parametrize("seed", range(20))
def test_tables_of_1_5_are_as_they_are_learned(seed):
    """A part of a pair is a letter or was joined before; else one pass would not be right."""
    for probe in probes_of("1.5", seed):
        there = set("abcdefghijklmnopqrstuvwxyz_")
        for left, right in probe.args["merges"]:
            assert left in there and right in there
            there.add(left + right)


def test_pieces_of_a_word_are_the_word():
    for seed in range(10):
        for probe in probes_of("1.5", seed):
            cut = ex5_apply_merges.apply_merges(**probe.args)
            assert "".join(cut) == probe.args["word"]


# ---------------------------------------------------------------- typical mistakes


def clears_one_list(lengths, most):
    batches, batch = [], []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[i] > most:
            batches.append(batch)
            batch.clear()
        batch.append(i)
    return [*batches, batch]


def finds_by_length(lengths, most):
    return [[lengths.index(n) for n in sorted(lengths)]]


def width_grown(lengths, batches):
    cells = sum(len(batch) * (max(lengths[i] for i in batch) + 1) for batch in batches)
    return 1 - sum(lengths) / cells


def breaks_at_pad(ids, pieces):
    kept = []
    for i in ids:
        if i == 0:
            break
        if i not in (1, 2):
            kept.append(pieces[i])
    return "".join(kept).replace("_", " ").rstrip()


def replaces_pairs(word, merges):
    text = " ".join(word)
    for pair in merges:
        text = text.replace(" ".join(pair), "".join(pair))
    return text.split()


def limit_is_too_much(lengths, most):
    batches, batch = [], []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if (len(batch) + 1) * lengths[i] >= most:
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch]


def appends_first(lengths, most):
    batches, batch = [], []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        batch.append(i)
        if len(batch) * lengths[i] > most:
            batches.append(batch)
            batch = []
    return [*batches, batch]


def some_ties_turned(lengths, most):
    """As an unstable sort leaves them: not all ties, but those of one batch."""
    first, *rest = ex7_token_batches.token_batches(lengths, most)
    return [sorted(first, key=lambda i: (lengths[i], -i)), *rest]


def array_of_floats(lines, width):
    ids = torch.zeros(len(lines), width)
    for row, line in enumerate(lines):
        sentence = line[: width - 1] + [2]
        ids[row, : len(sentence)] = torch.tensor(sentence)
    return ids, (ids != 0).sum(1)


def length_of_lines(lines, width):
    ids, _ = array_of_floats(lines, width)
    return ids.long(), torch.tensor([len(line) for line in lines])


def splits_at_each_space(lines, merges):
    counts = {}
    words = [word for line in lines for word in line.split(" ")]
    marked = [f"{word}_" for word in words]
    letters = [letter for word in marked for letter in word]
    pieces = [piece for word in marked for piece in ex5_apply_merges.apply_merges(word, merges)]
    for name, tokens in (("letters", letters), ("pieces", pieces), ("words", words)):
        counts[name] = (len(set(tokens)), len(tokens))
    return counts


MISTAKES = [
    ("1.1", "not_a_function", ([1, 5], [5, 2])),
    ("1.1", "not_a_pair", lambda target: [1, *target, 2]),
    ("1.1", "not_a_pair", lambda target: {"read": target, "say": target}),
    ("1.1", "nested", lambda target: ([1, target], [target, 2])),
    ("1.1", "pads_added", lambda target: ([1, *target, 0], [*target, 2, 0])),
    ("1.1", "lengths_differ", lambda target: ([1] + target[:-1], target + [2])),
    ("1.1", "raised", lambda target: ([1] + target, target + 2)),
    ("1.1", "value", lambda target: ([1, *target[::-1]], [*target[::-1], 2])),
    ("1.2", "not_a_number", lambda lengths, batches: torch.tensor(0.5)),
    ("1.2", "not_a_number", lambda lengths, batches: "a third"),
    ("1.2", "rounded", lambda *args: round(ex2_waste.waste(*args), 2)),
    ("1.2", "lengths_grown", width_grown),
    ("1.2", "value_alone", lambda lengths, batches: 0.25),
    ("1.3", "not_a_choice", "39.3 %"),
    ("1.3", "not_a_choice", 0.393),
    ("1.4", "raised", lambda ids, pieces: "".join(ids)),
    ("1.4", "stops_at_pad", breaks_at_pad),
    ("1.4", "value_alone", lambda ids, pieces: " ".join(pieces)),
    ("1.5", "not_a_list", lambda word, merges: {*word}),
    ("1.5", "not_cut", lambda word, merges: [word]),
    ("1.5", "parts_of_symbols", replaces_pairs),
    ("1.5", "empty_piece", lambda word, merges: [*word, ""]),
    ("1.5", "other_letters", lambda word, merges: [*word, "_"]),
    ("1.5", "not_texts", lambda word, merges: [1, 2]),
    ("1.5", "raised", lambda word, merges: [word[0]] + [merges[9]]),
    ("1.6", "not_a_tensor", lambda labels: labels.tolist()),
    ("1.6", "shape", lambda labels: labels[:, 1:]),
    ("1.6", "value", lambda labels: torch.zeros_like(labels)),
    ("1.7", "not_a_list", lambda lengths, most: max(lengths)),
    ("1.7", "empty_batch", lambda lengths, most: [[0, 1], []]),
    ("1.7", "same_list", clears_one_list),
    ("1.7", "not_each_once", finds_by_length),
    ("1.7", "too_large", lambda lengths, most: [list(range(len(lengths)))]),
    ("1.7", "too_large", appends_first),
    ("1.7", "strictly_below", limit_is_too_much),
    ("1.7", "ties_turned", some_ties_turned),
    ("1.7", "not_batches", lambda lengths, most: [[1.5]]),
    ("1.7", "not_batches", lambda lengths, most: [0, 1]),
    ("1.7", "raised", lambda lengths, most: [lengths[most]]),
    ("1.8a", "not_a_choice", "F"),
    ("1.8c", "not_two", lambda lines, width: torch.zeros(3)),
    ("1.8c", "not_two", lambda lines, width: (lines, width)),
    ("1.8c", "not_integers", array_of_floats),
    ("1.8c", "length_of_the_line", length_of_lines),
    ("1.8c", "shapes", lambda lines, width: (torch.zeros(2, 2).long(), torch.ones(2).long())),
    ("1.8c", "raised", lambda lines, width: torch.tensor(lines) + torch.zeros(width)),
    ("1.9", "empty_words", splits_at_each_space),
    ("1.9", "keys", lambda lines, merges: {"letters": (1, 2)}),
    ("1.9", "not_a_pair", lambda lines, merges: dict.fromkeys(("letters", "pieces", "words"), 3)),
    ("1.9", "not_a_dict", lambda lines, merges: [1, 2, 3]),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    name = finding.removesuffix("_alone")
    state = "error" if name == "raised" else "wrong"
    assert (result.name, result.state) == (name, state), report.text
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, "1.8b"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given_by = {mutant.finding for mutant in find(exercise_id).mutants}
    given_by |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id == "1.8b":
        given_by = set(ex8b_test_build.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    own = set(find(exercise_id).words.findings)
    assert own <= given_by, own - given_by


def test_the_messages_show_the_numbers():
    mutants = {mutant.finding: mutant.function for mutant in ex5_apply_merges.MUTANTS}
    text = text_of(found("1.5", mutants["longest_piece"])[0])
    assert "word = 'ten'" in text and "['te', 'n']" in text
    mutants = {mutant.finding: mutant.function for mutant in ex4_read_back.MUTANTS}
    assert "<eos>" in text_of(found("1.4", mutants["end_printed"])[0])


# ---------------------------------------------------------------- the clinic


def test_the_report_is_what_the_bug_really_produces():
    assert patient.reproduce_report() == patient.REPORT == chapter01.data_report()


def test_with_a_right_array_the_evidence_would_not_be_there_but_the_pile_would():
    lines = patient.reproduce_report(ex8c_fixed_build.fixed_build).splitlines()
    sick = patient.REPORT.splitlines()
    assert [a[0] for a, b in zip(lines, sick, strict=True) if a != b] == ["C"]
    assert "6000, 100%" in lines[4] and "7: 4316" in lines[3]


def accepts_everything(build):
    assert build([[5, 6]], 4) is not None


def nothing_is_cut(build):
    ids, lengths = build([[5, 6], [7]], 4)
    assert ids.tolist() == [[5, 6, 2, 0], [7, 2, 0, 0]] and lengths.tolist() == [3, 2]


def wants_a_tuple(build):
    assert isinstance(build([[5, 6]], 4), tuple)


def wants_int64(build):
    assert build([[5, 6]], 4)[1].dtype == torch.int64


def returns_a_bool(build):
    return build([[5, 6, 7]], 3)[0].tolist() == [[5, 6, 2]]


def raises_something_else(build):
    if build([[5, 6, 7]], 3)[0].tolist() != [[5, 6, 2]]:
        raise ValueError("wrong")


def crashes(build):
    build(None, 3)


WRONG_TESTS = [  # the finding, points, how many of 9 suspects are rejected
    (accepts_everything, "nothing_rejected", 0, 0),
    (nothing_is_cut, "end_cut", 0, 5),
    (wants_a_tuple, "innocent_rejected", 0, None),
    (wants_int64, "innocent_rejected", 0, None),
    (returns_a_bool, "test_returns", 0, None),
    (raises_something_else, "other_error", 0, None),
    (crashes, "raised", 0, None),
]


@pytest.mark.parametrize(("test", "finding", "earned", "killed"), WRONG_TESTS)
def test_weak_tests_earn_nothing_and_hear_why(test, finding, earned, killed):
    report, result = found("1.8b", test)
    assert (result.name, result.earned) == (finding, earned), report.text
    assert killed is None or f"{killed} of 9" in report.text, report.text


def counts_ends(build):
    ids, _ = build([[5, 6, 7, 8], [5]], 3)
    assert ((ids == 2).sum(1) == 1).all()


def whole_rows(build):
    ids, _ = build([[5, 6, 7, 8], [5], [6, 7, 8]], 4)
    assert ids.tolist() == [[5, 6, 7, 2], [5, 2, 0, 0], [6, 7, 8, 2]]


@pytest.mark.parametrize(
    ("test", "earned"),
    [(counts_ends, 2), (whole_rows, 4), (ex8b_test_build.test_build, 5)],
)
def test_tiers_separate_tests_that_see_more_from_those_that_see_less(test, earned):
    report, finding = found("1.8b", test)
    assert finding.earned == earned or finding.state == "correct", report.text
    assert (finding.state == "correct") == (earned == 5), report.text


@pytest.mark.parametrize("survivor", ex8b_test_build.SUSPECTS)
def test_each_survivor_is_described(survivor):
    report, result = found("1.8b", sparing("1.8b", survivor))
    assert result.name == survivor and "8 of 9" in report.text
