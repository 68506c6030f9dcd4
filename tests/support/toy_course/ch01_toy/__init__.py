"""Chapter 1 of the toy course: one exercise of each kind that the engine knows."""

from tests.support.toy_course.ch01_toy import (
    ex1_letter,
    ex2_divides,
    ex3_weighted_mean,
    ex4_detective,
    ex5_extremes,
)

EXERCISES = (
    *ex1_letter.EXERCISES,
    *ex2_divides.EXERCISES,
    *ex3_weighted_mean.EXERCISES,
    *ex4_detective.EXERCISES,
    *ex5_extremes.EXERCISES,
)
