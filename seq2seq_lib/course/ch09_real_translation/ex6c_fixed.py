"""Exercise 9.6c: the patient healed, a score of the whole corpus."""

import math
from collections import Counter

import torch

from seq2seq_lib.course.ch09_real_translation import scores
from seq2seq_lib.course.ch09_real_translation.patient import patient_score
from seq2seq_lib.course.ch09_real_translation.steps import is_number
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside

Lines = list[str]


def fixed_score(hypotheses: Lines, references: Lines) -> float:
    matches, ngrams, c, r = [0] * 4, [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        hyp, ref = hypothesis.split(), reference.split()
        for n in range(1, 5):
            ours = Counter(tuple(hyp[i : i + n]) for i in range(len(hyp) - n + 1))
            theirs = Counter(tuple(ref[i : i + n]) for i in range(len(ref) - n + 1))
            matches[n - 1] += (ours & theirs).total()  # clipped
            ngrams[n - 1] += ours.total()
        c += len(hyp)
        r += len(ref)
    if not matches[0]:
        return 0.0
    shares = [matches[0] / c]
    for n in range(2, 5):
        shares.append((matches[n - 1] + 1) / (ngrams[n - 1] + 1))
    penalty = min(1.0, math.exp(1 - r / c))
    return 100 * penalty * math.prod(shares) ** (1 / 4)


# ---------------------------------------------------------------- wrong answers


def with_counts(change):
    """A right score of counts that are not the right ones."""

    def answer(hypotheses: Lines, references: Lines) -> float:
        matches, ngrams, c, r = scores.counted(hypotheses, references)
        return scores.combine(*change(matches, ngrams, c, r, hypotheses, references))

    return answer


def from_all_words(matches, ngrams, c, r, hypotheses, references):
    return matches, [c - n for n in range(4)], c, r  # as if the corpus were one long line


def longest_line(matches, ngrams, c, r, hypotheses, references):
    longest = max(len(h.split()) for h in hypotheses)
    return matches, [max(0, longest - n) for n in range(4)], c, r


def of_the_references(matches, ngrams, c, r, hypotheses, references):
    return matches, scores.counted(references, references)[1], c, r


def no_smoothing(hypotheses: Lines, references: Lines) -> float:
    matches, ngrams, c, r = scores.counted(hypotheses, references)
    shares = [m / t if t else 0.0 for m, t in zip(matches, ngrams, strict=True)]
    penalty = min(1.0, math.exp(1 - r / c)) if c else 0.0
    return 100 * penalty * math.prod(shares) ** 0.25


def one_for_each_line(hypotheses: Lines, references: Lines) -> float:
    matches, ngrams, c, r = scores.counted(hypotheses, references)
    more = len(hypotheses) - 1
    both = ([x[0]] + [y + more for y in x[1:]] for x in (matches, ngrams))
    return scores.combine(*both, c, r)


def capped(hypotheses: Lines, references: Lines) -> float:
    return min(100.0, patient_score(hypotheses, references))


MUTANTS = (
    Mutant("last_line", patient_score),
    Mutant("capped", capped),
    Mutant("mean_of_lines", scores.mean_of_lines),
    Mutant("one_long_line", with_counts(from_all_words)),
    Mutant("longest_line", with_counts(longest_line)),
    Mutant("of_the_references", with_counts(of_the_references)),
    Mutant("no_smoothing", no_smoothing),
    Mutant("one_for_each_line", one_for_each_line),
    Mutant("no_penalty", scores.no_penalty),
    Mutant("exchanged", lambda hypotheses, references: fixed_score(references, hypotheses)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Short lines last, empty ones, one line, no match at all, lines that are too long."""
    cases = [
        (["a b c d e f", "a b"], ["a b c d x f", "a b c"]),
        (["a b c d e", "x", "a b c"], ["a b c d e", "y z", "a b d"]),
        (["a b c"], ["a b c"]),
        (["x"], ["a b"]),
        (["a b c d", ""], ["a b c d e", "a"]),
        (["", "a b c d e f g"], ["a", "a b c d"]),
    ]
    for count in (3, 5):
        both: tuple[list[str], list[str]] = [], []
        for _ in range(count):
            for side in both:
                size = int(torch.randint(1, 9, (), generator=generator))
                words = torch.randint(4, (size,), generator=generator).tolist()
                side.append(" ".join("abcd"[k] for k in words))
        cases.append(both)
    return [
        Probe({"hypotheses": h, "references": r}, f"hypotheses = {h}; references = {r}")
        for h, r in cases
    ]


TASK = FunctionTask(spec=scores.right_by_rows, probes=probes, steps=(is_number,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "9.6c",
        "fixed_score",
        kind="D",
        difficulty=2,
        importance=5,
        minutes=8,
        points=2,
        task=TASK,
        reference=fixed_score,
        words=words_beside(__file__),
        alternatives=(scores.right_score,),
    ),
)
