"""Who stands behind what a detective's test is handed: tests may know, an answer may not."""

import inspect
from collections.abc import Callable

from seq2seq_lib.course.judging import detective_task


def behind(handed: Callable) -> Callable:
    """The implementation that the handed function calls."""
    return detective_task._BEHIND[inspect.getclosurevars(handed).nonlocals["key"]]
