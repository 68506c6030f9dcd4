"""Several processes that train one model, on one machine or on many, as ``torchrun`` starts them.

Every process holds the whole model and computes some rows of every batch. Law 7 asks for the
gradient of (summed loss of all) / (tokens of all), so two things are summed over the processes
after ``backward``: the gradients, laid end to end in one vector, and the pair (loss, tokens).

Without a process group there is one process, and nothing here is sent anywhere.
"""

import contextlib
import ctypes
import hashlib
import os
import random
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, distributed, nn

from seq2seq_lib.batching import Batch
from seq2seq_lib.losses import LossSum
from seq2seq_lib.runtime import get_device, kept_rng


@contextlib.contextmanager
def joined(device: torch.device | str = "cpu") -> Iterator[torch.device]:
    """Inside, this process is one of those that ``torchrun`` started; without it, nothing happens.

    Args:
        device: ``"cuda"`` stands for the GPU whose number is ``LOCAL_RANK``, one a process.

    Yields:
        the device of this process. Torch chooses what carries the sums: gloo for CPUs, NCCL for
        NVIDIA's GPUs.
    """
    device = torch.device(device)
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        yield device
        return
    if device.type != "cpu" and device.index is None:
        own = f"{device.type}:{os.environ['LOCAL_RANK']}"
        device = get_device(own)  # or an error: more processes than GPUs
        torch.get_device_module(device).set_device(device)
    _end_with_parent()
    distributed.init_process_group(distributed.get_default_backend_for_device(device))
    yield device
    # Not after an error: closing waits for the others, and the end of this process tells them.
    distributed.destroy_process_group()


def _end_with_parent() -> None:
    """If torchrun is killed, this process ends, too, and does not train on unseen (on Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # from sys/prctl.h
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Processes:
    """The processes that train together, seen from one of them. One alone shares with nobody.

    ``DistributedDataParallel`` averages gradients instead of adding them: the same thing only if
    all processes hold equally many tokens, or if each first multiplies its loss by processes /
    tokens of all. Its other gift is speed, it sends while ``backward`` still runs. Here the sum
    comes first, in plain sight.

    Args:
        device: what is sent to the others lies there; the process group can send from it.

    Attributes:
        size: how many they are.
        rank: the number of this one, 0 … ``size - 1``.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        together = distributed.is_available() and distributed.is_initialized()
        self.device = device
        self.size = distributed.get_world_size() if together else 1
        self.rank = distributed.get_rank() if together else 0

    @property
    def speaks(self) -> bool:
        """Whether this process writes the files and shows the bar: one does."""
        return self.rank == 0

    def share(self, batches: Sequence[Batch]) -> list[Batch]:
        """Of each batch the rows that are this process's: ``rank, rank + size, …``.

        The shares of all processes are the whole batch. A batch that has no row for this process is
        left out, so the list may be empty.
        """
        if self.size == 1:
            return list(batches)
        rows = slice(self.rank, None, self.size)  # rows sorted by length are shared evenly
        return [batch.select(rows) for batch in batches if len(batch) > self.rank]

    def sum_losses(self, losses: Sequence[LossSum]) -> LossSum:
        """The losses of all processes as one; a process may have none.

        Returns:
            of several processes both numbers in float64, without the graph: a process without
            losses could not know what the others' are made of.
        """
        if self.size == 1:
            return sum(losses[1:], losses[0])
        nothing = torch.zeros((), dtype=torch.float64, device=self.device)
        return sum(losses, LossSum(nothing, nothing)).all_reduce()

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make every ``.grad`` the sum of those of all processes.

        A gradient of None counts as 0; one that is None everywhere stays None, since an optimiser
        treats the two differently.
        """
        if self.size == 1:
            return
        parameters = [p for p in parameters if p.requires_grad]
        pieces = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        used = pieces[0].new_tensor([p.grad is not None for p in parameters])  # [P], 1 or 0
        vector = torch.cat([piece.flatten() for piece in [*pieces, used]])
        distributed.all_reduce(vector)  # the same bits for everyone: the processes stay in step
        *sums, used = vector.split([piece.numel() for piece in [*pieces, used]])
        for parameter, total, count in zip(parameters, sums, used.tolist(), strict=True):
            parameter.grad = total.view_as(parameter).to(parameter.dtype) if count > 0 else None

    def check_same(self, what: str, values: Iterable[object], advice: str) -> None:
        """Compare something that must be the same in all processes.

        Args:
            what: for the message, a plural.
            values: tensors, compared by their bits, or other values, compared by ``repr``.
            advice: what to do if they differ.

        Raises:
            ValueError: in all processes, if they differ between any two.
        """
        if self.size == 1:
            return
        number = _fingerprint(values)
        extremes = torch.tensor([number, -number], device=self.device)
        distributed.all_reduce(extremes, distributed.ReduceOp.MAX)
        largest, smallest = extremes[0], -extremes[1]
        if largest != smallest:
            raise ValueError(f"The {what} differ between the {self.size} processes: {advice}.")

    @contextlib.contextmanager
    def own_noise(self) -> Iterator[None]:
        """Random numbers drawn inside differ between processes; those drawn after are the same.

        Two processes with one seed would drop the same units of different sentences. With two seeds
        they could not shuffle alike, nor go on from one checkpoint. So all draw one number from the
        common stream, and inside each starts from that number plus its rank.
        """
        if self.size == 1:
            yield
            return
        seed = int(torch.randint(2**62, ())) + self.rank
        with kept_rng():
            torch.manual_seed(seed)
            random.seed(seed)
            yield


def _fingerprint(values: Iterable[object]) -> int:
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, Tensor):
            digest.update(repr((value.dtype, value.shape)).encode())
            digest.update(value.detach().cpu().flatten().view(torch.uint8).numpy())
        else:
            digest.update(repr(value).encode())
    return int.from_bytes(digest.digest()[:7], "big")  # 56 bits: fits an int64, also negated
