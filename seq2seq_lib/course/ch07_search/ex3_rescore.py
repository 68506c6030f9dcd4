"""7.3 ``rescore``: the log-probability of a given output, read from the start."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib import decoding
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import is_number
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.course.letter_cards import by_prefix
from seq2seq_lib.laws import HashModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID

# ---------------------------------------------------------------- right answers


def rescore_spec(model: Any, src: Tensor, src_lengths: Tensor, tokens: list[int]) -> float:
    next_log_probs = by_prefix(model, src, src_lengths)
    return sum(next_log_probs(tuple(tokens[:t]))[tokens[t]] for t in range(len(tokens)))


def rescore(model: Any, src: Tensor, src_lengths: Tensor, tokens: list[int]) -> float:
    state, last, total = model.start(src, src_lengths), BOS_ID, 0.0
    for token in tokens:
        log_probs, state = model.step(torch.tensor([last]), state)  # [1, V]
        total += log_probs[0, token].item()
        last = token
    return total


def rescore_by_library(model: Any, src: Tensor, src_lengths: Tensor, tokens: list[int]) -> float:
    return decoding.rescore(model, src, src_lengths, [[tokens]])[0][0].log_prob


# ---------------------------------------------------------------- probes


def probes(generator: torch.Generator) -> list[Probe]:
    """``(model, src, src_lengths, tokens)``: long outputs, EOS alone, one that is cut off."""
    seeds = torch.randint(10**6, (3,), generator=generator).tolist()
    words = torch.randint(3, 7, (4,), generator=generator).tolist()
    cases = [
        (HashModel(6, seed=3), [4, 5, 3, EOS_ID]),
        (HashModel(6, seed=4), [EOS_ID]),
        (HashModel(7, seed=seeds[0]), [6, EOS_ID]),
        (HashModel(7, seed=seeds[1]), [*words, EOS_ID]),
        (HashModel(8, seed=seeds[2]), [5, 5, 4]),  # cut off: no EOS
    ]
    src = torch.tensor([[5, 3, EOS_ID]])
    return [
        Probe(
            {"model": model, "src": src, "src_lengths": torch.tensor([3]), "tokens": tokens},
            f"HashModel({model.vocab_size}, seed={model.seed}), src = {src.tolist()}, "
            f"tokens = {tokens}",
        )
        for model, tokens in cases
    ]


# ---------------------------------------------------------------- wrong answers


def reading(
    *,
    read: Callable[[list[int]], list[int]] = lambda tokens: [BOS_ID, *tokens[:-1]],
    scored: Callable[[list[int]], list[int]] = lambda tokens: tokens,
    threaded: bool = True,
    number: Callable[[list[float]], float] = sum,
) -> Callable:
    """``rescore``; each argument is a decision that can be wrong."""

    def rescore(model: Any, src: Tensor, src_lengths: Tensor, tokens: list[int]) -> float:
        state, parts = model.start(src, src_lengths), []
        for last, token in zip(read(tokens), scored(tokens), strict=False):
            log_probs, after = model.step(torch.tensor([last]), state)
            state = after if threaded else state
            parts.append(log_probs[0, token].item())
        return float(number(parts))

    return rescore


def no_return(*args: Any) -> None:
    rescore(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("end_not_scored", reading(scored=lambda tokens: [t for t in tokens if t != EOS_ID])),
    Mutant("starts_at_the_first", reading(read=lambda tokens: tokens[:-1], scored=lambda t: t[1:])),
    Mutant("reads_what_it_scores", reading(read=lambda tokens: tokens)),
    Mutant("start_scored", reading(scored=lambda tokens: [BOS_ID, *tokens])),
    Mutant("state_not_kept", reading(threaded=False)),
    Mutant("mean", reading(number=lambda parts: sum(parts) / len(parts))),
    Mutant("last_only", reading(number=lambda parts: parts[-1])),
    Mutant("probability", reading(number=lambda parts: math.exp(sum(parts)))),
    Mutant("sign", reading(number=lambda parts: -sum(parts))),
    Mutant("always_the_start", reading(read=lambda tokens: [BOS_ID] * len(tokens))),
)

# ---------------------------------------------------------------- the exercise


EXERCISES = (
    Exercise(
        "7.3",
        "rescore",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=15,
        points=3,
        task=FunctionTask(spec=rescore_spec, probes=probes, steps=(is_number,), mutants=MUTANTS),
        reference=rescore,
        alternatives=(rescore_spec, rescore_by_library),
        words=words_beside(__file__),
    ),
)
