"""What the translation box answers: a translation, or why there is none."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seq2seq_lib.course.explorers.kit.svg import isolated
from seq2seq_lib.translate import Translation, Translator

MAX_TOKENS = 40  # of the source: a grid of more does not fit a screen
MAX_READ = 200  # of the source: more take too long
MAX_LABEL = 16  # characters that are drawn of one token
ZERO_WIDTH_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Answer:
    """What the box shows: a translation, or why there is none."""

    text: str
    translation: Translation | None
    message: str


def compute(translator: Translator, text: str) -> Answer:
    """Translate one text; a message instead of an exception for an empty or a too long one."""
    if not text.strip():
        return Answer(text, None, "Type something first: the box is empty.")
    source = translator.tokenize(text)
    if not source:
        return Answer(text, None, "There is nothing in it that the model could read.")
    if len(source) > MAX_READ:
        return Answer(text, None, f"That is {_count(source)}; the box reads {MAX_READ}.")
    # the search stops when no longer output could win: the nearer the limit, the sooner it knows
    (translation,) = translator([text], max_new_tokens=2 * len(source) + 10)
    messages = []
    if len(source) > MAX_TOKENS:
        translation = replace(translation, attention=None)
        messages.append(f"No grid: that is {_count(source)}, it has room for {MAX_TOKENS}.")
    if translation.unknown:
        unknown = ", ".join(
            f"“{isolated(label_of(token))}”" for token in dict.fromkeys(translation.unknown)
        )
        messages.append(f"Never seen in training, read as unknown: {unknown}.")
    if not translation.finished:
        messages.append("The answer did not end and was cut.")
    return Answer(text, translation, " ".join(messages))


def _count(tokens: Sequence[str]) -> str:
    """How many there are, and of what: a model reads characters or words."""
    characters = all(len(token) == 1 for token in tokens)
    return f"{len(tokens)} {'characters' if characters else 'words'}"


def label_of(token: str) -> str:
    """How a token is written, in the grid and in messages."""
    if not token.strip():
        return "␣"
    # a control character would be invisible, or turn the rest of the line round; within a longer
    # token two of them join letters
    joins = ZERO_WIDTH_JOINERS if len(token) > 1 else ""
    hidden = {c for c in token if unicodedata.category(c) in ("Cc", "Cf") and c not in joins}
    token = "".join(f"U+{ord(c):04X}" if c in hidden else c for c in token)
    return token if len(token) <= MAX_LABEL else token[: MAX_LABEL - 1] + "…"
