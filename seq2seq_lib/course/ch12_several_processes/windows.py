"""Right and wrong ways to the loss of a window, for the clinic of chapter 12.

Each takes a list of micro-batches, (logits ``[n, V]``, labels ``[n]``), and returns a float ``[]``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch12_several_processes.patient import MicroBatches


def _sum(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="sum")


def _count(labels: Tensor) -> Tensor:
    return (labels != -100).sum()


def _means(micro_batches: MicroBatches) -> Tensor:
    """[R], NaN for a micro-batch without a label."""
    return torch.stack([F.cross_entropy(*pair) for pair in micro_batches])


# ---------------------------------------------------------------- right


def joined(micro_batches: MicroBatches) -> Tensor:
    logits, labels = (torch.cat(parts) for parts in zip(*micro_batches, strict=True))
    return F.cross_entropy(logits, labels)


def sums_divided_once(micro_batches: MicroBatches) -> Tensor:
    count = sum(_count(labels) for _, labels in micro_batches)
    return sum(_sum(*pair) for pair in micro_batches) / count


# ---------------------------------------------------------------- wrong


def average_of_means(micro_batches: MicroBatches) -> Tensor:
    return _means(micro_batches).nan_to_num().mean()


def all_places(micro_batches: MicroBatches) -> Tensor:
    places = sum(len(labels) for _, labels in micro_batches)
    return sum(_sum(*pair) for pair in micro_batches) / places


def weighed_by_places(micro_batches: MicroBatches) -> Tensor:
    places = torch.tensor([len(labels) for _, labels in micro_batches])
    return (_means(micro_batches).nan_to_num() * places).sum() / places.sum()


def last_only(micro_batches: MicroBatches) -> Tensor:
    count = sum(_count(labels) for _, labels in micro_batches)
    return _sum(*micro_batches[-1]) / count


def divided_again(micro_batches: MicroBatches) -> Tensor:
    return sums_divided_once(micro_batches) / len(micro_batches)


def nan_share(micro_batches: MicroBatches) -> Tensor:
    counts = torch.stack([_count(labels) for _, labels in micro_batches])
    return (_means(micro_batches) * counts).sum() / counts.sum()
