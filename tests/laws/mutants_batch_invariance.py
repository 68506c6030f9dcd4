"""Published ways to let a sentence depend on its batch, each rewritten here as small as it goes.

Ids B.., D.. and numbers (#) are those of the bug clinic and of the list of pitfalls.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.masks import sequence_mask

V, E, H = 11, 5, 6


class Patient(nn.Module):
    """Embedding and a GRU; the subclasses read them wrongly, or rightly in another way."""

    def __init__(self, bidirectional=False, num_layers=1, batch_first=True):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.embedding = nn.Embedding(V, E, padding_idx=0)
            self.rnn = nn.GRU(
                E, H, num_layers, batch_first=batch_first, bidirectional=bidirectional
            )

    def packed(self, src, lengths):
        packed = pack_padded_sequence(
            self.embedding(src), lengths, batch_first=True, enforce_sorted=False
        )
        outputs, state = self.rnn(packed)
        memory, _ = pad_packed_sequence(outputs, batch_first=True, total_length=src.size(1))
        return memory, state


class IgnoresLengths(Patient):
    """B20, D2, D3: the final state lies after the pads.

    https://github.com/pytorch/tutorials/issues/3643
    """

    def forward(self, src, lengths):
        outputs, state = self.rnn(self.embedding(src))
        return outputs, state.transpose(0, 1)


class LastColumn(Patient):
    """B20: ``output[:, -1]`` of a packed run is 0 for every sentence but the longest.

    https://github.com/pytorch/tutorials/issues/3643
    """

    def forward(self, src, lengths):
        memory, _ = self.packed(src, lengths)
        return memory, memory[:, -1]


class ViewOfStates(Patient):
    """B18, #17: ``h_n.view(B, -1)`` of ``[layers * directions, B, H]`` joins two sentences.

    https://github.com/timbmg/Sentence-VAE/issues/15
    """

    def __init__(self):
        super().__init__(bidirectional=True)

    def forward(self, src, lengths):
        memory, state = self.packed(src, lengths)
        return memory, state.view(len(src), -1)


class BackwardStartsInPads(Patient):
    """#16: the forward half is gathered at the last token, but the backward half ran over the pads.

    https://github.com/OpenNMT/OpenNMT-py/issues/318
    """

    def __init__(self):
        super().__init__(bidirectional=True)

    def forward(self, src, lengths):
        memory, _ = self.rnn(self.embedding(src))
        rows = torch.arange(len(src))
        return memory, torch.cat([memory[rows, lengths - 1, :H], memory[:, 0, H:]], -1)


class BatchFirstForgotten(Patient):
    """B17: the RNN runs across the batch, and the shape of its output looks right.

    https://github.com/pytorch/pytorch/issues/1538
    """

    def __init__(self):
        super().__init__(batch_first=False)

    def forward(self, src, lengths):
        memory, _ = self.rnn(self.embedding(src))
        return memory, memory[torch.arange(len(src)), lengths - 1]


class SortedAndNotBack(Patient):
    """B19: sorted by length for packing; the memory is put back into order, the state is not.

    https://github.com/IBM/pytorch-seq2seq/issues/159
    """

    def forward(self, src, lengths):
        order = lengths.argsort(descending=True)
        memory, state = self.packed(src[order], lengths[order])
        return memory[order.argsort()], state.transpose(0, 1)


class PutBackByTheOrder(Patient):
    """Sorted back by the order in place of its inverse (no thread): right by chance at times."""

    def forward(self, src, lengths):
        order = lengths.argsort(descending=True, stable=True)
        memory, state = self.packed(src[order], lengths[order])
        return memory[order], state.transpose(0, 1)[order]


class MaskOfAnotherOrder(Patient):
    """A mask for each head, laid out head by head where nn.MultiheadAttention wants row by row.

    https://github.com/ArrowLuo/CLIP4Clip/issues/22
    """

    def forward(self, src, lengths):
        (B, S), heads = src.shape, 2
        values = self.embedding(src)[:, None].expand(-1, heads, -1, -1).flatten(0, 1)  # [B*heads]
        pads = (torch.arange(S) >= lengths[:, None])[:, None].repeat(heads, S, 1)
        weights = (values @ values.mT).masked_fill(pads, -1e9).softmax(-1)
        return (weights @ values).unflatten(0, (B, heads)).transpose(1, 2).flatten(2), None


class BatchNormOverPads(Patient):
    """Statistics of the whole padded batch enter every sentence (no thread known)."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(H)

    def forward(self, src, lengths):
        memory, state = self.packed(src, lengths)
        return self.norm(memory.transpose(1, 2)).transpose(1, 2), state.transpose(0, 1)


class MeanOverPads(Patient):
    """#28: a mean over the padded width as summary of the sentence.

    https://github.com/d2l-ai/d2l-en/issues/2076 (there in the loss)
    """

    def forward(self, src, lengths):
        memory, _ = self.packed(src, lengths)
        return memory, memory.mean(1)


class Attends(Patient):
    """A decoder that attends from embedded target tokens, with a softmax to get wrong."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(6)
            self.words = nn.Embedding(13, H)
            self.out = nn.Linear(H, 13)

    def weights(self, scores, mask):
        raise NotImplementedError

    def forward(self, batch):
        memory, _ = self.packed(batch.src, batch.src_lengths)
        scores = self.words(batch.tgt_in) @ memory.transpose(1, 2)  # [B, T, S]
        mask = sequence_mask(batch.src_lengths, batch.src.size(1))
        return self.out(self.weights(scores, mask) @ memory)


class AttentionUnmasked(Attends):
    """B21: a few per cent of the weight lie on pads.

    https://github.com/pytorch/tutorials/issues/593
    """

    def weights(self, scores, mask):
        return scores.softmax(-1)


class SoftmaxOverBatch(Attends):
    """B12: the weights of a sentence and its mates sum to one.

    https://github.com/keon/seq2seq/issues/6
    """

    def weights(self, scores, mask):
        return scores.softmax(0) * mask[:, None]


class SoftmaxThenMask(Attends):
    """B21: masked after the softmax, so the rest no longer sums to one.

    https://github.com/MaximumEntropy/Seq2Seq-PyTorch/issues/6
    """

    def weights(self, scores, mask):
        return scores.softmax(-1) * mask[:, None]


class AttendsWell(Attends):
    """Correct, with a large negative number instead of -inf."""

    def weights(self, scores, mask):
        return (scores - 1e30 * ~mask[:, None]).softmax(-1)


def padded_mean_loss(batch):
    """B05, #28: divided by the padded length.

    https://github.com/d2l-ai/d2l-en/issues/2076
    """
    logits = AttendsWell()(batch)
    nll = nn.functional.cross_entropy(logits.transpose(1, 2), batch.tgt_out, reduction="none")
    return (nll * batch.tgt_mask).mean(1).sum(), batch.tgt_mask.sum()


def ends_together(src, lengths):
    """#6: the first sentence that ends stops the whole batch.

    https://github.com/OpenNMT/OpenNMT-py/issues/137
    """
    due = src.sum(1) % 5 + 1  # how long each output would be alone
    return [[3] * min(int(due.min()), int(n)) for n in due]


ENCODERS = {  # what to judge -> a part of the verdict
    "ignores lengths": (IgnoresLengths, "who reads the pads"),
    "output[:, -1]": (LastColumn, "who reads the pads"),
    "h_n.view(B, -1)": (ViewOfStates, "view or reshape"),
    "backward half starts in the pads": (BackwardStartsInPads, "who reads the pads"),
    "batch_first forgotten": (BatchFirstForgotten, "batch_first"),
    "sorted and not sorted back": (SortedAndNotBack, "sorted back"),
    "sorted back by the order itself": (PutBackByTheOrder, "sorted back"),
    "a mask of another order": (MaskOfAnotherOrder, "repeat_interleave(heads, 0)"),
    "batch norm over pads": (BatchNormOverPads, "batch norm"),
    "mean over pads": (MeanOverPads, "who reads the pads"),
}
MODELS = {
    "attention unmasked": (AttentionUnmasked, "without a mask"),
    "softmax over the batch": (SoftmaxOverBatch, "softmax"),
    "softmax, then mask": (SoftmaxThenMask, "without a mask"),
}


# ------------------------------------------------------------------ correct, differently written


class OneByOne(Patient):
    """No packing: each sentence runs alone."""

    def __init__(self):
        super().__init__(bidirectional=True, num_layers=2)

    def forward(self, src, lengths):
        memory = src.new_zeros(*src.shape, 2 * H, dtype=torch.float32)
        states = []
        for row, length in enumerate(lengths.tolist()):
            outputs, state = self.rnn(self.embedding(src[row : row + 1, :length]))
            memory[row, :length] = outputs[0]
            states.append(state[:, 0])
        return memory, torch.stack(states)


class GathersLast(Patient):
    """One direction needs no packing: the state at ``len - 1`` has not seen a pad."""

    def forward(self, src, lengths):
        outputs, _ = self.rnn(self.embedding(src))
        index = (lengths - 1)[:, None, None].expand(-1, 1, H)
        return outputs, outputs.gather(1, index).squeeze(1)


class MaskedSteps(Patient):
    """Step by step with a GRUCell; at a pad the state stays. A nest of states."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(E, H)
        with torch.no_grad():
            for parameter in self.cell.parameters():
                parameter.copy_(
                    torch.linspace(-0.6, 0.7, parameter.numel()).sin().view_as(parameter)
                )

    def forward(self, src, lengths):
        state, outputs = torch.zeros(len(src), H), []
        for t in range(src.size(1)):
            new = self.cell(self.embedding(src[:, t]), state)
            state = torch.where((t < lengths)[:, None], new, state)
            outputs.append(state)
        return torch.stack(outputs, 1), (state, [state * 2, None])


class FindsPadsById(Patient):
    """Correct as long as pads are PAD: needs ``plant_at_pads=False``."""

    def forward(self, src, lengths):
        embedded = self.embedding(src) * (src != 0)[..., None]
        return None, embedded.sum(1)


CORRECT = {"one by one": OneByOne, "gathers the last": GathersLast, "masked steps": MaskedSteps}
