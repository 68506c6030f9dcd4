"""What the exercises hand out: a table for pencil and paper, and letters to be rewritten."""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.corpora import letters_next
from seq2seq_lib.decoding import beam_search
from seq2seq_lib.laws import TableModel
from seq2seq_lib.laws.hash_model import BigramModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID

LETTERS = {BOS_ID: "^", EOS_ID: "•", 4: "a", 5: "b", 6: "c"}
NOTHING = (torch.tensor([[EOS_ID]]), torch.tensor([1]))  # a source, for models that read none


@dataclass(frozen=True)
class NextLogProbs:
    """A model as a function of the prefix: ``prefix -> [log-probability of token 0, 1, ...]``.

    Attributes:
        model: with the decoding protocol.
        src, src_lengths: int64 ``[1, S]`` and ``[1]``.
        max_len: refuse prefixes that are longer by more than a step: a search that does not stop
            would ask for V^T of them.
    """

    model: Any
    src: Tensor = NOTHING[0]
    src_lengths: Tensor = NOTHING[1]
    max_len: int | None = None
    known: dict = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, prefix: tuple[int, ...]) -> list[float]:
        prefix = tuple(map(int, prefix))
        if self.max_len is not None and len(prefix) > self.max_len + 1:
            raise ValueError(too_long(len(prefix), self.max_len))
        if prefix not in self.known:
            state = self.model.start(self.src, self.src_lengths)
            for token in (BOS_ID, *prefix):
                log_probs, state = self.model.step(torch.tensor([token]), state)
            self.known[prefix] = log_probs[0].tolist()
        return list(self.known[prefix])


def too_long(length: int, max_len: int) -> str:
    """What a model says that is asked too far."""
    return (
        f"the model was asked what follows {length} tokens, and max_len is {max_len}: where does "
        f"max_len stop your loop, or your recursion?"
    )


def three_letters() -> BigramModel:
    """Letters a, b, c (ids 4, 5, 6) and EOS, as ``laws.four_letters`` with other numbers.

    Greedy search writes ``b a c EOS`` (0.0276), two beams find ``a c EOS`` (0.0675), three the most
    probable output, ``c EOS`` (0.1125). No two candidates of these beams are equally probable.
    """
    a, b, c = range(4, 7)
    table = {
        BOS_ID: {a: 0.30, b: 0.35, c: 0.25, EOS_ID: 0.10},
        a: {a: 0.20, b: 0.15, c: 0.50, EOS_ID: 0.15},
        b: {a: 0.35, b: 0.20, c: 0.30, EOS_ID: 0.15},
        c: {a: 0.20, b: 0.05, c: 0.30, EOS_ID: 0.45},
    }
    return BigramModel(table)


def next_letter(prefix: tuple[int, ...]) -> list[float]:
    """Log-probabilities of the next token after ``prefix``, for the table of the three letters."""
    return NextLogProbs(three_letters())(prefix)


def spelt(tokens: Any) -> str:
    """Ids of the three letters as they are written on paper: ``[4, 5, 2]`` is ``a b •``."""
    return " ".join(LETTERS[int(token)] for token in tokens)


def letter_table() -> str:
    """The probabilities of the next letter: a row for the last one, a column for the next."""
    probs = three_letters().log_probs.exp()  # [V, V]
    columns = (4, 5, 6, EOS_ID)
    lines = ["last    next: " + "     ".join(LETTERS[token] for token in columns)]
    for last in (BOS_ID, 4, 5, 6):
        cells = "  ".join(f"{probs[last, token]:.2f}" for token in columns)
        lines.append(f"  {LETTERS[last]}         {cells}")
    return "\n".join(lines)


def options_7_1a() -> dict[str, str]:
    """Six strings that somebody takes for greedy's output, in alphabetical order."""
    strings = ("bac•", "c•", "ac•", "bac", "bbbb", "bacc")
    return dict(zip("ABCDEF", sorted(strings), strict=True))


def options_7_1b() -> dict[str, float]:
    """Six numbers that somebody takes for the probability of greedy's output, smallest first."""
    chances = three_letters().log_probs.exp()
    output = (5, 4, 6, EOS_ID)  # b a c •
    steps = [chances[a, b].item() for a, b in zip((BOS_ID, *output), output, strict=False)]
    first_row = [chances[BOS_ID, token].item() for token in output]
    numbers = [
        math.prod(steps),
        math.prod(steps[:-1]),
        math.prod(first_row),
        sum(map(math.log, steps)),
        sum(steps),
        sum(steps) / len(steps),
    ]
    return dict(zip("ABCDEF", sorted(round(number, 5) for number in numbers), strict=True))


TOKENS = dict(enumerate("uvwxyz", EOS_ID + 1))  # what the letters are rewritten to


@dataclass(frozen=True)
class LetterTable:
    """``corpora.letters_next`` as a table for ``TableModel``: a perfect model of one source."""

    source: str

    def get(self, prefix: tuple[int, ...], default: Any = None) -> dict[int, float]:
        ids = {token: id for id, token in TOKENS.items()} | {None: EOS_ID}
        probs = letters_next(self.source, [TOKENS[id] for id in prefix])
        return {ids[token]: prob for token, prob in probs.items()}


def search_letters(source: str, num_beams: int) -> list[tuple[str, float]]:
    """What beam search finds with a perfect model of the letters task.

    Args:
        source: letters of "abcde".
        num_beams: k.

    Returns:
        The outputs that it found, best first: what was written, without the end, and its
        log-probability.
    """
    return list(_search_letters(source, num_beams))


@lru_cache(maxsize=4096)
def _search_letters(source: str, num_beams: int) -> tuple[tuple[str, float], ...]:
    model = TableModel(LetterTable(source), vocab_size=EOS_ID + 1 + len(TOKENS))
    longest = 3 * len(source) + 1  # no letter becomes more than three
    (found,) = beam_search(
        model, *NOTHING, num_beams=num_beams, n_best=num_beams, max_new_tokens=longest
    )
    return tuple(("".join(TOKENS[id] for id in h.tokens[:-1]), h.log_prob) for h in found)
