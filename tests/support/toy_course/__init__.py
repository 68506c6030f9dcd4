"""A course of one small chapter: what the engine of checks is tested with."""

from seq2seq_lib.course.catalogue import Course

TOY = Course(__name__)
