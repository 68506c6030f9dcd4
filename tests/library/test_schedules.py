"""Schedules: endpoints, bounds, monotony and the equations of the papers they come from."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import schedules
from seq2seq_lib.schedules import (
    constant,
    cyclical,
    exponential,
    inverse_sigmoid,
    linear,
    logistic,
)

# Every schedule with settings that are right, so that a test can spoil one at a time.
GOOD = {
    "constant": {"value": 0.5},
    "linear": {"start": 1.0, "end": 0.0, "num_steps": 100},
    "exponential": {"start": 1.0, "end": 0.0, "decay": 0.9},
    "inverse_sigmoid": {"start": 1.0, "end": 0.0, "k": 10.0},
    "logistic": {"start": 0.0, "end": 1.0, "midpoint": 50, "steepness": 0.1},
    "cyclical": {"start": 0.0, "end": 1.0, "num_steps": 100},
}
every_schedule = pytest.mark.parametrize("name", GOOD)
ends = st.floats(-1e6, 1e6)


def value(name, step, **changes):
    return getattr(schedules, name)(step, **{**GOOD[name], **changes})


# --- the equations -------------------------------------------------------------------------------


def test_constant_is_constant():
    assert [constant(step, value=0.25) for step in (0, 1, 10**9)] == [0.25] * 3


def test_linear_values():
    assert [linear(i, start=1, end=0, num_steps=4) for i in range(6)] == [1, 0.75, 0.5, 0.25, 0, 0]
    assert [linear(i, start=0, end=1, num_steps=2) for i in range(4)] == [0, 0.5, 1, 1]


def test_linear_is_the_papers_linear_decay():
    eps, k, c = 0.1, 0.9, 0.008
    for i in range(200):
        expected = max(eps, k - c * i)
        assert linear(i, start=k, end=eps, num_steps=100) == pytest.approx(expected, abs=1e-12)


def test_exponential_is_the_papers_exponential_decay():
    for i in range(200):
        assert exponential(i, start=1, end=0, decay=0.97) == pytest.approx(0.97**i, abs=1e-12)
    half_life = math.log(2) / -math.log(0.5)
    assert exponential(round(half_life), start=0.8, end=0.2, decay=0.5) == pytest.approx(0.5)


def test_inverse_sigmoid_is_the_papers_inverse_sigmoid_decay():
    k = 20.0
    for i in range(400):
        expected = k / (k + math.exp(i / k))
        assert inverse_sigmoid(i, start=1, end=0, k=k) == pytest.approx(expected, abs=1e-12)
    assert inverse_sigmoid(0, start=1, end=0, k=k) == pytest.approx(k / (k + 1))
    before, after = (
        inverse_sigmoid(step, start=1, end=0, k=k)
        for step in (math.floor(k * math.log(k)), math.ceil(k * math.log(k)))
    )
    assert after < 0.5 < before


def test_logistic_is_a_sigmoid_around_its_midpoint():
    for i in range(100):
        expected = 1 / (1 + math.exp(-0.2 * (i - 40)))
        ours = logistic(i, start=0, end=1, midpoint=40, steepness=0.2)
        assert ours == pytest.approx(expected, abs=1e-12)
    assert logistic(40, start=0, end=1, midpoint=40, steepness=0.2) == 0.5
    assert logistic(51, start=0, end=1, midpoint=40, steepness=0.2) == pytest.approx(0.9, abs=1e-3)


def test_cyclical_is_the_papers_equation():
    T, M, R = 120, 4, 0.5
    for t in range(1, T + 1):  # the paper counts from 1
        tau = ((t - 1) % math.ceil(T / M)) / (T / M)
        expected = tau / R if tau <= R else 1.0
        ours = cyclical(t - 1, start=0, end=1, num_steps=T, num_cycles=M, ramp=R)
        assert ours == pytest.approx(expected, abs=1e-12)
    assert cyclical(7, start=0, end=1, num_steps=T) == cyclical(
        7, start=0, end=1, num_steps=T, num_cycles=4, ramp=0.5
    )


def test_cyclical_with_cycles_that_do_not_divide_the_steps():
    values = [cyclical(i, start=0, end=1, num_steps=10, num_cycles=3, ramp=0.5) for i in range(12)]
    falls = [i for i in range(1, 12) if values[i] < values[i - 1]]
    assert falls == [4, 7]  # the first whole steps after 10/3 and 20/3
    assert values[10:] == [1.0, 1.0]
    assert values[0] == 0.0


def test_one_cycle_is_linear():
    for i in range(90):
        ours = cyclical(i, start=0.2, end=0.8, num_steps=80, num_cycles=1, ramp=0.25)
        assert ours == pytest.approx(linear(i, start=0.2, end=0.8, num_steps=20), abs=1e-12)


# --- properties ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    start=ends,
    end=ends,
    steps=st.lists(st.integers(0, 300), min_size=2, max_size=8),
    num_steps=st.integers(1, 200),
    decay=st.floats(0.001, 0.999),
    k=st.floats(1, 60),
    midpoint=st.floats(-50, 250),
    steepness=st.floats(1e-4, 5),
)
def test_schedules_stay_between_their_ends_and_never_turn_back(
    start, end, steps, num_steps, decay, k, midpoint, steepness
):
    low, high = min(start, end), max(start, end)
    for schedule, options in (
        (linear, {"num_steps": num_steps}),
        (exponential, {"decay": decay}),
        (inverse_sigmoid, {"k": k}),
        (logistic, {"midpoint": midpoint, "steepness": steepness}),
    ):
        values = [schedule(step, start=start, end=end, **options) for step in sorted(steps)]
        assert all(low <= v <= high for v in values)
        rising = sorted(values)
        assert values == (rising if start <= end else rising[::-1])


@settings(max_examples=60, deadline=None)
@given(
    start=ends,
    end=ends,
    num_steps=st.integers(1, 200),
    num_cycles=st.integers(1, 9),
    ramp=st.floats(0.01, 1),
)
def test_cyclical_turns_back_only_where_a_cycle_begins(start, end, num_steps, num_cycles, ramp):
    num_cycles = min(num_cycles, num_steps)
    values = [
        cyclical(i, start=start, end=end, num_steps=num_steps, num_cycles=num_cycles, ramp=ramp)
        for i in range(num_steps + 3)
    ]
    assert all(min(start, end) <= v <= max(start, end) for v in values)
    assert values[0] == start
    assert values[num_steps:] == [end] * 3
    first_steps = {-(-cycle * num_steps // num_cycles) for cycle in range(num_cycles)}  # rounded up
    backwards = {
        i
        for i in range(1, num_steps)
        if (values[i] < values[i - 1] if start < end else values[i] > values[i - 1])
    }
    assert backwards <= first_steps


@given(start=ends, end=ends, num_steps=st.integers(1, 10**6), later=st.integers(0, 10**6))
@settings(deadline=None)
def test_endpoints_are_exact(start, end, num_steps, later):
    assert linear(0, start=start, end=end, num_steps=num_steps) == start
    assert linear(num_steps + later, start=start, end=end, num_steps=num_steps) == end
    assert exponential(0, start=start, end=end, decay=0.3) == start
    assert cyclical(0, start=start, end=end, num_steps=num_steps, num_cycles=1) == start
    assert (
        cyclical(num_steps + later, start=start, end=end, num_steps=num_steps, num_cycles=1) == end
    )


@every_schedule
@pytest.mark.parametrize("step", [10**6, 10**18, 10**308, 10**400])
def test_no_step_is_too_large(name, step):
    options = GOOD[name]
    assert value(name, step) == options.get("end", options.get("value"))


def test_no_setting_is_too_steep():
    assert logistic(0, start=0, end=1, midpoint=1e308, steepness=1e308) == 0
    assert logistic(10**400, start=0, end=1, midpoint=-1e308, steepness=1e308) == 1
    assert inverse_sigmoid(10**400, start=1, end=0, k=1.0) == 0
    assert inverse_sigmoid(0, start=1, end=0, k=1e308) == 1
    assert exponential(10**400, start=1, end=0, decay=5e-324) == 0


@every_schedule
def test_schedules_are_pure_and_return_floats(name):
    first = [value(name, step) for step in (7, 3, 99)]
    again = [value(name, step) for step in (99, 3, 7)]
    assert first == again[::-1]
    assert all(type(v) is float for v in first)
    whole = {key: int(v) for key, v in GOOD[name].items() if key in ("start", "end", "value")}
    assert type(value(name, 0, **whole)) is float
    assert type(value(name, 10**6, **whole)) is float


# --- bad input -----------------------------------------------------------------------------------


@every_schedule
def test_bad_steps_are_refused(name):
    with pytest.raises(ValueError, match="step must be ≥ 0, but it is -1: the first step is 0"):
        value(name, -1)
    for step in (1.0, True, None, "3"):
        with pytest.raises(TypeError, match="step must be an integer, but it is"):
            value(name, step)


@pytest.mark.parametrize(
    ("name", "setting"), [(name, setting) for name in GOOD for setting in GOOD[name]]
)
def test_settings_that_are_no_finite_numbers_are_refused(name, setting):
    for bad in (None, "1", True):
        with pytest.raises(TypeError, match=f"{setting} must be (a number|an integer), but it is"):
            value(name, 3, **{setting: bad})
    for bad in (float("nan"), math.inf, -math.inf):
        error = TypeError if setting == "num_steps" else ValueError  # not an int at all
        with pytest.raises(error, match=f"{setting} must be (finite|an integer), but it is"):
            value(name, 3, **{setting: bad})


@pytest.mark.parametrize(
    ("name", "setting", "bad", "message"),
    [
        ("linear", "num_steps", 0, "num_steps must be ≥ 1, but it is 0"),
        ("linear", "num_steps", -5, "num_steps must be ≥ 1, but it is -5"),
        ("exponential", "decay", 0.0, "decay must be between 0 and 1, but it is 0.0"),
        ("exponential", "decay", 1, "decay must be between 0 and 1, but it is 1"),
        ("exponential", "decay", -0.5, "decay must be between 0 and 1, but it is -0.5"),
        ("inverse_sigmoid", "k", 0.5, "k must be ≥ 1, but it is 0.5"),
        ("logistic", "steepness", 0, "steepness must be > 0, but it is 0: swap start and end"),
        ("logistic", "steepness", -1.0, "steepness must be > 0, but it is -1.0"),
        ("cyclical", "num_steps", 0, "num_steps must be ≥ 1, but it is 0"),
        ("cyclical", "num_cycles", 0, "num_cycles must be ≥ 1, but it is 0"),
        ("cyclical", "num_cycles", 101, "num_cycles must be ≤ num_steps, but they are 101 and"),
        ("cyclical", "ramp", 0.0, r"ramp must be in \(0, 1\], but it is 0.0"),
        ("cyclical", "ramp", 1.5, r"ramp must be in \(0, 1\], but it is 1.5"),
    ],
)
def test_settings_outside_their_range_are_refused(name, setting, bad, message):
    with pytest.raises(ValueError, match=message):
        value(name, 3, **{setting: bad})


def test_cycles_must_be_whole():
    with pytest.raises(TypeError, match="num_cycles must be an integer, but it is 2.0"):
        value("cyclical", 3, num_cycles=2.0)
