"""Chapter 7's exercises: typical mistakes, the probes, the bug clinic, the letters task."""

import inspect
import math
import re
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from seq2seq_lib.corpora import letters_distribution, letters_log_prob, letters_mode
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch07_search import ex5b_test_patient, given, mistakes, patient, searches
from seq2seq_lib.course.ch07_search.ex2_n_best import ALL, n_best
from seq2seq_lib.course.ch07_search.ex3c_beam import beam
from seq2seq_lib.course.ch07_search.ex4_top_p import top_p
from seq2seq_lib.course.ch07_search.ex5b_test_patient import INNOCENT
from seq2seq_lib.course.ch07_search.ex5c_fixed_search import fixed_search
from seq2seq_lib.course.ch07_search.ex6_width_report import width_report
from seq2seq_lib.course.judging import engine
from seq2seq_lib.course.judging.probes import fresh_generator
from seq2seq_lib.decoding import beam_search, exhaustive_search, greedy_search, rescore
from seq2seq_lib.filters import top_p_filter
from seq2seq_lib.laws import HashModel, scores_add_up, search_oracle
from seq2seq_lib.vocab import EOS_ID
from tests.course.ch07_search.wrong_answers import MISTAKES, changed

SOURCE = (torch.tensor([[5, 3, EOS_ID]]), torch.tensor([3]))


def name_of(value):
    return getattr(value, "__name__", None) or getattr(value, "finding", None) or str(value)


def found(id, answer, seed=None):
    return engine.judge(find(id), answer, seed)


def test_ids_and_points_are_those_of_the_contract():
    assert {e.id: e.points for e in exercises("7")} == {
        "7.1a": 1,
        "7.1b": 1,
        "7.2": 3,
        "7.3a": 2,
        "7.3b": 2,
        "7.3c": 4,
        "7.4": 3,
        "7.5a": 2,
        "7.5b": 5,
        "7.5c": 2,
        "7.6": 6,
    }
    assert [e.id for e in exercises("7") if e.manual] == ["7.6"]
    assert sum(e.points for e in exercises("7") if not e.manual) == 25  # as in chapter 4


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
    said = set().union(*said_in.values())
    for id in (e.id for e in exercises("7") if callable(e.reference)):
        for name, message in find(id).words.findings.items():
            shared = sum(e.words.findings.get(name) == message for e in exercises("7")) > 1
            assert name in (said if shared else said_in[id]), f"{id} never says {name}"


LISTS_OF_OUTPUTS = {
    "unfinished", "after_end", "special", "no_end", "end_not_scored", "worst_first", "not_sorted",
    "too_short", "too_long", "probabilities", "not_outputs",
}  # fmt: skip
BY_WHAT_CAME_BACK = {
    "7.2": LISTS_OF_OUTPUTS | {"product_of_logs", "divided", "last_only"},
    "7.3a": {"not_three", "not_whole", "impossible", "argument_changed"},
    "7.3b": {"not_two", "late_end", "ended_stay_open", "shrinks", "masks", "too_wide"},
    "7.3c": LISTS_OF_OUTPUTS | {"twice", "prefix_not_scored", "without_prefix",
                                "prefix_not_read", "read_twice"},
    "7.4": {"empty", "not_renormalised", "probabilities", "zeros"},
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


def test_a_message_shows_the_output_and_both_numbers():
    by_mean = mistakes.by_mean(n_best)
    text = " ".join(found("7.2", by_mean)[0].text.split())
    assert "after nothing EOS 0.2, 3 0.5, 4 0.3" in text
    assert "[((3, 2), -0.602), ((4, 2), -0.6547), ((2,), -1.609)]" in text
    assert "For [3, 2] you have -0.602, the mean of its tokens." in text
    assert "is the sum, -1.204" in text


def test_the_model_of_a_message_can_be_made_in_the_notebook():
    text = found("7.3c", mistakes.best_only(beam))[0].text
    assert "HashModel(6, seed=134, eos_bias=0.5), src = [[5, 3, 2]], num_beams = 3" in text
    probe = find("7.3c").task.probes(fresh_generator())[0]
    assert HashModel(6, seed=134, eos_bias=0.5) == probe.args["model"].model


def test_tokens_and_totals_may_be_tensors_or_tuples():
    as_tensors = changed(
        beam, lambda found: tuple((torch.tensor(t), torch.tensor(n)) for t, n in found)
    )
    as_lists = changed(n_best, lambda found: [[list(t), n] for t, n in found])
    plain = changed(fixed_search, lambda hyps: [tuple(hyp) for hyp in hyps])
    for id, answer in (("7.3c", as_tensors), ("7.2", as_lists), ("7.5c", plain)):
        assert found(id, answer)[1].state == "correct"


def test_numbers_may_be_those_of_numpy():
    as_arrays = changed(n_best, lambda found: [(np.array(t), np.float32(n)) for t, n in found])
    as_scalars = changed(
        beam, lambda found: [([np.int64(t) for t in ts], np.float64(n)) for ts, n in found]
    )
    whole_means = changed(
        width_report,
        lambda rows: {
            k: {n: int(v) if v == int(v) else np.float32(v) for n, v in row.items()}
            for k, row in rows.items()
        },
    )
    for id, answer in (("7.2", as_arrays), ("7.3c", as_scalars), ("7.6", whole_means)):
        report, finding = found(id, answer)
        assert finding.state == "correct", report.text
    impossible = changed(n_best, lambda found: [*found, ((3, 2), np.float32("-inf"))])
    assert found("7.2", impossible)[1].name == "impossible"
    yes_and_no = changed(n_best, lambda found: [((True, 2), n) for _, n in found])
    assert found("7.2", yes_and_no)[1].name == "not_outputs"


def test_another_right_beam_may_ask_the_model_row_by_row():
    """No state of k rows at all: 7.3c looks at what is found, not at how."""

    def one_by_one(model, src, src_lengths, num_beams, max_len, prefix):
        reader = given.NextLogProbs(model, src, src_lengths)
        total = sum(reader(tuple(prefix[:t]))[token] for t, token in enumerate(prefix))
        beams, found = [(tuple(prefix), total)], []
        for _ in range(max_len - len(prefix)):
            every = searches.best_first(
                ((*tokens, token), total + added)
                for tokens, total in beams
                for token, added in enumerate(reader(tokens))
                if added > -math.inf
            )
            found += [output for output in every[:num_beams] if output[0][-1] == EOS_ID]
            beams = [output for output in every if output[0][-1] != EOS_ID][:num_beams]
        return searches.best_first(found)

    assert found("7.3c", one_by_one)[1].state == "correct"


@pytest.mark.parametrize(("id", "name"), [("7.2", "grows_for_ever"), ("7.3c", "never_stops")])
def test_a_search_without_an_end_is_stopped_and_told_where(id, name):
    answer = next(a for i, _, a in MISTAKES if i == id and a.__name__ == name)
    text = " ".join(found(id, answer)[0].text.split())
    assert "where does max_len stop your loop, or your recursion?" in text


def test_right_lists_that_ask_too_much_hear_how_much():
    text = " ".join(found("7.2", find("7.2").task.spec)[0].text.split())
    asked, needless = map(
        int, re.search(r"asked (\d+) times, and (\d+) of the prefixes could not win", text).groups()
    )
    assert asked > needless > asked / 2


def test_the_library_s_filter_is_no_answer_in_a_wrapper():
    for answer in (lambda log_probs, p: top_p_filter(log_probs, p), partial(top_p_filter)):
        report, finding = found("7.4", answer)
        assert (finding.state, finding.name) == ("wrong", "law")
        assert "the library's own top_p_filter" in " ".join(report.text.split())


# ---------------------------------------------------------------- against the library


def test_the_references_do_what_the_library_does():
    model = HashModel(6, seed=8)
    (every,) = exhaustive_search(model, *SOURCE, max_new_tokens=4, n_best=None)
    ended = [(tuple(hyp.tokens), hyp.log_prob) for hyp in every if hyp.finished]
    for n in (1, 7, ALL):
        mine = n_best(given.NextLogProbs(model, *SOURCE), 4, n)
        assert [tokens for tokens, _ in mine] == [tokens for tokens, _ in ended[:n]]
        assert [n for _, n in mine] == pytest.approx([n for _, n in ended[:n]])
    log_probs = torch.randn(4, 9, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    for p in (0.1, 0.5, 0.9):
        torch.testing.assert_close(top_p(log_probs, p), top_p_filter(log_probs, p))
    for prefix in ([], [4], [3, 5]):
        new = {"max_new_tokens": 5 - len(prefix), "prefix": prefix}  # 7.3c counts the prefix, too
        (hyps,) = beam_search(model, *SOURCE, num_beams=3, n_best=3, **new)
        mine = beam(model, *SOURCE, 3, 5, prefix)
        ended = [hyp for hyp in hyps if hyp.finished]
        assert ended and [tokens for tokens, _ in mine[: len(ended)]] == [h.tokens for h in ended]
        assert [n for _, n in mine[: len(ended)]] == pytest.approx([h.log_prob for h in ended])


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
    laws = find("7.3c").task.law
    assert "Law 6" in laws(searches.with_prefix(mistakes.WRONG_SEARCHES["state"])).law
    assert "Law 5" in laws(mistakes.best_only(beam)).law
    assert laws(beam)


# ---------------------------------------------------------------- 7.1: letters


def test_the_table_is_the_model():
    rows = [line.split()[1:] for line in given.letter_table().splitlines()[1:]]
    chances = [[float(number) for number in row] for row in rows]
    assert [sum(row) for row in chances] == pytest.approx([1.0] * 4)
    for prefix, row in zip(((), (4,), (5,), (6,)), chances, strict=True):
        log_probs = given.next_letter(prefix)
        assert [math.exp(log_probs[t]) for t in (4, 5, 6, EOS_ID)] == pytest.approx(row)


def test_greedy_writes_what_the_letter_says_with_that_probability():
    (greedy,) = greedy_search(given.three_letters(), *SOURCE, max_new_tokens=4)[0]
    strings, numbers = given.options_7_1a(), given.options_7_1b()
    assert strings[find("7.1a").reference] == given.spelt(greedy.tokens).replace(" ", "")
    assert numbers[find("7.1b").reference] == round(math.exp(greedy.log_prob), 5) == 0.02756
    assert len(set(strings.values())) == len(set(numbers.values())) == 6


def test_the_reasons_fit_the_options():
    strings = {found("7.1a", x)[1].name: text for x, text in given.options_7_1a().items()}
    by_k = {k: beam(given.three_letters(), *SOURCE, k, 4, [])[0][0] for k in (2, 40)}
    assert strings["two_beams"] == given.spelt(by_k[2]).replace(" ", "")
    assert strings["mode"] == given.spelt(by_k[40]).replace(" ", "")
    assert strings["no_end"] + "•" == strings[""]
    assert strings["never_ends"][:3] == strings["no_end"] and strings["first_row"] == "bbbb"
    numbers = {found("7.1b", x)[1].name: n for x, n in given.options_7_1b().items()}
    assert numbers["no_end"] * 0.45 == pytest.approx(numbers[""], abs=1e-4)
    assert math.exp(numbers["log"]) == pytest.approx(numbers[""], abs=1e-4)
    assert numbers["mean"] * 4 == pytest.approx(numbers["sum"], abs=1e-3)
    assert numbers["first_row"] == pytest.approx(0.35 * 0.30 * 0.25 * 0.10, abs=1e-5)


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
    for answer in (given.options_7_1a()["D"], "0.02756"):
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
        total for _, total in beam(given.three_letters(), *SOURCE, 3, 4, [])
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
    (reads_again_with_alpha, "stops_with_the_best", 4),
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


def test_a_detective_s_work_is_done_once():
    calls = Counter()

    def counts(search):
        calls["tests"] += 1
        ex5b_test_patient.test_patient(search)

    assert found("7.5b", counts)[1].state == "correct"
    assert calls["tests"] == len(INNOCENT) + len(mistakes.SUSPECTS)


@pytest.mark.parametrize("survivor", mistakes.SUSPECTS)
def test_each_survivor_is_described(survivor):
    def blind(search):
        if (
            inspect.getclosurevars(search).nonlocals["implementation"]
            is not mistakes.SUSPECTS[survivor]
        ):
            ex5b_test_patient.test_patient(search)

    report, result = found("7.5b", blind)
    assert (result.name, result.earned) == (survivor, 0 if survivor == "runaway" else 4)
    assert "7 of 8" in report.text


def test_the_patient_s_words_are_clean_and_its_numbers_are_not():
    hyps = patient.patient_search(HashModel(7, seed=51), *SOURCE, 3, 8, 0.0)
    assert hyps and all(hyp.tokens.index(EOS_ID) == len(hyp.tokens) - 1 for hyp in hyps)
    with pytest.raises(AssertionError):
        reads_again(patient.patient_search)


def test_the_epilogue_names_the_real_issue():
    text = found("7.5c", fixed_search)[0].text
    assert "https://github.com/awslabs/sockeye/pull/233" in text


# ---------------------------------------------------------------- 7.6: the letters task


@pytest.mark.parametrize("source", ["ab", "e", "cad", "bb"])
def test_a_wide_beam_finds_all_that_the_letters_can_become(source):
    every = letters_distribution(source)
    found = given.search_letters(source, 100)
    assert {tuple(output) for output, _ in found} == set(every)
    for output, log_prob in found:
        assert log_prob == pytest.approx(letters_log_prob(source, output))
    assert tuple(found[0][0]) == letters_mode(source)


def test_a_list_that_was_changed_does_not_come_back():
    given.search_letters("ab", 3).clear()
    assert given.search_letters("ab", 3)


# ---------------------------------------------------------------- the probes

SIZE_ONE = {
    "7.2": ("max_len", "n"),
    "7.3a": ("num_beams",),
    "7.3b": ("num_beams",),
    "7.3c": ("num_beams", "max_len"),
}


@pytest.mark.parametrize("seed", range(10))
def test_probes_are_asymmetric(seed):
    generator = torch.Generator().manual_seed(seed)
    task = {id: find(id).task.probes(generator) for id in ("7.2", "7.3a", "7.3b", "7.3c")}
    square = [p.args["log_probs"].size(0) == p.args["log_probs"].size(1) for p in task["7.3a"]]
    assert sum(square) == 1
    for probe in task["7.3a"]:
        every = (probe.args["totals"][:, None] + probe.args["log_probs"]).flatten()
        possible = every[every > -math.inf].sort().values
        assert not (possible.diff() <= 1e-4).any()  # no check turns on rounding
        assert len(probe.args["totals"]) <= probe.args["num_beams"]
    assert any((p.args["log_probs"][:, 3:] == -math.inf).any() for p in task["7.3a"])
    assert any((p.args["token"] == EOS_ID).sum() == 0 for p in task["7.3b"])
    assert any((p.args["token"] != EOS_ID).sum() == 0 for p in task["7.3b"])
    found = [beam(*p.args.values()) for p in task["7.3c"]]
    assert sum(not pairs for pairs in found) >= 1 and sum(len(pairs) > 3 for pairs in found) >= 2
    assert {p.args["num_beams"] for p in task["7.3c"]} >= {1, 2, 3, 4}
    for id, sizes in SIZE_ONE.items():  # every size that may be 1 is 1 somewhere
        for name in sizes:
            assert any(p.args[name] == 1 for p in task[id]), (id, name)
    for probe in task["7.2"]:
        totals = [total for _, total in n_best(*probe.args.values())]
        assert all(one - two > 1e-6 for one, two in pairwise(totals))


def test_p_is_reached_exactly_in_one_probe_and_nowhere_nearly():
    """The powers of two of that probe are exact in float64, on this machine too."""
    gaps = []
    for probe in find("7.4").task.probes(fresh_generator()):
        probs = probe.args["log_probs"].exp().sort(descending=True).values
        gaps += ((probs.cumsum(-1) - probe.args["p"]).abs().min(-1).values).tolist()
    assert gaps.count(0) == 1
    assert all(gap > 5e-4 for gap in gaps if gap)


def test_probes_are_drawn_anew_but_for_the_first():
    for id in ("7.2", "7.3a", "7.3c", "7.4", "7.5c", "7.6"):
        one, two = (find(id).task.probes(torch.Generator().manual_seed(s)) for s in (1, 2))
        assert one[0].fed == two[0].fed
        assert any(a.fed != b.fed for a, b in zip(one, two, strict=True)) or id in ("7.2", "7.4")
    for id, name in (("7.4", "log_probs"), ("7.3b", "token")):
        one, two = (find(id).task.probes(torch.Generator().manual_seed(s)) for s in (1, 2))
        assert not torch.equal(one[2].args[name], two[2].args[name])
