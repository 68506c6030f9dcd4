"""What is done to every text before it is cut into words or pieces, and when it is shown."""

import re
from collections.abc import Iterable

# What Unicode calls default ignorable, and control characters but for white space. Joiners between
# letters that are written with them are left alone.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|(?<![\u0600-\u0dff\ufb50-\ufdff\ufe70-\ufefc])[\u200c\u200d]"
)
APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")


def visible(text: str) -> str:
    """The text without the characters that nobody sees and that split words all the same.

    They come from web pages, word processors, terminals: soft hyphens, zero-width spaces, direction
    marks, variation selectors, fillers, tags, the byte order mark, control characters that are no
    white space. The zero-width non-joiner and joiner stay between letters of scripts that are
    written with them (Arabic, Indic), where they tell words apart. U+2010 and U+2011 become "-".

    Raises:
        ValueError: a lone surrogate, which is no character.
        TypeError: what is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"The text must be a string, but it is {text!r}: an empty cell of a table?")
    if text.isascii():
        return text if text.isprintable() else _UNSEEN.sub("", text)
    check_text(text)
    return _UNSEEN.sub("", text.replace("\u2010", "-").replace("\u2011", "-"))


def check_text(text: str, what: str = "The text") -> None:
    """Refuse a string that cannot be written as UTF-8.

    Raises:
        ValueError: it holds a lone surrogate; ``what`` names it in the message.
    """
    if text.isascii():
        return
    lone = re.search("[\ud800-\udfff]", text)
    if lone:
        raise ValueError(
            f"{what} holds the lone surrogate {lone[0]!a} at {lone.start()}: bytes that are "
            f"no UTF-8 were read with errors='surrogateescape'. Decode them anew."
        )


def check_list(items: Iterable[str], what: str, of: str) -> None:
    """Refuse a string in place of a list of strings: it would be read letter by letter."""
    if isinstance(items, str):
        raise TypeError(
            f"{what} must be a list of {of}, but it is the string {shortened(items)!r}."
        )


def shortened(text: str, most: int = 40) -> str:
    """At most so many characters, the last of them "…" if some are left out."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
