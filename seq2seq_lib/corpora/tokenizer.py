"""Text to tokens and back, for the European languages of the course, with one regular expression.

Small on purpose: no model, no download, one rule for all languages, and a learner can read what it
does. It is not the Moses tokenizer, so compute BLEU on *detokenised* text (sacreBLEU tokenises by
itself).
"""

import re
import unicodedata
from collections.abc import Sequence

from seq2seq_lib._text import APOSTROPHES, check_list, visible

_LETTER = r"[\w\u0300-\u036f]"  # an accent that has no precomposed letter stays on its letter
_SUFFIX = rf"'(?:s|m|re|ve|ll|d)(?!{_LETTER})"
_TOKEN = re.compile(
    rf"""
      (?<!{_LETTER})(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?={_LETTER})  # l' of l'arbre
    | (?<={_LETTER}){_SUFFIX}                                       # 's of man's, 're of they're
    | \d+(?:[.,:/]\d+)+(?!{_LETTER})                                # 3.5   1,000   10:30   1/2
    | {_LETTER}+(?:-{_LETTER}+|(?!{_SUFFIX})'{_LETTER}+)*           # word   t-shirt   don't
    | \.\.+ | --+                                                   # ...   --
    | \S                                                            # any other sign, alone
    """,
    re.VERBOSE | re.IGNORECASE,
)

_GLUED_LEFT = set(".,;:!?)]}%…”’/")
_GLUED_RIGHT = set("([{¿¡„#$@/")


def tokenize(text: str, lowercase: bool = True) -> list[str]:
    """Split a line into words, numbers and punctuation.

    The text is first brought to Unicode NFC (so that "é" is one character however it was typed)
    and, with ``lowercase``, to lower case; typographic apostrophes become "'". Then
    - a French elision is a token of its own, apostrophe included: "l'arbre" -> "l'", "arbre";
    - so is an English ending: "man's" -> "man", "'s"; "don't" and "aujourd'hui" stay whole;
    - a hyphen inside a word belongs to it ("t-shirt", "est-ce"), a sign inside a number too
      ("1,000", "10:30");
    - any other sign is a token; white space, of any kind, is none;
    - characters that nobody sees (soft hyphen, zero-width space and joiner, byte order mark,
      direction marks) are dropped, and the hyphen that forbids a line break becomes "-".

    >>> tokenize("L'arbre d'aujourd'hui: the man's 3.5 T-shirts aren't red.")
    ["l'", 'arbre', "d'", "aujourd'hui", ':', 'the', 'man', "'s", '3.5', 't-shirts', "aren't",\
 'red', '.']

    Returns:
        a list of strings, empty for a blank line. ``detokenize`` is the way back.

    Raises:
        TypeError: what is no string.
    """
    text = visible(text)
    if lowercase:
        text = text.lower()
    return _TOKEN.findall(unicodedata.normalize("NFC", text).translate(APOSTROPHES))


def detokenize(tokens: Sequence[str]) -> str:
    """Tokens to a readable line: the reverse of ``tokenize``, but for white space and case.

    ``tokenize(detokenize(tokens)) == tokens`` for what ``tokenize`` makes of ordinary text. The
    original spacing is guessed: none before closing punctuation, none after an opening bracket or
    an elision, straight quotes in turn opening and closing. Spaces that French sets before "?",
    "!" and ":" are not restored.

    >>> detokenize(["l'", "arbre", ",", '"', "oui", '"', "!"])
    'l\\'arbre, "oui"!'

    Raises:
        TypeError: a string in place of a list.
    """
    check_list(tokens, "tokens", "tokens")
    text, glue, open_quotes = "", True, set()
    for place, token in enumerate(tokens):
        left, right = token in _GLUED_LEFT or token.startswith(".."), token in _GLUED_RIGHT
        if token in ('"', "'", "“"):
            # “ opens in English and closes what „ opened in German.
            closes = ("„" if token == "“" else token) in open_quotes
            # A lone ' with no partner is the genitive of "the dogs' ball".
            closes = closes or (token == "'" and "'" not in tokens[place + 1 :])
            left, right = closes, not closes
            open_quotes ^= {"„" if closes and token == "“" else token}
        elif token == "„":
            open_quotes.add(token)
        elif _is_elision(token):
            right = True
        elif re.fullmatch(_SUFFIX, token, re.IGNORECASE):
            left = True
        text += token if glue or left else " " + token
        glue = right
    return text


def _is_elision(token: str) -> bool:
    return len(token) > 1 and token.endswith("'") and token[:-1].isalpha()


def bare_sentence(text: str) -> str:
    """The letters and digits of a sentence, in words: what tells two sentences apart.

    "Run!", "Run." and "run" are one sentence. A text without a letter or digit is itself.
    """
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())) or text
