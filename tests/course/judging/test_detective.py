"""A learner's test is judged in one go: right ones pass, wrong ones are counted, tiers earn."""

import inspect
import re
from dataclasses import replace

import pytest
import torch

from seq2seq_lib.course.judging import engine
from seq2seq_lib.course.judging.detective_task import DetectiveTask
from seq2seq_lib.course.judging.exercise import Exercise
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex3_weighted_mean import (
    weighted_mean,
    weighted_mean_spec,
    weighted_sum,
)
from tests.support.toy_course.ch01_toy.ex4_detective import TASK, nudged, test_mean

test_mean.__test__ = False  # it is a learner's, and not pytest's
EXERCISE = TOY.find("1.4")
VALUES, WEIGHTS = torch.tensor([1.0, 4.0, 2.0]), torch.tensor([3.0, 1.0, 2.0])
RIGHT = 11 / 6


def said(answer, exercise=EXERCISE):
    shown, finding = engine.judge(exercise, answer)
    return finding, " ".join(shown.text.split())


def only_the_patient(mean):
    """The plain mean is above 2."""
    assert mean(VALUES, WEIGHTS) < 2 or mean(VALUES, WEIGHTS) > 5


def three_of_four(mean):
    """Its sign may be any."""
    torch.testing.assert_close(mean(VALUES, WEIGHTS).abs(), torch.tensor(RIGHT))


def rejects_nothing(mean):
    mean(VALUES, WEIGHTS)


def all_but_the_patient(mean):
    found = mean(VALUES, WEIGHTS)
    assert abs(found - VALUES.mean()) < 1e-5 or abs(found - RIGHT) < 1e-5


@pytest.mark.parametrize(
    ("answer", "state", "earned", "killed", "heard"),
    [
        (test_mean, "correct", 0, 4, "All 4 wrong means are rejected"),
        (three_of_four, "partly", 4, 3, "Points: 4 of 5. The next ones are for 4 of 4 rejected."),
        (only_the_patient, "partly", 2, 1, "Points: 2 of 5. The next ones are for 3 of 4 rejected"),
        (all_but_the_patient, "wrong", 0, 3, "Points: 0 of 5. The first ones are for a test that"),
        (rejects_nothing, "wrong", 0, 0, "All 4 wrong means pass your test."),
    ],
)
def test_one_run_tells_how_many_were_rejected_and_what_that_earns(
    answer, state, earned, killed, heard
):
    finding, text = said(answer)
    assert (finding.state, finding.earned) == (state, earned)
    assert finding.facts["killed"] == str(killed) and heard in text
    if state != "correct":
        assert f"Came back: {killed} of 4 wrong means rejected" in text


def test_each_implementation_is_run_twice():
    calls = []

    def counted(mean):
        calls.append(1)
        test_mean(mean)

    engine.judge(EXERCISE, counted)
    assert len(calls) == 2 * (len(TASK.innocent) + len(TASK.suspects))


def test_the_patient_s_own_message_comes_first():
    assert said(all_but_the_patient)[0].name == "unweighted"
    assert said(three_of_four)[0].name == "sign"


def test_implementations_have_no_name_that_gives_them_away():
    names = set()
    engine.judge(EXERCISE, lambda mean: names.add(mean.__name__))
    assert names == {"unnamed"}


def counts_calls(rounds):
    """A test that passes as many as are right, and then rejects as many as are wrong."""
    calls = []
    right, wrong = rounds * len(TASK.innocent), rounds * len(TASK.suspects)

    def test(mean):
        calls.append(1)
        assert (len(calls) - 1) % (right + wrong) < right

    return test


def reads_the_closure(mean):
    inside = [cell.cell_contents for cell in mean.__closure__ or ()]
    assert not any(getattr(f, "__name__", "") in ("plain_mean", "wrong_sign") for f in inside)


def test_neither_counting_nor_looking_inside_rejects_anything():
    for rounds in (1, 2):  # 1: as if each came once
        states = [engine.judge(EXERCISE, counts_calls(rounds), seed)[1].state for seed in range(99)]
        assert set(states) == {"wrong"}  # in a fixed order it would be right each time


def changes_its_mind(right, wrong):
    """A test that errs once on a right or a wrong mean, where it is told False, and never again."""
    first = {True: right, False: wrong}

    def test(mean):
        is_right = bool((mean(VALUES, WEIGHTS) - RIGHT).abs() < 1e-5)
        assert is_right if first.pop(is_right, True) else not is_right

    return test


def test_of_two_runs_the_worse_one_counts():
    assert said(changes_its_mind(right=True, wrong=True))[0].state == "correct"
    assert said(changes_its_mind(right=False, wrong=True))[0].name == "innocent_rejected"
    assert said(changes_its_mind(right=True, wrong=False))[0].facts["killed"] == "3"


def test_all_implementations_look_the_same_from_outside():
    seen = set()

    def looks(mean):
        shown = {name: repr(getattr(mean, name)) for name in dir(mean) if name != "__hash__"}
        seen.add(re.sub(r"0x[0-9a-f]+", "", f"{shown} {inspect.signature(mean)}"))

    engine.judge(EXERCISE, looks)
    assert len(seen) == 1 and "plain_mean" not in str(seen)


# ---------------------------------------------------------------- what a test does wrong


def rejects_all(mean):
    assert mean(VALUES, WEIGHTS) == 0


def returns_a_verdict(mean):
    return bool(abs(mean(VALUES, WEIGHTS) - RIGHT) < 1e-5)


def raises_something_else(mean):
    if abs(mean(VALUES, WEIGHTS) - RIGHT) > 1e-5:
        raise ValueError("wrong")


def prints_its_verdict(mean):
    print("wrong!" if abs(mean(VALUES, WEIGHTS) - RIGHT) > 1e-5 else "right")


def stops_by_itself(mean):
    mean(VALUES)


@pytest.mark.parametrize(
    ("answer", "state", "name", "heard"),
    [
        (rejects_all, "wrong", "innocent_rejected", "I fed: a right mean"),
        (returns_a_verdict, "wrong", "test_returns", "A test speaks by raising AssertionError."),
        (raises_something_else, "wrong", "other_error", "At 4 of 4 wrong ones your test stops"),
        (prints_its_verdict, "wrong", "nothing_rejected", "Your code printed: wrong!"),
        (stops_by_itself, "error", "raised", "TypeError: "),
        ("a text", "wrong", "not_a_function", "wants the function itself"),
    ],
)
def test_what_is_wrong_with_a_test_is_named(answer, state, name, heard):
    finding, text = said(answer)
    assert (finding.state, finding.name) == (state, name) and heard in text


# ---------------------------------------------------------------- more that is right


def exactly_equal(mean):
    assert mean(VALUES, WEIGHTS) == weighted_mean_spec(VALUES, WEIGHTS)


def as_tuple(values, weights):
    return tuple(weighted_mean(values, weights).reshape(1).tolist())


def test_a_test_that_compares_floats_with_equals_is_told_so():
    assert float(nudged(VALUES, WEIGHTS)) != float(weighted_mean_spec(VALUES, WEIGHTS))
    task = replace(TASK, innocent=(weighted_mean_spec,), also_right={"last_digits": nudged})
    exercise = Exercise(**{**vars(EXERCISE), "task": task})
    assert said(test_mean, exercise)[0].state == "correct"
    finding, text = said(exactly_equal, exercise)
    assert finding.name == "last_digits"
    assert "rejects a right mean: its numbers differ from those of the others in the last" in text
    mixed = replace(task, innocent=(weighted_mean_spec, nudged))
    mixed = Exercise(**{**vars(EXERCISE), "task": mixed})
    assert said(exactly_equal, mixed)[0].name == "last_digits", "the first passes, another one not"
    none = Exercise(**{**vars(EXERCISE), "task": replace(task, innocent=(nudged,))})
    assert said(exactly_equal, none)[0].name == "innocent_rejected"
    alone = Exercise(**{**vars(EXERCISE), "task": replace(task, also_right={})})
    assert said(exactly_equal, alone)[0].state == "correct"  # nobody would have noticed


def test_a_named_version_explains_nothing_where_what_it_was_made_of_is_rejected_too():
    """With NaN where a weight is 0, a mean by product is NaN, and one that selects is not."""

    def by_selecting(values, weights):
        return weighted_mean(values[weights > 0], weights[weights > 0])

    def with_nan(mean):
        values = torch.tensor([1.0, torch.nan, 4.0])
        assert abs(mean(values, torch.tensor([3.0, 0.0, 1.0])) - 1.75) < 1e-5

    innocent = (weighted_mean, by_selecting)  # nudged is made of the first
    task = replace(TASK, innocent=innocent, also_right={"last_digits": nudged})
    exercise = Exercise(**{**vars(EXERCISE), "task": task})
    assert said(with_nan, exercise)[0].name == "innocent_rejected"


def test_a_test_that_compares_tuples_with_lists_is_told_so():
    def as_list(values, weights):
        return list(as_tuple(values, weights))

    task = replace(
        TASK,
        innocent=(as_list,),
        suspects={"total": lambda values, weights: [float(weighted_sum(values, weights))]},
        patient="total",
        tiers=((1, 5),),
        also_right={"other_form": as_tuple},
    )
    exercise = Exercise(**{**vars(EXERCISE), "task": task})

    def compares_lists(mean):
        assert mean(VALUES, WEIGHTS) == [float(weighted_mean(VALUES, WEIGHTS))]

    def compares_numbers(mean):
        assert abs(mean(VALUES, WEIGHTS)[0] - RIGHT) < 1e-5

    finding, text = said(compares_lists, exercise)
    assert finding.name == "other_form" and "in another form, tuples for lists" in text
    assert said(compares_numbers, exercise)[0].state == "correct"


# ---------------------------------------------------------------- tasks that cannot be


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tiers": ()}, "tiers must ask for more suspects each, up to 4"),
        ({"tiers": ((2, 1), (2, 1))}, "tiers must ask"),
        ({"tiers": ((3, 1), (2, 1))}, "tiers must ask"),
        ({"tiers": ((1, 2), (5, 1))}, "tiers must ask"),
        ({"tiers": ((0, 2), (4, 1))}, "tiers must ask"),
        ({"patient": "nobody"}, "patient 'nobody' is none of the suspects: unweighted, total"),
    ],
)
def test_tiers_that_cannot_be_reached_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        replace(TASK, **fields)


def test_an_exercise_is_worth_its_tiers():
    assert TASK.points == EXERCISE.points == 5
    with pytest.raises(ValueError, match="1.4: points must be the 5 of all tiers, but they are 4"):
        replace(EXERCISE, points=4)


def test_wrong_code_is_the_test_s_and_not_the_check_s_to_judge():
    """A suspect that raises by itself is not rejected by the test: it says nothing of the test."""

    def crashes(values, weights):
        raise IndexError("by itself")

    task = DetectiveTask(TASK.innocent, {"total": crashes}, "total", ((1, 5),))
    finding = task.judge(test_mean, torch.Generator())
    assert finding.name == "other_error" and finding.facts["error"] == "IndexError"
