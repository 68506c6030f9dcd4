"""Chapter 12's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import re

import pytest
import torch
import torch.nn.functional as F

from seq2seq_lib.course import ch12_several_processes as chapter12
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch12_several_processes import ex5b_test_patient, figures, patient, windows
from tests.support.answers import found, sparing

FUNCTIONS = ("12.1", "12.3", "12.4", "12.5c")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_have_none():
    assert {e.id: e.points for e in exercises("12")} == {
        "12.1": 0,
        "12.2": 1,
        "12.3": 3,
        "12.4": 3,
        "12.5a": 1,
        "12.5b": 4,
        "12.5c": 3,
    }


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("seed", range(5))
def test_probes_reach_the_edges(seed):
    generator = torch.Generator().manual_seed(seed)
    tokens = [probe.args["tokens"].tolist() for probe in find("12.1").task.probes(generator)]
    assert any(len(row) == 1 for row in tokens) and any(0 in row for row in tokens)
    assert any(len(set(row)) == 1 < len(row) for row in tokens), "equal shares"
    assert all(sum(row) > 0 for row in tokens)
    ranks = [probe.args for probe in find("12.3").task.probes(generator)]
    assert any(args["world"] == 1 for args in ranks)
    assert any(args["own_tokens"] == 0 == float(args["total"]) for args in ranks)
    assert any(args["own_tokens"] == args["all_tokens"] for args in ranks)
    for args in (probe.args for probe in find("12.4").task.probes(generator)):
        assert all(part.sum() > 0 for part in args["tokens"].split(args["size"]))
    cuts = [(len(p.args["totals"]), p.args["size"]) for p in find("12.4").task.probes(generator)]
    assert any(M < size for M, size in cuts) and any(size == 1 for _, size in cuts)
    assert any(M % size == 0 and size > 1 for M, size in cuts)
    batches = [p.args["micro_batches"] for p in find("12.5c").task.probes(generator)]
    labelled = [[bool((labels != -100).any()) for _, labels in batch] for batch in batches]
    assert all(map(any, labelled)) and not all(map(all, labelled)), "some have no label, not all"


# ---------------------------------------------------------------- typical mistakes


MISTAKES = [
    ("12.1", "raised", lambda means, tokens: means[tokens]),
    ("12.1", "shape", lambda means, tokens: find("12.1").reference(means, tokens)[None]),
    ("12.1", "not_a_tensor", lambda means, tokens: find("12.1").reference(means, tokens).item()),
    ("12.2", "not_a_choice", "F"),
    ("12.3", "not_float", lambda total, own, everything, world: (total * world).long()),
    ("12.3", "value", lambda total, own, everything, world: total * (world + 1) / everything),
    ("12.4", "shape", lambda totals, tokens, size: totals.sum() / tokens.sum()),
    ("12.4", "value", lambda *args: find("12.4").reference(*args) + 1),
    ("12.5c", "raised", lambda micro_batches: torch.cat(micro_batches)),
    ("12.5c", "value", lambda micro_batches: find("12.5c").reference(micro_batches).exp()),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", FUNCTIONS)
def test_every_message_is_given_and_there_are_five_at_least(exercise_id):
    named = {mutant.finding for mutant in find(exercise_id).mutants}
    assert set(find(exercise_id).words.findings) <= named and len(named) >= 5


# ---------------------------------------------------------------- tests that learners write


def draw(places=12, prompt=3):
    torch.manual_seed(5)
    logits, labels = torch.randn(places, 5), torch.randint(5, (places,))
    labels[:prompt] = -100
    return logits, labels


def compares(sizes, **drawn):
    """A test that cuts one batch in pieces of these sizes."""
    logits, labels = draw(**drawn)

    def test(window_loss):
        pieces = list(zip(logits.split(sizes), labels.split(sizes), strict=True))
        torch.testing.assert_close(window_loss(pieces), F.cross_entropy(logits, labels))

    return test


WRONG_TESTS = [
    ("sum_of_means", 0, compares([12])),
    ("average_of_means", 2, compares([6, 6], prompt=0)),
    ("all_places", 2, compares([8, 4], prompt=0)),
    ("nan_share", 3, compares([8, 4])),
    ("innocent_rejected", 0, lambda f: compares([6, 6])(lambda pieces: f(pieces) + 1)),
    *[
        (name, 0 if name == "sum_of_means" else 3, sparing("12.5b", name))
        for name in ex5b_test_patient.SUSPECTS
    ],
]


@pytest.mark.parametrize(("finding", "earned", "answer"), WRONG_TESTS)
def test_a_weak_test_is_told_which_wrong_one_it_lets_pass(finding, earned, answer):
    report, result = found("12.5b", answer)
    assert (result.name, result.earned) == (finding, earned), report.text


def test_a_test_that_compares_digits_is_told_so():
    def exact(window_loss):
        logits, labels = draw(places=300)
        pieces = list(zip(logits.split([100, 200]), labels.split([100, 200]), strict=True))
        right = {float(f(pieces)) for f in (windows.joined, windows.sums_divided_once)}
        assert float(window_loss(pieces)) in right

    assert found("12.5b", exact)[1].name == "last_digits"


# ---------------------------------------------------------------- the clinic, the figures


def test_the_log_is_what_the_bug_really_produces():
    """To the last digit but one: another processor may round otherwise."""
    numbers = [
        [float(n) for n in line.split()]
        for line in patient.LOG.splitlines()
        if re.match(r" +\d", line)
    ]
    made = [patient.training(chapter12.patient_loss, pieces) for pieces in patient.SIZES]
    assert [row[0] for row in numbers] == list(patient.SIZES)
    for (_, *shown), row in zip(numbers, made, strict=True):
        assert shown == pytest.approx(row, abs=0.011)
    assert patient.LOG.splitlines()[:4] == patient.reproduce_log().splitlines()[:4]
    assert chapter12.training_log() == patient.LOG


def test_healed_the_log_is_the_same_for_each_cut():
    healed = [patient.training(windows.sums_divided_once, pieces) for pieces in patient.SIZES]
    for row in healed[1:]:
        assert row == pytest.approx(healed[0], abs=1e-4)


def test_weights_of_a_figure_are_drawn_as_heights():
    ways = figures.weights([2, 3, 5])
    assert [sum(n * w for n, w in zip([2, 3, 5], ways[way], strict=True)) for way in ways] == [
        pytest.approx(total) for total in (1, 3, 1)
    ]
    figure, said = figures.weighed([2, 3, 5])
    assert "average of means: 1/6 in share 1, 1/9 in share 2, 1/15 in share 3." in said
    for ax, (way, each) in zip(figure.axes, ways.items(), strict=True):
        heights = [bar.get_height() for bar in ax.patches]
        assert ax.get_title() == way
        assert heights == [each[0]] * 2 + [each[1]] * 3 + [each[2]] * 5
    with pytest.raises(ValueError, match="one a share"):
        figures.shares([3, 0])
