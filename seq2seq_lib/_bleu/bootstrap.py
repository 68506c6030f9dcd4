"""How sure a BLEU score is, of the sentences that happened to be in the test set."""

import torch
from torch import Tensor

from seq2seq_lib._bleu.from_scratch import bleu_of


def bootstrap_interval(
    statistics: Tensor,
    other: Tensor | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 12345,
) -> tuple[float, float]:
    """The percentile interval of a BLEU score, or of a difference (Koehn 2004).

    A test set of N sentences is drawn from the N with replacement, ``resamples`` times, and scored
    each time. With ``other``, both systems are scored on the *same* drawn sentences, and the
    interval is that of ``other``'s score minus ``statistics``': it is paired. It tells what other
    test sentences might have said. It knows nothing of another seed of the training.

    Args:
        statistics, other: ``[N, K]``, of ``bleu_statistics``, row i of both the same source.

    Returns:
        the two ends, in BLEU points.

    Raises:
        ValueError: different shapes, no sentences, fewer than one resample, or a confidence outside
            0 .. 1.
    """
    if other is not None and other.shape != statistics.shape:
        raise ValueError(
            f"both systems need the same sentences, but the shapes are {list(statistics.shape)} "
            f"and {list(other.shape)}"
        )
    if statistics.dim() != 2 or len(statistics) == 0 or resamples < 1 or not 0 < confidence < 1:
        raise ValueError(
            "statistics must be [N, K] with N ≥ 1, resamples ≥ 1 and confidence between 0 and "
            f"1, but they are {list(statistics.shape)}, {resamples} and {confidence}"
        )
    N = len(statistics)
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(N, (resamples, N), generator=generator)  # [R, N]
    drawn = torch.zeros(resamples, N, dtype=torch.float64)
    drawn.scatter_add_(1, picks, torch.ones_like(picks, dtype=torch.float64))  # how often each

    def scores(of: Tensor) -> Tensor:
        sums = drawn @ of.double()  # [R, N] @ [N, K] -> [R, K]
        return torch.tensor([bleu_of(row) for row in sums.tolist()], dtype=torch.float64)

    found = scores(statistics) if other is None else scores(other) - scores(statistics)  # [R]
    ends = torch.tensor([(1 - confidence) / 2, (1 + confidence) / 2], dtype=torch.float64)
    low, high = found.quantile(ends).tolist()
    return low, high
