"""The bar that shows how far an epoch is."""

import contextlib
from typing import Any

from seq2seq_lib.training.state import TrainingState


class NoBar(contextlib.nullcontext):
    """What is used of tqdm's bar, and shows nothing."""

    def __enter__(self) -> "NoBar":
        return self

    def update(self, done: int) -> None:
        pass

    def set_postfix(self, **shown: object) -> None:
        pass


def bar_of(state: TrainingState, shown: bool) -> Any:
    """tqdm's bar of the epoch, or nothing where tqdm, which is an extra, is missing."""
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return NoBar()
    # Some twenty refreshes an epoch, not ten a second: every one is a few messages to the notebook,
    # and more than a thousand in one cell are dropped while nobody reads them.
    return tqdm(
        total=state.batches,
        initial=state.batch,
        desc=f"epoch {state.epoch + 1}",
        disable=not shown,
        miniters=max(1, state.batches // 20),
    )
