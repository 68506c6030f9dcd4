"""The four small models that slip: dates and numbers, without and with attention.

    python -m seq2seq_lib.course.explorers.slip_and_recover.models    # trains them anew

They are stored in half precision, 16 bits a weight, and read back into 32. ``train`` is also the
recipe of ``benchmarks/slip.py``.
"""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from seq2seq_lib.batching import encode_pairs, make_loader
from seq2seq_lib.corpora import Corpus, dates, numbers, reverse
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import LossFunction, TrainConfig, fit, load_checkpoint, save_checkpoint
from seq2seq_lib.vocab import Vocab

FOLDER = Path(__file__).parent
SHIPPED = ("dates", "numbers")
DECODERS = {"plain": "none", "attention": "general"}  # -> Seq2SeqConfig.attention


@dataclass(frozen=True)
class Task:
    """Pairs, and how often a model reads them."""

    corpus: Callable[..., Corpus]
    epochs: int
    num_train: int = 8000
    num_test: int = 500

    def pairs(self) -> Corpus:
        return self.corpus(num_train=self.num_train, num_valid=0, num_test=self.num_test)


TASKS = {
    "dates": Task(dates, epochs=5),
    "numbers": Task(numbers, epochs=4),
    "reverse": Task(
        functools.partial(reverse, min_length=3, max_length=8, alphabet="abcdefghij"), epochs=6
    ),
}


@dataclass(frozen=True)
class Trained:
    """A model in evaluation mode, and the vocabularies of its source and its target."""

    model: Seq2Seq
    src_vocab: Vocab
    tgt_vocab: Vocab


def train(
    corpus: Corpus,
    attention: str,
    *,
    epochs: int,
    seed: int = 0,
    hidden_size: int = 64,
    batch_size: int = 64,
    loss_function: LossFunction | None = None,
    cosine_decay: bool = True,
) -> Trained:
    """A small GRU model, bidirectional in its encoder: embeddings of 32, no dropout, Adam 5e-3."""
    seed_everything(seed)
    src_vocab = Vocab.build(pair.source for pair in corpus.train)
    tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
    config = Seq2SeqConfig(
        len(src_vocab),
        len(tgt_vocab),
        embed_size=32,
        hidden_size=hidden_size,
        dropout=0.0,
        attention=attention,
    )
    model = Seq2Seq(config)
    examples = encode_pairs(corpus.train, src_vocab, tgt_vocab)
    loader = make_loader(examples, batch_size=batch_size, seed=seed)
    settings = TrainConfig(epochs=epochs, learning_rate=5e-3, cosine_decay=cosine_decay)
    fit(model, loader, None, settings, loss_function=loss_function, progress=False)
    return Trained(model, src_vocab, tgt_vocab)


@functools.cache
def load(task: str, decoder: str) -> Trained:
    """A shipped model. The cached one is handed out, so leave its weights alone.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    checkpoint = load_checkpoint(FOLDER / f"{task}_{decoder}.pt")
    weights = {name: tensor.float() for name, tensor in checkpoint.weights.items()}
    model = Seq2Seq.from_dict(checkpoint.config)
    model.load_state_dict(weights)
    return Trained(model.eval(), checkpoint.src_vocab, checkpoint.tgt_vocab)


def main() -> int:
    torch.set_num_threads(1)  # two threads on a shared core make nn.GRU many times slower
    for name in SHIPPED:
        task = TASKS[name]
        for decoder, attention in DECODERS.items():
            made = train(task.pairs(), attention, epochs=task.epochs)
            path = FOLDER / f"{name}_{decoder}.pt"
            save_checkpoint(
                path,
                made.model,
                src_vocab=made.src_vocab,
                tgt_vocab=made.tgt_vocab,
                weights={k: tensor.half() for k, tensor in made.model.state_dict().items()},
            )
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
