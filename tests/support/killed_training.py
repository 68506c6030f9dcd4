"""A small training that is killed: alone (``... alone FOLDER TIMES``) or started by torchrun.

It has all that makes two runs differ: dropout, shuffling, teacher forcing by a coin.
"""

import hashlib
import json
import mmap
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from seq2seq_lib.batching import make_loader
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import (
    Processes,
    TrainConfig,
    fit,
    joined,
    load_checkpoint,
    teacher_forced_loss,
)

EXAMPLES = [([4 + n % 5, 5], [4 + n % 7, 6, 7]) for n in range(32)]
CONFIG = TrainConfig(epochs=3, learning_rate=1e-2, cosine_decay=True, checkpoint_every=1)


def digest(weights: dict[str, torch.Tensor]) -> str:
    """A hash of all weights."""
    found = hashlib.sha256()
    for name, weight in weights.items():
        found.update(name.encode() + weight.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def train(path: Path | None, resume: bool = False, look=lambda step, model: None):
    """A hash of the weights after all epochs; ``look`` is called before each step."""
    seed_everything(0)
    model = Seq2Seq(Seq2SeqConfig(12, 12, embed_size=8, hidden_size=8, dropout=0.2))
    inner = teacher_forced_loss(teacher_forcing=lambda step: 0.5)

    def loss(model, batch, step):
        look(step, model)
        return inner(model, batch, step)

    checkpoint = load_checkpoint(path) if resume and path.exists() else None
    options = {"loss_function": loss, "checkpoint_path": path, "resume": checkpoint}
    fit(model, make_loader(EXAMPLES, 4, seed=1), None, CONFIG, progress=False, **options)
    return digest(model.state_dict())


def alone(folder: Path, times: int) -> None:
    """Kill it at random moments; each time the file holds a step of the undisturbed run."""
    path, rng, seen, steps = folder / "m.pt", random.Random(0), {}, []

    def note(step: int, model: Seq2Seq) -> None:
        seen[step] = digest(model.state_dict())

    started = time.perf_counter()
    whole = train(path, look=note)
    seconds = (time.perf_counter() - started) / len(seen)  # a step
    seen[len(seen)] = whole
    path.unlink()
    begun = mmap.mmap(-1, 1)  # shared with the child: the step that it is at
    for number in range(times):
        before = load_checkpoint(path).progress["step"] if path.exists() else 0
        begun[0], until = 0, rng.randrange(before, len(seen) - 1)
        child = os.fork()
        if child == 0:
            train(path, resume=True, look=lambda step, model: begun.__setitem__(0, step))
            os._exit(0)
        while begun[0] < until:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 2 * seconds))
        os.kill(child, (signal.SIGTERM, signal.SIGKILL)[number % 2])
        os.waitpid(child, 0)
        if not path.exists():
            steps.append(0)
            continue
        progress = load_checkpoint(path).progress
        assert progress["step"] >= before, "an older state than there was"
        assert digest(progress["last"]) == seen[progress["step"]], progress["step"]
        steps.append(progress["step"])
        copy = folder / "copy.pt"
        copy.write_bytes(path.read_bytes())
        assert train(copy, resume=True) == whole, "resumed, it ends elsewhere"
        copy.unlink()
        if progress["step"] > len(seen) - 4:  # nearly done: begin anew
            path.unlink()
    train(path)
    print(json.dumps({"steps": steps, "left": [left.name for left in folder.iterdir()]}))


def together(folder: Path, compare: bool) -> None:
    """What torchrun starts: go on with the checkpoint; to compare, first do all of it at once."""
    with joined("cpu") as device:
        mine = folder / f"process {Processes(device).rank}"
        mine.write_text(str(os.getpid()))
        whole = train(None) if compare else ""
        pause = 0.0 if compare else 0.1
        resumed = train(folder / "m.pt", resume=True, look=lambda *_: time.sleep(pause))
        mine.write_text(json.dumps([whole, resumed]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "alone":
        alone(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        together(Path(sys.argv[2]), sys.argv[1] == "compare")
