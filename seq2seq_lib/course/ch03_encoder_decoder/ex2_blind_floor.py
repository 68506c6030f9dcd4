"""Exercise 3.2, in the chapter: the lowest loss of a decoder that never sees its source."""

import math

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, is_number
from seq2seq_lib.course.judging.words import words_beside


def blind_floor_spec(num_symbols: int, shortest: int, longest: int) -> float:
    """Every string counted: its probability, its surprise, its tokens."""
    lengths = range(shortest, longest + 1)
    entropy = tokens = 0.0
    for length in lengths:
        share = 1 / len(lengths)  # of all strings of this length together
        surprise = math.log(len(lengths)) + length * math.log(num_symbols)  # -log p of each of them
        entropy += share * surprise
        tokens += share * (length + 1)  # EOS is a token
    return entropy / tokens


def blind_floor(num_symbols: int, shortest: int, longest: int) -> float:
    mean = (shortest + longest) / 2
    entropy = math.log(longest - shortest + 1) + mean * math.log(num_symbols)  # nats a string
    return entropy / (mean + 1)


def blind_floor_by_chain(num_symbols: int, shortest: int, longest: int) -> float:
    """The same from the decoder's seat: at each position, does it end, and if not, which symbol?"""
    total, going = 0.0, 1.0  # nats; the probability that the string goes on to here
    tokens = 0.0
    for position in range(longest + 1):
        tokens += going
        left = longest - max(position, shortest) + 1  # lengths that are still possible
        ends = 1 / left if position >= shortest else 0.0
        for share in (ends, 1 - ends):
            total -= going * share * math.log(share) if share > 0 else 0.0
        going *= 1 - ends
        total += going * math.log(num_symbols)
    return total / tokens


# ---------------------------------------------------------------- wrong answers


def parts(k: int, low: int, high: int) -> tuple[float, float, float]:
    """Entropy of the lengths, of the symbols, and the mean length."""
    mean = (low + high) / 2
    return math.log(high - low + 1), mean * math.log(k), mean


def no_return(k: int, low: int, high: int) -> None:
    blind_floor(k, low, high)


def no_eos(k: int, low: int, high: int) -> float:
    of_lengths, of_symbols, mean = parts(k, low, high)
    return (of_lengths + of_symbols) / mean


def lengths_forgotten(k: int, low: int, high: int) -> float:
    _, of_symbols, mean = parts(k, low, high)
    return of_symbols / (mean + 1)


def whole_string(k: int, low: int, high: int) -> float:
    return sum(parts(k, low, high)[:2])


def mean_of_floors(k: int, low: int, high: int) -> float:
    lengths = range(low, high + 1)
    return sum(n * math.log(k) / (n + 1) for n in lengths) / len(lengths)


def all_strings(k: int, low: int, high: int) -> float:
    return math.log(sum(k**n for n in range(low, high + 1))) / ((low + high) / 2 + 1)


def longest(k: int, low: int, high: int) -> float:
    return (math.log(high - low + 1) + high * math.log(k)) / (high + 1)


def eos_charged(k: int, low: int, high: int) -> float:
    of_lengths, of_symbols, mean = parts(k, low, high)
    return (of_lengths + of_symbols + math.log(k)) / (mean + 1)


def fencepost_with_error(k: int, low: int, high: int) -> float:
    """Where there is one length only, this takes the logarithm of 0."""
    _, of_symbols, mean = parts(k, low, high)
    return (math.log(high - low) + of_symbols) / (mean + 1)


def fencepost(k: int, low: int, high: int) -> float:
    _, of_symbols, mean = parts(k, low, high)
    return (math.log(max(high - low, 1)) + of_symbols) / (mean + 1)


def whole_mean(num_symbols: int, shortest: int, longest: int) -> float:
    mean = (shortest + longest) // 2
    return (math.log(longest - shortest + 1) + mean * math.log(num_symbols)) / (mean + 1)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("log_k", lambda k, low, high: math.log(k)),
    Mutant("log_k_and_eos", lambda k, low, high: math.log(k + 1)),
    Mutant("vocabulary", lambda k, low, high: math.log(k + 4)),
    Mutant("no_eos", no_eos),
    Mutant("lengths_forgotten", lengths_forgotten),
    Mutant("bits", lambda k, low, high: blind_floor(k, low, high) / math.log(2)),
    Mutant("mean_of_floors", mean_of_floors),
    Mutant("whole_string", whole_string),
    Mutant("all_strings", all_strings),
    Mutant("longest", longest),
    Mutant("fencepost", fencepost),
    Mutant("fencepost", fencepost_with_error),
    Mutant("eos_charged", eos_charged),
    Mutant("whole_mean", whole_mean),
    Mutant("sign", lambda k, low, high: -blind_floor(k, low, high)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    k, low, more = (int(torch.randint(2, 9, (), generator=generator)) for _ in range(3))
    cases = [(3, 1, 2), (10, 3, 11), (k, low, low + more), (26, 2, 5), (4, 6, 6), (1, 1, 4)]
    return [
        Probe(dict(zip(("num_symbols", "shortest", "longest"), case, strict=True)), f"{case}")
        for case in cases
    ]


def is_finite(value: float, expected: float) -> Problem | None:
    """A step: neither infinite nor NaN."""
    return None if math.isfinite(value) else ("not_finite", {})


TASK = FunctionTask(
    spec=blind_floor_spec, probes=probes, steps=(is_number, is_finite), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "3.2",
        "blind_floor",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=blind_floor,
        words=words_beside(__file__),
        alternatives=(blind_floor_by_chain,),
    ),
)
