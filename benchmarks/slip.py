"""One wrong token, and schedules of teacher forcing: measured for chapter 6.

    python -m benchmarks.slip            # about a quarter of an hour on one core
    python -m benchmarks.slip --write    # and keep it: results/slip.json

*Slips.* Models of three tasks, without and with attention, are made to read a wrong token as their
first output (or second, or third); the token is drawn from those that begin no special id, and is
not the gold one. From there on one lane reads the gold prefix and the other one what it says
itself. Counted are the gold positions behind the slip that are right; and for the own lane, which
goes on to its own EOS, the edit distance to the gold target, where 1 is the least.

*Schedules.* Letters backwards, 3 to 6 of 8, 400 steps: teacher forcing, three schedules that lower
the share of gold tokens from 1 to 0, and a share of one half throughout, with a coin for each token
or with one for the whole batch. "recovery" is the accuracy of the own lane after a slip in its
first output. For the rows of the chapter's scoreboard, the CPU seconds of a training, seed 0.
"""

import argparse
import datetime
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.report import write_whole
from seq2seq_lib import schedules
from seq2seq_lib.batching import Batch, collate, encode_pairs
from seq2seq_lib.corpora import Corpus, reverse
from seq2seq_lib.course.explorers.slip_and_recover.models import DECODERS, TASKS, Trained, train
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.losses import sequence_loss
from seq2seq_lib.metrics import exact_match, token_accuracy
from seq2seq_lib.vocab import EOS_ID, UNK_ID

RESULT = Path(__file__).parent / "results" / "slip.json"
SEEDS, PLACES = (0, 1, 2, 3, 4), (1, 2, 3)
STEPS = 400
SCHEDULES = {
    "teacher forcing": lambda step: schedules.constant(step, value=1.0),
    "linear": lambda step: schedules.linear(step, start=1, end=0, num_steps=STEPS),
    "exponential": lambda step: schedules.exponential(step, start=1, end=0, decay=0.5 ** (1 / 80)),
    "inverse sigmoid": lambda step: schedules.inverse_sigmoid(step, start=1, end=0, k=40),
    "half": lambda step: schedules.constant(step, value=0.5),
    "half, a coin a batch": lambda step: schedules.constant(step, value=0.5),
}
ONE_COIN = "half, a coin a batch"  # the batch reads gold throughout, or its own tokens


BOARD = (  # training, decoder
    ("teacher forcing", "plain"),
    ("exponential", "plain"),
    ("teacher forcing", "attention"),
    ("half", "attention"),
)


def edit_distance(a: list[int], b: list[int]) -> int:
    """The least number of tokens to insert, delete or replace that makes b of a."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def wrong_tokens(gold: Tensor, vocab_size: int, generator: torch.Generator) -> Tensor:
    """For each gold id [B] another one, none of the special four."""
    drawn = torch.randint(UNK_ID + 1, vocab_size - 1, gold.shape, generator=generator)
    return drawn + (drawn >= gold)  # one number is skipped: the gold one


@torch.no_grad()
def slip(made: Trained, batch: Batch, place: int, seed: int) -> dict[str, float]:
    """Make every output number `place` (from 1) a wrong one, and count what comes after it."""
    model, generator = made.model, torch.Generator().manual_seed(seed)
    longer = batch.tgt_lengths > place  # something is left to say
    wrong = wrong_tokens(batch.tgt_out[:, place - 1], len(made.tgt_vocab), generator)
    tgt_in = batch.tgt_in.clone()  # [B, T]
    tgt_in[:, place] = wrong
    state = model.start(batch.src, batch.src_lengths)
    gold_lane = model.decoder(tgt_in, state).logits.argmax(-1)  # [B, T]
    own, tokens = [], batch.tgt_in[:, 0]
    for t in range(batch.tgt_in.size(1) + 6):
        tokens = tgt_in[:, t] if t <= place else tokens
        log_probs, state = model.step(tokens, state)
        tokens = log_probs.argmax(-1)  # [B]
        own.append(tokens)
    own_lane = torch.stack(own, 1)  # [B, T + 6]
    after = batch.tgt_mask & longer[:, None]
    after[:, :place] = False
    numbers = {
        "gold": token_accuracy(gold_lane, batch.tgt_out, after),
        "own": token_accuracy(own_lane[:, : after.size(1)], batch.tgt_out, after),
    }
    distances = []
    for b in longer.nonzero().flatten().tolist():
        said = [*batch.tgt_out[b, : place - 1].tolist(), int(wrong[b])]
        said += own_lane[b, place:].tolist()
        said = said[: said.index(EOS_ID) + 1] if EOS_ID in said else said
        distances.append(edit_distance(said, batch.tgt_out[b, : batch.tgt_lengths[b]].tolist()))
    numbers["edits"] = sum(distances) / len(distances)
    numbers["one_edit"] = distances.count(1) / len(distances)
    return {name: round(number, 3) for name, number in numbers.items()}


def test_batch(made: Trained, pairs: Any) -> Batch:
    return collate(encode_pairs(pairs, made.src_vocab, made.tgt_vocab))


@torch.no_grad()
def quality(made: Trained, batch: Batch) -> dict[str, float]:
    """Exact match of greedy search, and the teacher-forced perplexity of a token."""
    longest = batch.tgt_out.size(1) + 6
    found = greedy_search(made.model, batch.src, batch.src_lengths, max_new_tokens=longest)
    gold = zip(batch.tgt_out.tolist(), batch.tgt_lengths.tolist(), strict=True)
    right = exact_match([best.tokens for (best,) in found], [row[:n] for row, n in gold])
    loss = sequence_loss(made.model(batch), batch.tgt_out, batch.tgt_mask).mean
    return {"exact_match": round(right, 3), "perplexity": round(loss.exp().item(), 3)}


def measure_slips(seed: int, task: str, decoder: str, **sizes: int) -> dict[str, Any]:
    """One model, and what it does after a slip at each of the places."""
    corpus = TASKS[task].pairs()
    epochs = sizes.get("epochs", TASKS[task].epochs)
    made = train(corpus, DECODERS[decoder], epochs=epochs, seed=seed)
    batch = test_batch(made, corpus.test)
    row = {"task": task, "decoder": decoder, "seed": seed, **quality(made, batch)}
    return row | {f"slip_{place}": slip(made, batch, place, seed) for place in PLACES}


def train_schedule(
    seed: int, decoder: str, name: str, steps: int = STEPS
) -> tuple[Trained, Corpus]:
    """One model trained under a schedule, at as many steps as all others; and its corpus."""
    corpus = reverse(32 * steps // 4, 0, 300, min_length=3, max_length=6, alphabet="abcdefgh")
    coins = torch.Generator().manual_seed(seed)

    def loss_function(model: Any, batch: Batch, step: int) -> Any:
        ratio = SCHEDULES[name](step)
        if name == ONE_COIN:
            ratio = float(torch.rand((), generator=coins) < ratio)
        logits = model(batch, ratio, coins)
        return sequence_loss(logits, batch.tgt_out, batch.tgt_mask)

    made = train(
        corpus,
        DECODERS[decoder],
        epochs=4,
        seed=seed,
        hidden_size=48,
        batch_size=32,
        loss_function=loss_function,
    )
    return made, corpus


def cpu_seconds(seed: int, decoder: str, name: str, steps: int = STEPS) -> float:
    """Of ``train_schedule``."""
    start = time.process_time()
    train_schedule(seed, decoder, name, steps)
    return round(time.process_time() - start, 2)


def measure_schedule(seed: int, decoder: str, name: str, steps: int = STEPS) -> dict[str, Any]:
    """What such a model can do."""
    made, corpus = train_schedule(seed, decoder, name, steps)
    batch = test_batch(made, corpus.test)
    recovery = slip(made, batch, 1, seed)["own"]
    row = {"training": name, "decoder": decoder, "seed": seed}
    return row | quality(made, batch) | {"recovery": recovery}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    kept = {"date": str(datetime.date.today()), "torch": torch.__version__}
    kept |= {"slips": [], "schedules": [], "cpu_seconds": []}
    for training, decoder in BOARD:
        row = {"training": training, "decoder": decoder, "seed": 0}
        kept["cpu_seconds"].append(row | {"seconds": cpu_seconds(0, decoder, training)})
    for seed in SEEDS:
        for decoder in DECODERS:
            for name in SCHEDULES:
                kept["schedules"].append(measure_schedule(seed, decoder, name))
                print(kept["schedules"][-1], flush=True)
            for task in TASKS:
                kept["slips"].append(measure_slips(seed, task, decoder))
                print(kept["slips"][-1], flush=True)
        if arguments.write:
            write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
