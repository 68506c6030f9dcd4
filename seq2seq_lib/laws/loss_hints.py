"""Law 3's hints."""

PADS = (
    "the pads: something at a position where the mask is False reached the loss. Is the mask "
    "applied before the reduction, to a loss of its own shape [B, T]?"
)
COLUMNS = (
    "what the sum is divided by: the number of real tokens, not B * T, which counts PAD columns"
)
EDGE = (
    "axes of size 1, since other batches come out right: squeeze() without an axis drops them all, "
    "and [B] against [B, 1] is broadcast to [B, B]"
)
GRADIENT = (
    "the gradient: (softmax(logits) - onehot(target)) / tokens at real positions, 0 elsewhere"
)
STABLE = "log(softmax(z)), which is log(0) for a large gap: use log_softmax or cross_entropy"
SHIFT = "exp of a large logit, which is inf: subtract each row's largest logit before exp"
EPOCH = (
    "how batches are added up: the mean of batch means weighs a token in a short batch more; add "
    "the sums and the counts, and divide once"
)
NOTHING = (
    "the division by 0 tokens: return 0 (or a sum and a count, both 0), or raise a ValueError. "
    "torch's own mean gives nan here on purpose: pass empty_batch=False if no batch is ever empty"
)
HIDDEN = (
    "a division by 0 that torch.where hides: its gradient passes through both branches, and 0 "
    "times infinity is nan; divide by mask.sum().clamp(min=1)"
)
COUNT = "the count: the tokens where the mask is True, EOS among them"
NO_STEP = "a step without a real token: the mean of nothing is nan; skip it, or add sums and counts"
TIMES_ZERO = (
    "an infinity times a mask of 0, which is nan: a log of 0 or an overflow at a pad. Choose the "
    "real positions (nll[mask], masked_fill, torch.where) and do not multiply by the mask"
)
TWICE = "what the second call does otherwise: dropout, sampling, a running mean, a call counter"
