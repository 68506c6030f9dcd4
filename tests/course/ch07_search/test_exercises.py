"""Chapter 7's exercises: typical mistakes, the probes, the bug clinic, the gallery."""

import math
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch07_search import (
    ex5b_test_patient,
    ex6_test_rows,
    gallery,
    given,
    mistakes,
    patient,
    searches,
)
from seq2seq_lib.course.ch07_search.ex2_choose_batched import choose_batched
from seq2seq_lib.course.ch07_search.ex4_can_stop import can_stop
from seq2seq_lib.course.ch07_search.ex5b_test_patient import INNOCENT
from seq2seq_lib.course.ch07_search.ex5c_fixed_search import fixed_search
from seq2seq_lib.course.judging.probes import fresh_generator
from seq2seq_lib.course.letter_cards import by_prefix, spelt
from seq2seq_lib.decoding import exhaustive_search, greedy_search, rescore
from seq2seq_lib.laws import HashModel, scores_add_up, search_oracle
from seq2seq_lib.toy_models import BigramModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID
from tests.course.ch07_search.wrong_answers import MISTAKES, changed
from tests.support.answers import found, probes_of, sparing

SOURCE = (torch.tensor([[5, 3, EOS_ID]]), torch.tensor([3]))


def name_of(value):
    return getattr(value, "__name__", None) or getattr(value, "finding", None) or str(value)


def test_ids_and_points_are_those_of_the_contract():
    assert {e.id: e.points for e in exercises("7")} == {
        "7.1": 2,
        "7.2": 4,
        "7.3": 3,
        "7.4": 3,
        "7.5a": 1,
        "7.5b": 4,
        "7.5c": 2,
        "7.6": 3,
        "7.7": 0,
        "7.8": 0,
    }
    graded = [e for e in exercises("7") if e.points]
    assert sum(e.points for e in graded) == 22 and sum(e.minutes for e in graded) == 120


# ---------------------------------------------------------------- typical mistakes


@pytest.mark.parametrize(("id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(id, finding, answer):
    report, result = found(id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong"), (
        report.text
    )
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


def test_every_message_is_given_by_some_wrong_answer():
    """In the exercise that it stands beside; a shared one in one of those that share it."""
    said_in = {e.id: {m.finding for m in e.mutants} for e in exercises("7")}
    for id, finding, _ in MISTAKES:
        said_in[id].add(finding)
    said_in["7.5b"] = set(mistakes.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    said_in["7.6"] = set(ex6_test_rows.SUSPECTS)
    said = set().union(*said_in.values())
    for id in (e.id for e in exercises("7") if callable(e.reference)):
        for name, message in find(id).words.findings.items():
            shared = sum(e.words.findings.get(name) == message for e in exercises("7")) > 1
            assert name in (said if shared else said_in[id]), f"{id} never says {name}"


BY_WHAT_CAME_BACK = {
    "7.2": {"not_three", "argument_changed"},
    "7.7": {"not_two", "tokens_only", "late_end", "ended_stay_open", "shrinks", "too_wide"},
    "7.8": {"not_three", "not_whole", "impossible", "argument_changed"},
    "7.5c": {"twice", "end_not_scored", "wrong_sign", "wrong_length", "after_end",
             "length_without_end", "worst_first"},
}  # fmt: skip


@pytest.mark.parametrize("id", BY_WHAT_CAME_BACK)
def test_many_mistakes_are_recognised_however_they_are_written(id):
    """Without the list of known wrong answers, by what came back alone."""
    task = replace(find(id).task, mutants=())
    named = Counter(
        m.finding
        for m in find(id).mutants
        if all(task.judge(m.function, fresh_generator(s)).name == m.finding for s in range(2))
    )
    assert BY_WHAT_CAME_BACK[id] <= set(named)


def test_the_model_of_a_message_can_be_made_in_the_notebook():
    text = found("7.5c", mistakes.backwards(fixed_search))[0].text
    assert "HashModel(6, seed=134, eos_bias=0.5), src = [[5, 3, 2]], num_beams = 3" in text
    probe = find("7.5c").task.probes(fresh_generator())[0]
    assert HashModel(6, seed=134, eos_bias=0.5) == probe.args["model"].model


def test_hypotheses_may_be_tuples():
    plain = changed(fixed_search, lambda hyps: [tuple(hyp) for hyp in hyps])
    assert found("7.5c", plain)[1].state == "correct"


def test_a_batch_is_one_sentence_after_the_other():
    generator = torch.Generator().manual_seed(3)
    totals = -torch.rand(4, 3, generator=generator)
    log_probs = torch.randn(12, 7, generator=generator).log_softmax(-1)
    together = choose_batched(totals, log_probs)
    for b in range(4):
        rows, tokens, best = choose_batched(totals[b : b + 1], log_probs[3 * b : 3 * b + 3])
        assert (together[0][b] == rows[0] + 3 * b).all() and (together[1][b] == tokens[0]).all()
        torch.testing.assert_close(together[2][b], best[0])


def test_topk_alone_may_break_ties_and_hears_so():
    """Another of the equals is chosen: right totals, another place."""

    def last_of_equals(totals, log_probs):
        (B, k), V = totals.shape, log_probs.size(1)
        flat = (totals.view(B * k, 1) + log_probs).view(B, k * V).flip(1)
        best, place = flat.sort(dim=1, descending=True, stable=True)
        place = k * V - 1 - place[:, :k]
        return torch.arange(B)[:, None] * k + place // V, place % V, best[:, :k]

    assert found("7.2", last_of_equals)[1].name == "ties"


def test_a_search_that_may_stop_loses_nothing():
    """The bound against the truth: every end of what is open, on models without weights."""
    stopped = 0
    for seed in range(8):
        model = HashModel(5, seed, eos_bias=1.0)
        (every,) = exhaustive_search(model, *SOURCE, max_new_tokens=4, n_best=None)
        for alpha in (-0.5, 0.0, 1.0):
            score = {tuple(h.tokens): h.log_prob / len(h.tokens) ** alpha for h in every}
            ended = [number for y, number in score.items() if len(y) <= 2]
            reader = by_prefix(model, *SOURCE)
            words = [token for token in reader(()) if token != EOS_ID]
            totals = [reader(())[one] + reader((one,))[two] for one in words for two in words]
            later = [number for y, number in score.items() if len(y) > 2]
            if can_stop(ended, totals, 2, 4, alpha):
                stopped += 1
                assert max(later) <= max(ended)
    assert 0 < stopped < 24


# ---------------------------------------------------------------- laws, suspects, the gallery


@pytest.mark.parametrize("search", INNOCENT, ids=name_of)
def test_innocent_searches_obey_the_laws(search):
    assert searches.laws_5_and_6(search, penalties=(0.0, 0.7))


@pytest.mark.parametrize("name", mistakes.SUSPECTS)
def test_suspects_break_a_law(name):
    search = mistakes.SUSPECTS[name]

    def batched(model, src, src_lengths, num_beams, max_len, n_best, alpha):
        rows = ((src[b : b + 1, :n], src_lengths[b : b + 1]) for b, n in enumerate(src_lengths))
        return [search(model, *row, num_beams, max_len, alpha)[:n_best] for row in rows]

    models = [HashModel(6, seed, eos_bias=1.0) for seed in range(2)]
    assert not (
        search_oracle(batched, models=models, length_penalties=(0.0, 1.0))
        and scores_add_up(batched, models=models, length_penalties=(0.0, 1.0), max_new_tokens=4)
    )


def test_the_laws_are_asked():
    laws = find("7.5c").task.law
    assert "Law 6" in laws(mistakes.WRONG_SEARCHES["state"]).law
    assert "Law 5" in laws(changed(fixed_search, lambda hyps: hyps[:1])).law
    assert laws(fixed_search)


@pytest.mark.parametrize("one", gallery.EXHIBITS, ids=lambda one: one.thread)
def test_an_exhibit_differs_on_the_card_and_breaks_the_oracle(one):
    wrong, right = (gallery.on_the_card(s, one.alpha) for s in (one.search, gallery.RIGHT))
    assert wrong != right
    assert not search_oracle(one.search, max_new_tokens=3)


# ---------------------------------------------------------------- 7.1: a letter


def test_the_letter_is_what_greedy_search_writes():
    """The card of 7.1 as a model: x is 4, y is 5."""
    table = {
        BOS_ID: {4: 0.5, 5: 0.4, EOS_ID: 0.1},
        4: {4: 0.3, 5: 0.3, EOS_ID: 0.4},
        5: {4: 0.1, 5: 0.2, EOS_ID: 0.7},
    }
    model, options = BigramModel(table), given.options_7_1()
    (greedy,) = greedy_search(model, *SOURCE, max_new_tokens=4)[0]
    (best,) = exhaustive_search(model, *SOURCE, max_new_tokens=6)[0]
    said = {found("7.1", letter)[1].name: answer for letter, answer in options.items()}
    for hyp, name in ((greedy, ""), (best, "mode")):
        text = "".join({4: "x", 5: "y", EOS_ID: "•"}[token] for token in hyp.tokens)
        assert said[name] == f"{text}, {math.exp(hyp.log_prob):.2f}"
    assert options[find("7.1").reference] == said[""] and len(set(options.values())) == 6


def test_the_table_of_the_clinic_is_the_model():
    rows = [line.split()[1:] for line in given.letter_table().splitlines()[1:]]
    chances = [[float(number) for number in row] for row in rows]
    assert [sum(row) for row in chances] == pytest.approx([1.0] * 4)
    following = by_prefix(given.three_letters())
    for prefix, row in zip(((), (4,), (5,), (6,)), chances, strict=True):
        assert [math.exp(following(prefix)[t]) for t in (4, 5, 6, EOS_ID)] == pytest.approx(row)
    (greedy,) = greedy_search(given.three_letters(), *SOURCE, max_new_tokens=4)[0]
    assert spelt(greedy.tokens) == "bac•"


# ---------------------------------------------------------------- 7.5: the bug clinic


def test_the_log_is_what_the_bug_really_produces():
    assert patient.reproduce_log() == patient.search_log()


def columns(log):
    rows = [line.split()[1:] for line in log.splitlines()[4:]]
    return list(zip(*([float(x) if x != "-" else None for x in row] for row in rows), strict=True))


def rises(column):
    numbers = [number for number in column if number is not None]
    return all(one <= two for one, two in pairwise(numbers))


def test_only_the_evidence_cannot_come_from_a_right_search():
    healthy = [columns(patient.reproduce_log(search)) for search in INNOCENT[:3]]
    for log in healthy:
        assert all(map(rises, log))
    sick = columns(patient.search_log())
    assert list(map(rises, sick)) == [True, False, True, True]
    assert sick[0] == healthy[0][0]
    assert found("7.5a", "B")[1].state == "correct"


def test_the_chapter_has_printed_neither_the_table_nor_an_answer():
    chapter = Path(__file__).parents[3] / "chapters" / "ch07_search.ipynb"
    text = chapter.read_text(encoding="utf-8")
    assert "acb" in text  # greedy's output for the chapter's own table
    for answer in ("bac•", "x•", "0.0276"):
        assert answer not in text


@pytest.mark.parametrize("seed", range(10))
def test_with_a_right_search_the_best_that_ended_never_gets_worse(seed):
    model, best = HashModel(7, seed), -math.inf
    for steps in range(1, 7):
        hyps = searches.search_by_lists(model, *SOURCE, 3, steps, 0.0)
        now = hyps[0].log_prob if hyps else -math.inf
        assert now >= best
        best = now


def accepts_everything(search):
    assert search(given.three_letters(), *SOURCE, 2, 4, 0.0) is not None


def ends_with_the_end(search):
    """What the issue was about at first sight. The patient cuts, so its words are clean."""
    for hyp in search(HashModel(7, seed=51), *SOURCE, 3, 8, 0.0):
        assert hyp.tokens.count(EOS_ID) == 1 and hyp.tokens[-1] == EOS_ID


def no_output_twice(search):
    outputs = [tuple(hyp.tokens) for hyp in search(HashModel(7, seed=5), *SOURCE, 3, 6, 0.0)]
    assert len(set(outputs)) == len(outputs)


def reads_again(search, model=None):
    model = model or HashModel(7, seed=1)
    hyps = search(model, *SOURCE, 3, 5, 0.0)
    (true,) = rescore(model, *SOURCE, [[list(hyp.tokens) for hyp in hyps]])
    for one, two in zip(hyps, true, strict=True):
        assert abs(one.log_prob - two.log_prob) < 1e-4


def reads_the_table_again(search):
    """Nothing follows the end there: the patient's numbers are right, and outputs are missing."""
    reads_again(search, given.three_letters())


def reads_again_with_alpha(search):
    reads_again(search)
    for hyp in search(HashModel(7, seed=1), *SOURCE, 3, 5, 0.5):
        assert abs(hyp.score - hyp.log_prob / len(hyp.tokens) ** 0.5) < 1e-4


def only_the_best(search):
    best = search(given.three_letters(), *SOURCE, 3, 4, 0.0)[0]
    assert list(best.tokens) == [6, 2] and abs(best.log_prob - math.log(0.1125)) < 1e-4


def rejects_everything(search):
    assert search(given.three_letters(), *SOURCE, 3, 4, 0.0) == []


def wants_what_was_cut_off(search):
    assert len(search(given.three_letters(), *SOURCE, 3, 4, 0.0)) == 8


def equal_floats(search):
    """As exact as the reference: its own totals, with ==."""
    hyps = search(given.three_letters(), *SOURCE, 3, 4, 0.0)
    assert [hyp.log_prob for hyp in hyps] == [
        hyp.log_prob for hyp in fixed_search(given.three_letters(), *SOURCE, 3, 4, 0.0)
    ]


def equal_to_a_list(search):
    hyps = search(given.three_letters(), *SOURCE, 3, 4, 0.0)
    assert hyps[0].tokens == [6, 2]


def equal_to_a_tuple(search):
    hyps = search(given.three_letters(), *SOURCE, 3, 4, 0.0)
    assert hyps[0].tokens == (6, 2)


def returns_a_bool(search):
    return search(given.three_letters(), *SOURCE, 3, 4, 0.0)[0].tokens == [6, 2]


def crashes(search):
    search(given.three_letters(), 3, 4)


WRONG_TESTS = [
    (accepts_everything, "nothing_rejected", 0),
    (ends_with_the_end, "nothing_rejected", 0),
    (reads_the_table_again, "runaway", 0),
    (only_the_best, "stops_with_the_best", 2),
    (no_output_twice, "stops_with_the_best", 2),
    (reads_again_with_alpha, "stops_with_the_best", 3),
    (rejects_everything, "innocent_rejected", 0),
    (wants_what_was_cut_off, "innocent_rejected", 0),
    (equal_floats, "innocent_rejected", 0),
    (equal_to_a_list, "innocent_rejected", 0),
    (equal_to_a_tuple, "innocent_rejected", 0),
    (returns_a_bool, "test_returns", 0),
    (crashes, "raised", 0),
]


@pytest.mark.parametrize(("test", "finding", "earned"), WRONG_TESTS, ids=name_of)
def test_weak_tests_earn_what_they_reject_and_hear_why(test, finding, earned):
    report, result = found("7.5b", test)
    state = "error" if finding == "raised" else "partly" if earned else "wrong"
    assert (result.name, result.earned, result.state) == (finding, earned, state), report.text


def test_a_test_that_is_too_exact_hears_of_last_digits_and_tuples():
    for test, line in ((equal_floats, "hyp.log_prob for hyp"), (equal_to_a_list, "== [6, 2]")):
        text = " ".join(found("7.5b", test)[0].text.split())
        assert line in text.partition("That means:")[0]  # the line that was too exact
        assert "== between floats is too strict" in text and "tokens as a tuple" in text


def test_a_detective_s_work_is_done_twice_and_no_more():
    calls = Counter()

    def counts(search):
        calls["tests"] += 1
        ex5b_test_patient.test_patient(search)

    assert found("7.5b", counts)[1].state == "correct"
    assert calls["tests"] == 2 * (len(INNOCENT) + len(mistakes.SUSPECTS))


@pytest.mark.parametrize("survivor", mistakes.SUSPECTS)
def test_each_survivor_is_described(survivor):
    report, result = found("7.5b", sparing("7.5b", survivor))
    assert (result.name, result.earned) == (survivor, 0 if survivor == "runaway" else 3)
    assert "7 of 8" in report.text


def test_the_patient_s_words_are_clean_and_its_numbers_are_not():
    hyps = patient.patient_search(HashModel(7, seed=51), *SOURCE, 3, 8, 0.0)
    assert hyps and all(hyp.tokens.index(EOS_ID) == len(hyp.tokens) - 1 for hyp in hyps)
    with pytest.raises(AssertionError):
        reads_again(patient.patient_search)


def test_the_epilogue_names_the_real_issue():
    text = found("7.5c", fixed_search)[0].text
    assert "https://github.com/awslabs/sockeye/pull/233" in text


# ---------------------------------------------------------------- 7.6: rows that moved


def compares_sums(reorder):
    state, rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([2, 0, 1])
    assert reorder(state, rows).sum() == state.sum()


def swaps_two(reorder):
    state = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert torch.equal(reorder(state, torch.tensor([1, 0])), state.flip(0))


def looks_at_the_first_column(reorder):
    state = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert reorder(state, torch.tensor([2, 0, 0]))[:, 0].tolist() == [5.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("test", "finding", "earned"),
    [
        (compares_sums, "nothing_rejected", 0),
        (swaps_two, "inverse", 1),
        (looks_at_the_first_column, "first_column", 2),
    ],
    ids=name_of,
)
def test_a_weak_assertion_earns_what_it_rejects(test, finding, earned):
    report, result = found("7.6", test)
    assert (result.name, result.earned) == (finding, earned), report.text


def test_an_assertion_may_ask_for_more_rows_than_there_were():
    """No wrong version stops with an error of its own, which would be laid to the test."""

    def more_rows(reorder):
        state = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        moved = reorder(state, torch.tensor([2, 0, 0, 1, 2]))
        for i, row in enumerate([2, 0, 0, 1, 2]):
            assert torch.equal(moved[i], state[row])

    report, result = found("7.6", more_rows)
    assert result.state == "correct", report.text


# ---------------------------------------------------------------- the probes


def test_probes_have_all_edges():
    generator = torch.Generator().manual_seed(0)
    task = {id: find(id).task.probes(generator) for id in ("7.2", "7.3", "7.4", "7.7", "7.8")}
    shapes = {(*p.args["totals"].shape, p.args["log_probs"].size(1)) for p in task["7.2"]}
    assert {B for B, *_ in shapes} >= {1, 2, 3} and {k for _, k, _ in shapes} >= {1, 2, 3}
    assert sum(k == V for _, k, V in shapes) == 1, "once, beside probes where // k is seen"
    assert any((p.args["totals"] == -math.inf).any() for p in task["7.2"])
    lengths = {len(p.args["tokens"]) for p in task["7.3"]}
    assert [EOS_ID] in [p.args["tokens"] for p in task["7.3"]] and max(lengths) >= 5
    assert any(p.args["tokens"][-1] != EOS_ID for p in task["7.3"])
    signs = {math.copysign(1, p.args["alpha"]) for p in task["7.4"] if p.args["alpha"]}
    assert signs == {1, -1}
    assert {(bool(p.args["ended"]), bool(p.args["open_totals"])) for p in task["7.4"]} == {
        (e, o) for e in (True, False) for o in (True, False)
    }
    assert {p.args["k"] for p in task["7.7"]} >= {1, 2, 3}
    assert any(p.args["k"] == 1 for p in task["7.8"])
    for probe in task["7.8"]:
        every = (probe.args["totals"][:, None] + probe.args["log_probs"]).flatten()
        possible = every[every > -math.inf].sort().values
        assert not (possible.diff() <= 1e-4).any()  # no check turns on rounding


def test_probes_are_drawn_anew_but_for_the_first():
    for id in ("7.2", "7.3", "7.4", "7.5c", "7.7", "7.8"):
        one, two = (probes_of(id, s) for s in (1, 2))
        assert one[0].fed == two[0].fed
        assert any(a.fed != b.fed for a, b in zip(one, two, strict=True)), id
