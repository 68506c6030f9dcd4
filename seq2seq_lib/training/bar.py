"""The bar that shows how far an epoch is."""

import contextlib
from typing import Any


class NoBar(contextlib.nullcontext):
    """What is used of tqdm's bar, and shows nothing."""

    def __enter__(self) -> "NoBar":
        return self

    def update(self, done: int) -> None:
        pass

    def set_postfix(self, **shown: object) -> None:
        pass


def bar_of(**options: Any) -> Any:
    """tqdm's bar with these options, or nothing where tqdm, which is an extra, is missing."""
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return NoBar()
    return tqdm(**options)
