"""Decoders whose parallel pass and single steps are two different programs, or that see the answer.

A small decoder over a bag of source words; each mutant changes one line of it.
"""

import torch
from torch import nn

from seq2seq_lib.masks import sequence_mask

V_SRC, V, H = 11, 13, 6


class Patient(nn.Module):
    """Correct: an LSTM decoder with a fixed context in every input, trained and used alike."""

    def __init__(self, bidirectional=False):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            self.source, self.words = nn.Embedding(V_SRC, H), nn.Embedding(V, H)
            self.rnn = nn.LSTM(2 * H, H, batch_first=True, bidirectional=bidirectional)
            self.out = nn.Linear((1 + bidirectional) * H, V)

    def context(self, src, lengths):
        mask = sequence_mask(lengths, src.size(1))[..., None]
        return (self.source(src) * mask).sum(1) / lengths[:, None]  # [B, H]

    def inputs(self, tokens, context):
        fixed = context[:, None].expand(-1, tokens.size(1), -1)
        return torch.cat([self.words(tokens), fixed], -1)  # [B, T, 2H]

    def read(self, batch):
        return batch.tgt_in

    def logits(self, batch):
        context = self.context(batch.src, batch.src_lengths)
        return self.out(self.rnn(self.inputs(self.read(batch), context))[0])

    def start(self, src, lengths):
        zeros = torch.zeros(1, len(src), H)
        return self.context(src, lengths), (zeros, zeros)

    def step(self, tokens, state):
        context, hidden = state
        outputs, hidden = self.rnn(self.inputs(tokens[:, None], context), hidden)
        return self.out(outputs[:, 0]), (context, hidden)

    def free_run(self, batch):
        state, steps = self.start(batch.src, batch.src_lengths), []
        tokens = batch.tgt_in[:, 0]
        for _ in range(batch.tgt_in.size(1)):
            scores, state = self.step(tokens, state)
            steps.append(scores)
            tokens = scores.argmax(-1)
        return torch.stack(steps, 1)


class ReadsTheAnswer(Patient):
    """B14: the decoder's input is its target; loss 0.000, exact match 0.000.

    https://github.com/bentrevett/pytorch-seq2seq/issues/136
    """

    def read(self, batch):
        return batch.tgt_out


class ShiftedTheWrongWay(Patient):
    """#21: the input at t is the token of t + 1.

    https://github.com/bentrevett/pytorch-seq2seq/issues/60
    """

    def read(self, batch):
        return torch.cat([batch.tgt_in[:, 1:], batch.tgt_in[:, -1:]], 1)


class BidirectionalDecoder(Patient):
    """#20: a bidirectional decoder reads the answer from its end.

    https://github.com/timbmg/Sentence-VAE/issues/22
    """

    def __init__(self):
        super().__init__(bidirectional=True)


class DropoutLeftOn(Patient):
    """B24: two runs differ. https://github.com/pytorch/tutorials/issues/208"""

    def inputs(self, tokens, context):
        return nn.functional.dropout(super().inputs(tokens, context), 0.3)


class ContextMovesAtInference(Patient):
    """The context is fixed in training and the newest state at inference.

    https://github.com/d2l-ai/d2l-en/issues/2134
    """

    def step(self, tokens, state):
        scores, (_, hidden) = super().step(tokens, state)
        return scores, (hidden[0][0], hidden)


class CellForgotten(Patient):
    """#8, #19: the LSTM's h is handed on, its c starts from zeros at every step.

    https://github.com/pytorch/translate/pull/353
    """

    def step(self, tokens, state):
        context, (h, _) = state
        return super().step(tokens, (context, (h, torch.zeros_like(h))))


class TeacherAtEvaluation(Patient):
    """B23: the reference is fed at evaluation too. https://github.com/keon/seq2seq/issues/8"""

    def free_run(self, batch):
        return self.logits(batch)


class CutWhereGoldEnds(Patient):
    """It reads no gold token, but stops each output at the length of its reference."""

    def free_run(self, batch):
        said = super().free_run(batch).argmax(-1)
        return said * batch.tgt_mask


class KnowsTheLength(Patient):
    """Positions counted from the target's end, as nobody can at inference (no thread)."""

    def logits(self, batch):
        left = batch.tgt_lengths[:, None] - torch.arange(batch.tgt_in.size(1))
        return super().logits(batch) + 0.1 * left.clamp(min=0)[..., None] * self.out.bias


class BansInOneAlone(Patient):
    """The step forbids PAD, and the one pass does not."""

    def step(self, tokens, state):
        scores, state = super().step(tokens, state)
        return scores.index_fill(1, torch.tensor([0]), float("-inf")), state


MUTANTS = {  # class, a part of the verdict
    "knows the length": (KnowsTheLength, "the target's length"),
    "bans in one alone": (BansInOneAlone, "leave it to the search"),
    "reads the answer (B14)": (ReadsTheAnswer, "loss 0.000"),
    "shifted the wrong way (#21)": (ShiftedTheWrongWay, "labels were not shifted"),
    "bidirectional decoder (#20)": (BidirectionalDecoder, "bidirectional decoder"),
    "dropout left on (B24)": (DropoutLeftOn, "dropout that is still on"),
    "context moves at inference": (ContextMovesAtInference, "context computed once"),
    "c forgotten between steps (#8)": (CellForgotten, "an LSTM's c"),
    "teacher at evaluation (B23)": (TeacherAtEvaluation, "teacher forcing at evaluation"),
    "cut where gold ends": (CutWhereGoldEnds, "the reference's length"),
}


# ------------------------------------------------------------------ correct, differently written


class RunsThePrefixAgain(Patient):
    """The state is the prefix: every step runs all of it, and gives log-probabilities."""

    def start(self, src, lengths):
        return self.context(src, lengths), torch.empty(len(src), 0, dtype=torch.int64)

    def step(self, tokens, state):
        context, prefix = state
        prefix = torch.cat([prefix, tokens[:, None]], 1)
        outputs, _ = self.rnn(self.inputs(prefix, context))
        return self.out(outputs[:, -1]).log_softmax(-1), (context, prefix)


class LoopsInTraining(Patient):
    """The parallel pass is a loop over steps, in torch's own state layout."""

    def logits(self, batch):
        state, steps = self.start(batch.src, batch.src_lengths), []
        for tokens in batch.tgt_in.unbind(1):
            scores, state = self.step(tokens, state)
            steps.append(scores)
        return torch.stack(steps, 1)


CORRECT = {
    "one LSTM call": Patient,
    "runs the prefix again": RunsThePrefixAgain,
    "loops in training": LoopsInTraining,
}
