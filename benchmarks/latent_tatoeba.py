"""Real sentences: the command's VAE on Tatoeba English, trained in four ways, over three seeds.

python -m benchmarks.latent_tatoeba             # prints a row a run
python -m benchmarks.latent_tatoeba --write     # keeps the rows, no sentences

Distinct sentences of at most ten words. A tenth is held out and measured. Needs the corpus:
``seq2seq_lib.corpora.tatoeba`` says where it looks for it.
"""

import argparse
import datetime
import json
import sys
from functools import partial
from pathlib import Path

import torch

from benchmarks.report import write_whole
from seq2seq_lib.batching import collate, make_loader
from seq2seq_lib.latent import (
    LatentConfig,
    LatentSeq2Seq,
    active_units,
    evaluate_elbo,
    latent_loss,
    mutual_information,
)
from seq2seq_lib.latent.sentences import Sentences, as_examples, read_corpus, split
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.schedules import linear
from seq2seq_lib.training import TrainConfig, fit
from seq2seq_lib.vocab import EOS_ID, Vocab

RESULT = Path(__file__).parent / "results" / "latent_tatoeba.json"
SEEDS, EPOCHS = range(3), 10
TRAININGS = {
    "constant": latent_loss(),
    "linear": latent_loss(partial(linear, start=0, end=1, num_steps=300)),
    "free bits 3": latent_loss(free_bits=3.0),
    "free bits 3, word dropout": latent_loss(free_bits=3.0, word_dropout=0.5),
}


def run(training: str, seed: int, sentences: Sentences, epochs: int = EPOCHS) -> dict:
    """Train one model and measure it on the sentences that it has not seen."""
    seed_everything(seed)
    train, valid = split(sentences)
    vocab = Vocab.build(train, min_freq=2)
    model = LatentSeq2Seq(LatentConfig(len(vocab), embed_size=32, hidden_size=64, latent_size=16))
    fit(
        model,
        make_loader(as_examples(train, vocab), 32, seed=seed),
        config=TrainConfig(epochs=epochs, learning_rate=5e-3, weight_decay=0.0),
        loss_function=TRAININGS[training],
        progress=False,
    )
    terms = evaluate_elbo(model, [collate(as_examples(valid, vocab))])
    prior = model.prior(200, torch.Generator().manual_seed(8))
    copies, drawn = (
        [tuple(best.tokens) for (best,) in model.generate(z, max_new_tokens=12)]
        for z in (terms.mu, prior)
    )
    noise = torch.randn(terms.mu.shape, generator=torch.Generator().manual_seed(9))
    known = {(*ids, EOS_ID) for ids, _ in as_examples(train, vocab)}
    return {
        "training": training,
        "seed": seed,
        "sentences": len(train),
        "held_out": len(valid),
        "words": len(vocab),
        "reconstruction": round(terms.reconstruction.mean().item(), 3),
        "kl": round(terms.kl.mean().item(), 3),
        "mutual_information": round(mutual_information(terms.mu, terms.logvar, noise), 3),
        "negative_elbo": round((terms.reconstruction + terms.kl).mean().item(), 3),
        "active": active_units(terms.mu),
        "different_copies": len(set(copies)),
        "different_from_prior": len(set(drawn)),
        "from_prior_in_training": sum(text in known for text in drawn),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the rows")
    keep = parser.parse_args().write
    _, sentences = read_corpus("tatoeba", None, max_words=10, limit=6400)
    rows = []
    for training in TRAININGS:
        for seed in SEEDS:
            rows.append(run(training, seed, sentences))
            print(rows[-1], file=sys.stderr, flush=True)
    if keep:
        kept = {"date": str(datetime.date.today()), "torch": torch.__version__, "rows": rows}
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
