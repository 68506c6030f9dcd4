"""Exercise 1.5: a table of merges cuts a word that it has not seen."""

from collections import Counter
from collections.abc import Sequence

import torch

from seq2seq_lib.course.ch01_text_to_batches.given import MERGES
from seq2seq_lib.course.ch01_text_to_batches.steps import is_list_of_texts
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Merges = Sequence[tuple[str, str]]


def apply_merges_spec(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    while True:
        present = [pair for pair in merges if pair in list(zip(symbols, symbols[1:], strict=False))]
        if not present:
            return symbols
        left, right = present[0]  # the first in the table that occurs
        place = 0
        while place < len(symbols) - 1:
            if symbols[place] == left and symbols[place + 1] == right:
                symbols[place : place + 2] = [left + right]
            place += 1


def apply_merges(word: str, merges: Sequence[tuple[str, str]]) -> list[str]:
    rank = {tuple(pair): place for place, pair in enumerate(merges)}
    symbols = list(word)
    while True:
        neighbours = [pair for pair in zip(symbols, symbols[1:], strict=False) if pair in rank]
        if not neighbours:
            return symbols
        first = min(neighbours, key=rank.get)
        joined = []
        for symbol in symbols:
            if joined and (joined[-1], symbol) == first:
                joined[-1] += symbol
            else:
                joined.append(symbol)
        symbols = joined


def apply_merges_in_one_pass(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    for left, right in merges:
        kept = []
        for symbol in symbols:
            if symbol == right and kept and kept[-1] == left:
                kept[-1] = left + right
            else:
                kept.append(symbol)
        symbols = kept
    return symbols


# ---------------------------------------------------------------- wrong answers


def pairs_of(symbols: list[str]) -> list[tuple[str, str]]:
    return list(zip(symbols, symbols[1:], strict=False))


def leftmost(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    while found := [i for i, pair in enumerate(pairs_of(symbols)) if pair in merges]:
        symbols[found[0] : found[0] + 2] = ["".join(symbols[found[0] : found[0] + 2])]
    return symbols


def last_learnt(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    while found := [pair for pair in merges if pair in pairs_of(symbols)]:
        place = pairs_of(symbols).index(found[-1])
        symbols[place : place + 2] = ["".join(found[-1])]
    return symbols


def longest_piece(word: str, merges: Merges) -> list[str]:
    pieces, cut = {left + right for left, right in merges}, []
    while word:
        long = [n for n in range(1, len(word) + 1) if word[:n] in pieces]
        size = max(long, default=1)
        cut, word = [*cut, word[:size]], word[size:]
    return cut


def each_rule_once(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    for pair in merges:
        if pair in pairs_of(symbols):
            place = pairs_of(symbols).index(pair)
            symbols[place : place + 2] = ["".join(pair)]
    return symbols


def overlapping(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    for left, right in merges:
        joined, place, over = [], 0, False
        for place in range(len(symbols)):
            here = symbols[place : place + 2] == [left, right]
            if here:
                joined.append(left + right)
            elif not over:
                joined.append(symbols[place])
            over = here
        symbols = joined
    return symbols


def one_rule(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    present = [pair for pair in merges if pair in pairs_of(symbols)]
    return apply_merges_in_one_pass(word, present[:1])


def backwards(word: str, merges: Merges) -> list[str]:
    return apply_merges_in_one_pass(word, list(reversed(merges)))


def by_count_in_word(word: str, merges: Merges) -> list[str]:
    symbols = list(word)
    while found := [pair for pair in pairs_of(symbols) if pair in merges]:
        ((left, right), _), *_ = Counter(found).most_common()
        kept = []
        for symbol in symbols:
            if kept and symbol == right and kept[-1] == left:
                kept[-1] = left + right
            else:
                kept.append(symbol)
        symbols = kept
    return symbols


def replaces_in_the_text(word: str, merges: Merges) -> list[str]:
    """With spaces between the symbols, and replace: a rule also fits the ends of two symbols."""
    text = " ".join(word)
    for left, right in merges:
        text = text.replace(f"{left} {right}", left + right)
    return text.split()


MUTANTS = (
    Mutant("not_a_list", lambda word, merges: "".join(apply_merges(word, merges))),
    Mutant("not_a_list", lambda word, merges: " ".join(apply_merges(word, merges))),
    Mutant("leftmost", leftmost),
    Mutant("last_learnt", last_learnt),
    Mutant("longest_piece", longest_piece),
    Mutant("each_rule_once", each_rule_once),
    Mutant("overlapping", overlapping),
    Mutant("one_rule", one_rule),
    Mutant("backwards", backwards),
    Mutant("by_count", by_count_in_word),
    Mutant("letters_alone", lambda word, merges: list(word)),
    Mutant("parts_of_symbols", replaces_in_the_text),
    Mutant("set_of_pieces", lambda word, merges: list(dict.fromkeys(apply_merges(word, merges)))),
)


# ---------------------------------------------------------------- the exercise


def learned(words: list[str], count: int) -> list[tuple[str, str]]:
    """A table as it is learned: pairs of what is there already, the most frequent first."""
    cut, table = [list(word) for word in words], []
    for _ in range(count):
        counts = Counter(pair for symbols in cut for pair in pairs_of(symbols))
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        table.append(best)
        cut = [apply_merges_in_one_pass("".join(symbols), table) for symbols in cut]
    return table


def probes(generator: torch.Generator) -> list[Probe]:
    def word(size: int) -> str:
        letters = torch.randint(3, (size,), generator=generator).tolist()
        return "".join("abc"[letter] for letter in letters)

    table = learned([word(12) for _ in range(6)], 6)
    six = list(MERGES)
    fed: list[tuple[str, list]] = [
        ("ten", [("e", "n"), ("t", "e")]),
        ("abcab", [("b", "c"), ("a", "b"), ("a", "bc")]),
        ("abab", [("a", "b")]),
        ("aaa", [("a", "a")]),
        ("abcbc", [("a", "b"), ("b", "c")]),
        ("abcab", [("a", "b"), ("b", "c")]),
        ("sixteenth_", six),
        ("ababbc", [("b", "c"), ("a", "b")]),
        ("bcbcab", [("a", "b"), ("b", "c")]),
        *((word(9), table) for _ in range(4)),
        ("a", [("a", "b")]),
        ("cba", []),
        ("", [("a", "b")]),
    ]
    return [
        Probe({"word": text, "merges": list(rules)}, f"word = {text!r}, merges = {rules}")
        for text, rules in fed
    ]


def what_is_odd(probe: Probe, value: list[str], expected: list[str]) -> Problem | None:
    """Pieces that are not the word, or nothing."""
    joined, word = "".join(value), probe.args["word"]
    if joined != word:
        return "other_letters", {"joined": repr(joined), "word": repr(word)}
    if "" in value:
        return "empty_piece", {}
    if len(value) == 1 < len(expected):
        return "not_cut", {}
    return None


TASK = FunctionTask(
    spec=apply_merges_spec,
    probes=probes,
    steps=(is_list_of_texts,),
    mutants=MUTANTS,
    explain=what_is_odd,
)
EXERCISES = (
    Exercise(
        "1.5",
        "apply_merges",
        kind="I",
        difficulty=3,
        importance=3,
        minutes=15,
        points=4,
        task=TASK,
        reference=apply_merges,
        words=words_beside(__file__),
        alternatives=(apply_merges_in_one_pass,),
    ),
)
