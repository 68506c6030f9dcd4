"""Exercise 9.9, asked in the chapter: clipped matches and n-grams of one sentence."""

from collections import Counter

import torch

from seq2seq_lib.course.ch09_real_translation.steps import is_two_counts
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside

Words, Two = list[str], tuple[int, int]


def clipped_spec(hyp: Words, ref: Words, n: int) -> Two:
    left = [ref[i : i + n] for i in range(len(ref) - n + 1)]
    matches = ngrams = 0
    for i in range(len(hyp) - n + 1):
        ngrams += 1
        if hyp[i : i + n] in left:
            left.remove(hyp[i : i + n])
            matches += 1
    return matches, ngrams


def clipped(hyp: Words, ref: Words, n: int) -> Two:
    def count(words: Words) -> Counter:
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    ours, theirs = count(hyp), count(ref)
    return sum(min(k, theirs[ngram]) for ngram, k in ours.items()), ours.total()


def clipped_by_intersection(hyp: Words, ref: Words, n: int) -> Two:
    both = [Counter(zip(*(words[i:] for i in range(n)), strict=False)) for words in (hyp, ref)]
    return (both[0] & both[1]).total(), max(0, len(hyp) - n + 1)


# ---------------------------------------------------------------- wrong answers


def ngrams_of(words: Words, n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def no_clipping(hyp: Words, ref: Words, n: int) -> Two:
    known = ngrams_of(ref, n)
    return sum(g in known for g in ngrams_of(hyp, n)), len(ngrams_of(hyp, n))


def sets(hyp: Words, ref: Words, n: int) -> Two:
    return len(set(ngrams_of(hyp, n)) & set(ngrams_of(ref, n))), len(ngrams_of(hyp, n))


def both_sets(hyp: Words, ref: Words, n: int) -> Two:
    ours = set(ngrams_of(hyp, n))
    return len(ours & set(ngrams_of(ref, n))), len(ours)


def last_forgotten(hyp: Words, ref: Words, n: int) -> Two:
    def some(words: Words) -> Counter:
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n))

    return (some(hyp) & some(ref)).total(), some(hyp).total()


def of_the_reference(hyp: Words, ref: Words, n: int) -> Two:
    return clipped(hyp, ref, n)[0], len(ngrams_of(ref, n))


def below_zero(hyp: Words, ref: Words, n: int) -> Two:
    return clipped(hyp, ref, n)[0], len(hyp) - n + 1


def in_place(hyp: Words, ref: Words, n: int) -> Two:
    return sum(a == b for a, b in zip(ngrams_of(hyp, n), ngrams_of(ref, n), strict=False)), len(
        ngrams_of(hyp, n)
    )


def words_alone(hyp: Words, ref: Words, n: int) -> Two:
    return clipped(hyp, ref, 1)[0], clipped(hyp, ref, n)[1]


def different_ngrams(hyp: Words, ref: Words, n: int) -> Two:
    return clipped(hyp, ref, n)[0], len(set(ngrams_of(hyp, n)))


def precision_first(hyp: Words, ref: Words, n: int) -> tuple[float, int]:
    matches, ngrams = clipped(hyp, ref, n)
    return matches / max(ngrams, 1), ngrams


def a_share(hyp: Words, ref: Words, n: int) -> float:
    matches, ngrams = clipped(hyp, ref, n)
    return matches / max(ngrams, 1)


def without_gaps(hyp: Words, ref: Words, n: int) -> Two:
    ours, theirs = (Counter(map("".join, ngrams_of(words, n))) for words in (hyp, ref))
    return (ours & theirs).total(), ours.total()


MUTANTS = (
    Mutant("no_clipping", no_clipping),
    Mutant("sets", sets),
    Mutant("both_sets", both_sets),
    Mutant("last_forgotten", last_forgotten),
    Mutant("of_the_reference", of_the_reference),
    Mutant("below_zero", below_zero),
    Mutant("in_place", in_place),
    Mutant("words_alone", words_alone),
    Mutant("different_ngrams", different_ngrams),
    Mutant("precision_first", precision_first),
    Mutant("not_two", a_share),
    Mutant("without_gaps", without_gaps),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Words that repeat, other lengths on both sides, sentences shorter than n, none at all."""
    cases = [
        ("the the the cat", "the cat the mat", 1),
        ("a b a b a b", "a b c a b", 2),
        ("the cat", "the cat sits here", 3),
        ("x y z", "x y z", 3),
        ("a", "b", 1),
        ("a", "a b c d e", 3),
        ("", "a b", 1),
        ("a b c", "", 2),
        ("ab c", "a bc", 2),  # alike without the space
    ]
    drawn = [(one.split(), two.split(), n) for one, two, n in cases]
    for n in (1, 2, 3, 4):
        lengths = torch.randint(5, 12, (2,), generator=generator).tolist()
        hyp, ref = (
            ["abc"[k] for k in torch.randint(3, (length,), generator=generator).tolist()]
            for length in (lengths[0], lengths[1] + 1)
        )
        drawn.append((hyp, ref, n))
    return [
        Probe(
            {"hyp": hyp, "ref": ref, "n": n},
            f"hyp = {' '.join(hyp) or 'nothing'}; ref = {' '.join(ref) or 'nothing'}; n = {n}",
        )
        for hyp, ref, n in drawn
    ]


TASK = FunctionTask(spec=clipped_spec, probes=probes, steps=(is_two_counts,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "9.9",
        "clipped",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=6,
        points=0,
        task=TASK,
        reference=clipped,
        words=words_beside(__file__),
        alternatives=(clipped_by_intersection,),
    ),
)
