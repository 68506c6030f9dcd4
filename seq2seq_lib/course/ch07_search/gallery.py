"""Published ways to lose an output, rewritten small: each is one changed decision of a right beam.

The threads are linked in the chapter, which asks both laws about them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from seq2seq_lib.course.letter_cards import NO_SOURCE, spelt
from seq2seq_lib.laws import four_letters
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam
from seq2seq_lib.laws.search_suspects import (
    PenaltyUpsideDown,
    StartsFromCopies,
    WidthShrinks,
)
from seq2seq_lib.vocab import EOS_ID

Search = Callable[..., list[list[Hyp]]]  # as laws 5 and 6 call one


class ReturnsTheShortest(PlainBeam):
    """The search is over as soon as ``num_beams`` outputs have ended, the first to end.

    https://github.com/neulab/xnmt/pull/572
    """

    def one(self, model, state, num_beams, *settings):
        self.enough = num_beams
        return super().one(model, state, num_beams, *settings)

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return len(finished) >= self.enough


class StopsWithTheTop(PlainBeam):
    """The search is over when the most probable candidate ends; what is open is returned as it is.

    https://github.com/joeynmt/joeynmt/issues/148
    """

    def one(self, *args):
        self.left = []
        return super().one(*args)

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        self.left = live if ranked[0][2] == EOS_ID else []
        return bool(self.left)

    def answer(self, finished, live, n_best, alpha):
        return super().answer(finished, live or self.left, n_best, alpha)


@dataclass(frozen=True)
class Exhibit:
    """A published mistake and the length penalty at which the card shows it."""

    thread: str
    search: Search
    alpha: float


RIGHT = PlainBeam()
EXHIBITS = (
    Exhibit("xnmt#572", ReturnsTheShortest(), 1.0),
    Exhibit("joeynmt#148", StopsWithTheTop(), 1.0),
    Exhibit("ParlAI#2058", WidthShrinks(), 0.0),
    Exhibit("ParlAI#2047", StartsFromCopies(), 0.0),
    Exhibit("transformers#18208", PenaltyUpsideDown(), 1.0),
)


def on_the_card(search: Search, alpha: float, num_beams: int = 3) -> list[str]:
    """The best three outputs of up to four letters that a search returns for the card."""
    (found,) = search(four_letters(), *NO_SOURCE, num_beams, 4, 3, alpha)
    return [spelt(hyp.tokens) for hyp in found]
