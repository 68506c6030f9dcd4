"""What a wrong input to the loss does to training, and what temperature repairs, for chapter 5.

    python -m benchmarks.which_loss            # seeds 0 to 4; five minutes on one core
    python -m benchmarks.which_loss --write    # and keep it: results/which_loss.json

Three experiments. `losses`: the same small model reads number words and writes digits; it is
trained with four losses, of which one is right. Each is asked for its loss before and after
training, for the true cross-entropy and accuracy on 300 unseen pairs. `calibration`: a temperature
is fitted on validation data, for a model of numbers (one right answer) and a model of letters
(many right answers, trained for 40 epochs on 400 pairs). ECE is the expected calibration error with
ten bins. `tempered`: the same model of numbers, trained with its logits divided by 0.6 in the
loss, and then read at temperature 1 and at 0.6.
"""

import argparse
import datetime
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.report import write_whole
from seq2seq_lib.batching import collate
from seq2seq_lib.corpora import letters_entropy_floor
from seq2seq_lib.course.ch05_nll_vs_cross_entropy import given
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.training import evaluate

RESULT = Path(__file__).parent / "results" / "which_loss.json"
SEEDS = (0, 1, 2, 3, 4)
LOSSES = (
    given.cross_entropy_loss,
    given.softmax_first_loss,
    given.shares_to_nll_loss,
    given.over_tokens_loss,
)
TEMPERATURES = torch.logspace(-1.5, 1.5, 601).tolist()  # 0.03 to 32, steps of 1.2 %


def measure_losses(task: given.Task, seed: int, epochs: int = 6) -> list[dict]:
    """One row for each loss."""
    rows = []
    batches = [collate(task.train[i : i + 50]) for i in range(0, len(task.train), 50)]
    for loss in LOSSES:
        fresh = evaluate(task.fresh_model(seed), batches, loss_function=loss).mean.item()
        began = time.process_time()
        model, history = task.fit(loss, seed, epochs)
        seconds = round(time.process_time() - began, 1)
        logits, targets, _ = given.forced(model, task.test)
        rows.append(
            {
                "seed": seed,
                "loss": loss.__name__,
                "before": round(fresh, 4),
                "epochs": [round(value, 4) for value in history],
                "test_cross_entropy": round(F.cross_entropy(logits, targets).item(), 4),
                "token_accuracy": round(accuracy(logits, targets), 4),
                "exact_match": round(task.exact_match(model), 4),
                "cpu_seconds": seconds,
            }
        )
    return rows


def measure_calibration(task: given.Task, seed: int, epochs: int = 6) -> dict:
    """The temperature that fits the validation data, and what it does to the test data."""
    model, _ = task.fit(given.cross_entropy_loss, seed, epochs)
    fitted, nll, ece = fit_and_measure(task, model)
    logits, targets, _ = given.forced(model, task.test)
    return {
        "seed": seed,
        "task": task.corpus.name,
        "temperature": round(fitted, 3),
        "nll": nll[1.0],
        "nll_at_0.6": nll[given.TAU],
        "nll_fitted": nll[fitted],
        "ece": ece[1.0],
        "ece_fitted": ece[fitted],
        "confidence": round(logits.softmax(-1).amax(-1).mean().item(), 4),
        "token_accuracy": round(accuracy(logits, targets), 4),
        "floor": round(letters_entropy_floor([pair.source for pair in task.corpus.test]), 4)
        if task.corpus.name == "letters"
        else 0.0,
        "tokens": len(targets),
    }


def measure_tempered(task: given.Task, seed: int, epochs: int = 6) -> list[dict]:
    """Trained at temperature 1 and at 0.6; each is then read at both, and fitted."""
    rows = []
    for trained_at, loss in ((1.0, given.cross_entropy_loss), (given.TAU, given.tempered_loss)):
        model, _ = task.fit(loss, seed, epochs)
        fitted, nll, ece = fit_and_measure(task, model)
        rows.append(
            {
                "seed": seed,
                "trained_at": trained_at,
                "temperature": round(fitted, 3),
                "nll": nll[1.0],
                "nll_at_0.6": nll[given.TAU],
                "nll_fitted": nll[fitted],
                "ece": ece[1.0],
                "ece_at_0.6": ece[given.TAU],
                "ece_fitted": ece[fitted],
                "exact_match": round(task.exact_match(model), 4),
            }
        )
    return rows


def fit_and_measure(
    task: given.Task, model: Seq2Seq
) -> tuple[float, dict[float, float], dict[float, float]]:
    """The fitted temperature; loss and ECE on test data at 1, at 0.6 and there."""
    valid_logits, valid_targets, _ = given.forced(model, task.valid)
    logits, targets, _ = given.forced(model, task.test)
    fits = [F.cross_entropy(valid_logits / t, valid_targets).item() for t in TEMPERATURES]
    fitted = TEMPERATURES[min(range(len(fits)), key=fits.__getitem__)]
    nll, ece = {}, {}
    for t in (1.0, given.TAU, fitted):
        nll[t] = round(F.cross_entropy(logits / t, targets).item(), 4)
        ece[t] = round(calibration_error((logits / t).softmax(-1), targets), 4)
    return fitted, nll, ece


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """Share of the ``[N, V]`` rows whose largest entry is the target's."""
    return (logits.argmax(-1) == targets).float().mean().item()


def calibration_error(shares: Tensor, targets: Tensor, bins: int = 10) -> float:
    """Mean distance of confidence and accuracy in bins of confidence, weighted by their size."""
    confidence, guess = shares.max(-1)
    hit = (guess == targets).to(confidence)
    place = (confidence * bins).long().clamp(max=bins - 1)  # [N]
    gaps = torch.zeros(bins).index_add(0, place, hit - confidence)
    return (gaps.abs().sum() / len(targets)).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    digits, many = given.numbers_task(2000, 300), given.letters_task()
    rows = {"losses": [], "calibration": [], "tempered": []}
    for seed in SEEDS:
        rows["losses"] += measure_losses(digits, seed)
        rows["calibration"].append(measure_calibration(digits, seed))
        rows["calibration"].append(measure_calibration(many, seed, epochs=40))
        rows["tempered"] += measure_tempered(digits, seed)
        for kind, size in (("losses", len(LOSSES)), ("calibration", 2), ("tempered", 2)):
            for row in rows[kind][-size:]:
                print(*(f"{name} {value}" for name, value in row.items()), sep="  ", flush=True)
    if arguments.write:
        kept = {"date": str(datetime.date.today()), "torch": torch.__version__, **rows}
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
