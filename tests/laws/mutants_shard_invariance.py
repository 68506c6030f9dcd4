"""Published ways to combine micro-batches or ranks, each wrong as soon as they differ in tokens."""

import torch
import torch.nn.functional as F
from torch import nn

from seq2seq_lib.batching import Batch
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.training import teacher_forced_loss, train_step

V_SRC, V, H = 11, 13, 4


class Model(nn.Module):
    """A bag of source words and the last target word: no more is needed to weigh tokens."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(8)
            self.source, self.words = nn.Embedding(V_SRC, H), nn.Embedding(V, H)
            self.out = nn.Linear(H, V)

    def forward(self, batch, teacher_forcing_ratio=1.0):
        mask = sequence_mask(batch.src_lengths, batch.src.size(1))[..., None]
        context = (self.source(batch.src) * mask).sum(1) / batch.src_lengths[:, None]
        return self.out(torch.tanh(self.words(batch.tgt_in) + context[:, None]))


MODEL = Model()
PARAMETERS = list(MODEL.parameters())


def nll(batch):
    """[B, T], 0 at pads."""
    losses = F.cross_entropy(MODEL(batch).transpose(1, 2), batch.tgt_out, reduction="none")
    return losses.masked_fill(~batch.tgt_mask, 0.0)


def tokens(batch):
    return batch.tgt_lengths.sum()


def mean(batch):
    return nll(batch).sum() / tokens(batch).clamp(min=1)


def update(loss):
    return loss.detach(), torch.autograd.grad(loss, PARAMETERS)


def mean_of_means(shards):
    """#29: each micro-batch's mean is divided by their number.

    https://github.com/huggingface/transformers/issues/35203
    """
    return update(sum(mean(shard) for shard in shards) / len(shards))


def sum_of_means(shards):
    """D22: the division by ``accum_iter`` is commented out.

    https://github.com/harvardnlp/annotated-transformer
    """
    return update(sum(mean(shard) for shard in shards))


def weighed_by_sentences(shards):
    """D21: weights count sentences, losses are means over tokens.

    https://github.com/bastings/annotated_encoder_decoder
    """
    total = sum(len(shard) for shard in shards)
    return update(sum(mean(shard) * len(shard) / total for shard in shards))


def cleared_in_the_loop(shards):
    """``zero_grad`` inside the loop over micro-batches: only the last one counts (no thread)."""
    window = sum(tokens(shard) for shard in shards)
    for shard in shards:
        MODEL.zero_grad()
        (nll(shard).sum() / tokens(shard).clamp(min=1)).backward()
    total = sum(nll(shard).sum() for shard in shards).detach()
    return total / window, [p.grad for p in PARAMETERS]


def returned_in_the_loop(shards):
    """The step is indented too far: it is over after the first shard."""
    for shard in shards:
        return update(mean(shard))


def padded_cells(shards):
    """B05: divided by cells, pads counted, so the answer depends on how far a shard is padded.

    https://github.com/d2l-ai/d2l-en/issues/2076
    """
    cells = sum(shard.tgt_out.numel() for shard in shards)
    return update(sum(nll(shard).sum() for shard in shards) / cells)


def averaged_ranks(shards):
    """#29: sums over all tokens are right, but ranks average gradients: 1 / ranks too small.

    https://github.com/huggingface/transformers/pull/34373
    """
    window = sum(tokens(shard) for shard in shards)
    grads = [update(nll(shard).sum() / window)[1] for shard in shards]
    averaged = [torch.stack(parts).mean(0) for parts in zip(*grads, strict=True)]
    return sum(nll(shard).sum() for shard in shards) / window, averaged


def one_not_synchronised(shards):
    """A parameter that the ranks do not exchange, such as one that DDP was told to ignore."""
    window = sum(tokens(shard) for shard in shards)
    grads = [update(nll(shard).sum() / window)[1] for shard in shards]
    summed = [sum(parts) for parts in zip(*grads, strict=True)]
    return sum(nll(shard).sum() for shard in shards) / window, [*summed[:-1], grads[-1][-1]]


def singles_skipped(shards):
    """A shard of one sentence is passed over, as some losses are nan for it."""
    kept = [shard for shard in shards if len(shard) > 1]
    if not kept:
        return torch.zeros(()), [torch.zeros_like(p) for p in PARAMETERS]
    return update(sum(nll(s).sum() for s in kept) / sum(tokens(s) for s in kept))


def clipped_in_the_loop(shards):
    """Clipping belongs behind the loop: here it scales what came before once more."""
    MODEL.zero_grad()
    window = sum(tokens(shard) for shard in shards)
    for shard in shards:
        (nll(shard).sum() / window).backward()
        torch.nn.utils.clip_grad_norm_(PARAMETERS, 0.05)
    total = sum(nll(shard).sum() for shard in shards).detach()
    return total / window, [p.grad for p in PARAMETERS]


def backward_of_the_last(shards):
    """The loop overwrites its loss, and goes backward behind it."""
    window = sum(tokens(shard) for shard in shards)
    return update([nll(shard).sum() / window for shard in shards][-1])


def tokens_of_the_first(shards):
    """All shards are taken to have as many tokens as the first one."""
    return update(sum(nll(shard).sum() for shard in shards) / (tokens(shards[0]) * len(shards)))


def nan_from_an_empty_rank(shards):
    """B29, #24: n_i / N times a mean over nothing is 0 x NaN.

    https://github.com/pytorch/pytorch/issues/116349
    """
    window = sum(tokens(shard) for shard in shards)
    return update(sum(nll(s).sum() / tokens(s) * tokens(s) / window for s in shards))


MUTANTS = {  # gradients, a part of the verdict
    "mean of means (#29)": (mean_of_means, "averaging averages"),
    "sum of means (D22)": (sum_of_means, "sum of the shards' own mean gradients"),
    "weighed by sentences (D21)": (weighed_by_sentences, "divide once by the tokens"),
    "cleared in the loop": (cleared_in_the_loop, "zero_grad inside the loop"),
    "returned in the loop": (returned_in_the_loop, "the gradient of the first shard alone"),
    "padded cells (B05)": (padded_cells, "divide once by the tokens"),
    "ranks averaged (#29)": (averaged_ranks, "divided by the number of shards once too often"),
    "one not synchronised": (one_not_synchronised, "They are [3] of 4"),
    "shards of one sentence skipped": (singles_skipped, "They are shards [0]"),
    "clipped in the loop": (clipped_in_the_loop, "belongs behind the loop: clipping"),
    "backward of the last alone": (backward_of_the_last, "gradient of the last shard"),
    "tokens of the first": (tokens_of_the_first, "times what it must be"),
    "NaN from an empty rank (B29)": (nan_from_an_empty_rank, "0 / 0"),
}


# ------------------------------------------------------------------ correct, differently written


def weighed_by_tokens(shards):
    """n_i / N times each shard's mean."""
    window = sum(tokens(shard) for shard in shards)
    return update(sum(mean(shard) * tokens(shard) / window for shard in shards))


def accumulated_in_grad(shards):
    """Sums go backward one by one into ``.grad``, which is divided once."""
    MODEL.zero_grad()
    total = torch.zeros(())
    for shard in shards:
        loss = nll(shard).sum()
        loss.backward()
        total += loss.detach()
    window = sum(tokens(shard) for shard in shards)
    return total / window, [p.grad / window for p in PARAMETERS]


def averaging_ranks_repaired(shards):
    """Ranks average, so each multiplies its share by their number first."""
    window = sum(tokens(shard) for shard in shards)
    grads = [update(nll(s).sum() / window * len(shards))[1] for s in shards]
    averaged = [torch.stack(parts).mean(0) for parts in zip(*grads, strict=True)]
    return sum(nll(shard).sum() for shard in shards) / window, averaged


def joined_again(shards):
    """All shards padded to one width and run as one batch."""
    S, T = (max(getattr(s, n).size(1) for s in shards) for n in ("src", "tgt_in"))

    def join(name, width):
        rows = [F.pad(getattr(s, name), (0, width - getattr(s, name).size(1))) for s in shards]
        return torch.cat(rows)

    lengths = [torch.cat([getattr(s, n) for s in shards]) for n in ("src_lengths", "tgt_lengths")]
    batch = Batch(join("src", S), lengths[0], join("tgt_in", T), join("tgt_out", T), lengths[1])
    return update(mean(batch))


def our_train_step(shards):
    """``training.train_step`` with a learning rate of 0."""
    optimizer = torch.optim.SGD(PARAMETERS, lr=0.0)
    loss = train_step(MODEL, shards, optimizer, loss_function=teacher_forced_loss(), clip_norm=None)
    return loss.mean, [p.grad for p in PARAMETERS]


CORRECT = {
    "weighed by tokens": weighed_by_tokens,
    "accumulated in .grad": accumulated_in_grad,
    "averaging ranks, repaired": averaging_ranks_repaired,
    "joined again": joined_again,
    "our train_step": our_train_step,
}
