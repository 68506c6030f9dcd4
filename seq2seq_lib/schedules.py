"""Pure functions of the training step: teacher-forcing ratios, KL weights, anything that moves.

A schedule has no memory: ``linear(step, ...)`` gives the same number however often and in whatever
order it is asked, so evaluating twice, resuming a run or plotting cannot move it. (A weight that
advances at every *call* is a published bug: it advances during evaluation too.)

All of them go **from ``start`` to ``end``**, so one function serves both uses of the course:

* scheduled sampling lowers the share of gold tokens fed to the decoder, start=1, end=0
  (Bengio et al. 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural
  Networks", section 2.4);
* KL annealing raises the weight of a VAE's KL term, start=0, end=1 (Bowman et al. 2016,
  "Generating Sentences from a Continuous Space", section 3.1).

``step`` is an int ≥ 0 (the first step is 0), however large; the result is a float between start
and end. All raise TypeError for a step or count that is not an int, ValueError for a negative
step, a setting outside its range, or one that is NaN or infinite.
"""

import math

from seq2seq_lib._arguments import check_integer, check_number, check_positive


def constant(step: int, *, value: float) -> float:
    """``value`` at every step: the schedule to compare the others with."""
    _check_step(step)
    _check_finite(value=value)
    return float(value)


def linear(step: int, *, start: float, end: float, num_steps: int) -> float:
    """A straight line: start + (end - start) * min(step / num_steps, 1).

    Exactly ``start`` at step 0, exactly ``end`` from step ``num_steps`` on. Bengio et al.'s
    max(eps, k - c * i) is start=k, end=eps, num_steps=(k - eps) / c.
    """
    _check_step(step)
    _check_finite(start=start, end=end)
    check_positive(num_steps, "num_steps")
    return _between(start, end, min(step, num_steps) / num_steps)


def exponential(step: int, *, start: float, end: float, decay: float) -> float:
    """Ever smaller steps: end + (start - end) * decay^step, 0 < decay < 1.

    Exactly ``start`` at step 0; half the way is done after ln 2 / -ln decay steps. Bengio et al.'s
    k^i is start=1, end=0, decay=k.
    """
    position = _check_step(step)
    _check_finite(start=start, end=end, decay=decay)
    why = "it is what remains after one step"
    check_number(decay, "decay", "between 0 and 1", low=0, high=1, open_low=True, why=why)
    return _between(end, start, decay**position)


def inverse_sigmoid(step: int, *, start: float, end: float, k: float) -> float:
    """Flat, then a fall, then flat: end + (start - end) * k / (k + exp(step / k)), k ≥ 1.

    Bengio et al.'s third schedule with start=1, end=0. It begins at k / (k + 1) of the way, not
    exactly at ``start``, and is halfway at step k * ln k: k sets the delay and the speed together
    (``logistic`` sets them apart).
    """
    position = _check_step(step)
    _check_finite(start=start, end=end, k=k)
    check_number(k, "k", "≥ 1", low=1, why="the schedule is halfway at k * ln(k)")
    # k / (k + exp(i / k)) = sigmoid(ln k - i / k), which cannot overflow.
    return _between(end, start, _sigmoid(math.log(k) - position / k))


def logistic(step: int, *, start: float, end: float, midpoint: float, steepness: float) -> float:
    """An S-curve: start + (end - start) * sigmoid(steepness * (step - midpoint)).

    The shape that Bowman et al. 2016 (figure 2) use for the KL weight, start=0, end=1. Halfway at
    ``midpoint``; 90 % of the way 2.2 / steepness steps later. It comes near both ends without
    reaching them: at step 0 the share done is sigmoid(-steepness * midpoint).
    """
    position = _check_step(step)
    _check_finite(start=start, end=end, midpoint=midpoint, steepness=steepness)
    why = "swap start and end to turn it around"
    check_number(steepness, "steepness", "> 0", low=0, open_low=True, why=why)
    return _between(start, end, _sigmoid(steepness * (position - midpoint)))


def cyclical(
    step: int, *, start: float, end: float, num_steps: int, num_cycles: int = 4, ramp: float = 0.5
) -> float:
    """Rise, hold, fall back to ``start``, num_cycles times in num_steps, then stay at ``end``.

    Equation (Fu et al. 2019, "Cyclical Annealing Schedule", with a linear ramp):
        tau   = (step mod T/M) / (T/M)        T = num_steps, M = num_cycles, tau in [0, 1)
        share = tau / ramp if tau < ramp else 1
    Their defaults are M = 4 and ramp R = 0.5: half of each cycle rises, half holds. They count
    steps from 1, we count from 0. T need not be a multiple of M. One cycle is ``linear`` over
    ramp * T steps.
    """
    _check_step(step)
    _check_finite(start=start, end=end, ramp=ramp)
    check_positive(num_steps, "num_steps")
    check_positive(num_cycles, "num_cycles")
    if num_cycles > num_steps:
        raise ValueError(
            f"num_cycles must be ≤ num_steps, but they are {num_cycles} and {num_steps}: "
            "a cycle needs at least one step."
        )
    why = "it is the rising share of a cycle"
    check_number(ramp, "ramp", "in (0, 1]", low=0, high=1, open_low=True, open_high=False, why=why)
    if step >= num_steps:
        return float(end)
    tau = step * num_cycles % num_steps / num_steps  # whole numbers until the last division
    return _between(start, end, tau / ramp)


def _between(start: float, end: float, share: float) -> float:
    """From start at share 0 to end at share 1, exactly; later it stays there."""
    if share >= 1:
        return float(end)  # start + (end - start) may miss end by rounding
    return float(start + (end - start) * share)


def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) without overflow: exp only ever sees x ≤ 0."""
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


def _check_step(step: int) -> float:
    """The step as a float; an int beyond the floats (10**400) becomes the largest power of ten."""
    check_integer(step, "step", 0, why="the first step is 0")
    return float(min(step, 10**308))


def _check_finite(**settings: float) -> None:
    for name, value in settings.items():
        check_number(value, name, "finite", low=-math.inf, open_low=True)
