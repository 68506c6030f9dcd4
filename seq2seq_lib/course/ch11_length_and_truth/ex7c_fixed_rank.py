"""Exercise 11.7c: the patient, healed."""

from typing import Any

import torch

from seq2seq_lib.course.ch11_length_and_truth import ranks
from seq2seq_lib.course.ch11_length_and_truth.patient import patient_rank
from seq2seq_lib.course.ch11_length_and_truth.ranks import Output, Ranked, fixed_rank
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, plain
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import EOS_ID

NEAR = 1e-5


def rank_spec(outputs: list[Output], prompt_length: int, alpha: float) -> Ranked:
    scored = []
    for tokens, log_prob in outputs:
        divisor = 1.0
        if alpha:
            divisor = len(tokens) ** alpha
        scored.append((tokens, log_prob / divisor))
    scored.sort(key=lambda one: -one[1])
    return scored


def no_return(*args: Any) -> None:
    fixed_rank(*args)


def worst_first(outputs: list[Output], prompt_length: int, alpha: float) -> Ranked:
    return fixed_rank(outputs, prompt_length, alpha)[::-1]


def prompt_taken_off(outputs: list[Output], prompt_length: int, alpha: float) -> Ranked:
    return [
        (tokens, log_prob / max(1, len(tokens) - prompt_length) ** alpha)
        for tokens, log_prob in outputs
    ]


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("prompt_counted", patient_rank),
    Mutant("end_not_counted", ranks.end_not_counted),
    Mutant("multiplied", ranks.multiplied),
    Mutant("no_penalty", ranks.no_penalty),
    Mutant("not_ranked_anew", ranks.not_ranked_anew),
    Mutant("worst_first", worst_first),
    Mutant("prompt_taken_off", prompt_taken_off),
)


def are_ranked(value: Any, expected: Ranked) -> Problem | None:
    """A step: pairs of the same tokens and the right scores, best first."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or not all(
        isinstance(one, list | tuple) and len(one) == 2 and isinstance(one[0], list | tuple)
        for one in value
    ):
        return "not_ranked", {}
    found = [(tuple(tokens), plain(score)) for tokens, score in value]
    if any(isinstance(s, bool) or not isinstance(s, int | float) for _, s in found):
        return "not_ranked", {}
    if sorted(tokens for tokens, _ in found) != sorted(tokens for tokens, _ in expected):
        return "other_outputs", {}
    right = dict(expected)
    for tokens, score in found:
        if abs(score - right[tokens]) > NEAR:
            facts = {"yours": describe.number(score), "right": describe.number(right[tokens])}
            return "score", facts | {"tokens": str(len(tokens))}
    scores = [score for _, score in found]
    ordered = all(a >= b - NEAR for a, b in zip(scores, scores[1:], strict=False))
    return None if ordered else ("not_sorted", {})


def probes(generator: torch.Generator) -> list[Probe]:
    """One output, an empty list, no prompt, alpha 0, and lengths whose order alpha changes."""
    fixed = [
        ([((5, 2), -2.0), ((4, 6, 5, 2), -3.0), ((2,), -2.5)], 6, 1.0),
        ([((5, 2), -2.0), ((4, 6, 5, 2), -3.0)], 0, 1.0),
        ([((2,), -1.5)], 3, 0.7),
        ([], 3, 1.0),
        ([((5, 2), -2.0), ((2,), -1.0)], 4, 0.0),
    ]
    for prompt_length, alpha in ((9, 0.6), (2, 1.3), (5, -0.5)):
        outputs = []
        for length in torch.randperm(6, generator=generator)[:4].tolist():
            pays = torch.rand(length + 1, generator=generator) + 0.2
            outputs.append(((4,) * length + (EOS_ID,), -round(pays.sum().item(), 3)))
        fixed.append((outputs, prompt_length, alpha))
    return [
        Probe(
            {"outputs": outputs, "prompt_length": prompt, "alpha": alpha},
            f"outputs = {outputs}, prompt_length = {prompt}, alpha = {alpha}",
        )
        for outputs, prompt, alpha in fixed
    ]


TASK = FunctionTask(
    spec=rank_spec,
    probes=probes,
    steps=(are_ranked,),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "11.7c",
        "fixed_rank",
        kind="D",
        difficulty=2,
        importance=5,
        minutes=5,
        points=1,
        task=TASK,
        reference=fixed_rank,
        words=words_beside(__file__),
        alternatives=(ranks.by_insertion,),
    ),
)
