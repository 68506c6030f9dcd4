"""Published ways to lose, repeat or invent hypotheses: each overrides one decision of a search.

Ids B.., D.. and numbers (#) are those of the bug clinic and of the list of pitfalls.
"""

import math

import torch

from seq2seq_lib.laws import beam_search
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam, heap_beam
from seq2seq_lib.laws.search_suspects import (
    EndNotScored,
    FinishedGrowOn,
    PenaltyUpsideDown,
    SecondBestEnds,
    StartsFromCopies,
    StateStays,
    StopsWhenTheBestEnds,
    WidthShrinks,
)
from seq2seq_lib.vocab import EOS_ID, PAD_ID


class BoundWithThisLength(PlainBeam):
    """#2: an open hypothesis is judged at its length now, not at the one it may reach.

    https://github.com/huggingface/transformers/pull/20901
    """

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        scores = sorted((self.score(*f, alpha) for f in finished), reverse=True)
        return len(scores) >= n_best and scores[n_best - 1] >= live[0][1] / length**alpha


class InOrderOfFinishing(PlainBeam):
    """D15: the list comes as hypotheses ended, the first is called the best.

    https://github.com/callummcdougall/ARENA_2.0
    """

    def answer(self, finished, live, n_best, alpha):
        return [self.hyp(tokens, total, alpha) for tokens, total in finished + live][:n_best]


class FillsUp(PlainBeam):
    """#9, #10: too few hypotheses are filled up with placeholders of probability 0.

    https://github.com/facebookresearch/fairseq/issues/358
    """

    def answer(self, finished, live, n_best, alpha):
        found = super().answer(finished, live, n_best, alpha)
        return found + [Hyp([PAD_ID], -math.inf, -math.inf)] * (n_best - len(found))


class TiledTheWrongWay(PlainBeam):
    """#7: ``repeat`` where ``repeat_interleave`` was meant: sentence b reads the source of another.

    https://github.com/IBM/pytorch-seq2seq/issues/177
    """

    def first_state(self, model, src, lengths, row, num_beams):
        tiled = model.start(src.repeat(num_beams, 1), lengths.repeat(num_beams))
        return tiled.select(torch.tensor([row * num_beams]))


class EndsTogether(PlainBeam):
    """#6: the batch is over when its shortest source has had its steps.

    https://github.com/OpenNMT/OpenNMT-py/issues/137
    """

    def __call__(self, model, src, lengths, num_beams, longest, n_best, alpha):
        longest = min(longest, int(lengths.min()) + 1)
        return super().__call__(model, src, lengths, num_beams, longest, n_best, alpha)


class NothingWithoutEnd(PlainBeam):
    """#9: hypotheses that did not end are dropped, sometimes all.

    https://github.com/OpenNMT/OpenNMT-py/issues/1345
    """

    def answer(self, finished, live, n_best, alpha):
        return super().answer(finished, [], n_best, alpha)


class NeedsEnoughWords(PlainBeam):
    """#10: ``topk(num_beams)`` over the vocabulary fails when the beam is wider.

    https://github.com/espnet/espnet/issues/4981
    """

    def rank(self, live, log_probs, num_beams):
        torch.tensor(log_probs).topk(num_beams)
        return super().rank(live, log_probs, num_beams)


class EndIsFree(PlainBeam):
    """#4: while it searches, ending costs nothing.

    https://github.com/awslabs/sockeye/issues/483
    """

    def rank(self, live, log_probs, num_beams):
        free = [[0.0 if t == EOS_ID else x for t, x in enumerate(row)] for row in log_probs]
        return super().rank(live, free, num_beams)


class EndIsFreeInTheScore(EndNotScored):
    """#4: as sockeye did it: the list is sorted by numbers without the probability of EOS."""

    def hyp(self, tokens, total, alpha):
        total = self.log_prob(tokens, total, alpha)
        return Hyp(tokens, total, self.score(tokens, total, alpha))


MUTANTS = {  # class, a part of the verdict
    "stops when the best ends (#1)": (StopsWhenTheBestEnds, "stopping when the best"),
    "bound with this length (#2)": (BoundWithThisLength, "at their present length"),
    "finished grow on (B25)": (FinishedGrowOn, "nothing after EOS"),
    "width shrinks (D15)": (WidthShrinks, "must make room"),
    "in order of finishing (D15)": (InOrderOfFinishing, "sort by score"),
    "penalty upside down (D4)": (PenaltyUpsideDown, "penalty with the wrong sign"),
    "starts from copies (#9)": (StartsFromCopies, "holds one twice"),
    "fills up (#10)": (FillsUp, "no -inf placeholders"),
    "states stay (#8)": (StateStays, "states not reordered"),
    "tiled the wrong way (#7)": (TiledTheWrongWay, "repeat_interleave"),
    "ends together (#6)": (EndsTogether, "a batch = one by one"),
    "second best ends (#5)": (SecondBestEnds, "one beam = greedy"),
    "EOS free in the search (#4)": (EndIsFree, "without EOS"),
    "EOS free in the score (#4)": (EndIsFreeInTheScore, "without EOS"),
    "nothing without end (#9)": (NothingWithoutEnd, "if no hypothesis ends"),
    "needs enough words (#10)": (NeedsEnoughWords, "RuntimeError"),
}


CORRECT = {"ours": beam_search, "plain lists": PlainBeam(), "heap, no states": heap_beam}
