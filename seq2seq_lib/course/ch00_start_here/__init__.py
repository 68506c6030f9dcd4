"""Chapter 0, start here: its exercises, and what its notebooks import."""

from seq2seq_lib.course.ch00_start_here import ex1_depends

EXERCISES = (*ex1_depends.EXERCISES,)
