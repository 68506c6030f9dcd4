"""Phrases: "the small red cat" to "le petit chat rouge".

English to French from a grammar small enough to be right everywhere: 37 nouns, 27 adjectives, 17
verbs, with gender and number agreement, adjectives before or after the noun, elision, h aspiré,
contracted articles, irregular plurals, verbs in the present tense and their negation. One English
phrase has one French answer, so the entropy floor is 0; and word order differs, so the gold
alignment crosses itself. Words are tokens, all lower case.
"""

import functools
import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from seq2seq_lib._numbers import is_integer
from seq2seq_lib.corpora.pair import Corpus, Pair
from seq2seq_lib.corpora.phrase_grammar import (
    PRONOUNS,
    NounPhrase,
    clause_pair,
    joined_pair,
    noun_phrase_pair,
    predicate_pair,
)
from seq2seq_lib.corpora.phrase_lexicon import (
    AFTER,
    ANY,
    BEFORE,
    BEINGS,
    DETERMINERS,
    INDIRECT,
    INTRANSITIVE,
    NOT_PEOPLE,
    NOUNS,
    OF,
    PEOPLE,
    POSSESSIVES,
    TRANSITIVE,
    WHERE,
    Adjective,
)
from seq2seq_lib.corpora.sampling import check_sizes, cut_splits, distinct_numbers, make_rng, pick

PHRASE_KINDS = (
    "noun_phrase",  # the small red cat
    "joined",  # the small cat of the king
    "predicate",  # the cats are not small
    "transitive",  # the small cat sees the red house
    "negated",  # the small cat does not see a red house
    "indirect",  # the cat dreams of the red house
    "intransitive",  # the cat sleeps under the table
)
_SHAPES = ("bare", "before", "after", "both")  # which adjectives a noun phrase has
_SHORT = _SHAPES[:3]  # at most one adjective
_SOME = frozenset({"some"})


class _Cell(NamedTuple):
    """A set of pairs: ``build`` applied to one choice from each list, for every combination."""

    build: Callable[..., Pair]
    choices: tuple[Sequence[Any], ...]

    def size(self) -> int:
        return math.prod(len(options) for options in self.choices)

    def pair(self, number: int) -> Pair:
        """The pair with that number, 0 to size - 1."""
        chosen = []
        for options in self.choices:
            number, place = divmod(number, len(options))
            chosen.append(options[place])
        return self.build(*chosen)


def phrases(
    num_train: int = 20_000,
    num_valid: int = 1000,
    num_test: int = 1000,
    *,
    kinds: Sequence[str] = PHRASE_KINDS,
    rare: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Corpus:
    """English phrases and short sentences to French, word by word.

    Args:
        kinds: which of ``PHRASE_KINDS`` to draw from, each as likely as the others while it lasts.
            Within a kind, each verb or preposition and each number of adjectives is as likely as
            the others.
        rare: English words that shall be rare, each with the most training pairs that may hold it;
            0 keeps a word out. Of the num_train pairs that are drawn, those with a word beyond its
            number are left out, so fewer remain. Valid and test stay as they are.

    Sources have 2 to 12 tokens. No English phrase occurs twice, so the splits are disjoint by
    source; every word of a test phrase that is not ``rare`` is common in training, its combination
    is new. An elided word is a token ("l'", "arbre"). Alignment: words that express the same part
    of the meaning, "does not" and "ne … pas", "look for" and "cherche", "of the" and "du".
    entropy_floor is 0.0. The same arguments give the same corpus everywhere, and a larger
    ``num_train`` leaves valid and test unchanged.

    Raises:
        ValueError: negative sizes, an unknown kind or none, more examples than
            ``phrases_space_size(kinds)``, a rare word that is no noun, adjective or verb of the
            phrases, or a negative number of pairs with it.
    """
    available = phrases_space_size(kinds)
    check_sizes(num_train, num_valid, num_test, available, "phrases of these kinds")
    pairs = _draw(make_rng(seed), {kind: _cells(kind) for kind in kinds})
    splits = cut_splits(lambda: next(pairs), num_train, num_valid, num_test)
    if rare:
        splits["train"] = _thinned(splits["train"], rare)
    return Corpus("phrases", **splits, entropy_floor=0.0)


def _thinned(pairs: Sequence[Pair], rare: Mapping[str, int]) -> tuple[Pair, ...]:
    """The pairs in their order, without those that hold a rare word once too often."""
    _check_rare(rare)
    left, kept = dict(rare), []
    for pair in pairs:
        words = set(pair.source) & left.keys()
        if all(left[word] > 0 for word in words):
            kept.append(pair)
            for word in words:
                left[word] -= 1
    return tuple(kept)


def _check_rare(rare: Mapping[str, int]) -> None:
    for word, most in rare.items():
        if word not in _content_words():
            raise ValueError(
                f"rare names {word!r}, which is no English noun, adjective or verb form of the "
                "phrases: corpora/phrase_lexicon.py lists them"
            )
        if not is_integer(most) or most < 0:
            raise ValueError(f"rare[{word!r}] must be a number of pairs, 0 or more, not {most!r}")


@functools.cache
def _content_words() -> frozenset[str]:
    """The English nouns, singular and plural, adjectives, and verbs in both forms."""
    words = {word for noun in NOUNS for word in (noun.english, noun.english_plural)}
    words |= {adjective.english for adjective in BEFORE + AFTER}
    for verb in TRANSITIVE + INDIRECT + INTRANSITIVE:
        words |= {verb.english, verb.english_third}
    return frozenset(words)


def phrases_space_size(kinds: Sequence[str] = PHRASE_KINDS) -> int:
    """How many different pairs the grammar can make of these kinds."""
    unknown = [kind for kind in kinds if kind not in PHRASE_KINDS]
    if unknown or not kinds or isinstance(kinds, str) or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"kinds must be one or more of {', '.join(map(repr, PHRASE_KINDS))}, each once, "
            f"but got {kinds!r}"
        )
    return sum(cell.size() for kind in kinds for cell in _cells(kind))


def _draw(rng: random.Random, kinds: dict[str, tuple[_Cell, ...]]) -> Iterator[Pair]:
    left = {
        kind: [(cell, distinct_numbers(rng, cell.size())) for cell in cells]
        for kind, cells in kinds.items()
    }
    while left:
        kind = pick(rng, list(left))
        cell, numbers = entry = pick(rng, left[kind])
        number = next(numbers, None)
        if number is not None:
            yield cell.pair(number)
            continue
        left[kind].remove(entry)
        if not left[kind]:
            del left[kind]


@functools.cache
def _cells(kind: str) -> tuple[_Cell, ...]:
    """What a kind is made of: one cell for each verb or preposition and each choice of shapes."""
    if kind == "noun_phrase":
        return tuple(_Cell(noun_phrase_pair, (_noun_phrases(shape),)) for shape in _SHAPES)
    if kind == "joined":
        return tuple(_joined_cells())
    if kind == "predicate":
        return tuple(_predicate_cells())
    return tuple(_clause_cells(kind))


def _joined_cells() -> Iterator[_Cell]:
    owned = [(preposition, ANY) for preposition in WHERE] + [(OF, NOT_PEOPLE)]
    for (preposition, kinds), one, other in itertools.product(owned, _SHORT, _SHORT):
        seconds = _after(preposition.french[-1], other, preposition.kinds)
        yield _Cell(joined_pair, (_noun_phrases(one, kinds), (preposition,), seconds))


def _predicate_cells() -> Iterator[_Cell]:
    """One cell an adjective. No "a" or "some": "a cat is small" says nothing of any cat."""
    for adjective in BEFORE + AFTER:
        if adjective.predicate:
            who = _noun_phrases("bare", adjective.kinds, frozenset({"a", "some"}))
            yield _Cell(predicate_pair, (who, (adjective,), (False, True)))
            if PEOPLE <= adjective.kinds:
                yield _Cell(predicate_pair, (("he", "she"), (adjective,), (False, True)))


def _clause_cells(kind: str) -> Iterator[_Cell]:
    subjects = [tuple(PRONOUNS), *(_noun_phrases(shape, BEINGS) for shape in _SHORT)]
    if kind == "transitive":
        for who, verb, shape in itertools.product(subjects, TRANSITIVE, _SHAPES):
            yield _Cell(clause_pair, (who, (verb,), _noun_phrases(shape, verb.objects)))
    elif kind == "negated":
        # "does not see some cats" would mean that it sees others: left out.
        for who, verb, shape in itertools.product(subjects, TRANSITIVE, _SHAPES):
            what = _noun_phrases(shape, verb.objects, _SOME)
            yield _Cell(clause_pair, (who, (verb,), what, (None,), (True,)))
    elif kind == "indirect":
        for who, verb, shape in itertools.product(subjects, INDIRECT, _SHAPES):
            what = _after(verb.preposition, shape, verb.objects)
            yield _Cell(clause_pair, (who, (verb,), what, (None,), (False, True)))
    else:
        for who, verb, place, shape in itertools.product(subjects, INTRANSITIVE, WHERE, _SHORT):
            where = _after(place.french[-1], shape, place.kinds)
            yield _Cell(clause_pair, (who, (verb,), where, (place,), (False, True)))


def _after(preposition: str, shape: str, kinds: frozenset[str]) -> tuple[NounPhrase, ...]:
    """What may follow a French preposition: no "some" after de, for de + des would be de."""
    return _noun_phrases(shape, kinds, _SOME if preposition == "de" else frozenset())


@functools.cache
def _noun_phrases(
    shape: str, kinds: frozenset[str] = ANY, without: frozenset[str] = frozenset()
) -> tuple[NounPhrase, ...]:
    """Every noun phrase of a shape, for nouns of these kinds, without these determiners."""
    return tuple(
        NounPhrase(determiner, noun, plural, before, after)
        for noun in NOUNS
        if noun.kind in kinds
        for before, after in _adjectives(shape, noun.kind)
        for determiner in DETERMINERS
        if determiner.english not in without
        and not (determiner.english in POSSESSIVES and noun.kind in ("person", "child"))
        for plural in (False, True)
        if determiner.french[2 * plural] is not None
    )


@functools.cache
def _adjectives(shape: str, kind: str) -> tuple[tuple[Adjective | None, Adjective | None], ...]:
    before = [a for a in BEFORE if kind in a.kinds] if shape in ("before", "both") else [None]
    after = [a for a in AFTER if kind in a.kinds] if shape in ("after", "both") else [None]
    return tuple((b, a) for b in before for a in after if not (b and a) or a.late)
