"""One batch in two processes: three losses that a rank may hand to DDP, and ``train_step``.

``run`` starts this file with torchrun, as a terminal does:

    torchrun --standalone --nproc-per-node 2 \\
        -m seq2seq_lib.course.ch12_several_processes.two_processes

Rank 0 has the long sentence and rank 1 the short one. Each prints nothing but, at the end, rank 0
one line of JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.course.ch12_several_processes.given import LONG, SHORT, tiny_model
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.training import Processes, joined, teacher_forced_loss, train_step

LOSSES: Mapping[str, Callable] = {
    "DDP, L_r / n_r": lambda total, own, all_tokens, world: total / own,
    "DDP, L_r / N": lambda total, own, all_tokens, world: total / all_tokens,
    "DDP, R L_r / N": lambda total, own, all_tokens, world: world * total / all_tokens,
}
OURS = "train_step"

# What `run(0)` returned on Linux with PyTorch 2.13, 28 November 2026: (largest error of the
# gradient, its norm, the norm in one batch). Shown where there can be no two processes.
MEASURED = {
    "DDP, L_r / n_r": (0.395, 0.848, 1.445),
    "DDP, L_r / N": (0.398, 0.722, 1.445),
    "DDP, R L_r / N": (0.0, 1.445, 1.445),
    OURS: (0.0, 1.445, 1.445),
}

Row = tuple[float, float, float]
loss_of = teacher_forced_loss()


def ddp_gradients(model: Seq2Seq, share: Batch, hand_in: Callable) -> list[Tensor]:
    """What is in ``.grad`` after one backward pass of DDP over all ranks."""
    model.zero_grad()
    together = DistributedDataParallel(model)  # kept to the end: without it nobody averages
    own = loss_of(together, share, 0)  # LossSum: L_r and n_r
    everything = own.all_reduce()  # the count of all ranks, before anything is divided
    world = Processes().size
    hand_in(own.total, own.tokens, everything.tokens, world).backward()
    return [p.grad.clone() for p in model.parameters()]


def step_gradients(model: Seq2Seq, batches: list[Batch]) -> list[Tensor]:
    """What ``train_step`` makes of them: in a group together, in a process alone."""
    still = torch.optim.SGD(model.parameters(), lr=0.0)  # look at the gradient, change nothing
    train_step(model, batches, still, loss_function=loss_of, clip_norm=None)
    return [p.grad.clone() for p in model.parameters()]


def compared(found: list[Tensor], expected: list[Tensor]) -> Row:
    """The largest error, and the norms of both."""
    one, two = (torch.cat([g.flatten() for g in gs]) for gs in (found, expected))
    return float((one - two).abs().max()), float(one.norm()), float(two.norm())


def whole_gradients(seed: int) -> list[Tensor]:
    """The gradient of both sentences in one batch, without any process group."""
    model = tiny_model(seed)
    loss_of(model, collate([LONG, SHORT]), 0).mean.backward()
    return [p.grad for p in model.parameters()]


def main(seed: int) -> None:
    expected = whole_gradients(seed)
    with joined("cpu"):
        if Processes().size != 2:
            raise SystemExit("Start this with torchrun --nproc-per-node 2: there are two shares.")
        share, model = collate([(LONG, SHORT)[Processes().rank]]), tiny_model(seed)
        rows = {name: ddp_gradients(model, share, loss) for name, loss in LOSSES.items()}
        rows[OURS] = step_gradients(model, [share])
        if Processes().speaks:
            print(json.dumps({name: compared(row, expected) for name, row in rows.items()}))


def hindrance() -> str:
    """Why two processes cannot be started here, in a sentence; empty if they can."""
    if os.name == "nt":
        return "Windows has no gloo for torchrun."
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        return "This PyTorch comes without gloo."
    return ""


def run(seed: int = 0) -> dict[str, Row]:
    """Two processes, and what they found: (largest error, norm, norm in one batch) a way.

    Where there can be none, one line says so, and the numbers are ``MEASURED``.

    Raises:
        RuntimeError: the processes failed; the message ends with what they wrote.
    """
    if why := hindrance():
        print(f"{why} These numbers were measured once, on Linux:")
        return dict(MEASURED)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", __spec__.name, str(seed)]
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=240)
    if done.returncode:
        raise RuntimeError(f"The two processes failed:\n{done.stderr[-2000:]}")
    return {name: tuple(row) for name, row in json.loads(done.stdout.splitlines()[-1]).items()}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
