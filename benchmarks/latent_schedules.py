"""Trains sentence VAEs in seven ways, over five seeds: schedules, free bits, word dropout.

python -m benchmarks.latent_schedules             # prints a row a run
python -m benchmarks.latent_schedules --write     # keeps the rows, models and pictures' sentences

400 steps of 32 fresh sentences of the echo language; measured on 400 others, most of which the
training has seen (there are 3,420): the use of z is measured, not generalisation. For the rows of
the chapter's scoreboard, the CPU seconds of a training, seed 0.
"""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks.report import write_whole
from seq2seq_lib._files import written_whole
from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.corpora.echo_task import ECHO_WORDS, echo_sentences, is_mirrored
from seq2seq_lib.latent import (
    LatentConfig,
    LatentSeq2Seq,
    active_units,
    evaluate_elbo,
    importance_bound,
    interpolate,
    kl_per_dimension,
    latent_loss,
    mutual_information,
)
from seq2seq_lib.latent.model import sources
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.schedules import cyclical, linear, logistic
from seq2seq_lib.training import train_step
from seq2seq_lib.vocab import Vocab

FOLDER = Path(__file__).parents[1]
RESULT = FOLDER / "benchmarks" / "results" / "latent_schedules.json"
MODELS = FOLDER / "seq2seq_lib" / "course" / "ch10_latent_seq2seq" / "models.pt"
RECORD = FOLDER / "seq2seq_lib" / "course" / "explorers" / "latent_map" / "record.json"
SEEDS, STEPS, BATCH, SHOWN = range(5), 400, 32, (50, 100, 200, 300, 400)
KEPT = ("constant", "linear", "free bits 3")  # the models that the chapter loads
VOCAB = Vocab(ECHO_WORDS)
CONFIG = LatentConfig(len(VOCAB), embed_size=16, hidden_size=32, latent_size=8)
TRAININGS = {
    "constant": latent_loss(),
    "linear": latent_loss(partial(linear, start=0, end=1, num_steps=200)),
    "logistic": latent_loss(partial(logistic, start=0, end=1, midpoint=100, steepness=0.05)),
    "cyclical": latent_loss(partial(cyclical, start=0, end=1, num_steps=400)),
    "free bits 3": latent_loss(free_bits=3.0),
    "weight 0": latent_loss(lambda step: 0.0),
    "word dropout": latent_loss(word_dropout=0.5),
}
BOARD = ("linear", "free bits 3", "weight 0")  # of the chapter's scoreboard
PICTURED = tuple(TRAININGS)[:6]  # in the explorer
GRID = (-1.6, -0.8, 0.0, 0.8, 1.6)
PATHS = (
    ("nils hears anna and anna hears nils", "leon hears greta and greta hears leon"),
    ("rosa meets tina and tina meets rosa", "hugo thanks peter and peter thanks hugo"),
)


def copies(sentences: list[list[str]]) -> Batch:
    """Each sentence as its own target."""
    ids = [VOCAB.encode(words) for words in sentences]
    return collate([(sentence, sentence) for sentence in ids])


def train(
    training: str, seed: int, steps: int = STEPS, after: Callable[..., None] | None = None
) -> LatentSeq2Seq:
    """A model of this seed; ``after(model, steps done)`` is called after each step."""
    seed_everything(seed)
    model, drawn = LatentSeq2Seq(CONFIG), torch.Generator().manual_seed(100 + seed)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for step in range(steps):
        batch = copies(echo_sentences(BATCH, drawn))
        train_step(model, [batch], optimizer, loss_function=per_sentence(training), step=step)
        if after is not None:
            after(model, step + 1)
    return model.eval()


def per_sentence(training: str):
    """The objective over sentences, not tokens, so that clipping at 1 means the same."""

    def loss(model, batch, step):
        total = TRAININGS[training](model, batch, step)
        return type(total)(total.total, torch.tensor(len(batch)))

    return loss


def cpu_seconds(training: str, seed: int, steps: int = STEPS) -> float:
    """Of ``train``."""
    start = time.process_time()
    train(training, seed, steps)
    return round(time.process_time() - start, 2)


def texts(model: LatentSeq2Seq, z: torch.Tensor) -> list[str]:
    """Greedy sentences of codes, cut at EOS, at most 12 words."""
    found = model.generate(z, max_new_tokens=12)
    return [" ".join(VOCAB.decode(best.tokens)) for (best,) in found]


def held_out(number: int = 400) -> Batch:
    """Sentences to measure on, the same for all runs."""
    return copies(echo_sentences(number, torch.Generator().manual_seed(7)))


def measure(model: LatentSeq2Seq) -> dict:
    """What a run is judged by."""
    batch, generator = held_out(), torch.Generator().manual_seed(8)
    terms = evaluate_elbo(model, [batch])
    written = texts(model, terms.mu)
    from_prior = texts(model, model.prior(200, generator))
    said = [" ".join(VOCAB.decode(source)) for source in sources(batch)]
    noise = torch.randn(terms.mu.shape, generator=generator)
    first = batch.select(slice(0, 200))
    bounds = {k: importance_bound(model, first, k, generator).mean().item() for k in (1, 100)}
    row = {
        "reconstruction": terms.reconstruction.mean().item(),
        "kl": terms.kl.mean().item(),
        "negative_elbo": (terms.reconstruction + terms.kl).mean().item(),
        "mutual_information": mutual_information(terms.mu, terms.logvar, noise),
        "bound_1": bounds[1],
        "bound_100": bounds[100],
    }
    counts = {
        "active": active_units(terms.mu),
        "different_copies": len(set(written)),
        "exact_copies": sum(map(str.__eq__, written, said)),
        "different_from_prior": len(set(from_prior)),
        "mirrored": sum(is_mirrored(text.split()) for text in from_prior),
    }
    return {name: round(value, 4) for name, value in row.items()} | counts


def picture(model: LatentSeq2Seq) -> dict:
    """What the explorer shows of one model at one step."""
    terms = evaluate_elbo(model, [held_out()])
    per_dimension = kl_per_dimension(terms.mu, terms.logvar)
    across, up = per_dimension.argsort(descending=True)[:2].tolist()
    z = torch.zeros(25, CONFIG.latent_size)
    for cell in range(25):
        z[cell, across], z[cell, up] = GRID[cell % 5], GRID[4 - cell // 5]
    paths = []
    for ends in PATHS:
        batch = copies([end.split() for end in ends])
        mu = model.encode(batch.src, batch.src_lengths)[0].detach()
        paths.append(texts(model, interpolate(*mu, 7)))
    return {
        "reconstruction": round(terms.reconstruction.mean().item(), 3),
        "kl": [round(value, 3) for value in per_dimension.tolist()],
        "axes": [across, up],
        "map": texts(model, z),
        "paths": paths,
        "copies": len(set(texts(model, terms.mu))),
    }


def write_models(models: dict[str, dict[str, torch.Tensor]], path: Path) -> None:
    """The weights of each training; the old file stays until all of it is written."""
    with written_whole(path) as file:
        torch.save(models, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep rows, models and sentences")
    keep = parser.parse_args().write
    rows, record, models = [], {}, {}
    for seed in SEEDS:
        for training in TRAININGS:
            seen = {}

            def look(model, done, seen=seen):
                if done in SHOWN:
                    model.eval()
                    seen[done] = picture(model)

            model = train(training, seed, after=look if seed == 0 else None)
            rows.append({"training": training, "seed": seed} | measure(model))
            print(rows[-1], file=sys.stderr, flush=True)
            if seed == 0 and training in PICTURED:
                record[training] = seen
                if training in KEPT:
                    models[training] = model.state_dict()
        if keep and seed == 0:
            RECORD.parent.mkdir(exist_ok=True)
            write_whole(RECORD, json.dumps(record) + "\n")
            write_models(models, MODELS)
    if keep:
        kept = {"date": str(datetime.date.today()), "torch": torch.__version__}
        kept |= {"cpu_seconds": {name: cpu_seconds(name, 0) for name in BOARD}, "rows": rows}
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
