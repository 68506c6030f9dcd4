"""What the exercises hand out: tables for pencil and paper."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.letter_cards import NO_SOURCE, SYMBOLS
from seq2seq_lib.toy_models import BigramModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID


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
    src: Tensor = NO_SOURCE[0]
    src_lengths: Tensor = NO_SOURCE[1]
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


def letter_table() -> str:
    """The probabilities of the next letter: a row for the last one, a column for the next."""
    probs = three_letters().log_probs.exp()  # [V, V]
    columns = (4, 5, 6, EOS_ID)
    lines = ["last    next: " + "     ".join(SYMBOLS[token] for token in columns)]
    for last in (BOS_ID, 4, 5, 6):
        cells = "  ".join(f"{probs[last, token]:.2f}" for token in columns)
        lines.append(f"  {SYMBOLS[last]}         {cells}")
    return "\n".join(lines)


def options_7_1() -> dict[str, str]:
    """Six answers to 7.1: what greedy search writes, and how probable that is."""
    answers = ("y•, 0.28", "xx•, 0.06", "x•, 0.50", "x•, 0.90", "x•, 0.20", "x•, 0.40")
    return dict(zip("ABCDEF", answers, strict=True))
