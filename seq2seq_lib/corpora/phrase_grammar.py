"""English phrases and their French, from one structure: each function returns a checked ``Pair``.

What the French has to get right, and where it does:
- the form of the determiner: gender, number, vowel sound that follows (``_determiner``);
- the form and the place of adjectives (``_french_noun_phrase``);
- "de" for "des" before an adjective, and for "un" after a negation (``_determiner``);
- elision: l', d', n', j' (``_elide``), and which h allows it (``_vowel_sound``);
- du, des, au, aux (``_contract``);
- the person of the verb (``_person``).

A word carries the names of the parts of meaning that it expresses; source and target words that
share one are aligned.
"""

from typing import NamedTuple

from seq2seq_lib.corpora.pair import Pair
from seq2seq_lib.corpora.phrase_lexicon import (
    ASPIRATED_H,
    BE,
    MUTE_H,
    Adjective,
    Determiner,
    Noun,
    Preposition,
    Verb,
)

_Word = tuple[str, tuple[str, ...]]  # the token and the parts of meaning that it expresses
_VOWELS = "aeiouyàâéèêëîïôùûœ"
_ELIDED = {"de": "d'", "ne": "n'", "je": "j'"}
_CONTRACTED = {
    ("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux",
}  # fmt: skip

# English pronoun: French pronoun, person (place in `Verb.french`), gender or "" where it is open.
PRONOUNS = {
    "i": ("je", 0, ""),
    "he": ("il", 1, "m"),
    "she": ("elle", 1, "f"),
    "we": ("nous", 2, ""),
}


class NounPhrase(NamedTuple):
    """the (determiner) small (before) red (after) cat: one noun and what goes with it."""

    determiner: Determiner
    noun: Noun
    plural: bool
    before: Adjective | None = None
    after: Adjective | None = None


Subject = NounPhrase | str  # a str is a key of PRONOUNS


def noun_phrase_pair(phrase: NounPhrase) -> Pair:
    """The small red cat -> le petit chat rouge."""
    return _align(_english_noun_phrase(phrase, "1"), _french_noun_phrase(phrase, "1"))


def joined_pair(first: NounPhrase, preposition: Preposition, second: NounPhrase) -> Pair:
    """The cat of the king -> le chat du roi."""
    english = [
        *_english_noun_phrase(first, "1"),
        *((word, ("prep",)) for word in preposition.english),
        *_english_noun_phrase(second, "2"),
    ]
    french = _french_noun_phrase(first, "1") + _french_prepositional(preposition.french, second)
    return _align(english, french)


def clause_pair(
    subject: Subject,
    verb: Verb,
    second: NounPhrase,
    preposition: Preposition | None = None,
    negated: bool = False,
) -> Pair:
    """The cat does not see a house -> le chat ne voit pas de maison.

    Args:
        second: the object of the verb, or, with a preposition, the place: sleeps under the table.
    """
    person = _person(subject)
    third = person == 1
    if negated:
        english = [("does" if third else "do", ("not",)), ("not", ("not",)), (verb.english, ("v",))]
    else:
        english = [(verb.english_third if third else verb.english, ("v",))]
    if verb.particle:
        english.append((verb.particle, ("prep",) if verb.preposition else ("v",)))
    if preposition:
        english += [(word, ("prep",)) for word in preposition.english]

    if preposition:
        french = _french_prepositional(preposition.french, second)
    elif verb.preposition:
        french = _french_prepositional((verb.preposition,), second)
    else:
        french = _french_noun_phrase(second, "2", negated)
    return _align(
        _english_subject(subject) + english + _english_noun_phrase(second, "2"),
        _french_subject(subject) + _french_verb(verb, person, negated) + french,
    )


def predicate_pair(subject: Subject, adjective: Adjective, negated: bool = False) -> Pair:
    """The houses are red -> les maisons sont rouges."""
    person = _person(subject)
    english = [("is" if person == 1 else "are", ("v",))]
    english += [("not", ("not",))] if negated else []
    if isinstance(subject, NounPhrase):
        form = _form(adjective, subject.noun.gender, subject.plural)
    else:
        form = _form(adjective, PRONOUNS[subject][2], plural=False)
    return _align(
        [*_english_subject(subject), *english, (adjective.english, ("adj",))],
        [*_french_subject(subject), *_french_verb(BE, person, negated), (form, ("adj",))],
    )


def _align(english: list[_Word], french: list[_Word]) -> Pair:
    french = _elide(french)
    links = tuple(
        (i, j)
        for i, (_, meant) in enumerate(english)
        for j, (_, said) in enumerate(french)
        if set(meant) & set(said)
    )
    return Pair(tuple(word for word, _ in english), tuple(word for word, _ in french), links)


# English


def _english_noun_phrase(phrase: NounPhrase, tag: str) -> list[_Word]:
    noun = phrase.noun.english_plural if phrase.plural else phrase.noun.english
    adjectives = [
        (adjective.english, (f"{place}{tag}",))
        for place, adjective in (("before", phrase.before), ("after", phrase.after))
        if adjective
    ]
    words = [*adjectives, (noun, (f"noun{tag}",))]
    determiner = phrase.determiner.english
    if determiner == "a" and words[0][0] == "other":
        return [("another", (f"det{tag}", f"before{tag}")), *words[1:]]
    if determiner == "a" and words[0][0][0] in "aeiou":  # no word here is like "hour" or "unit"
        determiner = "an"
    return [(determiner, (f"det{tag}",)), *words]


def _english_subject(subject: Subject) -> list[_Word]:
    if isinstance(subject, NounPhrase):
        return _english_noun_phrase(subject, "1")
    return [(subject, ("noun1",))]


# French


def _french_noun_phrase(phrase: NounPhrase, tag: str, negated: bool = False) -> list[_Word]:
    noun, plural = phrase.noun, phrase.plural
    words = [(noun.french_plural if plural else noun.french, (f"noun{tag}",))]
    if phrase.before:
        form = _form(phrase.before, noun.gender, plural)
        if phrase.before.vowel and (noun.gender, plural) == ("m", False):
            form = phrase.before.vowel if _vowel_sound(words[0][0]) else form
        words.insert(0, (form, (f"before{tag}",)))
    if phrase.after:
        words.append((_form(phrase.after, noun.gender, plural), (f"after{tag}",)))
    return [(_determiner(phrase, words[0][0], negated), (f"det{tag}",)), *words]


def _determiner(phrase: NounPhrase, next_word: str, negated: bool) -> str:
    name = phrase.determiner.english
    if negated and name in ("a", "some"):
        return "de"  # il voit un chat, il ne voit pas de chat
    if name == "some" and phrase.before:
        return "de"  # des chats, de petits chats
    if phrase.plural:
        return phrase.determiner.french[2]
    place = "mf".index(phrase.noun.gender)
    forms = phrase.determiner.vowel if _vowel_sound(next_word) else phrase.determiner.french
    return forms[place]


def _form(adjective: Adjective, gender: str, plural: bool) -> str:
    return adjective.french["mf".index(gender) + 2 * plural]


def _french_prepositional(preposition: tuple[str, ...], phrase: NounPhrase) -> list[_Word]:
    *rest, last = preposition
    words = [(word, ("prep",)) for word in rest]
    return words + _contract((last, ("prep",)), _french_noun_phrase(phrase, "2"))


def _contract(preposition: _Word, phrase: list[_Word]) -> list[_Word]:
    """de + le = du. A noun phrase that begins with le or les begins with the article."""
    (first, said), *rest = phrase
    short = _CONTRACTED.get((preposition[0], first))
    return [(short, preposition[1] + said), *rest] if short else [preposition, *phrase]


def _french_subject(subject: Subject) -> list[_Word]:
    if isinstance(subject, NounPhrase):
        return _french_noun_phrase(subject, "1")
    return [(PRONOUNS[subject][0], ("noun1",))]


def _french_verb(verb: Verb, person: int, negated: bool) -> list[_Word]:
    form = (verb.french[person], ("v",))
    return [("ne", ("not",)), form, ("pas", ("not",))] if negated else [form]


def _person(subject: Subject) -> int:
    """The place in ``Verb.french``: je, il, nous, ils."""
    if isinstance(subject, NounPhrase):
        return 3 if subject.plural else 1
    return PRONOUNS[subject][1]


def _elide(words: list[_Word]) -> list[_Word]:
    followers = [word for word, _ in words[1:]] + [""]
    return [
        (_ELIDED[word] if word in _ELIDED and _vowel_sound(after) else word, said)
        for (word, said), after in zip(words, followers, strict=True)
    ]


def _vowel_sound(word: str) -> bool:
    """Whether the word lets the one before it elide: a vowel, or an h that the lexicon calls mute.

    An unlisted word with h is a gap in the lexicon, not a guess: KeyError.
    """
    if word.startswith("h") and word not in MUTE_H | ASPIRATED_H:
        raise KeyError(f"{word!r} is in neither MUTE_H nor ASPIRATED_H: add it to the lexicon")
    return word in MUTE_H or word[:1] in tuple(_VOWELS)
