"""Right answers to the exercises of chapter 7, each written in several ways.

The one without a suffix is what ``solution`` shows; ``_spec`` is the slow loop that says what is
right; the others are there so that no check takes one way of writing for the only one.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib import decoding
from seq2seq_lib.corpora import letters_mode
from seq2seq_lib.course.ch07_search.given import search_letters
from seq2seq_lib.decoding import rescore
from seq2seq_lib.hypotheses import Paths, Pool, Score
from seq2seq_lib.laws import HashModel, four_letters
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam, heap_beam
from seq2seq_lib.vocab import BOS_ID, EOS_ID

ALL = 10**6  # outputs: more than any search finds


def exhaustive_spec(next_log_probs: Callable, max_len: int) -> list[tuple[tuple[int, ...], float]]:
    found = []

    def grow(tokens: tuple, total: float) -> None:
        for token, log_prob in enumerate(next_log_probs(tokens)):
            longer = (*tokens, token)
            if log_prob == -math.inf:
                continue
            if token == EOS_ID:
                found.append((longer, total + log_prob))
            elif len(longer) < max_len:
                grow(longer, total + log_prob)

    grow((), 0.0)
    return sorted(found, key=lambda output: -output[1])


def exhaustive(next_log_probs: Callable, max_len: int) -> list[tuple[tuple[int, ...], float]]:
    finished, unfinished = [], [((), 0.0)]
    for _ in range(max_len):
        longer = []
        for tokens, total in unfinished:
            for token, log_prob in enumerate(next_log_probs(tokens)):
                if log_prob > -math.inf:
                    output = ((*tokens, token), total + log_prob)
                    (finished if token == EOS_ID else longer).append(output)
        unfinished = longer
    return sorted(finished, key=lambda output: output[1], reverse=True)


def exhaustive_by_product(
    next_log_probs: Callable, max_len: int
) -> list[tuple[tuple[int, ...], float]]:
    V, found = len(next_log_probs(())), []
    for length in range(max_len):
        for words in itertools.product(range(EOS_ID + 1, V), repeat=length):
            tokens = (*words, EOS_ID)
            parts = [next_log_probs(tokens[:t])[token] for t, token in enumerate(tokens)]
            found.append((list(tokens), torch.tensor(parts, dtype=torch.float64).sum()))
    found = [output for output in found if output[1].isfinite()]
    found.sort(key=lambda output: output[1].item())
    return found[::-1]


def expand_spec(totals: Tensor, log_probs: Tensor, num_beams: int) -> tuple[Tensor, Tensor, Tensor]:
    k, V = log_probs.shape
    candidates = [
        ((totals[row] + log_probs[row, token]).item(), row, token)
        for row in range(k)
        for token in range(V)
        if log_probs[row, token] > -math.inf
    ]
    best = sorted(candidates, key=lambda candidate: -candidate[0])[: 2 * num_beams]
    total, parent, token = zip(*best, strict=True) if best else ((), (), ())
    return (
        torch.tensor(parent, dtype=torch.int64),
        torch.tensor(token, dtype=torch.int64),
        torch.tensor(total, dtype=log_probs.dtype),
    )


def expand(totals: Tensor, log_probs: Tensor, num_beams: int) -> tuple[Tensor, Tensor, Tensor]:
    V = log_probs.size(1)
    every = (totals[:, None] + log_probs).flatten()  # [k, 1] + [k, V] -> [k * V]
    possible = int((every > -math.inf).sum())
    total, place = every.topk(min(2 * num_beams, possible))  # [n], best first
    return place // V, place % V, total


def expand_by_sorting(
    totals: Tensor, log_probs: Tensor, num_beams: int
) -> tuple[Tensor, Tensor, Tensor]:
    every = totals.unsqueeze(1) + log_probs  # [k, V]
    parent, token = torch.nonzero(every > -math.inf, as_tuple=True)
    total = every[parent, token]
    order = total.argsort(descending=True)[: 2 * num_beams]
    return parent[order], token[order], total[order]


def prune_spec(token: Tensor, num_beams: int) -> tuple[Tensor, Tensor]:
    ended, still_open = [], []
    for place, id in enumerate(token.tolist()):
        if id == EOS_ID:
            if place < num_beams:
                ended.append(place)
        elif len(still_open) < num_beams:
            still_open.append(place)
    return torch.tensor(ended, dtype=torch.int64), torch.tensor(still_open, dtype=torch.int64)


def prune(token: Tensor, num_beams: int) -> tuple[Tensor, Tensor]:
    ends = token == EOS_ID  # [n]
    place = torch.arange(len(token))  # [n]
    return place[ends & (place < num_beams)], place[~ends][:num_beams]


def prune_by_nonzero(token: Tensor, num_beams: int) -> tuple[Tensor, Tensor]:
    ended = (token[:num_beams] == EOS_ID).nonzero().squeeze(1)
    return ended, (token != EOS_ID).nonzero()[:num_beams, 0]


def beam(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int
) -> list[tuple[list[int], float]]:
    state = model.start(src, src_lengths)  # one row
    outputs, totals, finished = [[]], torch.zeros(1), []
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])  # [k]
        log_probs, state = model.step(last, state)  # [k, V]
        parent, token, total = expand(totals, log_probs, num_beams)  # [n] each
        longer = [[*outputs[p], t] for p, t in zip(parent.tolist(), token.tolist(), strict=True)]
        ended, still_open = prune(token, num_beams)
        finished += [(longer[i], total[i].item()) for i in ended.tolist()]
        if len(still_open) == 0:
            break
        outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        state = state.select(parent[still_open])
    return sorted(finished, key=lambda output: output[1], reverse=True)


def finished_only(search: Callable) -> Callable:
    """A search as laws 5 and 6 call it, as ``search(model, src, src_lengths, k, max_len, alpha)``.

    For one sentence, and only outputs that ended: all that it found.
    """

    def for_one(
        model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
    ) -> list[Hyp]:
        (hyps,) = search(model, src, src_lengths, num_beams, max_len, ALL, alpha)
        return [hyp for hyp in hyps if hyp.tokens[-1] == EOS_ID]

    return for_one


def without_penalty(search: Callable) -> Callable:
    """A search of exercise 7.5 as ``beam`` of 7.3: no length penalty, pairs of tokens and total."""

    def pairs(
        model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int
    ) -> list[tuple[list[int], float]]:
        hyps = search(model, src, src_lengths, num_beams, max_len, 0.0)
        return [(hyp.tokens, hyp.log_prob) for hyp in hyps]

    return pairs


search_by_lists = finished_only(PlainBeam())
search_without_states = finished_only(heap_beam)


def search_by_library(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
) -> list[Hyp]:
    paths, found = Paths.start(model, src, src_lengths), Pool(1, None, Score(alpha, "plain"))
    for _ in range(max_len):
        log_probs, paths = paths.step(model)
        candidates = decoding.expand(paths, log_probs, log_probs, num_beams)
        ended, still_open = decoding.prune(candidates, num_beams)
        found.add(paths.extend(ended), finished=True)
        paths = paths.extend(still_open)
        if len(paths) == 0:
            break
    return [Hyp(hyp.tokens, hyp.log_prob, hyp.score) for hyp in found.best[0]]


def fixed_search(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
) -> list[Hyp]:
    state = model.start(src, src_lengths)
    outputs, totals, found = [[]], torch.zeros(1), []
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])
        log_probs, state = model.step(last, state)
        parent, token, total = expand(totals, log_probs, num_beams)
        longer = [[*outputs[p], t] for p, t in zip(parent.tolist(), token.tolist(), strict=True)]
        ended, still_open = prune(token, num_beams)
        for i in ended.tolist():
            log_prob = total[i].item()
            found.append(Hyp(longer[i], log_prob, log_prob / len(longer[i]) ** alpha))
        if len(still_open) == 0:
            break
        outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        state = state.select(parent[still_open])
    return sorted(found, key=lambda hyp: hyp.score, reverse=True)


def search_by_beam(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
) -> list[Hyp]:
    pairs = beam(model, src, src_lengths, num_beams, max_len)
    hyps = [Hyp(tokens, total, total / len(tokens) ** alpha) for tokens, total in pairs]
    return sorted(hyps, key=lambda hyp: -hyp.score)


beam_by_lists = without_penalty(search_by_lists)
beam_without_states = without_penalty(search_without_states)
beam_by_library = without_penalty(search_by_library)


def top_p_spec(log_probs: Tensor, p: float) -> Tensor:
    filtered = torch.full_like(log_probs, -math.inf)
    for b, row in enumerate(log_probs.exp().tolist()):
        kept, mass = [], 0.0
        for token in sorted(range(len(row)), key=lambda token: -row[token]):
            kept.append(token)
            mass += row[token]
            if mass >= p:
                break
        for token in kept:
            filtered[b, token] = log_probs[b, token] - math.log(mass)
    return filtered


def top_p(log_probs: Tensor, p: float) -> Tensor:
    ranked, order = log_probs.sort(descending=True)  # [B, V] twice
    before = ranked.exp().cumsum(-1) - ranked.exp()  # [B, V], the mass of all better tokens
    ranked = ranked.masked_fill(before >= p, -math.inf)
    filtered = torch.empty_like(log_probs).scatter(-1, order, ranked)  # back in the order of ids
    return filtered.log_softmax(-1)


def top_p_by_threshold(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp()
    ranked = probs.sort(descending=True).values
    crossing = (ranked.cumsum(1) < p).sum(1, keepdim=True)  # [B, 1], the place that crosses p
    kept = torch.where(probs >= ranked.gather(1, crossing), probs, 0.0)
    return (kept / kept.sum(1, keepdim=True)).log()


def test_patient(search: Callable) -> None:
    src, src_lengths = torch.tensor([[5, 3, EOS_ID]]), torch.tensor([3])
    a, b, c = 4, 5, 6
    by_hand = {
        (b, EOS_ID): 0.25 * 0.45,
        (a, b, EOS_ID): 0.40 * 0.34 * 0.45,
        (c, b, EOS_ID): 0.30 * 0.35 * 0.45,
        (a, c, b, EOS_ID): 0.40 * 0.36 * 0.35 * 0.45,
    }
    for alpha in (0.0, 1.0):
        found = search(four_letters(), src, src_lengths, 3, 4, alpha)
        assert sorted(tuple(hyp.tokens) for hyp in found) == sorted(by_hand)
        for hyp in found:
            log_prob = math.log(by_hand[tuple(hyp.tokens)])
            assert abs(hyp.log_prob - log_prob) < 1e-4
            assert abs(hyp.score - log_prob / len(hyp.tokens) ** alpha) < 1e-4
        assert found == sorted(found, key=lambda hyp: -hyp.score)
    model = HashModel(7, seed=1)  # it remembers all that it has read
    found = search(model, src, src_lengths, 3, 5, 0.0)
    (read_again,) = rescore(model, src, src_lengths, [[hyp.tokens for hyp in found]])
    for hyp, true in zip(found, read_again, strict=True):
        assert abs(hyp.log_prob - true.log_prob) < 1e-4


def test_patient_by_exhaustion(search: Callable) -> None:
    src, src_lengths = torch.tensor([[4, EOS_ID]]), torch.tensor([2])
    model = HashModel(6, seed=3)
    for alpha in (0.0, 0.7):
        every = decoding.exhaustive_search(
            model, src, src_lengths, max_new_tokens=4, n_best=None, length_penalty=alpha
        )[0]
        right = [hyp for hyp in every if hyp.finished]
        found = search(model, src, src_lengths, len(every), 4, alpha)  # wide enough for all
        assert [list(hyp.tokens) for hyp in found] == [hyp.tokens for hyp in right]
        for one, two in zip(found, right, strict=True):
            assert abs(one.log_prob - two.log_prob) + abs(one.score - two.score) < 1e-4
    found = search(four_letters(), src, src_lengths, 3, 4, 0.0)
    assert len(found) == 4  # b, ab, cb, acb


def width_report(sources: list[str], widths: list[int]) -> dict[int, dict[str, float]]:
    report = {}
    for k in widths:
        best = [search_letters(source, k)[0] for source in sources]
        modes = ["".join(letters_mode(source)) for source in sources]
        report[k] = {
            "log_prob": sum(log_prob for _, log_prob in best) / len(sources),
            "length": sum(len(output) for output, _ in best) / len(sources),
            "mode": sum(b[0] == mode for b, mode in zip(best, modes, strict=True)) / len(sources),
        }
    return report


def width_report_by_tensors(sources: list[str], widths: list[int]) -> dict[int, dict[str, float]]:
    def numbers(source: str, k: int) -> list[float]:
        output, log_prob = max(search_letters(source, k), key=lambda found: found[1])
        return [log_prob, len(output), tuple(output) == letters_mode(source)]

    names = ("log_prob", "length", "mode")
    return {
        k: dict(
            zip(
                names,
                torch.tensor([numbers(s, k) for s in sources], dtype=torch.float64)
                .mean(0)
                .tolist(),
                strict=True,
            )
        )
        for k in widths
    }
