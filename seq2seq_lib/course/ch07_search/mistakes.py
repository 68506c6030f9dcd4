"""Mistakes that several exercises know: wrong searches, and what can be done to a right list."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.ex7_prune import prune
from seq2seq_lib.course.ch07_search.ex8_choose import choose
from seq2seq_lib.course.ch07_search.patient import patient_search
from seq2seq_lib.course.ch07_search.searches import Search, finished_only
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam
from seq2seq_lib.laws.search_suspects import (
    EndNotScored,
    FinishedGrowOn,
    LengthCountsStart,
    PenaltyUpsideDown,
    SecondBestEnds,
    StartsFromCopies,
    StateStays,
    StopsWhenTheBestEnds,
    WidthShrinks,
)
from seq2seq_lib.vocab import BOS_ID

# ---------------------------------------------------------------- what is done to a right list


def no_return(*args: Any) -> None:
    """Everything but a return."""
    sorted(map(str, args))


def lists(function: Callable) -> Callable:
    """A mistake made with the right list of 7.5c."""
    return lambda answer: lambda *args: function(answer(*args))


backwards = lists(lambda found: found[::-1])
or_none = lists(lambda found: found or None)


# ---------------------------------------------------------------- wrong searches


def plain(search: type[PlainBeam]) -> Search:
    """A broken ``PlainBeam`` as a search for one sentence."""
    return finished_only(search())


class NeverSelects(PlainBeam):
    """Hypotheses move, their states do not, and nothing else is done about it."""

    def reorder(self, state, parents):
        return state


class EachGoesOnAlone(PlainBeam):
    """Every hypothesis keeps its own best continuation: k greedy searches side by side."""

    def rank(self, live, log_probs, num_beams):
        ranked = super().rank(live, log_probs, num_beams)
        if len(live) == 1:
            return ranked
        firsts = {}
        for candidate in ranked:
            firsts.setdefault(candidate[1], candidate)
        return list(firsts.values())


class RanksTokens(PlainBeam):
    """Ranked by the last token's log-probability alone; the totals are right."""

    def rank(self, live, log_probs, num_beams):
        ranked = super().rank(live, log_probs, num_beams)
        return sorted(ranked, key=lambda c: live[c[1]][1] - c[0])


class ReadsTheStart(PlainBeam):
    """The model is fed BOS at every step, and never hears what was written."""

    def one(self, model, state, *settings):
        return super().one(_OnlyStart(model), state, *settings)


class _OnlyStart:
    def __init__(self, model):
        self.model = model

    def step(self, tokens, state):
        return self.model.step(torch.full_like(tokens, BOS_ID), state)


class OthersWords(PlainBeam):
    """Totals and states follow their parents, the words stay where they are."""

    def answer(self, finished, live, n_best, alpha):
        hyps = super().answer(finished, live, n_best, alpha)
        of_length = {}
        for hyp in hyps:
            of_length.setdefault(len(hyp.tokens), []).append(hyp.tokens)
        return [hyp._replace(tokens=of_length[len(hyp.tokens)].pop()) for hyp in hyps]


class FirstEndIsEnough(PlainBeam):
    """The search is over as soon as anything has ended."""

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return bool(finished)


def by_rows(
    *,
    longer: Callable[[list[int], int], list[int]] = lambda tokens, token: [*tokens, token],
    over: Callable[[list, list, int], bool] = lambda found, beam, k: not beam,
    kept: Callable[[list[int]], list[int]] = lambda tokens: tokens,
) -> Search:
    """The loop of ``fixed_search``; each argument is a decision that can be wrong.

    Args:
        longer: an output and its next token.
        over: whether the search is.
        kept: what is written down of an output that has ended.
    """

    def search(
        model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
    ) -> list[Hyp]:
        state, found, beam = model.start(src, src_lengths), [], [([], 0.0, 0)]
        for _ in range(max_len):
            last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens, *_ in beam])
            log_probs, state = model.step(last, state)
            totals = torch.tensor([total for _, total, _ in beam])
            chosen = zip(*(p.tolist() for p in choose(totals, log_probs, num_beams)), strict=True)
            children = [(longer(beam[row][0], token), x, row) for row, token, x in chosen]
            ended, beam = prune(children, num_beams)
            for tokens, log_prob, _ in ended:
                tokens = kept(tokens)
                found.append(Hyp(tokens, log_prob, log_prob / len(tokens) ** alpha))
            if over(found, beam, num_beams):
                break
            state = state.select(torch.tensor([row for *_, row in beam], dtype=torch.int64))
        return sorted(found, key=lambda hyp: -hyp.score)

    return search


def appended(tokens: list[int], token: int) -> list[int]:
    """Continuations share their parent's list."""
    tokens.append(token)
    return tokens


# Named as what is said of them in searches.toml and outputs.toml.
WRONG_SEARCHES: dict[str, Search] = {
    "state": plain(StateStays),
    "never_selected": plain(NeverSelects),
    "words": plain(OthersWords),
    "same_list": by_rows(longer=appended),
    "after_end": plain(FinishedGrowOn),
    "twice": plain(StartsFromCopies),
    "shrinks": plain(WidthShrinks),
    "stops_early": plain(FirstEndIsEnough),
    "stops_with_the_best": plain(StopsWhenTheBestEnds),
    "stops_when_full": by_rows(over=lambda found, beam, k: len(found) >= k or not beam),
    "nothing_open": by_rows(over=lambda *_: False),
    "late_end": plain(SecondBestEnds),
    "end_not_scored": plain(EndNotScored),
    "per_beam": plain(EachGoesOnAlone),
    "without_totals": plain(RanksTokens),
    "reads_the_start": plain(ReadsTheStart),
    "runaway": patient_search,
}

# As "same_list", but what ends is copied: by then the others have written into it.
SHARED_AND_COPIED = by_rows(longer=appended, kept=list)

# The bug clinic's: published ones, each to be caught by the test that a learner writes.
SUSPECTS: dict[str, Search] = {
    "runaway": patient_search,
    "stops_with_the_best": plain(StopsWhenTheBestEnds),
    "shrinks": plain(WidthShrinks),
    "twice": plain(StartsFromCopies),
    "state": plain(StateStays),
    "end_not_scored": plain(EndNotScored),
    "wrong_sign": plain(PenaltyUpsideDown),
    "wrong_length": plain(LengthCountsStart),
}
