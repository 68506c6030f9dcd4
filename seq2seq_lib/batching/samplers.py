"""Which sentences share a batch: neighbours in length, so that there is little to pad."""

import math
import operator
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from seq2seq_lib._arguments import check_flag, check_positive
from seq2seq_lib.batching.batch import Example, as_pair, collate


class _PooledSampler(Sampler[list[int]]):
    """Batches in random order, each cut from a pool of shuffled sentences that was sorted.

    Attributes:
        lengths: a sort key a sentence.
        pool: sentences sorted together.
    """

    def __init__(self, lengths: Sequence, *, shuffle: bool, seed: int) -> None:
        if len(lengths) == 0:
            raise ValueError("lengths is empty: there is nothing to put into batches.")
        self.lengths = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
        check_flag(shuffle, "shuffle")
        self.shuffle, self.seed, self.epoch = shuffle, operator.index(seed), 0
        self.pool = len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        if not self.shuffle:
            yield from self._cut_sorted(list(range(len(self.lengths))))
            return
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        batches = [
            batch
            for start in range(0, len(order), self.pool)
            for batch in self._cut_sorted(order[start : start + self.pool])
        ]
        for i in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[i]

    def _cut_sorted(self, indices: list[int]) -> Iterator[list[int]]:
        return self._cut(sorted(indices, key=self.lengths.__getitem__))

    def _cut(self, indices: list[int]) -> Iterator[list[int]]:
        """Batches of sentences that are sorted by length."""
        raise NotImplementedError


class BucketSampler(_PooledSampler):
    """Batches of a fixed number of sentences with similar lengths, in random order.

    The data are shuffled, cut into pools of ``pool_batches`` batches, each pool is sorted by
    length and cut into batches, and the batches are shuffled. Neighbours in length share a batch,
    so little padding is needed, and the batches still differ from epoch to epoch.

    Args:
        lengths: one sort key a sentence: its length, or a pair ``(target, source)`` of lengths.
        batch_size: sentences a batch; the last one may be smaller.
        shuffle: False gives one sorted order, the same every epoch.
        seed: the order is a function of ``(seed, epoch)``; ``set_epoch`` chooses the epoch.
        pool_batches: batches sorted together; more means less padding and less randomness.
    """

    def __init__(
        self,
        lengths: Sequence,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        pool_batches: int = 50,
    ) -> None:
        check_positive(batch_size, "batch_size")
        check_positive(pool_batches, "pool_batches")
        super().__init__(lengths, shuffle=shuffle, seed=seed)
        self.batch_size = batch_size
        self.pool = pool_batches * batch_size

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.batch_size)

    def _cut(self, indices: list[int]) -> Iterator[list[int]]:
        for start in range(0, len(indices), self.batch_size):
            yield indices[start : start + self.batch_size]


class TokenBatchSampler(_PooledSampler):
    """Like ``BucketSampler``, but a batch holds at most ``max_tokens`` cells, pads counted.

    Rows x longest length ≤ ``max_tokens``: long sentences come in small batches, short ones in
    large batches, and every batch costs about the same.

    Args:
        lengths: integers ≥ 1, one a sentence, counted with EOS.
        max_tokens: cells a batch. A sentence longer than that is refused.
        shuffle, seed: as in ``BucketSampler``.
        pool_tokens: batches of average size sorted together, as ``pool_batches`` there.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        max_tokens: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        pool_tokens: int = 50,
    ) -> None:
        check_positive(max_tokens, "max_tokens")
        check_positive(pool_tokens, "pool_tokens")
        super().__init__(lengths, shuffle=shuffle, seed=seed)
        shortest, longest = min(self.lengths), max(self.lengths)
        if shortest < 1:
            raise ValueError(
                f"lengths must be ≥ 1, EOS counted, but sentence {self.lengths.index(shortest)} "
                f"has {shortest}."
            )
        if longest > max_tokens:
            raise ValueError(
                f"max_tokens is {max_tokens}, but sentence {self.lengths.index(longest)} alone has "
                f"{longest} tokens: raise max_tokens or truncate."
            )
        self.max_tokens = max_tokens
        # a pool is counted in sentences: so many as fill pool_tokens batches of average length
        mean = sum(self.lengths) / len(self.lengths)
        self.pool = max(1, round(pool_tokens * max_tokens / mean))

    def __len__(self) -> int:
        """Batches in the chosen epoch: it can differ by a few from epoch to epoch."""
        return sum(1 for _ in iter(self))

    def _cut(self, indices: list[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for i in indices:  # the longest so far
            if batch and (len(batch) + 1) * self.lengths[i] > self.max_tokens:
                yield batch
                batch = []
            batch.append(i)
        yield batch


def make_loader(
    examples: Sequence[Example],
    batch_size: int | None = None,
    *,
    max_tokens: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    max_len: int | None = None,
    pin_memory: bool = False,
) -> DataLoader:
    """A ``DataLoader`` of ``Batch`` objects, bucketed by length.

    Args:
        examples: pairs of id lists (see ``encode_pairs``).
        batch_size: sentences a batch; give this or ``max_tokens``.
        max_tokens: cells a batch, counting the longer of source and target with its EOS.
        shuffle: False gives a fixed, sorted order, for evaluation.
        seed: order of the batches; ``loader.batch_sampler.set_epoch(n)`` moves on.
        max_len: cut source and target to so many tokens, EOS counted and kept.
        pin_memory: for training on a GPU.

    Raises:
        ValueError: no examples; both sizes or neither; a sentence longer than ``max_tokens``.
        TypeError: an example is no pair; a size is no integer.
    """
    if (batch_size is None) == (max_tokens is None):
        raise ValueError(
            f"Give one of batch_size (sentences) and max_tokens (cells), but they are "
            f"{batch_size} and {max_tokens}."
        )
    if len(examples) == 0:
        raise ValueError("make_loader got no examples.")
    if max_len is not None:
        check_positive(max_len, "max_len")
    longest = math.inf if max_len is None else max_len
    pairs = (as_pair(example, row) for row, example in enumerate(examples))
    sizes = [
        (min(len(target) + 1, longest), min(len(source) + 1, longest))  # + 1: EOS
        for source, target in pairs
    ]
    sampler: _PooledSampler
    if batch_size is not None:
        sampler = BucketSampler(sizes, batch_size, shuffle=shuffle, seed=seed)
    else:
        widest = [max(size) for size in sizes]
        sampler = TokenBatchSampler(widest, max_tokens, shuffle=shuffle, seed=seed)
    return DataLoader(
        examples,
        batch_sampler=sampler,
        collate_fn=partial(collate, max_len=max_len),
        pin_memory=pin_memory,
    )
