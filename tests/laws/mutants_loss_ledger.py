"""Published masked losses that are something else, each as small as it goes, and correct ones.

All take ``logits [B, T, V]``, ``targets [B, T]``, ``mask [B, T]``; ids as in the bug clinic.
"""

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib import losses
from seq2seq_lib.losses import LossSum


def nll_of(logits, targets):
    return -logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]  # [B, T]


def broadcast_mask(logits, targets, mask):
    """B02: per step a ``[B, 1]`` loss under a ``[B]`` mask: every loss is counted for every True.

    https://github.com/pytorch/tutorials/issues/306
    """
    nll = nll_of(logits, targets)
    chosen = [nll[:, t, None].masked_select(mask[:, t]) for t in range(mask.size(1))]
    return torch.cat(chosen).sum() / sum(len(c) for c in chosen)


def broadcast_mask_summed(logits, targets, mask):
    """B02, D13: as the chatbot tutorial did it: the sum over steps of such means.

    https://github.com/pytorch/tutorials/issues/338
    """
    nll = nll_of(logits, targets)
    steps = [nll[:, t, None].masked_select(mask[:, t]) for t in range(mask.size(1))]
    return sum(step.mean() for step in steps if len(step)) + nll.sum() * 0


def reduced_before_masked(logits, targets, mask):
    """B04: the mean first, then times mask over mask: a number times 1.

    https://github.com/tensorlayer/TensorLayer/issues/109
    """
    mean = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    return (mean * mask).sum() / mask.sum()


def padded_length(logits, targets, mask):
    """B05: divided by the padded length. https://github.com/d2l-ai/d2l-en/issues/2076"""
    return (nll_of(logits, targets) * mask).mean()


def reshape_for_transpose(logits, targets, mask):
    """B07: ``reshape(B, V, T)`` deals the numbers out anew.

    https://github.com/weirme/FCSN/issues/32
    """
    B, T, V = logits.shape
    ignored = targets.masked_fill(~mask, -100)
    return F.cross_entropy(logits.reshape(B, V, T), ignored, reduction="sum"), mask.sum()


def softmax_twice(logits, targets, mask):
    """B08: probabilities into cross-entropy (datafield.dev, chapter 12)."""
    return losses.masked_cross_entropy(logits.softmax(-1), targets, mask)


def nll_of_probabilities(logits, targets, mask):
    """B09: NLLLoss of probabilities: negative, and falling (runebook, jamesmccaffrey)."""
    nll = -logits.softmax(-1).gather(-1, targets[..., None])[..., 0]
    return (nll * mask).sum(), mask.sum()


def log_of_softmax(logits, targets, mask):
    """B11, D13: ``-log(softmax)`` is inf for a large gap.

    https://pytorch.org/tutorials/beginner/chatbot_tutorial.html
    """
    nll = -logits.softmax(-1).gather(-1, targets[..., None])[..., 0].log()
    return nll.masked_fill(~mask, 0).sum(), mask.sum()


def softmax_over_time(logits, targets, mask):
    """B12: the softmax runs over another axis.

    https://github.com/PetrochukM/PyTorch-NLP/issues/2 (there in attention)
    """
    nll = -logits.log_softmax(1).gather(-1, targets[..., None])[..., 0]
    return (nll * mask).sum(), mask.sum()


def softmax_over_tokens(logits, targets, mask):
    """B12: dim 0 of the real tokens' ``[N, V]``: each word's shares add up to 1 over the batch.

    https://github.com/fxia22/pointnet.pytorch/issues/27
    """
    nll = -logits[mask].log_softmax(0).gather(-1, targets[mask][:, None])
    return nll.sum(), mask.sum()


def not_shifted(logits, targets, mask):
    """log Σ exp(z) − z[target] as it is written in books: exp(1000) is inf."""
    nll = logits.exp().sum(-1).log() - logits.gather(-1, targets[..., None])[..., 0]
    return LossSum(nll.masked_fill(~mask, 0).sum(), mask.sum())


def end_not_scored(logits, targets, mask):
    """B15: the last token of each row, its EOS, does not count, so nothing learns to stop.

    https://github.com/unslothai/unsloth/issues/416
    """
    shorter = mask & mask.roll(-1, 1)
    shorter[:, -1] = False
    return (nll_of(logits, targets) * shorter).sum(), shorter.sum()


def shifted_again(logits, targets, mask):
    """Labels that are shifted already, shifted once more.

    https://github.com/huggingface/transformers/pull/46784
    """
    return losses.sequence_loss(logits[:, :-1], targets[:, 1:], mask[:, 1:])


def labels_not_shifted(logits, targets, mask):
    """Each position is asked for the token that the decoder reads there.

    https://github.com/Project-MONAI/GenerativeModels/issues/314
    """
    return losses.sequence_loss(logits[:, 1:], targets[:, :-1], mask[:, 1:])


def sum_of_step_means(logits, targets, mask):
    """D13: each step's mean over its survivors, summed: late tokens weigh more.

    https://pytorch.org/tutorials/beginner/chatbot_tutorial.html
    """
    nll = nll_of(logits, targets)
    steps = [nll[:, t][mask[:, t]].mean() for t in range(mask.size(1)) if mask[:, t].any()]
    return sum(steps) if steps else nll.sum() * 0


def per_sentence(logits, targets, mask):
    """D21: divided by the number of sentences.

    https://github.com/bastings/annotated_encoder_decoder
    """
    return (nll_of(logits, targets) * mask).sum() / len(mask)


def nan_without_tokens(logits, targets, mask):
    """B29, #24: 0 / 0 in a batch of pads. https://github.com/pytorch/pytorch/issues/116349"""
    ignored = targets.masked_fill(~mask, -100)
    return F.cross_entropy(logits.flatten(0, 1), ignored.flatten())


def nan_gradient_without_tokens(logits, targets, mask):
    """A repair of B29 that hides it: the loss is 0 then, and every gradient NaN."""
    total, tokens = (nll_of(logits, targets) * mask).sum(), mask.sum()
    return torch.where(tokens > 0, total / tokens, torch.zeros_like(total))


def writes_into_targets(logits, targets, mask):
    """B30: an index assignment into an argument; the next loss sees other targets.

    https://github.com/d2l-ai/d2l-en (``sequence_mask`` writes into its argument)
    """
    targets[~mask] = -100
    total = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum"
    )
    return total, mask.sum()


def transposed_mask(logits, targets, mask):
    """B01: the mask compared along the wrong axis; it fits where B = T. (Tensor Puzzles 14)"""
    lengths, T = mask.sum(1), mask.size(1)
    wrong = torch.arange(T)[:, None] < lengths[None, :]  # [T, B]
    mask = wrong if wrong.shape == mask.shape else mask
    return (nll_of(logits, targets) * mask).sum(), mask.sum()


def inverted_mask(logits, targets, mask):
    """True read as pad, as ``nn.MultiheadAttention`` means it (see ``masks``)."""
    return nll_of(logits, targets).masked_fill(mask, 0).sum() / (~mask).sum().clamp(min=1)


def pads_get_gradient(logits, targets, mask):
    """#26: the value is right, the smoothing term of the pads has a gradient.

    https://github.com/pytorch/pytorch/issues/73205
    """
    extra = logits.log_softmax(-1).mean(-1).masked_fill(mask, 0).sum()
    return (nll_of(logits, targets) * mask).sum() + extra - extra.detach(), mask.sum()


def squeezed(logits, targets, mask):
    """``squeeze()`` without an axis: ``[B, 1]`` becomes ``[B]``; under ``[B, 1]`` it is ``[B, B]``.

    The broadcast of https://github.com/pytorch/tutorials/issues/306, where T is 1.
    """
    nll = nll_of(logits, targets).squeeze()
    return torch.where(mask, nll, 0.0).sum(), mask.sum()


def first_sentence_alone(logits, targets, mask):
    """A batch of one loses its axis, and the loop runs over tokens instead of sentences."""
    rows = zip(nll_of(logits, targets).squeeze(0), mask.squeeze(0), strict=True)
    kept = [(row[real].sum(), real.sum()) for row, real in rows if row.dim()]
    return sum(total for total, _ in kept) + logits.sum() * 0, sum(n for _, n in kept)


def mean_of_batch_means(batches):
    """D19: ``epoch_loss / len(loader)``. https://github.com/bentrevett/pytorch-seq2seq"""
    return sum(losses.masked_cross_entropy(*batch) for batch in batches) / len(batches)


MUTANTS = {  # loss, a part of the verdict
    "[B, 1] x [B] (B02)": (broadcast_mask, "masked_select broadcasts"),
    "[B, 1] x [B], summed (B02)": (broadcast_mask_summed, "mask had no effect within a step"),
    "reduced before masked (B04)": (reduced_before_masked, "mask had no effect"),
    "over the padded length (B05)": (padded_length, "divided by B * T"),
    "reshape for transpose (B07)": (reshape_for_transpose, "reshape(B, V, T)"),
    "softmax twice (B08)": (softmax_twice, "softmax was taken twice"),
    "NLL of probabilities (B09)": (nll_of_probabilities, "NLL of probabilities"),
    "log of softmax (B11)": (log_of_softmax, "use log_softmax"),
    "softmax over time (B12)": (softmax_over_time, "softmax over the time axis"),
    "softmax over the tokens (B12)": (softmax_over_tokens, "axis 0 of [N, V]"),
    "exp without a shift": (not_shifted, "subtract each row's largest logit"),
    "EOS not scored (B15)": (end_not_scored, "without the last real token"),
    "labels shifted again": (shifted_again, "are shifted already"),
    "labels not shifted": (labels_not_shifted, "labels not shifted"),
    "sum of step means (D13)": (sum_of_step_means, "each step's mean"),
    "per sentence (D21)": (per_sentence, "divided by the B sentences"),
    "NaN without tokens (B29)": (nan_without_tokens, "division by 0 tokens"),
    "NaN hidden from the value alone": (nan_gradient_without_tokens, "torch.where hides"),
    "writes into targets (B30)": (writes_into_targets, "changed its argument targets"),
    "mask transposed (B01)": (transposed_mask, "transposed mask"),
    "mask inverted": (inverted_mask, "mask is inverted"),
    "squeeze without an axis": (squeezed, "axes of size 1"),
    "a batch of one loses its axis": (first_sentence_alone, "axes of size 1"),
    "gradient at pads (#26)": (pads_get_gradient, "gradient at pads is exactly 0"),
}


# ------------------------------------------------------------------ correct, differently written


def one_hot(logits, targets, mask):
    """Mean over tokens by einsum."""
    wanted = F.one_hot(targets, logits.size(-1)).to(logits)
    total = -torch.einsum("btv,btv,bt->", logits.log_softmax(-1), wanted, mask.to(logits))
    return total / mask.sum().clamp(min=1)


def token_by_token(logits, targets, mask):
    """A loop, with logsumexp written out: sum and count."""
    total, count = logits.sum() * 0, 0
    for row, target, real in zip(
        logits.flatten(0, 1), targets.flatten(), mask.flatten(), strict=True
    ):
        if real:
            total, count = total + torch.logsumexp(row, 0) - row[target], count + 1
    return total, count


def packed(logits, targets, mask):
    """``pack_padded_sequence`` leaves the real cells; it cannot hold an empty row and says so."""
    lengths = mask.sum(1)
    if lengths.min() == 0:
        raise ValueError("lengths must be ≥ 1")
    pack = [
        pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False).data
        for x in (logits, targets)
    ]
    return F.cross_entropy(*pack)


def own_class(logits, targets, mask):
    """A ``LossSum`` from ``masked_nll_loss``."""
    return LossSum(
        losses.masked_nll_loss(logits.log_softmax(-1), targets, mask, reduction="sum"), mask.sum()
    )


CORRECT = {
    "sequence_loss": losses.sequence_loss,
    "masked_cross_entropy": losses.masked_cross_entropy,
    "one-hot einsum": one_hot,
    "token by token": token_by_token,
    "packed": packed,
    "masked_nll_loss": own_class,
}
