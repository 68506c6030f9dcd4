"""Masks: which positions of a padded batch are real. Always ``bool``, always True = real token.

The field is split on the sense: ``nn.MultiheadAttention`` calls it ``key_padding_mask`` and means
True = pad, Hugging Face's ``attention_mask`` means 1 = real. Ours says which positions to keep.
"""

import torch
from torch import Tensor

from seq2seq_lib._arguments import INTEGERS, check_lengths


def sequence_mask(lengths: Tensor, max_len: int | None = None) -> Tensor:
    """True at the first ``lengths[b]`` positions of row b.

    Args:
        lengths: integers ``[B]``, each in ``0 .. max_len``, on any device.
        max_len: the width T; the longest length when left out.

    Returns:
        bool ``[B, T]`` on the device of ``lengths``: ``mask[b, t] = t < lengths[b]``.

    Raises:
        TypeError: lengths are not integers.
        ValueError: a length is negative or beyond ``max_len``.
    """
    check_lengths(lengths, max_len, "lengths", minimum=0)
    width = int(lengths.max()) if max_len is None else max_len
    positions = torch.arange(width, device=lengths.device)  # [T]
    return positions[None, :] < lengths[:, None]  # [1, T] < [B, 1] -> [B, T]


def padding_mask(ids: Tensor, pad_id: int = 0) -> Tensor:
    """True where ``ids`` is not the padding id: bool, same shape as ``ids``.

    Equal to ``sequence_mask(lengths)`` as long as no real token has the id ``pad_id``.

    Args:
        ids: integer token ids of any shape.
        pad_id: what torch calls ``padding_idx`` and Hugging Face ``pad_token_id``.
    """
    if not isinstance(ids, Tensor) or ids.dtype not in INTEGERS:
        came = ids.dtype if isinstance(ids, Tensor) else type(ids).__name__
        raise TypeError(f"ids must be an integer tensor of token ids, but it is {came}.")
    return ids != pad_id


def masked_softmax(scores: Tensor, mask: Tensor, dim: int = -1) -> Tensor:
    """Softmax over the real positions of ``dim``; exactly 0 at the others.

    A row with no real position gives all zeros and zero gradients, not NaN (compare
    https://github.com/pytorch/pytorch/issues/41508). No large negative constant is involved, so
    half precision is safe, and scores at pads may be anything, also NaN.

    Args:
        scores: floats of any shape.
        mask: bool, broadcastable to the shape of ``scores``.
        dim: the axis that sums to one: for scores ``[B, T, S]`` the source axis, -1.

    Returns:
        The weights, with the shape and dtype of ``scores``.
    """
    mask = _fit(mask, scores, "scores")
    empty = ~mask.any(dim, keepdim=True)
    scores = scores.masked_fill(~mask, float("-inf"))
    scores = scores.masked_fill(empty, 0.0)  # a row of -inf alone would be 0 / 0 = NaN
    return scores.softmax(dim).masked_fill(~mask, 0.0)


def masked_mean(values: Tensor, mask: Tensor, dim: int | None = None) -> Tensor:
    """Mean over the real positions: sum of the real values / number of real positions.

    Args:
        values: floats ``[B, T]`` or ``[B, T, ...]``.
        mask: bool with the leading dimensions of ``values``: ``[B, T]``. Anything that would
            need broadcasting is refused: ``[B]`` against ``[B, 1]`` is a famous silent bug
            (https://github.com/pytorch/tutorials/issues/306).
        dim: the axis to average over; all masked axes when left out.

    Returns:
        The mean; 0 where nothing is real.
    """
    _check_bool(mask)
    if mask.shape != values.shape[: mask.dim()]:
        raise ValueError(
            f"mask has shape {list(mask.shape)} but values have {list(values.shape)}: the mask must "
            f"equal the leading dimensions of the values, nothing is broadcast here."
        )
    axes = tuple(range(mask.dim())) if dim is None else (dim % values.dim(),)
    mask = mask.reshape(mask.shape + (1,) * (values.dim() - mask.dim()))
    total = values.masked_fill(~mask, 0.0).sum(axes)
    count = mask.expand_as(values).sum(axes)
    return total / count.clamp(min=1)


def _check_bool(mask: Tensor) -> None:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        came = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"mask must be a bool tensor (True = real token), but it is {came}.")


def _fit(mask: Tensor, scores: Tensor, name: str) -> Tensor:
    _check_bool(mask)
    try:
        return mask.expand_as(scores)
    except RuntimeError:
        raise ValueError(
            f"mask {list(mask.shape)} cannot be broadcast to {name} {list(scores.shape)}."
        ) from None
