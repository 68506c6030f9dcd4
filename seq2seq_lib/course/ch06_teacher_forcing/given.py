"""What the notebooks of chapter 6 are given: a card for pencil and paper, and small models."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.corpora import Corpus, numbers
from seq2seq_lib.course.explorers.slip_and_recover.models import Trained, train
from seq2seq_lib.laws import HashModel
from seq2seq_lib.training import LossFunction
from seq2seq_lib.vocab import BOS_ID, EOS_ID, Vocab

SOURCES = ([5, 3, 7], [4], [6, 6])  # of the evaluators' batch


class CardState(NamedTuple):
    """What the card remembers: ``words``, int64 ``[B]``, the first word of each source."""

    words: Tensor

    def select(self, rows: Tensor) -> "CardState":
        """The state of the given rows, int64 ``[N]``."""
        return CardState(self.words[rows])


class Card:
    """A model that fits on a card: which token follows which.

    Only the first token depends on the source; the one on the card has the probability 0.93, each
    of the other seven 0.01. It follows the decoding protocol, and ``card(batch)`` is its
    teacher-forced pass.
    """

    src_vocab, tgt_vocab = Vocab(["one", "two", "three"]), Vocab(["a", "b", "c", "d"])
    begins = {"one": "a", "two": "c", "three": "d"}
    follows = {"a": "b", "b": "d", "c": "b"}  # EOS follows all others

    def __init__(self) -> None:
        (V,) = {len(self.tgt_vocab)}
        self.first = self._table(len(self.src_vocab), self.begins, self.src_vocab)  # [source, V]
        self.next = self._table(V, self.follows, self.tgt_vocab)  # [token, V]

    def _table(self, rows: int, card: dict[str, str], words: Vocab) -> Tensor:
        probs = torch.full((rows, len(self.tgt_vocab)), 0.01)
        best = torch.full((rows,), EOS_ID)
        for word, following in card.items():
            (row,), (column,) = words.encode([word]), self.tgt_vocab.encode([following])
            best[row] = column
        probs[torch.arange(rows), best] = 0.93
        return probs.log()

    def batch(self, pairs: dict[str, str]) -> Batch:
        """A batch of ``{source word: target letters}``; EOS is appended to both.

        Raises:
            ValueError: there is no pair, or the card does not know a word or a letter.
        """
        for src, tgt in pairs.items():
            if src not in self.begins:
                raise ValueError(f"Unknown source: {src!r}. Valid: {', '.join(self.begins)}.")
            if unknown := sorted({*tgt.split()} - {*"abcd"}):
                raise ValueError(f"Unknown letters: {', '.join(unknown)}. Valid: a, b, c, d.")
        encode = self.src_vocab.encode, self.tgt_vocab.encode
        return collate([(encode[0]([src]), encode[1](tgt.split())) for src, tgt in pairs.items()])

    def start(self, src: Tensor, src_lengths: Tensor) -> CardState:
        """The state before the first token; no step changes it."""
        return CardState(src[:, 0])

    def step(self, tokens: Tensor, state: CardState) -> tuple[Tensor, CardState]:
        """Read int64 ``[B]``; log-probabilities ``[B, V]`` and the state."""
        begins = (tokens == BOS_ID)[:, None]
        return torch.where(begins, self.first[state.words], self.next[tokens]), state

    def __call__(self, batch: Batch) -> Tensor:
        """Log-probabilities ``[B, T, V]`` after each token of ``batch.tgt_in``."""
        state = self.start(batch.src, batch.src_lengths)
        steps = [self.step(tokens, state)[0] for tokens in batch.tgt_in.T]
        return torch.stack(steps, 1)

    def words(self, ids: Tensor) -> list[str]:
        """A row a string; EOS is •, PAD a dot."""
        names = [".", "<", "•", "?", *"abcd"]
        return [" ".join(names[token] for token in row) for row in ids.tolist()]


def half_trained(
    seed: int = 0, loss_function: LossFunction | None = None, epochs: int = 1
) -> tuple[Trained, Corpus]:
    """A decoder without attention on number words to digits, stopped after 147 steps an epoch."""
    corpus = numbers(num_train=9400, num_valid=0, num_test=500)
    options: dict[str, Any] = {"seed": seed, "loss_function": loss_function, "cosine_decay": False}
    return train(corpus, "none", epochs=epochs, **options), corpus


def small_model() -> HashModel:
    """A model without weights over 9 ids: what it says depends on all that it has read."""
    return HashModel(9, seed=472)


def small_batch(targets: list[list[int]]) -> Batch:
    """Three fixed sources with three targets of your choice: ids from 3 to 8, without EOS."""
    if len(targets) != len(SOURCES):
        raise ValueError(f"small_batch wants {len(SOURCES)} targets, but got {len(targets)}.")
    return collate(list(zip(map(list, SOURCES), targets, strict=True)))
