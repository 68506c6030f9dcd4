"""Sentences of different lengths to rectangular batches, with little padding.

``batch`` makes one batch of given sentences, ``samplers`` choose which sentences share one.
"""

from seq2seq_lib.batching.batch import (
    Batch,
    Example,
    collate,
    encode_pairs,
    pad_sequences,
    truncate,
)
from seq2seq_lib.batching.samplers import BucketSampler, TokenBatchSampler, make_loader

__all__ = [
    "Batch",
    "BucketSampler",
    "Example",
    "TokenBatchSampler",
    "collate",
    "encode_pairs",
    "make_loader",
    "pad_sequences",
    "truncate",
]
