"""Published ways to return sensible words with the wrong numbers."""

import math
from dataclasses import replace
from itertools import pairwise

import torch

from seq2seq_lib.laws.plain_beam import PlainBeam
from seq2seq_lib.laws.search_suspects import (
    EndNotScored,
    LengthCountsStart,
    PenaltyUpsideDown,
    StateStays,
)
from seq2seq_lib.vocab import BOS_ID, PAD_ID


class NormalisedTwice(PlainBeam):
    """#3: what is called a log-probability has been divided by the penalty already.

    https://github.com/huggingface/transformers/issues/16930
    """

    def log_prob(self, tokens, log_prob, alpha):
        return log_prob / len(tokens) ** alpha


class NumbersOfAnother(PlainBeam):
    """#8: tokens follow their parents, scores do not.

    https://github.com/awslabs/sockeye/pull/731 ("matched even when reshuffled")
    """

    def answer(self, *args):
        hyps = super().answer(*args)
        totals = [hyp.log_prob for hyp in hyps]
        return [h._replace(log_prob=t) for h, t in zip(hyps, totals[1:] + totals[:1], strict=True)]


class EndedGoOnPaying(PlainBeam):
    """B25: after its end a hypothesis pays for PAD at every further step.

    https://github.com/facebookresearch/ParlAI/issues/2058
    """

    def log_prob(self, tokens, log_prob, alpha):
        return log_prob - 0.5 * (6 - len(tokens))


class SumsProbabilities(PlainBeam):
    """The step's softmax is added up, and not its logarithm."""

    def log_prob(self, tokens, log_prob, alpha):
        return float(sum(self.each(tokens).exp()))

    def one(self, model, state, *settings):
        self.model, self.begin = model, state
        return super().one(model, state, *settings)

    def each(self, tokens):
        """The log-probability of each token."""
        state, found = self.begin, []
        for last, token in pairwise([BOS_ID, *tokens]):
            scores, state = self.model.step(torch.tensor([last]), state)
            found.append(scores[0, token])
        return torch.stack(found)


class InBits(PlainBeam):
    """Logarithms to base 2."""

    def log_prob(self, tokens, log_prob, alpha):
        return log_prob / math.log(2)


class WritesTheStart(PlainBeam):
    """What is fed first is returned, too."""

    def answer(self, *args):
        return [h._replace(tokens=[BOS_ID, *h.tokens]) for h in super().answer(*args)]


class PadsAfterTheEnd(PlainBeam):
    """A row of the tensor in which outputs were collected, as it is."""

    def answer(self, *args):
        return [h._replace(tokens=[*h.tokens, PAD_ID]) for h in super().answer(*args)]


def cell_stays(model, src, lengths, *settings):
    """#8: an LSTM's h is reordered, its c is not.

    https://github.com/pytorch/translate/pull/353
    """

    class Beam(PlainBeam):
        def reorder(self, state, parents):
            moved = state.select(parents)
            stayed = state.hidden[1][torch.arange(len(parents)) % len(state.hidden[1])]
            return replace(moved, hidden=(moved.hidden[0], stayed))

    model.eval()
    return Beam()(model, src, lengths, *settings)


MUTANTS = {  # search, a part of the verdict
    "EOS not scored (#4)": (EndNotScored(), "sum without EOS"),
    "penalty upside down (D4)": (PenaltyUpsideDown(), "wrong sign"),
    "length counts BOS (#4)": (LengthCountsStart(), "counts BOS too"),
    "normalised twice (#3)": (NormalisedTwice(), "normalised already"),
    "numbers of another (#8)": (NumbersOfAnother(), "another hypothesis of the same list"),
    "ended go on paying (B25)": (EndedGoOnPaying(), "finished hypotheses must keep their number"),
    "probabilities added up": (SumsProbabilities(), "a sum of probabilities"),
    "logarithms to base 2": (InBits(), "the natural one is wanted"),
    "BOS in front": (WritesTheStart(), "BOS is fed and not written"),
    "pads after EOS": (PadsAfterTheEnd(), "what stands behind it is no part of it"),
    "states stay (#8)": (StateStays(), "reordered by the same parents"),
}
