"""What the checks of chapter 7 feed to an answer.

The first probe of a kind is fixed and small, the others are drawn anew at each call. Sizes differ
(k ≠ V ≠ the number of beams), but for one square probe. The models remember all that they have
read, so that a row of state in the wrong place changes every number.
"""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.answers import exhaustive_spec
from seq2seq_lib.course.ch07_search.given import NextLogProbs, Stopping
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.laws import HashModel, TableModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

GAP = 1e-3  # nats or probability between two numbers that are ranked: no check turns on rounding
SMALL = {  # and 5 is impossible
    (): {EOS_ID: 0.2, 3: 0.5, 4: 0.3},
    (3,): {EOS_ID: 0.6, 3: 0.3, 4: 0.1},
    (4,): {EOS_ID: 0.9, 4: 0.1},
}
RARE = {(): {EOS_ID: 0.7, 3: 0.2999, 4: 0.0001}, (3,): {EOS_ID: 1.0}, (4,): {EOS_ID: 1.0}}


def whole(low: int, high: int, generator: torch.Generator) -> int:
    """An integer, both ends included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def exhaustive_probes(generator: torch.Generator) -> list[Probe]:
    """``(next_log_probs, max_len)``."""
    probes = [_table_probe(SMALL), _table_probe(RARE), _exhaustive_probe(HashModel(5, seed=2), 3)]
    while len(probes) < 6:
        V, max_len = ((6, 4), (7, 2), (5, 4))[len(probes) - 3]
        probe = _exhaustive_probe(HashModel(V, seed=whole(0, 10**6, generator)), max_len)
        totals = [total for _, total in exhaustive_spec(*probe.args.values())]
        if min(one - two for one, two in pairwise(totals)) > GAP / 100:
            probes.append(probe)
    return probes


def _table_probe(table: dict[tuple[int, ...], dict[int, float]]) -> Probe:
    rows = "; ".join(
        f"after {list(prefix) if prefix else 'nothing'} "
        + ", ".join(f"{'EOS' if token == EOS_ID else token} {prob}" for token, prob in row.items())
        for prefix, row in table.items()
    )
    reader = NextLogProbs(TableModel(table, vocab_size=6), max_len=2)
    fed = f"the logarithms of: {rows}; max_len = 2"
    return Probe({"next_log_probs": reader, "max_len": 2}, fed)


def _exhaustive_probe(model: Any, max_len: int) -> Probe:
    reader = NextLogProbs(model, torch.tensor([[4, EOS_ID]]), torch.tensor([2]), max_len)
    words = f"words 3 to {model.vocab_size - 1}, EOS = 2, log-probabilities after any prefix"
    return Probe({"next_log_probs": reader, "max_len": max_len}, f"{words}; max_len = {max_len}")


def expand_probes(generator: torch.Generator) -> list[Probe]:
    """``(totals, log_probs, num_beams)``; PAD and BOS are impossible, and now and then a word."""
    fixed = torch.Generator().manual_seed(2)
    cases = [  # k, V, num_beams, generator
        (2, 6, 2, fixed),
        (1, 5, 3, fixed),  # the first step: fewer continuations than 2 * num_beams
        (3, 8, 3, generator),
        (5, 5, 5, generator),  # square
        (2, 9, 4, generator),
    ]
    return [_expand_probe(*case) for case in cases]


def _expand_probe(k: int, V: int, num_beams: int, generator: torch.Generator) -> Probe:
    while True:
        totals = -torch.rand(k, generator=generator) * 2
        scores = torch.randn(k, V, generator=generator)
        scores[:, [PAD_ID, BOS_ID]] = -math.inf
        if V > 7:
            scores[0, 3] = -math.inf
        log_probs = scores.log_softmax(-1)  # [k, V]
        every = (totals[:, None] + log_probs).flatten().sort().values
        every = every[every > -math.inf]
        if every.diff().min() > GAP:
            break
    fed = f"totals = {_numbers(totals)}, num_beams = {num_beams}, log_probs [{k}, {V}]"
    if k * V <= describe.MANY:
        fed += ", without PAD and BOS: " + describe.rows(log_probs[:, EOS_ID:])
    return Probe({"totals": totals, "log_probs": log_probs, "num_beams": num_beams}, fed)


def _numbers(values: Tensor) -> str:
    return "[" + ", ".join(describe.number(x) for x in values.tolist()) + "]"


def prune_probes(generator: torch.Generator) -> list[Probe]:
    """``(token, num_beams)``, the tokens of ranked candidates, as ``expand`` gives them."""
    long = torch.randint(3, 9, (8,), generator=generator)
    long[[0, 2, 6]] = EOS_ID  # twice among the first four, once behind
    late = torch.randint(3, 9, (6,), generator=generator)
    late[[4, 5]] = EOS_ID  # behind the first three only
    cases = [
        (torch.tensor([4, 2, 3, 2, 5]), 2),
        (torch.tensor([3, 2, 2, 4, 5, 2, 3]), 3),
        (long, 4),
        (late, 3),
        (torch.randint(3, 9, (5,), generator=generator), 3),  # nothing ends
        (torch.tensor([EOS_ID]), 2),  # nothing is left
        (torch.tensor([2, 4, 2, 5]), 2),  # the first place that does not count is num_beams itself
        (torch.tensor([2, 2, 4, 2, 5]), 2),  # and the next, while the beam still has room
    ]
    return [
        Probe(
            {"token": token, "num_beams": num_beams},
            f"token = {token.tolist()}, num_beams = {num_beams}",
        )
        for token, num_beams in cases
    ]


def beam_probes(generator: torch.Generator) -> list[Probe]:
    """``(model, src, src_lengths, num_beams, max_len)``."""
    seeds = [whole(0, 10**6, generator) for _ in range(4)]
    cases = [  # model, num_beams, max_len
        (HashModel(6, seed=134, eos_bias=0.5), 3, 4),  # every known mistake gives another list
        (HashModel(7, seed=seeds[0], eos_bias=0.5), 3, 5),
        (HashModel(6, seed=seeds[1], eos_bias=1.0), 1, 4),
        (HashModel(9, seed=seeds[2], eos_bias=1.0), 4, 6),
        (HashModel(5, seed=seeds[3]), 20, 4),  # wide enough for everything
        (HashModel(6, seed=4, eos_bias=-math.inf), 3, 2),  # nothing ends
        (HashModel(3, seed=5), 2, 4),  # nothing but EOS
    ]
    return [_beam_probe(*case, generator) for case in cases]


def search_probes(generator: torch.Generator) -> list[Probe]:
    """``beam_probes`` with a length penalty behind."""
    alphas = (1.0, 0.7, 0.0, 1.0, 0.7, 1.0, 0.0)
    return [
        Probe({**probe.args, "alpha": alpha}, f"{probe.fed}, alpha = {alpha}")
        for probe, alpha in zip(beam_probes(generator), alphas, strict=True)
    ]


def _beam_probe(
    model: HashModel, num_beams: int, max_len: int, generator: torch.Generator
) -> Probe:
    src = torch.tensor([[5, 3, EOS_ID]])
    args = {
        "model": Stopping(model, max_len),
        "src": src,
        "src_lengths": torch.tensor([src.size(1)]),
        "num_beams": num_beams,
        "max_len": max_len,
    }
    never = model.eos_bias == -math.inf  # whose repr Python does not read
    bias = f", eos_bias={'-math.inf' if never else model.eos_bias}" if model.eos_bias else ""
    fed = f"HashModel({model.vocab_size}, seed={model.seed}{bias}), src = {src.tolist()}"
    return Probe(args, f"{fed}, num_beams = {num_beams}, max_len = {max_len}")


def top_p_probes(generator: torch.Generator) -> list[Probe]:
    """``(log_probs, p)``; no sum of probabilities comes near to p."""
    small = torch.tensor([[0.15, 0.5, 0.05, 0.3], [0.7, 0.04, 0.06, 0.2], [0.3, 0.25, 0.1, 0.35]])
    return [
        _top_p_probe(small, 0.6),
        _top_p_probe(small, 0.1),  # less than any best token has
        *(
            _top_p_probe(_probabilities(B, V, p, generator), p)
            for B, V, p in ((3, 7, 0.85), (5, 5, 0.45), (2, 11, 0.97))
        ),
    ]


def _probabilities(B: int, V: int, p: float, generator: torch.Generator) -> Tensor:
    while True:
        probs = torch.randn(B, V, generator=generator).mul(1.5).softmax(-1)
        sums = probs.sort(descending=True).values.cumsum(-1)  # [B, V]
        counts = (sums < p).sum(-1)  # [B]
        if (sums - p).abs().min() > GAP and len(set(counts.tolist())) > 1:
            return probs


def _top_p_probe(probs: Tensor, p: float) -> Probe:
    fed = f"p = {p}, log_probs {list(probs.shape)}"
    if probs.numel() <= describe.MANY:
        fed += f", the logarithms of {describe.rows(probs)}"
    return Probe({"log_probs": probs.log(), "p": p}, fed)


def width_probes(generator: torch.Generator) -> list[Probe]:
    """``(sources, widths)`` of the letters task."""

    def draw(count: int, alphabet: str, length: int) -> list[str]:
        ids = torch.randint(len(alphabet), (count, length), generator=generator).tolist()
        return ["".join(alphabet[i] for i in row) for row in ids]

    cases = [
        (["ab", "ea", "b"], [1, 2]),
        (draw(5, "abe", 3), [1, 3, 4]),
        (draw(4, "abc", 2), [2, 5]),
    ]
    return [
        Probe({"sources": sources, "widths": widths}, f"sources = {sources}, widths = {widths}")
        for sources, widths in cases
    ]
