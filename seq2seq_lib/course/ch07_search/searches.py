"""What the exercises on beam search share: right searches, models to search, both laws.

A search is called as ``search(model, src, src_lengths, num_beams, max_len, alpha)`` here, for one
sentence, and gives ``[Hyp(tokens, log_prob, score), ...]``: all outputs that ended, best score
first.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.given import too_long
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.decoding import LengthPenalty, NBest, OpenOutputs, expand, prune
from seq2seq_lib.laws import HashModel, TableModel, Verdict, scores_add_up, search_oracle
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam, heap_beam
from seq2seq_lib.vocab import EOS_ID

ALL = 10**6  # outputs: more than any search finds

Search = Callable[..., list[Hyp]]
Pairs = list[tuple[Any, float]]


def best_first(pairs: Any) -> Pairs:
    """Pairs ``(tokens, number)``, the largest number first."""
    return sorted(pairs, key=lambda output: -output[1])


# ---------------------------------------------------------------- right searches


def finished_only(search: Callable) -> Search:
    """A search as laws 5 and 6 call it, for one sentence: all that ended."""

    def for_one(
        model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
    ) -> list[Hyp]:
        (hyps,) = search(model, src, src_lengths, num_beams, max_len, ALL, alpha)
        return [hyp for hyp in hyps if hyp.tokens[-1] == EOS_ID]

    return for_one


search_by_lists = finished_only(PlainBeam())
search_without_states = finished_only(heap_beam)


def search_by_library(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
) -> list[Hyp]:
    """The library's own halves, without its rule when to stop."""
    outputs = OpenOutputs.start(model, src, src_lengths)
    found = NBest(1, None, LengthPenalty(alpha))
    for _ in range(max_len):
        log_probs, outputs = outputs.step(model)
        ended, still_open = prune(expand(outputs, log_probs, log_probs, num_beams), num_beams)
        found.add(outputs.extend(ended), finished=True)
        outputs = outputs.extend(still_open)
        if len(outputs) == 0:
            break
    return [Hyp(hyp.tokens, hyp.log_prob, hyp.score) for hyp in found.best[0]]


# ---------------------------------------------------------------- models that are searched


class Steps(NamedTuple):
    """A model's state, and how many tokens it has read."""

    state: Any
    count: int

    def select(self, rows: Tensor) -> "Steps":
        return Steps(self.state.select(rows), self.count)


@dataclass(frozen=True)
class Stopping:
    """A model that refuses what a search must not ask.

    It does not go on far behind ``max_len``, so a loop without an end stops; and it reads no 0
    rows, as a network would not.
    """

    model: Any
    max_len: int

    def start(self, src: Tensor, src_lengths: Tensor) -> Steps:
        return Steps(self.model.start(src, src_lengths), 0)

    def step(self, tokens: Tensor, state: Steps) -> tuple[Tensor, Steps]:
        if len(tokens) == 0:
            raise ValueError("the model was asked to read 0 rows, so no output is open any more")
        if state.count > self.max_len + 1:
            raise ValueError(too_long(state.count, self.max_len))
        log_probs, inner = self.model.step(tokens, state.state)
        return log_probs, Steps(inner, state.count + 1)


# ---------------------------------------------------------------- probes


def search_probes(generator: torch.Generator) -> list[Probe]:
    """``(model, src, src_lengths, num_beams, max_len, alpha)``.

    The first is fixed: each known mistake gives another list there or further down. The models
    remember all that they have read, so that a row of state in the wrong place changes every
    number.
    """
    seeds = torch.randint(10**6, (6,), generator=generator).tolist()
    cases = [  # model, num_beams, max_len, alpha
        (HashModel(6, seed=134, eos_bias=0.5), 3, 4, 1.0),
        (HashModel(7, seed=seeds[0], eos_bias=0.5), 3, 5, 0.7),
        (HashModel(6, seed=seeds[1], eos_bias=1.0), 1, 4, 0.0),
        (HashModel(9, seed=seeds[2], eos_bias=1.0), 4, 6, 1.0),
        (HashModel(5, seed=seeds[3]), 20, 4, 0.7),  # wide enough for everything
        (HashModel(6, seed=4, eos_bias=-math.inf), 3, 2, 1.0),  # nothing ends
        (HashModel(3, seed=5), 2, 4, 0.0),  # nothing but EOS: nothing is open after one step
        (HashModel(6, seed=seeds[4], eos_bias=2.0), 3, 1, 1.0),  # a single step
        (HashModel(7, seed=seeds[5], eos_bias=2.0), 1, 2, 0.7),  # one beam
    ]
    return [_search_probe(*case) for case in cases]


def _search_probe(model: HashModel, num_beams: int, max_len: int, alpha: float) -> Probe:
    src = torch.tensor([[5, 3, EOS_ID]])
    args = {
        "model": Stopping(model, max_len),
        "src": src,
        "src_lengths": torch.tensor([src.size(1)]),
        "num_beams": num_beams,
        "max_len": max_len,
        "alpha": alpha,
    }
    never = model.eos_bias == -math.inf  # whose repr Python does not read
    bias = f", eos_bias={'-math.inf' if never else model.eos_bias}" if model.eos_bias else ""
    fed = f"HashModel({model.vocab_size}, seed={model.seed}{bias}), src = {src.tolist()}"
    return Probe(args, f"{fed}, num_beams = {num_beams}, max_len = {max_len}, alpha = {alpha}")


# ---------------------------------------------------------------- laws 5 and 6


def short_outputs(seed: int) -> TableModel:
    """A random model of two words whose outputs all end after two of them at the latest."""
    generator = torch.Generator().manual_seed(seed)
    prefixes = [(), (3,), (4,)]
    rows = torch.rand(len(prefixes), 3, generator=generator).softmax(-1).tolist()
    table = {
        prefix: dict(zip((EOS_ID, 3, 4), row, strict=True))
        for prefix, row in zip(prefixes, rows, strict=True)
    }
    return TableModel(table, vocab_size=5)


def laws_5_and_6(answer: Callable, penalties: tuple[float, ...] = (0.0,)) -> Verdict:
    """Both laws; the answer searches for one sentence, and gives only what ended.

    So law 5 gets models whose outputs all end.
    """

    def search(
        model: Any,
        src: Tensor,
        src_lengths: Tensor,
        num_beams: int,
        max_len: int,
        n_best: int,
        alpha: float,
    ) -> list[list[Hyp]]:
        found = []
        for b, length in enumerate(src_lengths.tolist()):
            one = (src[b : b + 1, :length], src_lengths[b : b + 1])
            hyps = answer(model, *one, num_beams, max_len, alpha)
            found.append([Hyp(list(h[0]), float(h[1]), float(h[-1])) for h in hyps][:n_best])
        return found

    oracle = search_oracle(
        search,
        models=[short_outputs(seed) for seed in range(2)],
        length_penalties=penalties,
        max_new_tokens=3,
    )
    if not oracle:
        return oracle
    models = [HashModel(7, seed, eos_bias=1.0) for seed in range(2)]
    return scores_add_up(
        search, models=models, length_penalties=penalties, num_beams=(1, 3), max_new_tokens=4
    )
