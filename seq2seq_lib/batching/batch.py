"""Sentences of different lengths to one rectangular batch.

``Batch`` names the two halves of the off-by-one that every sequence-to-sequence model needs:

    target      w1  w2  w3
    tgt_in  BOS w1  w2  w3      what the decoder reads
    tgt_out     w1  w2  w3 EOS  what it must say next
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from seq2seq_lib._arguments import INTEGERS, check_positive, kind_of
from seq2seq_lib.masks import check_pad_id, sequence_mask
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, Vocab

_ADDED = {PAD_ID: "PAD", BOS_ID: "BOS", EOS_ID: "EOS"}  # by collate, and by nobody before it
_SPECIAL = tuple(_ADDED)

Example = tuple[list[int], list[int]]  # source ids, target ids, both without BOS and EOS


def pad_sequences(
    sequences: Sequence[Sequence[int]], pad_id: int = PAD_ID
) -> tuple[Tensor, Tensor]:
    """Pad on the right to the longest sequence.

    Args:
        sequences: B ≥ 1 lists of ids, each with at least one id.
        pad_id: what torch calls ``padding_value``.

    Returns:
        ids int64 ``[B, T]`` and lengths int64 ``[B]``.

    Raises:
        ValueError: no sequences, an empty one (it would be a row of pads alone), a negative id.
        TypeError: an id is no integer.
    """
    check_pad_id(pad_id)
    if len(sequences) == 0:
        raise ValueError("pad_sequences got no sequences: a batch needs at least one.")
    lengths = torch.tensor([len(s) for s in sequences])  # [B]
    if lengths.min() == 0:
        row = int(lengths.argmin())
        raise ValueError(f"Sequence {row} is empty: give it at least an EOS (see collate).")
    ids = torch.full((len(sequences), int(lengths.max())), pad_id, dtype=torch.int64)  # [B, T]
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = _as_ids(sequence, row, pad_id)
    return ids, lengths


def _as_ids(sequence: Sequence[int], row: int, pad_id: int) -> Tensor:
    """int64 ``[len]``. torch would cut 1.7 to 1 and make a number of NaN and of True."""
    try:
        ids = torch.as_tensor(sequence)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"Sequence {row} must hold integer ids: {error}.") from error
    if ids.dtype not in INTEGERS or ids.dim() != 1:
        raise TypeError(
            f"Sequence {row} must be a list of integer ids, but it holds {kind_of(ids)} in "
            f"{ids.dim()} dimension(s): {list(sequence)[:5]}."
        )
    wrong = (ids < 0) & (ids != pad_id)  # labels may hold -100, where that is the pad
    if wrong.any():
        raise ValueError(f"Ids are ≥ 0, but sequence {row} holds {int(ids[wrong][0])}.")
    return ids


def truncate(ids: Sequence[int], max_len: int) -> list[int]:
    """At most ``max_len`` ids. A final EOS survives the cut, so every row ends.

    That is a form, and no cure: a model that is trained on cut targets learns to stop at the cut.
    Measured in benchmarks/text_to_batches.py, with half of the targets cut to 7 tokens: no long
    output was right with EOS kept, as many as without a cut with EOS lost. A model that never sees
    an EOS, because all targets are cut, does not end. So cut sources, and drop or keep whole pairs
    whose target is too long.

    Args:
        ids: one sentence, with or without EOS.
        max_len: ≥ 1, EOS counted.
    """
    check_positive(max_len, "max_len")
    ids = list(ids)
    if len(ids) <= max_len:
        return ids
    return ids[: max_len - 1] + [EOS_ID] if ids[-1] == EOS_ID else ids[:max_len]


@dataclass(frozen=True, eq=False)  # == of tensors has no truth value
class Batch:
    """A padded batch. All tensors int64; PAD fills the right side of each row.

    Attributes:
        src: ``[B, S]``, each row ends with EOS.
        src_lengths: ``[B]``, EOS counted.
        tgt_in: ``[B, T]``, begins with BOS: what the decoder reads.
        tgt_out: ``[B, T]``, ends with EOS: what it must predict. ``tgt_in`` shifted by one.
        tgt_lengths: ``[B]``, of ``tgt_in`` and of ``tgt_out`` alike.

    Raises:
        TypeError: one of them is no int64 tensor.
        ValueError: their shapes do not fit together.
    """

    src: Tensor
    src_lengths: Tensor
    tgt_in: Tensor
    tgt_out: Tensor
    tgt_lengths: Tensor

    def __post_init__(self) -> None:
        for name, value in self._tensors().items():
            if not isinstance(value, Tensor) or value.dtype != torch.int64:
                raise TypeError(f"{name} must be an int64 tensor, but it is {kind_of(value)}.")
            rank = 1 if name.endswith("lengths") else 2
            if value.dim() != rank:
                raise ValueError(
                    f"{name} must have {rank} dimension(s), but its shape is {list(value.shape)}."
                )
        rows = {name: value.size(0) for name, value in self._tensors().items()}
        if len(set(rows.values())) > 1:
            raise ValueError(f"All tensors of a batch need the same number of rows, not {rows}.")
        if self.tgt_in.shape != self.tgt_out.shape:
            raise ValueError(
                f"tgt_in {list(self.tgt_in.shape)} and tgt_out {list(self.tgt_out.shape)} must "
                f"have one shape: they are the same tokens, shifted by one."
            )

    def __len__(self) -> int:
        return self.src.size(0)

    @property
    def src_mask(self) -> Tensor:
        """bool ``[B, S]``, True = real token."""
        return sequence_mask(self.src_lengths, self.src.size(1))

    @property
    def tgt_mask(self) -> Tensor:
        """bool ``[B, T]``, True = real token: the positions that the loss counts."""
        return sequence_mask(self.tgt_lengths, self.tgt_out.size(1))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """The same batch on another device."""
        moved = (t.to(device, non_blocking=non_blocking) for t in self._tensors().values())
        return Batch(*moved)

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory, for faster copies to a GPU (it needs one)."""
        return Batch(*(t.pin_memory() for t in self._tensors().values()))

    def select(self, rows: slice | Tensor) -> "Batch":
        """Some of its rows, padded as before."""
        return Batch(*(t[rows] for t in self._tensors().values()))

    def _tensors(self) -> dict[str, Tensor]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


def collate(examples: Sequence[Example], max_len: int | None = None) -> Batch:
    """Make a ``Batch`` from pairs of id lists that have neither BOS nor EOS.

    EOS is added to every source and target, so an empty sentence has length 1 and not 0.

    Args:
        examples: B ≥ 1 pairs ``(source ids, target ids)``.
        max_len: cut source and target to so many tokens, EOS counted and kept; ``truncate`` says
            what a cut target teaches.

    Raises:
        ValueError: no examples; PAD, BOS or EOS inside one: whoever adds them before ``collate``
            does, trains on ``BOS BOS w1`` and sees a better loss and worse outputs.
        TypeError: what is no pair; ids that are no integers.
    """
    if len(examples) == 0:
        raise ValueError("collate got no examples: a batch needs at least one.")
    pairs = [_words_of(as_pair(example, row), row) for row, example in enumerate(examples)]
    ended = [([*source, EOS_ID], [*target, EOS_ID]) for source, target in pairs]
    if max_len is not None:
        ended = [(truncate(s, max_len), truncate(t, max_len)) for s, t in ended]
    src, src_lengths = pad_sequences([source for source, _ in ended])
    tgt_out, tgt_lengths = pad_sequences([target for _, target in ended])
    tgt_in, _ = pad_sequences([[BOS_ID, *target[:-1]] for _, target in ended])
    return Batch(src, src_lengths, tgt_in, tgt_out, tgt_lengths)


def as_pair(example: Example, row: int) -> Example:
    """An example, which may be a list of two; a ``TypeError`` for what is no pair of ids."""
    if isinstance(example, tuple | list) and len(example) == 2:
        if not any(isinstance(side, str | int | None) for side in example):
            return tuple(example)
    raise TypeError(
        f"Example {row} must be a pair (source ids, target ids), but it is {example!r:.60}: "
        f"encode_pairs makes such pairs from a corpus and its vocabularies."
    )


def _words_of(pair: Example, row: int) -> Example:
    """Its two lists of Python's numbers, refused if one is the id of a special token."""
    sides = []
    for side, ids in zip(("source", "target"), pair, strict=True):
        words = ids.tolist() if hasattr(ids, "tolist") else ids
        # a tensor is equal to no number by its hash
        words = [word.item() if isinstance(word, Tensor) else word for word in words]
        for place, token in enumerate(words):
            if token in _SPECIAL:
                raise ValueError(
                    f"The {side} of example {row} holds {_ADDED[token]} ({int(token)}) at {place}: "
                    f"give the ids of its words alone, as Vocab.encode does; collate adds BOS, EOS "
                    f"and the pads."
                )
        sides.append(words)
    return sides[0], sides[1]


def encode_pairs(pairs: Sequence, src_vocab: Vocab, tgt_vocab: Vocab) -> list[Example]:
    """Examples for ``collate`` from ``corpora.Pair`` objects (anything with source and target)."""
    return [(src_vocab.encode(pair.source), tgt_vocab.encode(pair.target)) for pair in pairs]
