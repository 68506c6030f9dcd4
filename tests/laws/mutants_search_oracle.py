"""Published ways to lose, repeat or invent hypotheses: each overrides one decision of a search.

Ids B.., D.. and numbers (#) are those of the bug clinic and of the list of pitfalls.
"""

import heapq
import math

import torch
from plain_beam import Hyp, PlainBeam

from seq2seq_lib.laws import beam_search
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


class StopsWhenTheBestEnds(PlainBeam):
    """#1, B26: stops when the top hypothesis ends; its score may still be beaten.

    https://github.com/joeynmt/joeynmt/issues/148
    """

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return ranked[0][2] == EOS_ID


class BoundWithThisLength(PlainBeam):
    """#2: an open hypothesis is judged at its length now, not at the one it may reach.

    https://github.com/huggingface/transformers/pull/20901
    """

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        scores = sorted((self.score(*f, alpha) for f in finished), reverse=True)
        return len(scores) >= n_best and scores[n_best - 1] >= live[0][1] / length**alpha


class FinishedGrowOn(PlainBeam):
    """B25: a finished hypothesis stays in the beam and gets more words.

    https://github.com/facebookresearch/ParlAI/issues/2058
    """

    def grows_on(self, length, longest):
        return length < longest


class WidthShrinks(PlainBeam):
    """D15, D16: each finished hypothesis takes a place for ever.

    https://github.com/callummcdougall/ARENA_2.0
    """

    def next_width(self, num_beams, num_finished):
        return max(0, num_beams - num_finished)


class InOrderOfFinishing(PlainBeam):
    """D15: the list comes as hypotheses ended, the first is called the best.

    https://github.com/callummcdougall/ARENA_2.0
    """

    def answer(self, finished, live, n_best, alpha):
        return [self.hyp(tokens, total, alpha) for tokens, total in finished + live][:n_best]


class PenaltyUpsideDown(PlainBeam):
    """#3, D4: multiplied by the penalty, so it does the reverse of what is stated.

    https://github.com/huggingface/transformers/issues/18971
    """

    def score(self, tokens, log_prob, alpha):
        return log_prob * len(tokens) ** alpha


class StartsFromCopies(PlainBeam):
    """#9: the beam starts from k equal hypotheses and finds each output k times.

    https://github.com/OpenNMT/OpenNMT-py/issues/60
    """

    def first(self, num_beams):
        return [([], 0.0)] * min(num_beams, 4)


class FillsUp(PlainBeam):
    """#9, #10: too few hypotheses are filled up with placeholders of probability 0.

    https://github.com/facebookresearch/fairseq/issues/358
    """

    def answer(self, finished, live, n_best, alpha):
        found = super().answer(finished, live, n_best, alpha)
        return found + [Hyp([PAD_ID], -math.inf, -math.inf)] * (n_best - len(found))


class StateStays(PlainBeam):
    """#8: hypotheses move, their states do not.

    https://github.com/awslabs/sockeye/pull/731
    """

    def reorder(self, state, parents):
        return state.select(torch.arange(len(parents)) % int(parents.max() + 1))


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


class SecondBestEnds(PlainBeam):
    """#5: an EOS among the candidates k .. 2k ends a hypothesis, so one beam is not greedy.

    https://github.com/facebookresearch/fairseq/pull/54
    """

    def places_that_end(self, num_beams):
        return 2 * num_beams

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return len(finished) >= n_best


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
    "nothing without end (#9)": (NothingWithoutEnd, "if no hypothesis ends"),
    "needs enough words (#10)": (NeedsEnoughWords, "RuntimeError"),
}


# ------------------------------------------------------------------ correct, differently written


def heap_beam(model, src, lengths, num_beams, longest, n_best, alpha):
    """No states at all: each prefix is read from the start again; candidates are in a heap."""
    return [
        _heap_one(model, src[b : b + 1], lengths[b : b + 1], num_beams, longest, n_best, alpha)
        for b in range(len(src))
    ]


def _heap_one(model, src, lengths, num_beams, longest, n_best, alpha):
    beam, ended = [(0.0, ())], []
    for _ in range(longest):
        every = torch.zeros(len(beam), dtype=torch.int64)
        state = model.start(src, lengths).select(every)
        reads = [(BOS_ID, *tokens) for _, tokens in beam]
        for column in zip(*reads, strict=True):  # all prefixes have one length
            log_probs, state = model.step(torch.tensor(column), state)
        heap = [
            (-(total + log_prob), (*tokens, token))
            for (total, tokens), row in zip(beam, log_probs.tolist(), strict=True)
            for token, log_prob in enumerate(row)
            if log_prob > -math.inf
        ]
        heapq.heapify(heap)
        beam, place = [], 0
        while heap and len(beam) < num_beams:
            cost, tokens = heapq.heappop(heap)
            if tokens[-1] != EOS_ID:
                beam.append((-cost, tokens))
            elif place < num_beams:
                ended.append((-cost, tokens))
            place += 1
        if not beam or (num_beams == 1 and ended):
            beam = [] if ended else beam
            break
    hyps = [Hyp(list(t), total, total / len(t) ** alpha) for total, t in ended + beam]
    return heapq.nlargest(n_best, hyps, key=lambda h: h.score)


CORRECT = {"ours": beam_search, "plain lists": PlainBeam(), "heap, no states": heap_beam}
