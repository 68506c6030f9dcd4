"""What is read and what is said, made of targets: right pair makers and wrong ones, for 6.8."""

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

Two = tuple[Tensor, Tensor]
Targets = list[list[int]]


def padded(rows: Targets) -> Tensor:
    tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=PAD_ID)


def shift_right(table: Tensor) -> Tensor:
    return torch.cat([torch.full_like(table[:, :1], BOS_ID), table[:, :-1]], 1)


def two_tables(targets: Targets) -> Two:
    ended = padded([[*target, EOS_ID] for target in targets])
    return padded([[BOS_ID, *target] for target in targets]), ended


def one_table_cut_twice(targets: Targets) -> Two:
    table = padded([[BOS_ID, *target, EOS_ID] for target in targets])
    return table[:, :-1], table[:, 1:]  # EOS is read in short rows, by nobody who counts


def shifted(targets: Targets) -> Two:
    tgt_out = two_tables(targets)[1]
    return shift_right(tgt_out), tgt_out


def as_a_list(targets: Targets) -> list[Tensor]:
    return list(two_tables(targets))


def rolled(targets: Targets) -> Two:
    tgt_out = two_tables(targets)[1]
    return tgt_out.roll(1, 1), tgt_out


def next_but_one(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return shift_right(tgt_in), tgt_out


def no_bos(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return tgt_in.masked_fill(tgt_in == BOS_ID, PAD_ID), tgt_out


def no_end(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return tgt_in, tgt_out.masked_fill(tgt_out == EOS_ID, PAD_ID)


def wrong_way(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return tgt_out, tgt_in


def longest_first(targets: Targets) -> Two:
    return two_tables(sorted(targets, key=len, reverse=True))
