"""Chapter 7's exercises: typical mistakes, the probes, the bug clinic, the letters task."""

import inspect
import math
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from seq2seq_lib.corpora import letters_distribution, letters_log_prob, letters_mode
from seq2seq_lib.course import ch07_search as chapter07
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch07_search import answers as right
from seq2seq_lib.course.ch07_search import given as hand07
from seq2seq_lib.course.ch07_search import mutants as wrong
from seq2seq_lib.course.ch07_search import patient as patient07
from seq2seq_lib.course.ch07_search import texts as texts07
from seq2seq_lib.course.judging import engine
from seq2seq_lib.course.judging.probes import fresh_generator
from seq2seq_lib.decoding import beam_search, exhaustive_search, greedy_search
from seq2seq_lib.filters import top_p_filter
from seq2seq_lib.laws import HashModel, four_letters, scores_add_up, search_oracle
from seq2seq_lib.vocab import BOS_ID, EOS_ID

DETECTIVE = ["7.5b1", "7.5b2", "7.5b3"]
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
        "7.5b1": 2,
        "7.5b2": 2,
        "7.5b3": 1,
        "7.5c": 2,
        "7.6": 6,
    }
    assert [e.id for e in exercises("7") if e.manual] == ["7.6"]
    assert sum(e.points for e in exercises("7") if not e.manual) == 25  # as in chapter 4


# ---------------------------------------------------------------- typical mistakes


def changed(answer, function):
    return lambda *args: function(answer(*args))


def one_wrong(position, value):
    """A right answer with another number in one of its three tensors."""

    def expand(totals, log_probs, num_beams):
        parts = list(right.expand(totals, log_probs, num_beams))
        parts[position] = parts[position] + value
        return tuple(parts)

    return expand


def empty_list_made_a_tensor(token, num_beams):
    ended = [p for p, id in enumerate(token.tolist()) if id == EOS_ID and p < num_beams]
    return torch.tensor(ended), right.prune(token, num_beams)[1]


def selects_places(model, src, src_lengths, num_beams, max_len):
    """The state follows the places of the candidates, not their parents."""
    state = model.start(src, src_lengths)
    outputs, totals, finished = [[]], torch.zeros(1), []
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])
        log_probs, state = model.step(last, state)
        parent, token, total = right.expand(totals, log_probs, num_beams)
        ended, still_open = right.prune(token, num_beams)
        longer = [[*outputs[p], t] for p, t in zip(parent.tolist(), token.tolist(), strict=True)]
        finished += [(longer[i], total[i].item()) for i in ended.tolist()]
        outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        state = state.select(still_open.clamp(max=len(log_probs) - 1))
        if not outputs:
            break
    return sorted(finished, key=lambda output: -output[1])


def only_on_hash_models(model, *args):
    """Right on every probe; law 5 looks at tables too."""
    pairs = right.beam(model, *args)
    return pairs if isinstance(getattr(model, "model", model), HashModel) else pairs[:1]


def grows_for_ever(next_log_probs, max_len, prefix=()):
    """A recursion that forgets max_len."""
    return [
        output
        for token, log_prob in enumerate(next_log_probs(prefix))
        if log_prob > -math.inf
        for output in (
            [(prefix, log_prob)]
            if token == EOS_ID
            else grows_for_ever(next_log_probs, max_len, (*prefix, token))
        )
    ]


def never_stops(model, src, src_lengths, num_beams, max_len):
    """A loop that forgets max_len."""
    state, token = model.start(src, src_lengths), torch.tensor([3])
    while True:
        _, state = model.step(token, state)


def tops_at_half(log_probs, p):
    """The right number of tokens, but not the best ones."""
    count = (right.top_p(log_probs, p) > -math.inf).sum(-1, keepdim=True)
    return wrong.kept(log_probs, wrong.ranks(-log_probs) < count)


def shift(found, by):
    return [(tokens, total + by) for tokens, total in found]


def report(**row):
    return lambda sources, widths: {k: dict(row) for k in widths}


LISTS = {"7.2": right.exhaustive, "7.3c": right.beam}
MISTAKES = [
    ("7.1a", "not_a_choice", "acb•"),
    ("7.1b", "not_a_choice", 0.0227),
    *(
        (id, name, changed(answer, function))
        for id, answer in LISTS.items()
        for name, function in (
            ("not_a_list", lambda found: dict(enumerate(found))),
            ("not_a_list", lambda found: torch.tensor([total for _, total in found])),
            ("not_outputs", lambda found: [("a", total) for _, total in found]),
            ("not_outputs", lambda found: [(total, tokens) for tokens, total in found]),
            ("unfinished", lambda found: [((3,), 0.0), *found]),
            ("after_end", lambda found: [((2, 2), 0.0), *found]),
            ("special", lambda found: [((0, 2), 0.0), *found]),
            ("impossible", lambda found: [((3, 2), math.nan), *found]),
            ("no_such_token", lambda found: [((99, 2), 0.0), *found]),
            ("twice", lambda found: [found[0], *found] if found else []),
            ("divided", wrong.BY_MEAN(lambda found: found)),
            ("sign", lambda found: [(t, -total) for t, total in found[::-1]]),
            ("missing", lambda found: found[:1] + found[2:]),
        )
    ),
    ("7.2", "not_its_own", changed(right.exhaustive, lambda found: shift(found, -0.5))),
    ("7.2", "impossible", wrong.keeps(lambda token, log_prob: token in (0, 1))),
    ("7.2", "raised", lambda next_log_probs, max_len: next_log_probs[0]),
    ("7.3a", "not_a_tensor", lambda *args: tuple(p.tolist() for p in right.expand(*args))),
    ("7.3a", "masks", changed(right.expand, lambda found: (found[0] > 0, *found[1:]))),
    ("7.3a", "shape", changed(right.expand, lambda found: tuple(p[None] for p in found))),
    ("7.3a", "how_many", changed(right.expand, lambda found: tuple(p[1:] for p in found))),
    ("7.3a", "not_sorted", changed(right.expand, lambda found: tuple(p.roll(1) for p in found))),
    ("7.3a", "one_of_three", one_wrong(0, 1)),
    ("7.3a", "one_of_three", one_wrong(1, 1)),
    ("7.3a", "one_of_three", one_wrong(2, 0.5)),
    ("7.3b", "not_whole", empty_list_made_a_tensor),
    ("7.3b", "no_such_place", changed(right.prune, lambda found: (found[0], found[1] + 9))),
    ("7.3b", "not_a_tensor", lambda *args: tuple(p.tolist() for p in right.prune(*args))),
    ("7.3b", "value", changed(right.prune, lambda found: (found[0][:0], found[1]))),
    ("7.3c", "state", selects_places),
    ("7.3c", "state", changed(right.beam, lambda found: shift(found, -0.5))),
    ("7.3c", "last_only", lambda *args: wrong.best_first(
        (tokens, last_part(args, tokens)) for tokens, _ in right.beam(*args))),
    ("7.3c", "product_of_logs", lambda *args: wrong.best_first(
        (tokens, math.prod(parts_of(args, tokens))) for tokens, _ in right.beam(*args))),
    ("7.3c", "extra", lambda *args: right.beam(*args[:3], args[3] + 1, args[4])),
    ("7.3c", "law", only_on_hash_models),
    ("7.2", "raised", grows_for_ever),
    ("7.3c", "raised", never_stops),
    ("7.3c", "none_ends", lambda *args: right.beam(*args) or [([3], -1.0)]),
    ("7.5c", "none_ends", lambda *args: right.fixed_search(*args) or [([3], -1.0, -1.0)]),
    ("7.3c", "raised", lambda model, src, *_: model.step(src, None)),
    ("7.4", "not_a_tensor", lambda log_probs, p: log_probs.tolist()),
    ("7.4", "shape", lambda log_probs, p: right.top_p(log_probs, p)[None]),
    ("7.4", "not_float", lambda log_probs, p: right.top_p(log_probs, p) > -math.inf),
    ("7.4", "nan", lambda log_probs, p: right.top_p(log_probs, p) * 0),
    ("7.4", "too_few", lambda log_probs, p: right.top_p(log_probs, p * 0.5)),
    ("7.4", "all_kept", lambda log_probs, p: log_probs),
    ("7.4", "too_many", lambda log_probs, p: right.top_p(log_probs, (1 + p) / 2)),
    ("7.4", "others", tops_at_half),
    ("7.5c", "score", changed(right.fixed_search, lambda hyps: [
        hyp._replace(score=hyp.score - 1) for hyp in hyps])),
    ("7.5c", "state", changed(right.fixed_search, lambda hyps: [
        hyp._replace(log_prob=hyp.log_prob - 1) for hyp in hyps])),
    ("7.5c", "not_outputs", lambda *args: right.beam(*args[:5])),
    ("7.6", "no_return", lambda *args: print(*args)),
    ("7.6", "not_a_dict", lambda *args: [0.5, 0.5]),
    ("7.6", "not_a_dict", lambda sources, widths: dict.fromkeys(widths, 0.5)),
    ("7.6", "widths", lambda sources, widths: {}),
    ("7.6", "keys", report(log_prob=-1.0, length=2.0)),
    ("7.6", "not_numbers", report(log_prob=torch.tensor(-1.0), length=2.0, mode=0.5)),
    ("7.6", "not_numbers", report(log_prob=-1.0, length=2.0, mode=True)),
    ("7.6", "range", report(log_prob=1.0, length=2.0, mode=0.5)),
    ("7.6", "range", report(log_prob=-1.0, length=2.0, mode=float("nan"))),
    ("7.6", "value", report(log_prob=-1.0, length=2.0, mode=0.5)),
]  # fmt: skip


def parts_of(args, tokens):
    reader = hand07.NextLogProbs(*args[:3])
    return [reader(tokens[:t])[token] for t, token in enumerate(tokens)]


def last_part(args, tokens):
    return parts_of(args, tokens)[-1]


@pytest.mark.parametrize(("id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(id, finding, answer):
    report, result = found(id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong"), (
        report.text
    )
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


SHARED = {**texts07.OUTPUTS, **texts07.SEARCH}


@pytest.mark.parametrize("id", [e.id for e in exercises("7") if callable(e.reference)])
def test_every_message_is_given_by_some_wrong_answer(id):
    given = {m.finding for m in find(id).mutants}
    given |= {finding for other, finding, _ in MISTAKES if other == id}
    if id in DETECTIVE:
        given = set(wrong.SUSPECTS) | {finding for _, finding, *_ in WRONG_TESTS}
    assert set(find(id).words.findings) <= given | set(SHARED)
    everywhere = {m.finding for e in exercises("7") for m in e.mutants}
    assert set(SHARED) <= everywhere | {finding for _, finding, _ in MISTAKES}


LISTS_OF_OUTPUTS = {
    "unfinished", "after_end", "special", "no_end", "end_not_scored", "worst_first", "not_sorted",
    "too_short", "too_long", "probabilities", "not_outputs",
}  # fmt: skip
BY_WHAT_CAME_BACK = {
    "7.2": LISTS_OF_OUTPUTS | {"product_of_logs", "divided", "last_only"},
    "7.3a": {"not_three", "not_whole", "impossible", "argument_changed"},
    "7.3b": {"not_two", "late_end", "ended_stay_open", "shrinks", "masks", "too_wide"},
    "7.3c": LISTS_OF_OUTPUTS | {"twice"},
    "7.4": {"empty", "not_renormalised", "probabilities"},
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
    by_mean = wrong.BY_MEAN(right.exhaustive)
    text = " ".join(found("7.2", by_mean)[0].text.split())
    assert "after nothing EOS 0.2, 3 0.5, 4 0.3" in text
    assert "[((3, 2), -0.602), ((4, 2), -0.6547), ((2,), -1.609)]" in text
    assert "For [3, 2] you have -0.602, the mean of its tokens." in text
    assert "is the sum, -1.204" in text


def test_the_model_of_a_message_can_be_made_in_the_notebook():
    text = found("7.3c", wrong.BEST_ONLY(right.beam))[0].text
    assert "HashModel(6, seed=134, eos_bias=0.5), src = [[5, 3, 2]], num_beams = 3" in text
    probe = find("7.3c").task.probes(fresh_generator())[0]
    assert HashModel(6, seed=134, eos_bias=0.5) == probe.args["model"].model


def test_tokens_and_totals_may_be_tensors_or_tuples():
    as_tensors = changed(
        right.beam, lambda found: tuple((torch.tensor(t), torch.tensor(n)) for t, n in found)
    )
    as_lists = changed(right.exhaustive, lambda found: [[list(t), n] for t, n in found])
    plain = changed(right.fixed_search, lambda hyps: [tuple(hyp) for hyp in hyps])
    for id, answer in (("7.3c", as_tensors), ("7.2", as_lists), ("7.5c", plain)):
        assert found(id, answer)[1].state == "correct"


def test_numbers_may_be_those_of_numpy():
    as_arrays = changed(
        right.exhaustive, lambda found: [(np.array(t), np.float32(n)) for t, n in found]
    )
    as_scalars = changed(
        right.beam, lambda found: [([np.int64(t) for t in ts], np.float64(n)) for ts, n in found]
    )
    whole_means = changed(
        right.width_report,
        lambda rows: {
            k: {n: int(v) if v == int(v) else np.float32(v) for n, v in row.items()}
            for k, row in rows.items()
        },
    )
    for id, answer in (("7.2", as_arrays), ("7.3c", as_scalars), ("7.6", whole_means)):
        report, finding = found(id, answer)
        assert finding.state == "correct", report.text
    impossible = changed(right.exhaustive, lambda found: [*found, ((3, 2), np.float32("-inf"))])
    assert found("7.2", impossible)[1].name == "impossible"
    yes_and_no = changed(right.exhaustive, lambda found: [((True, 2), n) for _, n in found])
    assert found("7.2", yes_and_no)[1].name == "not_outputs"


# ---------------------------------------------------------------- against the library


def test_the_references_do_what_the_library_does():
    model = HashModel(6, seed=8)
    (every,) = exhaustive_search(model, *SOURCE, max_new_tokens=4, n_best=None)
    ended = [(tuple(hyp.tokens), hyp.log_prob) for hyp in every if hyp.finished]
    mine = right.exhaustive(hand07.NextLogProbs(model, *SOURCE), 4)
    assert [tokens for tokens, _ in mine] == [tokens for tokens, _ in ended]
    assert [n for _, n in mine] == pytest.approx([n for _, n in ended])
    log_probs = torch.randn(4, 9, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    for p in (0.1, 0.5, 0.9):
        torch.testing.assert_close(right.top_p(log_probs, p), top_p_filter(log_probs, p))
    (hyps,) = beam_search(four_letters(), *SOURCE, num_beams=3, max_new_tokens=4, n_best=3)
    assert [(h.tokens, pytest.approx(h.log_prob)) for h in hyps if h.finished] == right.beam(
        four_letters(), *SOURCE, 3, 4
    )[: len([h for h in hyps if h.finished])]


@pytest.mark.parametrize("search", chapter07.INNOCENT, ids=name_of)
def test_innocent_searches_obey_the_laws(search):
    assert chapter07.laws_5_and_6(search, penalties=(0.0, 0.7))


@pytest.mark.parametrize("name", wrong.SUSPECTS)
def test_suspects_break_a_law(name):
    search = wrong.SUSPECTS[name]

    def batched(model, src, src_lengths, num_beams, max_len, n_best, alpha):
        rows = ((src[b : b + 1, :n], src_lengths[b : b + 1]) for b, n in enumerate(src_lengths))
        return [search(model, *row, num_beams, max_len, alpha)[:n_best] for row in rows]

    models = [HashModel(6, seed, eos_bias=1.0) for seed in range(2)]
    assert not (
        search_oracle(batched, models=models, length_penalties=(0.0, 1.0))
        and scores_add_up(batched, models=models, length_penalties=(0.0, 1.0), max_new_tokens=4)
    )


def test_the_laws_are_asked():
    assert not chapter07.laws_5_and_6(wrong.as_beam(wrong.StateStays))
    assert not chapter07.laws_5_and_6(wrong.BEST_ONLY(right.beam))
    assert "Law 6" in chapter07.laws_5_and_6(wrong.as_beam(wrong.StateStays)).law
    assert "Law 5" in chapter07.laws_5_and_6(wrong.BEST_ONLY(right.beam)).law


# ---------------------------------------------------------------- 7.1: letters


def test_the_table_is_the_model():
    rows = [line.split()[1:] for line in hand07.letter_table().splitlines()[1:]]
    chances = [[float(number) for number in row] for row in rows]
    assert [sum(row) for row in chances] == pytest.approx([1.0] * 4)
    for prefix, row in zip(((), (4,), (5,), (6,)), chances, strict=True):
        log_probs = hand07.next_letter(prefix)
        assert [math.exp(log_probs[t]) for t in (4, 5, 6, EOS_ID)] == pytest.approx(row)


def test_greedy_writes_what_the_letter_says_with_that_probability():
    (greedy,) = greedy_search(four_letters(), *SOURCE, max_new_tokens=4)[0]
    strings, numbers = hand07.options_7_1a(), hand07.options_7_1b()
    assert strings[find("7.1a").reference] == hand07.spelt(greedy.tokens).replace(" ", "")
    assert numbers[find("7.1b").reference] == round(math.exp(greedy.log_prob), 4) == 0.0227
    assert len(set(strings.values())) == len(set(numbers.values())) == 6


def test_the_reasons_fit_the_options():
    strings = {found("7.1a", x)[1].name: text for x, text in hand07.options_7_1a().items()}
    by_k = {k: right.beam(four_letters(), *SOURCE, k, 4)[0][0] for k in (2, 40)}
    assert strings["two_beams"] == hand07.spelt(by_k[2]).replace(" ", "")
    assert strings["mode"] == hand07.spelt(by_k[40]).replace(" ", "")
    assert strings["no_end"] + "•" == strings[""]
    assert strings["never_ends"][:3] == strings["no_end"] and strings["first_row"] == "aaaa"
    numbers = {found("7.1b", x)[1].name: n for x, n in hand07.options_7_1b().items()}
    assert numbers["no_end"] * 0.45 == pytest.approx(numbers[""], abs=1e-4)
    assert math.exp(numbers["log"]) == pytest.approx(numbers[""], abs=1e-4)
    assert numbers["mean"] * 4 == pytest.approx(numbers["sum"], abs=1e-3)
    assert numbers["first_row"] == pytest.approx(0.40 * 0.30 * 0.25 * 0.05, abs=1e-4)


# ---------------------------------------------------------------- 7.5: the bug clinic


def test_the_log_is_what_the_bug_really_produces():
    assert patient07.reproduce_log() == patient07.search_log() == chapter07.search_log()


def columns(log):
    rows = [line.split()[1:] for line in log.splitlines()[4:]]
    return list(zip(*([float(x) if x != "-" else None for x in row] for row in rows), strict=True))


def rises(column):
    numbers = [number for number in column if number is not None]
    return all(one <= two for one, two in pairwise(numbers))


def test_only_the_evidence_cannot_come_from_a_right_search():
    healthy = [columns(patient07.reproduce_log(search)) for search in chapter07.INNOCENT[:3]]
    for log in healthy:
        assert all(map(rises, log))
    patient = columns(patient07.search_log())
    assert list(map(rises, patient)) == [True, True, True, False]
    assert patient[0] == healthy[0][0]
    assert found("7.5a", "D")[1].state == "correct"


@pytest.mark.parametrize("seed", range(10))
def test_with_a_right_search_the_best_that_ended_never_gets_worse(seed):
    model, best = HashModel(7, seed), -math.inf
    for steps in range(1, 7):
        hyps = right.search_by_lists(model, *SOURCE, 3, steps, 0.0)
        now = hyps[0].log_prob if hyps else -math.inf
        assert now >= best
        best = now


def accepts_everything(search):
    assert search(four_letters(), *SOURCE, 2, 4, 0.0) is not None


def ends_with_the_end(search):
    """What the issue was about at first sight. The patient cuts, so its words are clean."""
    for hyp in search(HashModel(7, seed=51), *SOURCE, 3, 8, 0.0):
        assert hyp.tokens.count(EOS_ID) == 1 and hyp.tokens[-1] == EOS_ID


def no_output_twice(search):
    outputs = [tuple(hyp.tokens) for hyp in search(HashModel(7, seed=5), *SOURCE, 3, 6, 0.0)]
    assert len(set(outputs)) == len(outputs)


def reads_again(search):
    hyps = search(HashModel(7, seed=1), *SOURCE, 3, 5, 0.0)
    (true,) = right.rescore(HashModel(7, seed=1), *SOURCE, [[hyp.tokens for hyp in hyps]])
    for one, two in zip(hyps, true, strict=True):
        assert abs(one.log_prob - two.log_prob) < 1e-4


def reads_again_with_alpha(search):
    reads_again(search)
    for hyp in search(HashModel(7, seed=1), *SOURCE, 3, 5, 0.5):
        assert abs(hyp.score - hyp.log_prob / len(hyp.tokens) ** 0.5) < 1e-4


def only_the_best(search):
    best = search(four_letters(), *SOURCE, 3, 4, 0.0)[0]
    assert best.tokens == [5, 2] and abs(best.log_prob - math.log(0.1125)) < 1e-4


def rejects_everything(search):
    assert search(four_letters(), *SOURCE, 3, 4, 0.0) == []


def wants_one_order_of_equals(search):
    """a • and c • are equally probable."""
    expected = [list(tokens) for tokens, _ in right.exhaustive(hand07.next_letter, 4)]
    found = [list(hyp.tokens) for hyp in search(four_letters(), *SOURCE, 81, 4, 0.0)]
    assert found == expected[::-1][::-1] and found.index([6, 2]) < found.index([4, 2])


def to_the_last_digit(search):
    for hyp in search(four_letters(), *SOURCE, 3, 4, 0.0):
        assert hyp.log_prob == round(hyp.log_prob, 4)


def returns_a_bool(search):
    return search(four_letters(), *SOURCE, 3, 4, 0.0)[0].tokens == [5, 2]


def crashes(search):
    search(four_letters(), 3, 4)


WRONG_TESTS = [
    (accepts_everything, "nothing_rejected", 0),
    (ends_with_the_end, "nothing_rejected", 0),
    (only_the_best, "stops_with_the_best", None),
    (rejects_everything, "innocent_rejected", None),
    (wants_one_order_of_equals, "innocent_rejected", None),
    (to_the_last_digit, "innocent_rejected", None),
    (returns_a_bool, "test_returns", None),
    (crashes, "raised", None),
]


@pytest.mark.parametrize(("test", "finding", "killed"), WRONG_TESTS, ids=name_of)
def test_weak_tests_earn_no_part_and_hear_why(test, finding, killed):
    report, result = found("7.5b3", test)
    assert result.name == finding, report.text
    assert result.state == ("error" if finding == "raised" else "wrong")
    if killed is not None:
        assert f"{killed} of 8" in report.text
    assert "loss" not in report.text


def states(test):
    return [found(id, test)[1].state for id in DETECTIVE]


def test_parts_are_earned_one_by_one():
    assert states(no_output_twice) == ["correct", "wrong", "wrong"]
    assert states(reads_again_with_alpha) == ["correct", "correct", "wrong"]
    assert states(right.test_patient) == ["correct"] * 3


@pytest.mark.parametrize("survivor", wrong.SUSPECTS)
def test_each_survivor_is_described(survivor):
    def blind(search):
        if (
            inspect.getclosurevars(search).nonlocals["implementation"]
            is not wrong.SUSPECTS[survivor]
        ):
            right.test_patient(search)

    report, result = found("7.5b3", blind)
    assert result.name == survivor
    assert "7 of 8" in report.text


def test_the_patient_s_words_are_clean_and_its_numbers_are_not():
    hyps = patient07.patient_search(HashModel(7, seed=51), *SOURCE, 3, 8, 0.0)
    assert hyps and all(hyp.tokens.index(EOS_ID) == len(hyp.tokens) - 1 for hyp in hyps)
    with pytest.raises(AssertionError):
        reads_again(patient07.patient_search)


def test_the_epilogue_names_the_real_issue():
    text = found("7.5c", right.fixed_search)[0].text
    assert "https://github.com/awslabs/sockeye/pull/233" in text


# ---------------------------------------------------------------- 7.6: the letters task


@pytest.mark.parametrize("source", ["ab", "e", "cad", "bb"])
def test_a_wide_beam_finds_all_that_the_letters_can_become(source):
    every = letters_distribution(source)
    found = hand07.search_letters(source, 100)
    assert {tuple(output) for output, _ in found} == set(every)
    for output, log_prob in found:
        assert log_prob == pytest.approx(letters_log_prob(source, output))
    assert tuple(found[0][0]) == letters_mode(source)


def test_a_list_that_was_changed_does_not_come_back():
    hand07.search_letters("ab", 3).clear()
    assert hand07.search_letters("ab", 3)


# ---------------------------------------------------------------- the probes


@pytest.mark.parametrize("seed", range(10))
def test_probes_are_asymmetric(seed):
    generator = torch.Generator().manual_seed(seed)
    task = {id: find(id).task.probes(generator) for id in ("7.2", "7.3a", "7.3b", "7.3c")}
    square = [p.args["log_probs"].size(0) == p.args["log_probs"].size(1) for p in task["7.3a"]]
    assert sum(square) == 1
    for probe in task["7.3a"]:
        every = (probe.args["totals"][:, None] + probe.args["log_probs"]).flatten()
        possible = every[every > -math.inf].sort().values
        assert possible.diff().min() > 1e-4  # no check turns on rounding
        assert len(probe.args["totals"]) <= probe.args["num_beams"]
    assert any((p.args["log_probs"][:, 3:] == -math.inf).any() for p in task["7.3a"])
    assert any((p.args["token"] == EOS_ID).sum() == 0 for p in task["7.3b"])
    assert any((p.args["token"] != EOS_ID).sum() == 0 for p in task["7.3b"])
    found = [right.beam(*p.args.values()) for p in task["7.3c"]]
    assert sum(not pairs for pairs in found) >= 1 and sum(len(pairs) > 3 for pairs in found) >= 2
    assert {p.args["num_beams"] for p in task["7.3c"]} >= {1, 2, 3, 4}
    for probe in task["7.2"]:
        totals = [total for _, total in right.exhaustive(*probe.args.values())]
        assert all(one - two > 1e-6 for one, two in pairwise(totals))


def test_probes_are_drawn_anew_but_for_the_first():
    for id in ("7.2", "7.3a", "7.3c", "7.4", "7.5c", "7.6"):
        one, two = (find(id).task.probes(torch.Generator().manual_seed(s)) for s in (1, 2))
        assert one[0].fed == two[0].fed
        assert any(a.fed != b.fed for a, b in zip(one, two, strict=True)) or id in ("7.2", "7.4")
    for id, name in (("7.4", "log_probs"), ("7.3b", "token")):
        one, two = (find(id).task.probes(torch.Generator().manual_seed(s)) for s in (1, 2))
        assert not torch.equal(one[2].args[name], two[2].args[name])
