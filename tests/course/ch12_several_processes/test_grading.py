"""The exercises of this chapter are released and graded as they should be."""

from tests.support.grading import Grading


class TestGrading(Grading):
    test_file = __file__
