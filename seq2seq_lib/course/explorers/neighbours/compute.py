"""What two date readers answer to one date beside a longer neighbour: ours, and a careless one."""

import functools
import math
from dataclasses import dataclass

import torch

from seq2seq_lib.corpora import normalise_date_text
from seq2seq_lib.course.assets import careless_reader, date_reader
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import EOS_ID, PAD_ID

DATES = (
    "24 december 1984",
    "20 july 1969",
    "4th of august 1999",
    "wednesday, august 4, 1999",
    "1 january 2000",
    "29 february 2000",
    "9 november 1989",
    "1969/07/20",
    "july 4, 1976",
    "14 july 1989",
)
MOST = 24  # characters that a neighbour is longer
LONGEST = 40  # characters of a date that a reader types
CAP = 14  # tokens of an answer; a date has 11 with its end
READERS = {"ours": date_reader, "careless": careless_reader}


@dataclass(frozen=True)
class Answer:
    """What a model writes.

    Attributes:
        text: without the end symbol; it may be empty.
        probability: of the whole answer, as the model sees it.
        alone: what it writes if the date is alone.
    """

    text: str
    probability: float
    alone: str

    @property
    def same(self) -> bool:
        """Whether the neighbour changed nothing."""
        return self.text == self.alone


@dataclass(frozen=True)
class Result:
    """What the picture shows.

    Attributes:
        date, longer: as in ``compute``; the date as the models read it, in small letters.
        message: why there is no answer; or "".
        ours, careless: what the two models write, if there is an answer.
    """

    date: str
    longer: int
    message: str = ""
    ours: Answer | None = None
    careless: Answer | None = None


def compute(*, date: str = DATES[0], longer: int = 0) -> Result:
    """Read a date in a batch whose other row is longer by so many characters.

    Args:
        date: any text of up to 40 characters; a message in place of an answer for others.
        longer: so many PADs stand behind the date, 0 to 24.
    """
    try:
        read = "".join(normalise_date_text(date))
    except ValueError:  # nothing in it that can be seen
        return Result("", longer, f"Type a date first, such as {DATES[0]}.")
    if len(read) > LONGEST:
        words = f"That is {len(read)} characters; there is room for {LONGEST}."
        return Result(read, longer, words)
    ours, careless = (
        Answer(*answer(name, read, longer), answer(name, read, 0)[0]) for name in READERS
    )
    return Result(read, longer, "", ours, careless)


@functools.lru_cache(maxsize=2048)
def answer(name: str, text: str, pads: int) -> tuple[str, float]:
    """What greedy search writes for a text with so many PADs behind its end, and how sure it is.

    Only the length of a neighbour matters to a row: so one row with pads is the whole experiment.

    Args:
        name: ``ours`` or ``careless``.
        text: as the models read it, in small letters.
        pads: behind the end symbol.
    """
    reader = _reader(name)
    ids = [*reader.src_vocab.encode(tuple(text)), EOS_ID]
    src = torch.tensor([ids + [PAD_ID] * pads])  # [1, S]
    found = greedy_search(reader.model, src, torch.tensor([len(ids)]), max_new_tokens=CAP)
    best = found[0][0]
    return "".join(reader.tgt_vocab.decode(best.tokens)), math.exp(best.log_prob)


@functools.cache
def _reader(name: str) -> Translator:
    return READERS[name]()
