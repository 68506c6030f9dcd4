"""What the checks of chapter 3 feed to an answer: asymmetric batches, drawn anew at each call.

The first batch is fixed and is the chapter's own, so that a message can show it. Lengths are
unsorted; a batch may be wider than its longest sentence. The last ones are edges: equal lengths, a
single sentence, a single position, one cell.
"""

import torch
from torch import Tensor

from seq2seq_lib.vocab import BOS_ID, EOS_ID


def batches(generator: torch.Generator) -> list[tuple[Tensor, int]]:
    """``(lengths, S)`` of eight batches."""
    S = int(torch.randint(7, 10, (), generator=generator))
    return [
        (torch.tensor([3, 5, 1]), 5),
        (_lengths(4, S, generator), S),
        (_lengths(5, S - 3, generator), S),  # columns of pads alone
        (torch.tensor([2, 4]), 4),
        (torch.tensor([4, 4, 4]), 4),
        (torch.tensor([2]), 3),
        (torch.tensor([1, 1, 1]), 1),
        (torch.tensor([1]), 1),
    ]


def _lengths(B: int, longest: int, generator: torch.Generator) -> Tensor:
    """int64 ``[B]``, unsorted: the first is of middle length, the second the longest."""
    middle = torch.randint(2, longest, (B - 2,), generator=generator)
    return torch.cat([middle[:1], torch.tensor([longest, 1]), middle[1:]])


def fed(lengths: Tensor, S: int, more: str = "") -> str:
    """A batch in words."""
    return f"lengths = {lengths.tolist()}, S = {S}{more}"


class Script:
    """A step function without a model: each row says its own line, and babbles behind its end.

    The log-probabilities ``[B, V]`` depend on the token that is read and on how often the state was
    handed on: who feeds another token, or the first state again, hears something else.

    Args:
        lines: for each row what it says, without EOS; ``cut`` rows never end.
        vocab_size: V.
        cut: rows whose line goes on for ever.
    """

    VOCAB_SIZE, PATIENCE = 9, 40

    def __init__(self, lines: list[list[int]], never_end: tuple[int, ...] = ()) -> None:
        self.lines = [
            [*line, *([] if b in never_end else [EOS_ID])] for b, line in enumerate(lines)
        ]
        self.calls = 0

    @property
    def state(self) -> Tensor:
        """The state before the first step: how many tokens each row has said, int64 ``[B]``."""
        return torch.zeros(len(self.lines), dtype=torch.int64)

    def __call__(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        B, V = len(self.lines), self.VOCAB_SIZE
        if not isinstance(tokens, Tensor) or tokens.dtype != torch.int64 or tokens.shape != (B,):
            came = f"{tokens.dtype} {list(tokens.shape)}" if isinstance(tokens, Tensor) else tokens
            raise TypeError(f"step wants tokens int64 [{B}], one a row, but they are {came}")
        begins = bool((state == 0).all() and (tokens == BOS_ID).all())
        self.calls = 1 if begins else self.calls + 1
        if self.calls > self.PATIENCE:
            raise RuntimeError(f"step was called {self.calls} times and no row has ended anew")
        scores = torch.zeros(B, V)
        for b, (token, said) in enumerate(zip(tokens.tolist(), state.tolist(), strict=True)):
            scores[b, self._next(b, token, said)] = 3.0
        return scores.log_softmax(-1), state + 1

    def _next(self, b: int, token: int, said: int) -> int:
        line = self.lines[b]
        if said >= len(line):
            return 3 + said % 2  # behind its end: babble
        before = line[said - 1] if said else BOS_ID
        if token == before:
            return line[said]
        return self.VOCAB_SIZE - 1  # it has lost the thread
