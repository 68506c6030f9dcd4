"""Published ways to lose, repeat or mismeasure outputs: each changes one decision of ``PlainBeam``.

The tests of laws 5 and 6 hold more; here are those that the bug clinic of chapter 7 uses too.
"""

import torch

from seq2seq_lib.laws.plain_beam import PlainBeam
from seq2seq_lib.vocab import BOS_ID, EOS_ID


class FinishedGrowOn(PlainBeam):
    """A finished hypothesis stays in the beam and gets more words.

    https://github.com/facebookresearch/ParlAI/issues/2058
    """

    def grows_on(self, length, longest):
        return length < longest


class StopsWhenTheBestEnds(PlainBeam):
    """Stops when the top hypothesis ends; its score may still be beaten.

    https://github.com/joeynmt/joeynmt/issues/148
    """

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return ranked[0][2] == EOS_ID


class WidthShrinks(PlainBeam):
    """Each finished hypothesis takes a place for ever.

    https://github.com/callummcdougall/ARENA_2.0
    """

    def next_width(self, num_beams, num_finished):
        return max(0, num_beams - num_finished)


class SecondBestEnds(PlainBeam):
    """An EOS among the candidates k .. 2k ends a hypothesis, so one beam is not greedy.

    https://github.com/facebookresearch/fairseq/pull/54
    """

    def places_that_end(self, num_beams):
        return 2 * num_beams

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return len(finished) >= n_best


class StartsFromCopies(PlainBeam):
    """The beam starts from k equal hypotheses and finds each output k times.

    https://github.com/OpenNMT/OpenNMT-py/issues/60
    """

    def first(self, num_beams):
        return [([], 0.0)] * min(num_beams, 4)


class StateStays(PlainBeam):
    """Hypotheses move, their states do not.

    https://github.com/awslabs/sockeye/pull/731
    """

    def reorder(self, state, parents):
        return state.select(torch.arange(len(parents)) % int(parents.max() + 1))


class EndNotScored(PlainBeam):
    """The probability of ending is left out.

    https://github.com/awslabs/sockeye/issues/483
    """

    def one(self, model, state, *settings):
        self.model, self.begin = model, state
        return super().one(model, state, *settings)

    def log_prob(self, tokens, log_prob, alpha):
        if tokens[-1] != EOS_ID:
            return log_prob
        state, last = self.begin, BOS_ID
        for token in tokens:
            scores, state = self.model.step(torch.tensor([last]), state)
            last = token
        return log_prob - float(scores[0, EOS_ID])


class PenaltyUpsideDown(PlainBeam):
    """Multiplied by the penalty, so it does the reverse of what is stated.

    https://github.com/huggingface/transformers/issues/18971
    """

    def score(self, tokens, log_prob, alpha):
        return log_prob * len(tokens) ** alpha


class LengthCountsStart(PlainBeam):
    """The length counts BOS: see https://github.com/huggingface/transformers/pull/8890."""

    def score(self, tokens, log_prob, alpha):
        return log_prob / (len(tokens) + 1) ** alpha
