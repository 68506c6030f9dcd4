"""Last states of padded batches: right ones written differently, and wrong ones."""

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.course.ch00_start_here.given import small_encoder

EMBEDDING, GRU = small_encoder()


def _outputs(src: Tensor) -> Tensor:
    return GRU(EMBEDDING(src))[0]  # [B, S] -> [B, S, H]


def packed(src: Tensor, lengths: Tensor) -> Tensor:
    rows = pack_padded_sequence(EMBEDDING(src), lengths, batch_first=True, enforce_sorted=False)
    return GRU(rows)[1][-1]  # [1, B, H] -> [B, H]


def gathered(src: Tensor, lengths: Tensor) -> Tensor:
    return _outputs(src)[torch.arange(len(src)), lengths - 1]


def one_by_one(src: Tensor, lengths: Tensor) -> Tensor:
    rows = zip(src, lengths.tolist(), strict=True)
    return torch.cat([_outputs(row[None, :n])[:, -1] for row, n in rows])


def wider_by_a_digit(src: Tensor, lengths: Tensor) -> Tensor:
    """Right, but for the last digits, which depend on the width of the batch."""
    return one_by_one(src, lengths) + 1e-7 * src.size(1)


# ---------------------------------------------------------------- wrong


def last_column(src: Tensor, lengths: Tensor) -> Tensor:
    return _outputs(src)[:, -1]


def last_of_packed(src: Tensor, lengths: Tensor) -> Tensor:
    rows = pack_padded_sequence(EMBEDDING(src), lengths, batch_first=True, enforce_sorted=False)
    outputs, _ = pad_packed_sequence(GRU(rows)[0], batch_first=True)
    return outputs[:, -1]  # zeros, where a row is shorter than the longest


def one_pad_more(src: Tensor, lengths: Tensor) -> Tensor:
    return _outputs(src)[torch.arange(len(src)), lengths.clamp(max=src.size(1) - 1)]


def sorted_rows(src: Tensor, lengths: Tensor) -> Tensor:
    order = lengths.argsort(descending=True)
    return gathered(src[order], lengths[order])


def length_of_the_first(src: Tensor, lengths: Tensor) -> Tensor:
    return _outputs(src)[:, int(lengths[0]) - 1]


def shortest(src: Tensor, lengths: Tensor) -> Tensor:
    return _outputs(src)[:, int(lengths.min()) - 1]


def mean_of_columns(src: Tensor, lengths: Tensor) -> Tensor:
    return _outputs(src).mean(1)
