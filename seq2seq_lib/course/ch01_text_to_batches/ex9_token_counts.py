"""Exercise 1.9: what letters, pieces and words of one's own text cost."""

from typing import Any

import torch

from seq2seq_lib.course.ch01_text_to_batches.ex5_apply_merges import apply_merges, learned
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, plain
from seq2seq_lib.course.judging.words import words_beside

Merges = list[tuple[str, str]]
Counts = dict[str, tuple[int, int]]
KEYS = ("letters", "pieces", "words")


def token_counts(lines: list[str], merges: list[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    words = [word for line in lines for word in line.split()]
    cuts = {
        "letters": [letter for word in words for letter in f"{word}_"],
        "pieces": [piece for word in words for piece in apply_merges(f"{word}_", merges)],
        "words": words,
    }
    return {name: (len(set(tokens)), len(tokens)) for name, tokens in cuts.items()}


def token_counts_line_by_line(lines: list[str], merges: Merges) -> Counts:
    seen: dict[str, set] = {name: set() for name in KEYS}
    total = dict.fromkeys(KEYS, 0)
    for word in " ".join(lines).split():
        cut = {"letters": list(word + "_"), "words": [word]}
        cut["pieces"] = apply_merges(word + "_", merges)
        for name, tokens in cut.items():
            seen[name].update(tokens)
            total[name] += len(tokens)
    return {name: (len(seen[name]), total[name]) for name in KEYS}


# ---------------------------------------------------------------- wrong answers


def without_marks(lines: list[str], merges: Merges) -> Counts:
    words = " ".join(lines).split()
    letters = [letter for word in words for letter in word]
    pieces = [piece for word in words for piece in apply_merges(word, merges)]
    return {
        "letters": (len(set(letters)), len(letters)),
        "pieces": (len(set(pieces)), len(pieces)),
        "words": (len(set(words)), len(words)),
    }


def with_empty_words(lines: list[str], merges: Merges) -> Counts:
    words = [word for line in lines for word in line.split(" ")]
    letters = [letter for word in words for letter in f"{word}_"]
    pieces = [piece for word in words for piece in apply_merges(f"{word}_", merges)]
    cuts = {"letters": letters, "pieces": pieces, "words": words}
    return {name: (len(set(tokens)), len(tokens)) for name, tokens in cuts.items()}


def of_types(lines: list[str], merges: Merges) -> Counts:
    """Each word once."""
    return token_counts([" ".join(dict.fromkeys(" ".join(lines).split()))], merges)


def turned(lines: list[str], merges: Merges) -> Counts:
    return {name: (total, V) for name, (V, total) in token_counts(lines, merges).items()}


def whole_table(lines: list[str], merges: Merges) -> Counts:
    """V counts every piece of the table, and not those that are in the text."""
    counts = token_counts(lines, merges)
    V = counts["letters"][0] + len(merges)
    return counts | {"pieces": (V, counts["pieces"][1])}


MUTANTS = (
    Mutant("marks_forgotten", without_marks),
    Mutant("empty_words", with_empty_words),
    Mutant("each_word_once", of_types),
    Mutant("turned", turned),
    Mutant("whole_table", whole_table),
    Mutant(
        "with_specials",
        lambda lines, merges: {n: (V + 4, t) for n, (V, t) in token_counts(lines, merges).items()},
    ),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    def word(size: int) -> str:
        letters = torch.randint(4, (size,), generator=generator).tolist()
        return "".join("abcd"[letter] for letter in letters)

    six = [("s", "i"), ("si", "x"), ("t", "y")]
    drawn = [" ".join(word(1 + n % 4) for n in range(5)) for _ in range(3)]
    table = learned([f"{w}_" for line in drawn for w in line.split()], 4)
    fed = [
        (["six sixty", "six ninety"], six),
        (["a"], []),
        (["six six", "", "  ten  "], six),
        (drawn, table),
    ]
    return [
        Probe({"lines": list(lines), "merges": list(rules)}, f"lines = {lines}, merges = {rules}")
        for lines, rules in fed
    ]


def are_three_pairs(value: Any, expected: Any) -> Problem | None:
    """A step: a dict with two numbers under each of the three names."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict):
        return "not_a_dict", {}
    if value.keys() != expected.keys():
        return "keys", {"keys": ", ".join(map(repr, value)) or "none"}
    for key, pair in value.items():
        if not isinstance(plain(pair), list | tuple) or len(pair) != 2:
            return "not_a_pair", {"key": repr(key)}
    return None


TASK = FunctionTask(spec=token_counts, probes=probes, steps=(are_three_pairs,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "1.9",
        "token_counts",
        kind="X",
        difficulty=3,
        importance=3,
        minutes=45,
        points=6,
        task=TASK,
        reference=token_counts,
        words=words_beside(__file__),
        alternatives=(token_counts_line_by_line,),
        manual=True,
    ),
)
