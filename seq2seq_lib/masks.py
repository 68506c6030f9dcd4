"""Masks: which positions of a padded batch are real. Always ``bool``, always True = real token.

The field is split on the sense: ``nn.MultiheadAttention`` calls it ``key_padding_mask`` and means
True = pad, Hugging Face's ``attention_mask`` means 1 = real. Ours says which positions to keep.
"""

import torch
from torch import Tensor

from seq2seq_lib._arguments import INTEGERS, check_integer, check_lengths, kind_of


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
        raise TypeError(f"ids must be an integer tensor of token ids, but it is {kind_of(ids)}.")
    check_pad_id(pad_id)
    return ids != pad_id


def check_pad_id(pad_id: int) -> None:
    """Refuse what is no id: a tokenizer without a pad has None there, and nothing equals None."""
    check_integer(pad_id, "pad_id", -(2**63), 2**63 - 1)  # labels may have -100


def masked_softmax(scores: Tensor, mask: Tensor, dim: int = -1) -> Tensor:
    """Softmax over the real positions of ``dim``; exactly 0 at the others.

    A row with no real position gives all zeros and zero gradients, not NaN (compare
    https://github.com/pytorch/pytorch/issues/41508). No large negative constant is involved, so
    half precision is safe, and scores at pads may be anything, also NaN.

    Args:
        scores: floats of any shape.
        mask: bool, True = real token; as many dimensions as ``scores``, each of the same size or 1.
            For scores ``[B, T, S]`` that is ``src_mask.unsqueeze(1)``, ``[B, 1, S]``: a mask
            ``[B, S]`` would be laid over ``[T, S]`` where B happens to equal T.
        dim: the axis that sums to one: for scores ``[B, T, S]`` the source axis, -1.

    Returns:
        The weights, with the shape and dtype of ``scores``.

    Raises:
        TypeError: scores are not floats or the mask is not bool.
        ValueError: the mask does not fit.
    """
    _check_bool(mask)
    if not scores.is_floating_point():
        raise TypeError(f"scores must be floats, but they are {scores.dtype}.")
    if mask.dim() != scores.dim() or any(
        m not in (1, s) for m, s in zip(mask.shape, scores.shape, strict=True)
    ):
        raise ValueError(
            f"mask {list(mask.shape)} does not fit scores {list(scores.shape)}: it needs as many "
            f"dimensions, each of the same size or 1 (see Tensor.unsqueeze)."
        )
    empty = ~mask.any(dim, keepdim=True)
    scores = scores.masked_fill(~mask, float("-inf"))
    scores = scores.masked_fill(empty, 0.0)  # a row of -inf alone would be 0 / 0 = NaN
    return scores.softmax(dim).masked_fill(~mask, 0.0)


def masked_mean(values: Tensor, mask: Tensor, dim: int | None = None) -> Tensor:
    """Mean over the real positions: sum of the real values / number of real positions.

    Args:
        values: ``[B, T]`` or ``[B, T, ...]``; floats, or bool or integers to be counted.
        mask: bool, True = real token; the shape of ``values``, or ``[B, T]``. Nothing is
            broadcast: ``[B]`` against ``[B, 1]`` is a famous silent bug
            (https://github.com/pytorch/tutorials/pull/382).
        dim: the axis to average over; all axes of the mask when left out.

    Returns:
        The mean in the dtype of ``values`` (float32 for bool and integers); 0 where nothing is
        real. Half precision is summed in float32: a sum beyond 65504 would be infinite.

    Raises:
        TypeError: the mask is not bool.
        ValueError: its shape is another.
    """
    _check_bool(mask)
    if mask.shape != values.shape and (mask.dim() != 2 or mask.shape != values.shape[:2]):
        raise ValueError(
            f"mask has shape {list(mask.shape)} but values have {list(values.shape)}: the mask "
            f"must have the shape of the values, or be [B, T] for values [B, T, ...]; nothing is "
            f"broadcast here."
        )
    axes = tuple(range(mask.dim())) if dim is None else dim
    mask = mask.reshape(mask.shape + (1,) * (values.dim() - mask.dim()))  # [B, T, 1, ...]
    precise = torch.promote_types(values.dtype, torch.float32)
    total = values.masked_fill(~mask, 0).sum(axes, dtype=precise)
    mean = total / mask.expand_as(values).sum(axes).clamp(min=1)
    return mean.to(values.dtype) if values.is_floating_point() else mean


def _check_bool(mask: Tensor) -> None:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(
            f"mask must be a bool tensor (True = real token), but it is {kind_of(mask)}."
        )
