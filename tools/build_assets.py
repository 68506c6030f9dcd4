"""Train the small models that the library ships, on generated data: `make assets`, or run this.

    python tools/build_assets.py               # all of them
    python tools/build_assets.py phrases.pt    # one

It takes about forty seconds on one slow core and needs no network. The weights are the same
on every run on one machine; another processor or version of PyTorch may round differently, so the
tests judge what the file can do, not its bytes.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from seq2seq_lib.batching import collate, encode_pairs, make_loader
from seq2seq_lib.corpora import Corpus, Pair, dates, phrases
from seq2seq_lib.course.assets import CARELESS, DATES, PHRASES
from seq2seq_lib.course.assets.careless import train as train_careless
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.metrics import exact_match
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, fit, save_checkpoint
from seq2seq_lib.vocab import Vocab

ENOUGH = 0.95  # of unseen sources, right to the last token
CARELESS_SEED = 2  # of the five of benchmarks/neighbours.py: its wrong answers look like dates


@dataclass(frozen=True)
class Recipe:
    """How the date model is trained: chapter 0's recipe with half the units and more passes."""

    num_train: int = 6000
    num_test: int = 500
    embed_size: int = 32
    hidden_size: int = 64
    attention: str = "dot"
    batch_size: int = 64
    epochs: int = 6
    learning_rate: float = 5e-3
    seed: int = 0
    half = False  # no field: whether the file holds 16 bits a weight

    def corpus(self) -> Corpus:
        """Its data; the test dates occur in training in no form."""
        return dates(num_train=self.num_train, num_valid=0, num_test=self.num_test, seed=self.seed)

    def config(self, src_vocab: Vocab, tgt_vocab: Vocab) -> Seq2SeqConfig:
        """The sizes of its model."""
        return Seq2SeqConfig(
            src_vocab_size=len(src_vocab),
            tgt_vocab_size=len(tgt_vocab),
            embed_size=self.embed_size,
            hidden_size=self.hidden_size,
            attention=self.attention,
        )


@dataclass(frozen=True)
class PhraseRecipe(Recipe):
    """How the translator of phrases is trained: wider, because its tokens are words."""

    num_train: int = 12_000
    embed_size: int = 48
    hidden_size: int = 96
    epochs: int = 8
    dropout: float = 0.0  # the grammar has no exceptions that could be learned by heart
    half = True  # or the file would be twice as large

    def corpus(self) -> Corpus:
        """Its data; no test phrase occurs in training."""
        return phrases(self.num_train, 0, self.num_test, seed=self.seed)

    def config(self, src_vocab: Vocab, tgt_vocab: Vocab) -> Seq2SeqConfig:
        """The sizes of its model, without dropout."""
        return replace(super().config(src_vocab, tgt_vocab), dropout=self.dropout)


def build(path: Path, recipe: Recipe) -> float:
    """Train a model, write it to ``path`` and return its exact match on unseen sources.

    Raises:
        RuntimeError: the model is not good enough; then nothing is written.
    """
    seed_everything(recipe.seed)
    corpus = recipe.corpus()
    src_vocab = Vocab.build(pair.source for pair in corpus.train)
    tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
    model = Seq2Seq(recipe.config(src_vocab, tgt_vocab))
    loader = make_loader(
        encode_pairs(corpus.train, src_vocab, tgt_vocab),
        batch_size=recipe.batch_size,
        seed=recipe.seed,
    )
    settings = TrainConfig(
        epochs=recipe.epochs, learning_rate=recipe.learning_rate, cosine_decay=True
    )
    fit(model, loader, None, settings, progress=False)
    if recipe.half:
        model.half().float()  # what is measured is what is written
    accuracy = measure(model, src_vocab, tgt_vocab, corpus.test)
    if accuracy <= ENOUGH:
        share = f"{accuracy:.3f} of unseen {corpus.name}"
        raise RuntimeError(f"Only {share} are right: nothing written.")
    save_checkpoint(
        path,
        model,
        src_vocab=src_vocab,
        tgt_vocab=tgt_vocab,
        extra={"recipe": asdict(recipe)},
        weights={k: w.half() for k, w in model.state_dict().items()} if recipe.half else None,
    )
    return accuracy


def build_careless(path: Path, recipe: Recipe) -> float:
    """Train chapter 0's careless reader by the same recipe; exact match of dates *one by one*.

    Raises:
        RuntimeError: the model is not good enough; then nothing is written.
    """
    corpus = recipe.corpus()
    src_vocab = Vocab.build(pair.source for pair in corpus.train)
    tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
    model = train_careless(
        corpus,
        src_vocab,
        tgt_vocab,
        recipe.config(src_vocab, tgt_vocab),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        seed=CARELESS_SEED,
    )
    accuracy = sum(measure(model, src_vocab, tgt_vocab, [pair]) for pair in corpus.test)
    accuracy /= len(corpus.test)
    if accuracy <= ENOUGH:
        raise RuntimeError(f"Only {accuracy:.3f} of the unseen dates are right: nothing written.")
    extra = {"recipe": asdict(recipe), "seed": CARELESS_SEED}
    save_checkpoint(path, model, src_vocab=src_vocab, tgt_vocab=tgt_vocab, extra=extra)
    return accuracy


def measure(model: Seq2Seq, src_vocab: Vocab, tgt_vocab: Vocab, pairs: Sequence[Pair]) -> float:
    """The share of sources that greedy search gets right to the last token."""
    batch = collate(encode_pairs(pairs, src_vocab, tgt_vocab))
    found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=20)
    answers = [" ".join(tgt_vocab.decode(best.tokens)) for (best,) in found]
    return exact_match(answers, [" ".join(pair.target) for pair in pairs])


RECIPES = {DATES: Recipe(), CARELESS: Recipe(), PHRASES: PhraseRecipe()}


def main(names: Sequence[str]) -> int:
    torch.set_num_threads(1)  # two threads on a shared core make nn.GRU many times slower
    for path, recipe in RECIPES.items():
        if names and path.name not in names:
            continue
        accuracy = (build_careless if path == CARELESS else build)(path, recipe)
        print(
            f"{path.name}: {path.stat().st_size / 1000:.0f} kB, "
            f"{100 * accuracy:.1f} % of {recipe.num_test} unseen sources are right",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
