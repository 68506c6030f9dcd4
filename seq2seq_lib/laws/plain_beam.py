"""Beam search in plain Python: right, slow, and with places to break.

Called as laws 5 and 6 call a search. What breaks it stands in ``search_suspects``, in the tests of
these laws and in the bug clinic of chapter 7.
"""

import heapq
import math
from typing import NamedTuple

import torch

from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


class Hyp(NamedTuple):
    """An output: its ids without BOS, EOS last if it ended; its log-probability; its score.

    A search that knows only one of the two numbers leaves the other out.
    """

    tokens: list[int]
    log_prob: float | None = None
    score: float | None = None


class PlainBeam:
    """A sentence at a time. Each method is a decision that published code got wrong."""

    def __call__(self, model, src, lengths, num_beams, longest, n_best, alpha):
        return [
            self.one(model, self.first_state(model, src, lengths, row, num_beams),
                     num_beams, longest, n_best, alpha)
            for row in range(len(src))
        ]  # fmt: skip

    def one(self, model, state, num_beams, longest, n_best, alpha):
        live, finished, width = self.first(num_beams), [], num_beams
        state = state.select(torch.zeros(len(live), dtype=torch.int64))
        for length in range(1, longest + 1):
            last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens, _ in live])
            log_probs, state = model.step(last, state)
            ranked = self.rank(live, log_probs.tolist(), num_beams)
            longer, parents = [], []
            for place, (total, parent, token) in enumerate(ranked):
                if len(longer) >= width and place >= self.places_that_end(num_beams):
                    break
                tokens = [*live[parent][0], token]
                if token == EOS_ID and not self.grows_on(length, longest):
                    if place < self.places_that_end(num_beams):
                        finished.append((tokens, total))
                elif len(longer) < width:
                    longer.append((tokens, total))
                    parents.append(parent)
            width = self.next_width(num_beams, len(finished))
            longer, parents = longer[:width], parents[:width]
            if not longer:
                live = []
                break
            live = longer
            if length < longest and self.done(
                finished, live, length, longest, n_best, alpha, ranked
            ):
                live = []  # not at their end, so no outputs
                break
            state = self.reorder(state, torch.tensor(parents))
        return self.answer(finished, live, n_best, alpha)

    def first_state(self, model, src, lengths, row, num_beams):
        return model.start(src[row : row + 1], lengths[row : row + 1])

    def first(self, num_beams):
        return [([], 0.0)]

    def rank(self, live, log_probs, num_beams):
        candidates = [
            (live[parent][1] + log_prob, parent, token)
            for parent, row in enumerate(log_probs)
            for token, log_prob in enumerate(row)
            if token not in (PAD_ID, BOS_ID) and log_prob > -1e30
        ]
        return sorted(candidates, key=lambda c: -c[0])

    def grows_on(self, length, longest):
        return False

    def places_that_end(self, num_beams):
        return num_beams

    def next_width(self, num_beams, num_finished):
        return num_beams

    def reorder(self, state, parents):
        return state.select(parents)

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        """Only if no open hypothesis can still win, at whatever length it may end."""
        if len(finished) < n_best:
            return False
        scores = sorted((self.score(*f, alpha) for f in finished), reverse=True)
        best = live[0][1]
        reachable = max(best / n**alpha for n in range(length + 1, longest + 1))
        return scores[n_best - 1] >= reachable

    def score(self, tokens, log_prob, alpha):
        return log_prob / len(tokens) ** alpha

    def log_prob(self, tokens, log_prob, alpha):
        return log_prob

    def answer(self, finished, live, n_best, alpha):
        unfinished = [] if live and live[0][0][-1:] == [EOS_ID] else live
        hyps = [self.hyp(tokens, total, alpha) for tokens, total in finished + unfinished]
        return sorted(hyps, key=lambda h: -h.score)[:n_best]

    def hyp(self, tokens, total, alpha):
        return Hyp(tokens, self.log_prob(tokens, total, alpha), self.score(tokens, total, alpha))


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
        if not beam:
            break
    hyps = [Hyp(list(t), total, total / len(t) ** alpha) for total, t in ended + beam]
    return heapq.nlargest(n_best, hyps, key=lambda h: h.score)
