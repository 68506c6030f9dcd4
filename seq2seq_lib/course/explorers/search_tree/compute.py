"""What the search tree shows: a beam, stopped after some steps, and the truth to compare with."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from seq2seq_lib.course.letter_cards import LETTERS, NO_SOURCE, MemoryCard, by_prefix
from seq2seq_lib.decoding import length_penalty as divisor
from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

STEPS = 4  # tokens of the longest output, the end counted
EVERYTHING = 108  # beams: 27 open outputs with 4 continuations each, so nothing is pruned

Prefix = tuple[int, ...]  # ids without BOS


@dataclass(frozen=True)
class Node:
    """One continuation that a step looked at.

    Attributes:
        tokens: the output up to here.
        prob: of its last token, as the model said with the memory that it was given.
        log_prob: of the whole, nats.
        fate: ``"kept"`` open, ``"pruned"``, ``"finished"``, or ``"cut"`` at the longest length.
    """

    tokens: Prefix
    prob: float
    log_prob: float
    fate: str


@dataclass(frozen=True)
class Row:
    """An open output, and the letters that its row of the state has read; None without memory."""

    tokens: Prefix
    memory: frozenset[int] | None

    @property
    def strange(self) -> bool:
        """Whether it is another output's memory; the last letter is not read yet."""
        return self.memory is not None and self.memory != frozenset(self.tokens[:-1])


@dataclass(frozen=True)
class Output:
    """What a search returns: ``true`` is the log-probability when the model reads it again."""

    tokens: Prefix
    log_prob: float
    finished: bool
    true: float

    def score(self, penalty: float) -> float:
        return self.log_prob / divisor(len(self.tokens), penalty)


@dataclass(frozen=True)
class Search:
    """A whole search: the nodes of each step, the open rows after it, all that it found."""

    levels: tuple[tuple[Node, ...], ...]
    rows: tuple[tuple[Row, ...], ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        search, width, penalty, moved, step: as in ``compute``.
        whole: the search to its end.
        truth: the most probable output there is, and the number of those that end.
    """

    search: str
    width: int
    penalty: float
    moved: bool
    step: int
    whole: Search
    truth: Output
    ended: int

    @property
    def done(self) -> bool:
        return self.step == STEPS

    @property
    def ranked(self) -> list[Output]:
        """All that is found in the end, best score first."""
        return sorted(self.whole.outputs, key=lambda output: -output.score(self.penalty))

    @property
    def found(self) -> list[Output]:
        """What ended in the steps so far, or was cut there, best score first."""
        return [output for output in self.ranked if len(output.tokens) <= self.step]

    @property
    def best(self) -> Output:
        return self.ranked[0]


def compute(
    *,
    search: str = "beam",
    width: int = 1,
    length_penalty: float = 0.0,
    moved: bool = True,
    step: int = STEPS,
) -> Result:
    """Search, and stop after some steps.

    Args:
        search: ``"beam"`` on the card, ``"everything"`` there, or ``"memory"``: a beam on the card
            that writes no letter twice.
        width: k, 1 .. 4; with a memory 2 or 3; of no effect on everything.
        length_penalty: α in log p / length^α; of the beam on the card.
        moved: whether the rows of the state move with their outputs; of the memory card.
        step: 0 .. 4.
    """
    beams = EVERYTHING if search == "everything" else width
    memory = search == "memory"
    every = run(memory, EVERYTHING, True).outputs
    return Result(
        search=search,
        width=width,
        penalty=length_penalty if search == "beam" else 0.0,
        moved=moved or not memory,
        step=step,
        whole=run(memory, beams, moved or not memory),
        truth=max((o for o in every if o.finished), key=lambda output: output.log_prob),
        ended=sum(output.finished for output in every),
    )


@lru_cache(maxsize=64)
def run(memory: bool, width: int, moved: bool) -> Search:
    """Beam search with one row of the state for each open output.

    Args:
        memory: whether to search the card with a memory.
        width: outputs that stay open.
        moved: after the first step, whose one row is copied, the rows stay in place if False.
    """
    model = MemoryCard() if memory else four_letters()
    state, beam = model.start(*NO_SOURCE), [((), 0.0)]
    levels, rows, outputs = [], [], []
    for step in range(1, STEPS + 1):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens, _ in beam])
        log_probs, state = model.step(last, state)  # [rows, V]
        candidates = [
            ((*tokens, token), total + log_probs[row, token].item(), row)
            for row, (tokens, total) in enumerate(beam)
            for token in (*LETTERS, EOS_ID)
            if log_probs[row, token] > -math.inf
        ]
        ranked = sorted(candidates, key=lambda candidate: -candidate[1])
        ended = [c for c in ranked[:width] if c[0][-1] == EOS_ID]
        still_open = [c for c in ranked if c[0][-1] != EOS_ID][:width]
        fates = dict.fromkeys((c[0] for c in still_open), "cut" if step == STEPS else "kept")
        fates |= dict.fromkeys((c[0] for c in ended), "finished")
        levels.append(_level(candidates, fates, log_probs, levels[-1] if levels else ()))
        outputs += ended + (still_open if step == STEPS else [])
        beam = [(tokens, total) for tokens, total, _ in still_open]
        if not beam:
            break
        if moved or step == 1:
            state = state.select(torch.tensor([row for *_, row in still_open]))
        memories = state.letters if memory else (None,) * len(beam)
        rows.append(tuple(map(Row, (tokens for tokens, _ in beam), memories)))
    again = by_prefix(model)
    found = [
        Output(tokens, total, tokens[-1] == EOS_ID, _reread(again, tokens))
        for tokens, total, _ in sorted(outputs, key=lambda output: -output[1])
    ]
    return Search(tuple(levels), tuple(rows), tuple(found))


def _level(
    candidates: Sequence[tuple[Prefix, float, int]],
    fates: Mapping[Prefix, str],
    log_probs: Tensor,
    before: Sequence[Node],
) -> tuple[Node, ...]:
    """The nodes of a step, by the place of their parent, and the most probable first."""
    place = {node.tokens: i for i, node in enumerate(before)}
    nodes = [
        Node(tokens, log_probs[row, tokens[-1]].exp().item(), total, fates.get(tokens, "pruned"))
        for tokens, total, row in candidates
    ]
    return tuple(sorted(nodes, key=lambda node: (place.get(node.tokens[:-1], 0), -node.prob)))


def _reread(next_log_probs: Callable[[Prefix], dict[int, float]], tokens: Prefix) -> float:
    """The log-probability of an output, read from the start."""
    total = 0.0
    for t, token in enumerate(tokens):
        total += next_log_probs(tokens[:t]).get(token, -math.inf)
        if total == -math.inf:
            break
    return total
