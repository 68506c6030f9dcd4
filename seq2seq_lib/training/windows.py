"""The batches of each step, and the place of a resumed run among them."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from seq2seq_lib.batching import Batch
from seq2seq_lib.runtime import kept_rng
from seq2seq_lib.training.checkpoints import CheckpointError
from seq2seq_lib.training.state import TrainingState


def windows(loader: Any, state: TrainingState, size: int) -> Iterator[list[Batch]]:
    """Lists of ``size`` batches, without those that the run has seen in this epoch.

    Raises:
        CheckpointError: the loader gives other batches than the ones seen, so some sentences would
            be trained on twice and others not at all.
    """
    # A DataLoader draws from the global generator when it is iterated. That draw is undone, so
    # that a run which starts here has the random numbers of one that came here.
    with kept_rng():
        batches = iter(loader)
        seen = ""
        for window in _of_size(islice(batches, state.batch), size):
            seen = fingerprint(window, seen)
        if state.seen is not None and seen != state.seen:
            raise CheckpointError(
                f"The first {state.batch} batches of this train_loader are not those that the run "
                f"has seen: some sentences would come twice and others never. Use make_loader with "
                f"the same examples and seed, or go on from the end of an epoch."
            )
    yield from _of_size(batches, size)


def _of_size(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while window := list(islice(batches, size)):
        yield window


def fingerprint(batches: Sequence[Any], before: str = "") -> str:
    """A hash of all tensors of some batches, and of what came before them, in hexadecimal."""
    digest = hashlib.blake2b(before.encode(), digest_size=16)
    for batch in batches:
        for tensor in vars(batch).values():
            digest.update(str((tuple(tensor.shape), tensor.dtype)).encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
