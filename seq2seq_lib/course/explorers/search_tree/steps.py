"""Searches, step by step: what a search asked the model, and what became of each continuation.

Nothing here searches. The functions of ``decoding`` do, on a model that writes down what it is
asked (``Recorder``). From its notes and from the outputs that came back ``run`` draws up the tree.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.decoding import (
    NEVER,
    beam_search,
    evaluation_mode,
    exhaustive_search,
    expand,
    greedy_search,
    prune,
    rescore,
    reshape,
    sample,
)
from seq2seq_lib.decoding import length_penalty as divisor
from seq2seq_lib.hypotheses import Hypothesis, Limits, Paths, Pool, Score
from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

LETTERS = "letters"
DATES = ("4 august 1999", "4 august", "august 4", "4 aug 99", "11/12/2013")
STRATEGIES = ("greedy", "beam", "sampling", "exhaustive")
DRAWS = 20
WIDE = 50  # beams, where exhaustive search is out of reach
MAX_OPEN = 1000  # outputs that exhaustive search may hold at once

Prefix = tuple[int, ...]  # ids without BOS


@dataclass(frozen=True, eq=False)
class Source:
    """A model with one source sentence. An output has at most ``steps`` tokens, EOS counted."""

    model: Any
    ids: Sequence[int]
    symbols: Mapping[int, str]  # how tokens are written
    steps: int

    @property
    def batch(self) -> tuple[Tensor, Tensor]:
        """What a search gets: the sentence as a batch of one, ``[1, S]``, and its length."""
        return torch.tensor([self.ids]), torch.tensor([len(self.ids)])

    def text(self, tokens: Sequence[int]) -> str:
        return "".join(self.symbols[token] for token in tokens)


@cache
def source_of(name: str) -> Source:
    """``LETTERS``, or a date that the shipped model reads."""
    if name == LETTERS:
        return Source(four_letters(), [EOS_ID], {EOS_ID: "•", 4: "a", 5: "b", 6: "c"}, 4)
    reader = date_reader()
    ids = reader.src_vocab.encode(reader.tokenize(name)) + [EOS_ID]
    tokens = enumerate(reader.tgt_vocab.tokens)
    symbols = {i: token if len(token) == 1 else "?" for i, token in tokens}  # "?" is unknown
    return Source(reader.model, ids, {**symbols, EOS_ID: "•"}, len("1999-08-04") + 1)


# ---------------------------------------------------------------- what a search was told


class RecordedState(NamedTuple):
    """``prefixes``: what each open output has read; ``inner``: the state of the model."""

    prefixes: tuple[Prefix, ...]
    inner: Any

    def select(self, rows: Tensor) -> "RecordedState":
        kept = tuple(self.prefixes[row] for row in rows.tolist())
        return RecordedState(kept, self.inner.select(rows))


class Recorder:
    """A model that writes down the prefixes and the log-probabilities ``[N, V]`` of each step."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.asked: list[tuple[tuple[Prefix, ...], Tensor]] = []

    def start(self, src: Tensor, src_lengths: Tensor) -> RecordedState:
        return RecordedState(((),) * len(src), self.model.start(src, src_lengths))

    def step(self, tokens: Tensor, state: RecordedState) -> tuple[Tensor, RecordedState]:
        log_probs, inner = self.model.step(tokens, state.inner)
        read = zip(state.prefixes, tokens.tolist(), strict=True)
        prefixes = tuple(p if token == BOS_ID else (*p, token) for p, token in read)
        self.asked.append((prefixes, log_probs))
        return log_probs, RecordedState(prefixes, inner)


@dataclass(frozen=True)
class Reshape:
    """What sampling does to a distribution before it draws; top_k = 0 and top_p = 1 are off."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __call__(self, log_probs: Tensor) -> Tensor:
        """Log-probabilities ``[N, V]`` of the draws."""
        return reshape(_allowed(log_probs), self.temperature, self.top_k or None, self.top_p)


@dataclass(frozen=True, eq=False)
class Reshaped:
    """The model that sampling draws from."""

    model: Any
    reshape: Reshape

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        return self.model.start(src, src_lengths)

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        log_probs, state = self.model.step(tokens, state)
        return self.reshape(log_probs), state


def _allowed(log_probs: Tensor) -> Tensor:
    log_probs = log_probs.clone()
    log_probs[:, list(NEVER)] = -math.inf
    return log_probs


def full_beam(model: Any, source: Source, num_beams: int) -> list[Hypothesis]:
    """Everything that a beam of this width finds, most probable first.

    ``beam_search`` stops as soon as nothing that is open can win. This goes on to the longest
    output, step by step from the same two halves, so that each length penalty ranks the same list.
    """
    limits = Limits(source.steps, 0, NEVER, None, ())
    with evaluation_mode(model):
        paths = Paths.start(model, *source.batch)
        found = Pool(1, None, Score(0.0, "plain"))
        for _ in range(source.steps):
            log_probs, paths = paths.step(model)  # [N, V]
            ranked = expand(paths, log_probs, limits.apply(log_probs, paths.tokens), num_beams)
            ended, still_open = prune(ranked, num_beams)
            found.add(paths.extend(ended), finished=True)
            paths = paths.extend(still_open)
            if len(paths) == 0:
                break
        found.add(paths, finished=False)
    return found.best[0]


# ---------------------------------------------------------------- the tree


@dataclass(frozen=True)
class Node:
    """One continuation that a step looked at.

    Attributes:
        tokens: the output up to here.
        prob: of its last token, by the model.
        share: of its last token among the draws; in other searches the same as ``prob``.
        log_prob: of the whole, nats.
        fate: ``"kept"`` open, ``"pruned"``, ``"finished"``, or ``"cut"`` at the longest length.
        draws: how many of the samples went this way.
    """

    tokens: Prefix
    prob: float
    share: float
    log_prob: float
    fate: str
    draws: int


@dataclass(frozen=True)
class Search:
    """A search and its tree.

    Attributes:
        best: what the library's search returned; None if it refused.
        outputs: all that it found, most probable first, none twice.
        draws: how often each of them was drawn.
        levels: the nodes of each step, by parent, and the most probable first.
        costs: next-token distributions asked for in each step.
        cost_of_best: what ``best`` alone costs: beam search may stop before the tree ends.
        refusal: why the library refused, or "".
    """

    best: Hypothesis | None
    outputs: tuple[Hypothesis, ...]
    draws: Mapping[Prefix, int]
    levels: tuple[tuple[Node, ...], ...]
    costs: tuple[int, ...]
    cost_of_best: int
    refusal: str = ""


@lru_cache(maxsize=64)
def run(
    name: str,
    strategy: str,
    width: int = 1,
    penalty: float = 0.0,
    reshape: Reshape = Reshape(),
    seed: int = 0,
) -> Search:
    """Search with the library, and draw up the tree of what it did."""
    source = source_of(name)
    recorder, longest = Recorder(source.model), {"max_new_tokens": source.steps}
    if strategy == "greedy":
        (found,) = greedy_search(recorder, *source.batch, **longest)
    elif strategy == "sampling":
        (found,) = sample(
            recorder,
            *source.batch,
            num_samples=DRAWS,
            temperature=reshape.temperature,
            top_k=reshape.top_k or None,
            top_p=reshape.top_p,
            generator=torch.Generator().manual_seed(seed),
            **longest,
        )
    elif strategy == "exhaustive":
        settings = {"n_best": None, "length_penalty": penalty, "max_open": MAX_OPEN, **longest}
        try:
            (found,) = exhaustive_search(recorder, *source.batch, **settings)
        except ValueError as error:
            if "max_open" not in str(error):
                raise
            return Search(None, (), {}, (), (), 0, str(error))
    else:
        found = full_beam(recorder, source, width)
    best, asked = found[0], recorder.asked
    if strategy == "beam":
        recorder = Recorder(source.model)
        settings = {"num_beams": width, "length_penalty": penalty, **longest}
        ((best,),) = beam_search(recorder, *source.batch, **settings)
    draws = Counter(tuple(output.tokens) for output in found)
    distinct = {tuple(output.tokens): output for output in found}
    return Search(
        best=best,
        outputs=tuple(sorted(distinct.values(), key=lambda h: (-h.log_prob, len(h.tokens)))),
        draws=draws,
        levels=_levels(asked, distinct, draws, reshape),
        costs=tuple(len(prefixes) for prefixes, _ in asked),
        cost_of_best=sum(len(prefixes) for prefixes, _ in recorder.asked),
    )


def _levels(
    asked: Sequence[tuple[tuple[Prefix, ...], Tensor]],
    outputs: Mapping[Prefix, Hypothesis],
    draws: Mapping[Prefix, int],
    reshape: Reshape,
) -> tuple[tuple[Node, ...], ...]:
    """The continuations of every prefix that was asked for, and their fates."""
    passing = Counter()  # samples by prefix
    for tokens, times in draws.items():
        for length in range(1, len(tokens) + 1):
            passing[tokens[:length]] += times
    totals, levels = {(): 0.0}, []
    for step, (prefixes, log_probs) in enumerate(asked):
        shares = reshape(log_probs).double().exp().tolist()  # [N, V]
        both = zip(_allowed(log_probs).tolist(), shares, strict=True)
        rows = dict(zip(prefixes, both, strict=True))  # samples share prefixes
        going_on = set(asked[step + 1][0]) if step + 1 < len(asked) else set()
        nodes = []
        for prefix in sorted(rows, key=_place(levels)):
            children = []
            for token, log_prob in enumerate(rows[prefix][0]):
                if log_prob == -math.inf:
                    continue
                tokens, total = (*prefix, token), totals[prefix] + log_prob
                if tokens in outputs:
                    fate = "finished" if outputs[tokens].finished else "cut"
                else:
                    fate = "kept" if tokens in going_on else "pruned"
                share = rows[prefix][1][token]
                totals[tokens] = total
                children.append(
                    Node(tokens, math.exp(log_prob), share, total, fate, passing[tokens])
                )
            nodes += sorted(children, key=lambda node: -node.prob)
        levels.append(tuple(nodes))
    return tuple(levels)


def _place(levels: Sequence[Sequence[Node]]):
    """Sorts prefixes as they stand in the last level."""
    places = {node.tokens: i for i, node in enumerate(levels[-1])} if levels else {(): 0}
    return places.__getitem__


# ---------------------------------------------------------------- what to compare with


@dataclass(frozen=True)
class Truth:
    """The best outputs there are, as far as anyone can say.

    Attributes:
        exact: whether all outputs were scored; else both come from a search with ``WIDE`` beams.
        ended: how many outputs end in time.
        probable, scored: the most probable output, and the one with the best score.
    """

    exact: bool
    ended: int
    probable: Hypothesis
    scored: Hypothesis


def truth_of(name: str, penalty: float) -> Truth:
    """All outputs where they can be counted, a wide beam elsewhere."""
    source = source_of(name)
    choices = len(source.symbols) - 1  # all but the end
    if name != LETTERS:
        choices -= len(NEVER)  # PAD and BOS have symbols too
    ended = sum(choices**t for t in range(source.steps))
    best = [
        min(_wide(name), key=lambda h: (-h.log_prob / divisor(len(h.tokens), alpha), h.tokens))
        for alpha in (0.0, penalty)
    ]
    return Truth(name == LETTERS, ended, *best)


@cache
def _wide(name: str) -> list[Hypothesis]:
    """All outputs, or all that a wide beam finds: a length penalty ranks them, and no more."""
    source = source_of(name)
    if name != LETTERS:
        return full_beam(source.model, source, WIDE)
    longest = {"max_new_tokens": source.steps}
    return exhaustive_search(source.model, *source.batch, n_best=None, **longest)[0]


@lru_cache(maxsize=256)
def chance_of(name: str, tokens: Prefix, reshape: Reshape) -> float:
    """The probability that one draw is this output."""
    source = source_of(name)
    model = Reshaped(source.model, reshape)
    return math.exp(rescore(model, *source.batch, [[list(tokens)]])[0][0].log_prob)
