"""Peak memory of training and of search beside JoeyNMT's and Hugging Face's.

What is measured is a process: how far its resident memory rises above what it held before, with the
library loaded, the model there, and a tiny model of its kind used once. So it counts all that is
held, also what is no tensor. Each measurement has a process of its own. It is made once: four of
our training differed by 0.3 %, three of JoeyNMT's by 0.4 %.

The models are those of ``search_peers``, each with three embedding matrices: of the source, of the
target, of the output.

- Training: steps on one batch with the library's own loss, clipping and AdamW. So gradients and
  AdamW's moments are in it, beside the activations.
- Search: as in ``search_peers``, all sentences end after 25 steps.

Linux alone can say how high the memory rose since a moment. Needs the extra ``peers``.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks import search_peers
from benchmarks.report import Row
from benchmarks.search_peers import SENTENCES, SOURCE, VOCABULARY
from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.training import teacher_forced_loss, train_step

ROOT = Path(__file__).parents[1]
CLEAR = Path("/proc/self/clear_refs")  # of the kernel, proc(5)
STATUS = Path("/proc/self/status")
TINY = {"vocabulary": 50, "features": 16}
FALLS = 0.1  # nats a token in these steps; they are .15 for ours, .15 and .7 for the others
STEPS = 3  # the moments come with the first, so that the second holds all there is
BEAMS = 10
NEEDED = "skipped: needs a CPU, and Linux to say how high memory rose"

Step = Callable[[], float]  # trains on its batch once; the mean loss before


def rows(device: torch.device, quick: bool) -> list[Row]:
    sentences = 3 if quick else SENTENCES
    titles = {
        "training": f"peak memory, training, {sentences} sentences of up to {SOURCE} tokens",
        "search": f"peak memory, beam search, {BEAMS} beams, {sentences} sentences, 25 steps",
    }
    if device.type != "cpu" or not CLEAR.exists():
        return [Row(what, NEEDED) for what in titles.values()]
    found = []
    for task, what in titles.items():
        answers = {name: _apart(task, name, sentences) for name in STEPS_OF}
        missing = {answer["missing"] for answer in answers.values() if "missing" in answer}
        if missing:
            why = f"skipped, the extra peers is not installed: {'; '.join(sorted(missing))}"
            return [Row(what, why) for what in titles.values()]
        risen = {name: answer["bytes"] for name, answer in answers.items()}
        found.append(Row(f"{what}: ours", f"{risen['ours'] / 2**20:.0f} MiB"))
        for name in search_peers.PEERS:
            found.append(Row(f"{what}: {name} / ours", f"{risen[name] / risen['ours']:.2f}"))
    return found


def _apart(task: str, name: str, sentences: int) -> dict:
    """What a process of its own answers: ``bytes``, or which module is ``missing``."""
    command = [sys.executable, "-m", "benchmarks.memory_peers", task, name, str(sentences)]
    # glibc gives every large block back at once. By its own rules it keeps some of them, as they
    # happen to lie, and the same training rises by 206 MiB or by 230.
    env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{task} of {name}, exit {done.returncode}: {done.stderr[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


# ---------------------------------------------------------------- in the process apart


def rise(function: Callable[[], object]) -> int:
    """How many bytes more than before the call the process held during it, at most."""
    CLEAR.write_text("5", encoding="ascii")  # from here on the peak is counted anew
    before = _resident("VmRSS")
    function()
    return _resident("VmHWM") - before


def _resident(field: str) -> int:
    """Bytes in memory: now (VmRSS), or the most (VmHWM)."""
    (line,) = (x for x in STATUS.read_text("ascii").splitlines() if x.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])


def train(name: str, sentences: int, **sizes: int) -> Callable[[], None]:
    """What trains a new model; an error if it does not learn, or not what the others learn."""
    batch = make_batch(sentences, sizes.get("vocabulary", VOCABULARY))
    step = STEPS_OF[name](batch, **sizes)

    def run() -> None:
        losses = [step() for _ in range(STEPS)]
        guess = math.log(sizes.get("vocabulary", VOCABULARY))
        fell = losses[0] - losses[-1]
        if abs(losses[0] - guess) > 1 or (
            not sizes and fell < FALLS
        ):  # a tiny model's hardly falls
            raise ValueError(
                f"{name}: losses of {losses}. An untrained model's is near {guess:.2f} a token, "
                f"and falls: this one is fed something else."
            )

    return run


def search(name: str, sentences: int, **sizes: int) -> Callable[[], None]:
    """What searches with a new model; an error if it does not end when it should."""
    clock, cpu = search_peers.Clock(), torch.device("cpu")
    made = {"ours": search_peers.ours, **search_peers.PEERS}[name](clock, cpu, **sizes)
    clock.ends = search_peers.ends("25 equal steps", sentences)
    batch = make_batch(sentences, sizes.get("vocabulary", VOCABULARY))
    return lambda: search_peers.ended(made, batch.src, batch.src_lengths, BEAMS, clock)


TASKS = {"training": train, "search": search}


def make_batch(sentences: int, vocabulary: int) -> Batch:
    """Random pairs, the longest source first: JoeyNMT wants them so."""
    generator = torch.Generator().manual_seed(1)

    def draw(shape: tuple[int, ...], low: int, high: int) -> Tensor:
        return torch.randint(low, high, shape, generator=generator)

    lengths = draw((sentences, 2), SOURCE // 2, SOURCE)  # without EOS
    lengths = lengths[lengths[:, 0].argsort(descending=True)]
    return collate([tuple(draw((n,), 4, vocabulary).tolist() for n in pair) for pair in lengths])


# ---------------------------------------------------------------- a step in each library


def our_step(batch: Batch, **sizes: int) -> Step:
    model = search_peers.our_model(**sizes)
    optimizer, loss = _adamw(model), teacher_forced_loss()
    return lambda: train_step(model, [batch], optimizer, loss_function=loss).mean


def joey_step(batch: Batch, **sizes: int) -> Step:
    model = search_peers.joey_model(**sizes)
    model.loss_function = "crossentropy", 0.0
    trg = batch.tgt_out.masked_fill(~batch.tgt_mask, model.pad_index)
    named = {
        "src": batch.src, "src_length": batch.src_lengths, "src_mask": batch.src_mask[:, None],
        "trg_input": batch.tgt_in, "trg": trg, "trg_mask": batch.tgt_mask[:, None],
    }  # fmt: skip
    tokens = batch.tgt_mask.sum()
    return _step(model, lambda: model("loss", **named)[0] / tokens)


def marian_step(batch: Batch, **sizes: int) -> Step:
    model = search_peers.marian_model(**sizes, tied=False)
    labels = batch.tgt_out.masked_fill(~batch.tgt_mask, -100)
    named = {
        "input_ids": batch.src, "attention_mask": batch.src_mask.long(),
        "decoder_input_ids": batch.tgt_in, "labels": labels,
    }  # fmt: skip
    return _step(model, lambda: model(**named).loss)


STEPS_OF = {"ours": our_step, "JoeyNMT": joey_step, "Marian of Hugging Face": marian_step}


def _step(model: nn.Module, loss: Callable[[], Tensor]) -> Step:
    """As ``train_step`` does it, for a loss that is a mean already."""
    optimizer = _adamw(model)

    def step() -> float:
        model.train()
        optimizer.zero_grad(set_to_none=True)
        mean = loss()
        mean.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return mean.item()

    return step


def _adamw(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3)


def main() -> int:
    """One measurement, as JSON; ``python -m benchmarks --only memory_peers`` calls it for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_peers")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("name", choices=STEPS_OF)
    parser.add_argument("sentences", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    seed_everything(0)
    make = TASKS[options.task]
    try:
        make(options.name, 3, **TINY)()  # what is loaded at the first use
        run = make(options.name, options.sentences)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return 0
    print(json.dumps({"bytes": rise(run)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
