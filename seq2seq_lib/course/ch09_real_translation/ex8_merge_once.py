"""Exercise 9.8, asked in the chapter: one merge, everywhere in a word."""

import torch

from seq2seq_lib.course.ch09_real_translation.steps import is_pieces
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside

Pieces, Pair = list[str], tuple[str, str]


def merge_once_spec(pieces: Pieces, pair: Pair) -> Pieces:
    merged, i = [], 0
    while i < len(pieces):
        if i + 1 < len(pieces) and pieces[i] == pair[0] and pieces[i + 1] == pair[1]:
            merged.append(pieces[i] + pieces[i + 1])
            i += 2
        else:
            merged.append(pieces[i])
            i += 1
    return merged


def merge_once(pieces: Pieces, pair: Pair) -> Pieces:
    merged, i = [], 0
    while i < len(pieces):
        step = 2 if tuple(pieces[i : i + 2]) == tuple(pair) else 1
        merged.append("".join(pieces[i : i + step]))
        i += step
    return merged


def merge_by_looking_back(pieces: Pieces, pair: Pair) -> Pieces:
    merged, fresh = [], False
    for piece in pieces:
        if merged and not fresh and (merged[-1], piece) == tuple(pair):
            merged[-1] += piece
            fresh = True
        else:
            merged.append(piece)
            fresh = False
    return merged


# ---------------------------------------------------------------- wrong answers


def overlapping(pieces: Pieces, pair: Pair) -> Pieces:
    merged, i = [], 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == tuple(pair):
            merged.append("".join(pair))
            i += 2 if i + 2 >= len(pieces) else 1
            if tuple(pieces[i : i + 2]) != tuple(pair) and i < len(pieces):
                i += 1
        else:
            merged.append(pieces[i])
            i += 1
    return merged


def first_only(pieces: Pieces, pair: Pair) -> Pieces:
    for i in range(len(pieces) - 1):
        if tuple(pieces[i : i + 2]) == tuple(pair):
            return [*pieces[:i], pieces[i] + pieces[i + 1], *pieces[i + 2 :]]
    return list(pieces)


def from_the_right(pieces: Pieces, pair: Pair) -> Pieces:
    back = merge_once([p[::-1] for p in reversed(pieces)], (pair[1][::-1], pair[0][::-1]))
    return [p[::-1] for p in reversed(back)]


def last_lost(pieces: Pieces, pair: Pair) -> Pieces:
    merged, i = [], 0
    while i < len(pieces) - 1:
        step = 2 if tuple(pieces[i : i + 2]) == tuple(pair) else 1
        merged.append("".join(pieces[i : i + step]))
        i += step
    return merged


def in_the_text(pieces: Pieces, pair: Pair) -> Pieces:
    return " ".join(pieces).replace(" ".join(pair), "".join(pair)).split()


def either_order(pieces: Pieces, pair: Pair) -> Pieces:
    merged, i = [], 0
    while i < len(pieces):
        step = 2 if set(pieces[i : i + 2]) == set(pair) and len(pieces[i : i + 2]) == 2 else 1
        merged.append("".join(pieces[i : i + step]))
        i += step
    return merged


def without_return(pieces: Pieces, pair: Pair) -> None:
    merge_once(pieces, pair)


def in_place(pieces: Pieces, pair: Pair) -> Pieces:
    i = 0
    while i < len(pieces) - 1:
        if tuple(pieces[i : i + 2]) == tuple(pair):
            pieces[i : i + 2] = ["".join(pair)]
        i += 1
    return pieces


MUTANTS = (
    Mutant("no_return", without_return),
    Mutant("overlapping", overlapping),
    Mutant("first_only", first_only),
    Mutant("from_the_right", from_the_right),
    Mutant("last_lost", last_lost),
    Mutant("in_the_text", in_the_text),
    Mutant("either_order", either_order),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Runs of the same piece, both orders, a pair at the very end, one piece, none."""
    fixed = [
        (list("aaa"), ("a", "a")),
        (["▁", *"snowsnow"], ("o", "w")),
        (list("abcba"), ("a", "b")),
        (["ab", "c", "a", "bc"], ("b", "c")),
        (["xa", "b"], ("a", "b")),
        (list("aaaa"), ("a", "a")),
        (["a"], ("a", "a")),
        ([], ("a", "b")),
    ]
    for length in (6, 9, 12):
        letters = torch.randint(3, (length,), generator=generator).tolist()
        word = ["abc"[k] for k in letters]
        fixed.append((word, (word[0], word[1])))
    return [
        Probe({"pieces": pieces, "pair": pair}, f"pieces = {pieces}; pair = {pair}")
        for pieces, pair in fixed
    ]


TASK = FunctionTask(spec=merge_once_spec, probes=probes, steps=(is_pieces,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "9.8",
        "merge_once",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=6,
        points=0,
        task=TASK,
        reference=merge_once,
        words=words_beside(__file__),
        alternatives=(merge_by_looking_back,),
    ),
)
