"""Exercise 9.2: a word in pieces, by merges in the order in which they were learned."""

import torch

from seq2seq_lib.course.ch09_real_translation import ex8_merge_once
from seq2seq_lib.course.ch09_real_translation.ex8_merge_once import Pieces
from seq2seq_lib.course.ch09_real_translation.steps import is_pieces
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside

Merges = list[tuple[str, str]]
SNOW = [
    ("o", "w"), ("▁", "s"), ("n", "ow"), ("▁s", "now"), ("a", "n"), ("m", "an"), ("▁", "man"),
    ("h", "ow"), ("▁s", "how"), ("a", "l"), ("al", "l"), ("b", "all"),
]  # fmt: skip


def encode_spec(word: str, merges: Merges) -> Pieces:
    pieces = ["▁"]
    for letter in word:
        pieces.append(letter)
    for pair in merges:
        pieces = ex8_merge_once.merge_once_spec(pieces, pair)
    return pieces


def encode(word: str, merges: Merges) -> Pieces:
    pieces = ["▁", *word]
    for left, right in merges:
        joined, i = [], 0
        while i < len(pieces):
            step = 2 if pieces[i : i + 2] == [left, right] else 1
            joined.append("".join(pieces[i : i + step]))
            i += step
        pieces = joined
    return pieces


def encode_in_a_text(word: str, merges: Merges) -> Pieces:
    text = f" {' '.join('▁' + word)} "
    for left, right in merges:
        while f" {left} {right} " in text:
            text = text.replace(f" {left} {right} ", f" {left}{right} ", 1)
    return text.split()


# ---------------------------------------------------------------- wrong answers


def with_merge(merge):
    def answer(word: str, merges: Merges) -> Pieces:
        pieces = ["▁", *word]
        for pair in merges:
            pieces = merge(pieces, pair)
        return pieces

    return answer


def longest_match(word: str, merges: Merges) -> Pieces:
    known, rest, pieces = {"".join(pair) for pair in merges}, "▁" + word, []
    while rest:
        size = max(n for n in range(1, len(rest) + 1) if n == 1 or rest[:n] in known)
        pieces.append(rest[:size])
        rest = rest[size:]
    return pieces


def one_pass(word: str, merges: Merges) -> Pieces:
    pieces, joined, i = ["▁", *word], [], 0
    while i < len(pieces):
        step = 2 if tuple(pieces[i : i + 2]) in merges else 1
        joined.append("".join(pieces[i : i + step]))
        i += step
    return joined


def no_mark(word: str, merges: Merges) -> Pieces:
    pieces = list(word)
    for pair in merges:
        pieces = ex8_merge_once.merge_once_spec(pieces, pair)
    return pieces


def unknown_dropped(word: str, merges: Merges) -> Pieces:
    known = set("".join("".join(pair) for pair in merges)) | {"▁"}
    return encode("".join(letter for letter in word if letter in known), merges)


def last_first(word: str, merges: Merges) -> Pieces:
    return encode(word, merges[::-1])


def longest_merges_first(word: str, merges: Merges) -> Pieces:
    return encode(word, sorted(merges, key=lambda pair: -len(pair[0] + pair[1])))


def any_pair(word: str, merges: Merges) -> Pieces:
    pieces, i = ["▁", *word], 0
    while i < len(pieces) - 1:
        if tuple(pieces[i : i + 2]) in merges:
            pieces[i : i + 2] = ["".join(pieces[i : i + 2])]
        else:
            i += 1
    return pieces


def ends_of_pieces(word: str, merges: Merges) -> Pieces:
    text = " ".join("▁" + word)
    for left, right in merges:
        text = text.replace(f"{left} {right}", left + right)
    return text.split()


def glued_mark(word: str, merges: Merges) -> Pieces:
    pieces = ["▁" + word[:1], *word[1:]]
    for pair in merges:
        pieces = ex8_merge_once.merge_once_spec(pieces, pair)
    return pieces


MUTANTS = (
    Mutant("longest_match", longest_match),
    Mutant("one_pass", one_pass),
    Mutant("first_only", with_merge(ex8_merge_once.first_only)),
    Mutant("overlapping", with_merge(ex8_merge_once.overlapping)),
    Mutant("no_mark", no_mark),
    Mutant("unknown_dropped", unknown_dropped),
    Mutant("last_first", last_first),
    Mutant("longest_merges_first", longest_merges_first),
    Mutant("any_pair", any_pair),
    Mutant("ends_of_pieces", ends_of_pieces),
    Mutant("glued_mark", glued_mark),
    Mutant("not_pieces", lambda word, merges: " ".join(encode(word, merges))),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """The chapter's merges on words of its letters, runs of one letter, no word, no merges."""
    cases = [
        ("anow", SNOW),
        ("snowman", SNOW),
        ("snowsnow", SNOW),
        ("xsnow", SNOW),
        ("aaa", [("a", "a"), ("aa", "a")]),
        ("aaaaa", [("a", "a"), ("▁", "aa")]),
        ("", SNOW),
        ("abc", [("a", "b"), ("b", "c")]),
        ("abc", [("b", "c"), ("a", "b")]),
        ("cat", []),
        ("o", SNOW),
    ]
    for size in (4, 7, 9):
        letters = torch.randint(9, (size,), generator=generator).tolist()
        cases.append(("".join("snowmanhb"[k] for k in letters), SNOW))
    shown = {id(SNOW): "those of the chapter"}
    return [
        Probe(
            {"word": word, "merges": list(merges)},
            f"word = {word!r}; merges = {shown.get(id(merges), merges)}",
        )
        for word, merges in cases
    ]


TASK = FunctionTask(spec=encode_spec, probes=probes, steps=(is_pieces,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "9.2",
        "encode",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=encode,
        words=words_beside(__file__),
        alternatives=(encode_in_a_text,),
    ),
)
