"""Chapter 11's exercises: their probes, typical mistakes, the bug clinic."""

import heapq
import math
import re

import pytest
import torch

from seq2seq_lib.course import ch11_length_and_truth as chapter11
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch11_length_and_truth import (
    ex4_n_best_exact,
    ex6_banned,
    ex7b_test_patient,
    ranks,
)
from seq2seq_lib.filters import ban_repeated_ngrams, min_p_filter, top_p_filter
from tests.support.answers import found, probes_of, sparing

FUNCTIONS = ("11.1", "11.2", "11.4", "11.5", "11.6", "11.7c", "11.8")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_has_none():
    assert {e.id: e.points for e in exercises("11")} == {
        "11.1": 0,
        "11.2": 3,
        "11.3": 2,
        "11.4": 5,
        "11.5": 3,
        "11.6": 2,
        "11.7a": 1,
        "11.7b": 3,
        "11.7c": 1,
        "11.8": 6,
    }
    assert [e.id for e in exercises("11") if e.manual] == ["11.8"]


# ---------------------------------------------------------------- the library agrees


@pytest.mark.parametrize("seed", range(3))
def test_the_specifications_are_the_library_s_filters(seed):
    generator = torch.Generator().manual_seed(seed)
    for id, ours in (("11.1", min_p_filter), ("11.2", top_p_filter)):
        for probe in find(id).task.probes(generator):
            args = tuple(probe.args.values())
            torch.testing.assert_close(find(id).task.spec(*args), ours(*args), rtol=1e-4, atol=1e-5)
    for probe in find("11.6").task.probes(generator):
        prefix, n = probe.args.values()
        filtered = ban_repeated_ngrams(torch.zeros(1, 12), torch.tensor([prefix]).long(), n)
        assert (filtered[0] == -math.inf).nonzero().flatten().tolist() == ex6_banned.banned_spec(
            prefix, n
        )


def test_the_log_tells_the_patient_s_story():
    """As transformers#26624 has it: with a prompt the short outputs move up."""
    log = chapter11.ranking_log()
    rows = [re.findall(r"[abc]*•", line) for line in log.splitlines() if "tokens:" in line]
    assert rows[:3] == [["ab•", "acb•", "cb•"], ["ab•", "b•", "acb•"], rows[2]]
    assert rows[2][0] == "b•" and rows[3] == rows[4]
    lengths = {2: -0.25, 4: -0.4, 8: -0.571}
    for n, score in lengths.items():
        assert re.search(rf"{n} tokens, log-probability\s+-{n}:\s+{score:.3f}", log)


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("seed", range(5))
def test_probes_reach_the_edges(seed):
    shapes = [tuple(probe.args["log_probs"].shape) for probe in probes_of("11.1", seed)]
    assert (1, 1) in shapes and any(N == 1 < V for N, V in shapes)
    assert any(V == 1 < N for N, V in shapes)
    assert any(len(probe.args["log_probs"]) == 1 for probe in probes_of("11.2", seed))
    sizes = [len(probe.args["samples"]) for probe in probes_of("11.5", seed)]
    assert 1 in sizes and max(sizes) > 5
    cases = [tuple(probe.args.values()) for probe in probes_of("11.6", seed)]
    assert any(len(prefix) < n for prefix, n in cases) and any(not prefix for prefix, _ in cases)
    assert {n for _, n in cases} >= {1, 2, 3, 4}
    due = [
        len(ex4_n_best_exact.n_best_exact_spec(*p.args.values())) for p in probes_of("11.4", seed)
    ]
    assert 0 in due and any(
        d < p.args["n"] for d, p in zip(due, probes_of("11.4", seed), strict=True)
    )
    outputs = [probe.args["outputs"] for probe in probes_of("11.7c", seed)]
    assert [] in outputs and any(len(one) == 1 for one in outputs)


# ---------------------------------------------------------------- typical mistakes


def no_tie_counter(next_log_probs, n, longest):
    """Of equal costs heapq compares the states, which cannot be compared."""
    best, heap = [], [(0.0, {"output": ""})]
    while heap and len(best) < n:
        cost, state = heapq.heappop(heap)
        if state["output"].endswith("•"):
            best.append((state["output"], -cost))
        elif len(state["output"]) < longest:
            for token, added in next_log_probs(state["output"]).items():
                heapq.heappush(heap, (cost - added, {"output": state["output"] + token}))
    return best


def reads_too_far(next_log_probs, n, longest):
    return ex4_n_best_exact.n_best_exact(next_log_probs, n, longest + 1)


def zeros(log_probs, share):
    best = log_probs.amax(-1, keepdim=True)
    return log_probs.masked_fill(log_probs < best + math.log(share), 0.0)


def other_words(*args):
    """The right numbers beside outputs that there are none of."""
    return [("z" * i + "•", p) for i, (_, p) in enumerate(same("11.4")(*args), start=1)]


def same(id):
    return find(id).reference


def one_left_out(samples, utility, asked):
    """Leaves a candidate itself, or all of its equals, out of its references."""
    places = range(len(samples))
    worth = [
        sum(utility(samples[i], samples[j]) for j in places if asked(i, j, samples)) for i in places
    ]
    return samples[max(places, key=lambda i: round(worth[i], 9))]


def not_the_first(samples, utility):
    """Of equals one that is neither the first nor the last: candidates as a set gives them."""
    return max(
        sorted(set(samples), reverse=True),
        key=lambda y: round(sum(utility(y, r) for r in samples), 9),
    )


def each_once(samples, utility):
    """set() for the candidates and for the references."""
    return max(set(samples), key=lambda y: sum(utility(y, r) for r in set(samples)))


MISTAKES = [
    ("11.1", "raised", lambda log_probs, share: log_probs[:, 99]),
    ("11.1", "not_float", lambda *args: same("11.1")(*args).isfinite().long()),
    ("11.1", "zeros", zeros),
    ("11.1", "empty", lambda lp, share: torch.full_like(lp, -math.inf)),
    ("11.1", "above_one", lambda lp, share: same("11.1")(lp, share) + 1),
    ("11.1", "nan", lambda lp, share: same("11.1")(lp, share) * torch.where(lp > -1, 1.0, 0.0)),
    ("11.1", "value", lambda lp, share: lp.log_softmax(-1)),
    ("11.3", "not_a_choice", "G"),
    ("11.4", "raised", no_tie_counter),
    ("11.4", "raised", reads_too_far),
    ("11.4", "another", other_words),
    ("11.4", "not_outputs", lambda *args: [text for text, _ in same("11.4")(*args)]),
    ("11.4", "twice", lambda *args: [one for one in same("11.4")(*args) for _ in (0, 1)]),
    ("11.4", "another", lambda *args: same("11.4")(*args)[::-1] + [("•", -99.0)]),
    ("11.4", "count", lambda *args: same("11.4")(*args)[:-1]),
    ("11.4", "law", lambda *args: ex4_n_best_exact.n_best_exact_spec(*args)),
    ("11.5", "value", lambda samples, utility: sorted(samples)[0]),
    ("11.5", "itself_left_out", lambda *args: one_left_out(*args, lambda i, j, s: i != j)),
    ("11.5", "itself_left_out", lambda *args: one_left_out(*args, lambda i, j, s: s[i] != s[j])),
    ("11.5", "references_once", each_once),
    ("11.5", "not_the_first", not_the_first),
    ("11.6", "not_a_list", lambda prefix, n: set(same("11.6")(prefix, n))),
    ("11.6", "not_sorted", lambda prefix, n: same("11.6")(prefix, n)[::-1]),
    ("11.6", "missing", lambda prefix, n: same("11.6")(prefix, n)[1:]),
    ("11.6", "extra", lambda prefix, n: sorted({*same("11.6")(prefix, n), 77})),
    ("11.7c", "not_ranked", lambda *args: [score for _, score in same("11.7c")(*args)]),
    ("11.7c", "other_outputs", lambda *args: same("11.7c")(*args)[:1]),
    ("11.7c", "score", lambda *args: [(t, 2 * s) for t, s in same("11.7c")(*args)]),
    ("11.7c", "not_sorted", lambda outs, p, a: [(t, lp / len(t) ** a) for t, lp in outs]),
    ("11.8", "not_three", lambda outputs: same("11.8")(outputs)[:2]),
    ("11.8", "number", lambda outputs: (*same("11.8")(outputs)[:2], 0.123)),
]


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("exercise_id", [id for id in FUNCTIONS if id != "11.2"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given = {mutant.finding for mutant in find(exercise_id).mutants}
    given |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    own = set(find(exercise_id).words.findings)
    assert own <= given, own - given


def test_exact_search_in_any_order_of_ties_is_right():
    """Of equally probable outputs any will do."""

    def by_name_backwards(next_log_probs, n, longest):
        every = ex4_n_best_exact.n_best_exact_spec(next_log_probs, 10**6, longest)
        ranked = sorted(every, key=lambda one: one[0], reverse=True)
        return sorted(ranked, key=lambda one: -round(one[1], 9))[:n]

    for probe in probes_of("11.4", 0):
        value, due = (f(*probe.args.values()) for f in (by_name_backwards, same("11.4")))
        assert ex4_n_best_exact.same_outputs(value, due) is None
    assert found("11.4", by_name_backwards)[1].name == "law"  # right, but it reads everything


# ---------------------------------------------------------------- tests that learners write


OUTPUTS = [((5, 2), -2.0), ((4, 6, 5, 2), -3.0), ((2,), -2.5)]


def compares(prompts, alphas, order=True, outputs=OUTPUTS):
    """A test that compares scores, and the order, at these prompts and exponents."""

    def test(rank):
        for prompt in prompts:
            for alpha in alphas:
                right = ranks.fixed_rank(outputs, prompt, alpha)
                yours = [(tuple(tokens), score) for tokens, score in rank(outputs, prompt, alpha)]
                if not order:
                    right, yours = sorted(right), sorted(yours)
                assert [t for t, _ in yours] == [t for t, _ in right]
                for (_, a), (_, b) in zip(yours, right, strict=True):
                    assert abs(a - b) < 1e-6

    return test


def exact_form(rank):
    assert rank(OUTPUTS, 2, 0.7) == ranks.fixed_rank(OUTPUTS, 2, 0.7)


def exact_numbers(rank):
    for alpha in (0.3, 0.5, 0.6, 0.7, 0.9):  # at one of them, all may round alike
        scores = [score for _, score in rank(OUTPUTS, 2, alpha)]
        assert scores == [score for _, score in ranks.fixed_rank(OUTPUTS, 2, alpha)]


WRONG_TESTS = [
    ("prompt_counted", 0, compares((0,), (0.0, 0.5, 1.0))),  # the trap: no prompt
    ("prompt_counted", 0, compares((0, 6), (0.0,))),  # the trap: alpha 0
    ("always_mean", 2, compares((6,), (1.0,))),
    ("not_ranked_anew", 2, compares((6,), (0.5, 1.0), order=False)),
    *[
        (name, 0 if name == "prompt_counted" else 2, sparing("11.7b", name))
        for name in ex7b_test_patient.SUSPECTS
    ],
]


@pytest.mark.parametrize(("finding", "earned", "answer"), WRONG_TESTS)
def test_a_weak_test_is_told_which_wrong_one_it_lets_pass(finding, earned, answer):
    report, result = found("11.7b", answer)
    assert (result.name, result.earned) == (finding, earned), report.text


def test_a_test_that_is_too_strict_is_told_why():
    assert found("11.7b", exact_form)[1].name == "other_form"
    assert found("11.7b", exact_numbers)[1].name == "last_digits"

    def rejects_all(rank):
        raise AssertionError

    assert found("11.7b", rejects_all)[1].name == "innocent_rejected"
