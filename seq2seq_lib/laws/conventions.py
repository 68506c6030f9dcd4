"""What a law assumes of the code that it judges: conventions, in which honest code differs.

Which id is PAD, on which side the pads stand, whether sentences must come sorted: none of it is
right or wrong, but a law has to know. Every verdict says what it assumed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_choice
from seq2seq_lib.batching import Batch
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

SIDES = ("right", "left")


@dataclass(frozen=True)
class Conventions:
    """How the judged code wants its sentences, and how it gives its results.

    Attributes:
        pad_id, bos_id, eos_id: any ids, also equal ones: T5 and Marian start a target with PAD,
            GPT-style models pad with EOS. ``bos_id`` is what ``tgt_in`` begins with
            (``decoder_start_token_id``).
        other_ids: further ids that may not stand in a sentence (UNK, MASK, language codes).
        pad_side: where the pads of the **sources** stand, ``"right"`` or ``"left"``.
        source_eos: whether a source ends with EOS.
        sorted_by_length: sources must come longest first, as ``pack_padded_sequence`` wants it by
            default; the law sorts them and puts the results back.
        trimmed: a batch is never wider than its longest sentence, so the law widens none.
        time_first: ``src [S, B]``, memory ``[S, B, ...]``, states ``[layers, B, ...]``, targets
            ``[T, B]``, logits ``[T, B, V]`` and outputs, if they are a tensor, ``[L, B]``.
        state_axis: the axis of the sentences in a state, where it is not the first (1 for the
            ``[layers, B, H]`` of ``nn.GRU``); the second if ``time_first``.
        label_smoothing: of the loss that law 1 compares with the logits.

    Raises:
        ValueError: an id is negative, or ``pad_side`` is neither.
    """

    pad_id: int = PAD_ID
    bos_id: int = BOS_ID
    eos_id: int = EOS_ID
    other_ids: tuple[int, ...] = ()
    pad_side: str = "right"
    source_eos: bool = True
    sorted_by_length: bool = False
    trimmed: bool = False
    time_first: bool = False
    state_axis: int | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_choice(self.pad_side, SIDES, "pad_side")
        if min(self.special) < 0:
            raise ValueError(
                f"ids must be ≥ 0, not {self.special}. -100 is a label that a loss leaves out, "
                f"and no id of PAD (see laws.labels)."
            )

    @classmethod
    def of(cls, config: Any, **others: Any) -> "Conventions":
        """Those that a Hugging Face ``config`` (or ``generation_config``) names."""
        eos = _first_of(config, "eos_token_id")
        bos = _first_of(config, "decoder_start_token_id", "bos_token_id")
        pad = _first_of(config, "pad_token_id")
        found = {"pad_id": pad if pad is not None else eos, "bos_id": bos, "eos_id": eos}
        lacking = [name for name, value in found.items() if value is None and name not in others]
        if lacking:
            raise ValueError(
                f"{type(config).__name__} names no {' and no '.join(lacking)}: give "
                f"{lacking[0]}= as well."
            )
        return cls(**{**found, **others})

    @property
    def special(self) -> tuple[int, ...]:
        """Ids that are no word, each once, in order."""
        return tuple(sorted({self.pad_id, self.bos_id, self.eos_id, *self.other_ids}))

    def words(self, vocab_size: int) -> list[int]:
        """Ids that may stand anywhere in a sentence."""
        return [i for i in range(vocab_size) if i not in self.special]

    def said(self) -> tuple[str, ...]:
        """What is assumed, in words."""
        names: dict[int, list[str]] = {}
        for name in ("pad", "bos", "eos"):
            names.setdefault(getattr(self, f"{name}_id"), []).append(name.upper())
        said = [", ".join(f"{' = '.join(same)} = {i}" for i, same in names.items())]
        said.append(f"pads on the {self.pad_side} of a source and on the right of a target")
        said.append(f"sources end with{'' if self.source_eos else 'out'} EOS")
        extra = {
            "sources come sorted, longest first": self.sorted_by_length,
            "no batch is wider than its longest sentence": self.trimmed,
            "time comes first": self.time_first,
            f"the sentences are axis {self.state_axis} of a state": self.state_axis is not None,
            f"label smoothing {self.label_smoothing}": self.label_smoothing > 0,
            f"ids {list(self.other_ids)} are no words": bool(self.other_ids),
        }
        return (*said, *(text for text, holds in extra.items() if holds))


DEFAULT = Conventions()


def options(given: Conventions | None, **others: Any) -> dict[str, Any]:
    """What a ``Trial`` is told of the conventions and of a law's own options (text -> default?)."""
    conventions = given or DEFAULT
    said = tuple(text for text, usual in others.items() if not usual)
    return {
        "assumed": (*conventions.said(), *said),
        "default": conventions == DEFAULT and not said,
    }


class LeftPadded(Batch):
    """A batch whose sources are padded on the left; lengths and targets are as ever."""

    @property
    def src_mask(self) -> Tensor:
        """bool ``[B, S]``, True = real token."""
        return super().src_mask.flip(1)


@dataclass(frozen=True)
class TimeFirst:
    """A batch with time first; the names are those of ``Batch``."""

    src: Tensor  # [S, B]
    src_lengths: Tensor  # [B]
    tgt_in: Tensor  # [T, B]
    tgt_out: Tensor  # [T, B]
    tgt_lengths: Tensor  # [B]
    src_mask: Tensor  # [S, B]
    tgt_mask: Tensor  # [T, B]

    def __len__(self) -> int:
        return len(self.src_lengths)


class Layout:
    """Between the law's batches (unsorted, padded on the right, batch first) and the code's."""

    def __init__(self, conventions: Conventions, src_lengths: Tensor) -> None:
        self.conventions, self.lengths = conventions, src_lengths
        rows = torch.arange(len(src_lengths), device=src_lengths.device)
        self.order = rows
        if conventions.sorted_by_length:
            self.order = src_lengths.argsort(descending=True, stable=True)
        self.back = self.order.argsort()

    def source(self, src: Tensor) -> Tensor:
        """``[B, S]`` as the code wants it."""
        src, lengths = src[self.order], self.lengths[self.order]
        if self.conventions.pad_side == "left":
            src = _turned(src, lengths - src.size(1))
        return src.T if self.conventions.time_first else src

    def batch(self, batch: Batch) -> Any:
        """The batch as the code wants it."""
        src, tgt_in, tgt_out = (
            self.source(batch.src),
            *(part[self.order] for part in (batch.tgt_in, batch.tgt_out)),
        )
        lengths = self.lengths[self.order], batch.tgt_lengths[self.order]
        if self.conventions.time_first:
            left = LeftPadded if self.conventions.pad_side == "left" else Batch
            flat = left(src.T, lengths[0], tgt_in, tgt_out, lengths[1])
            masks = flat.src_mask.T, flat.tgt_mask.T
            return TimeFirst(src, lengths[0], tgt_in.T, tgt_out.T, lengths[1], *masks)
        kind = LeftPadded if self.conventions.pad_side == "left" else type(batch)
        return kind(src, lengths[0], tgt_in, tgt_out, lengths[1])

    def over_time(self, result: Tensor) -> Tensor:
        """Logits or targets' numbers ``[B, T, ...]`` from what came back."""
        result = result.transpose(0, 1) if self.conventions.time_first else result
        return result[self.back] if result.size(0) == len(self.back) else result

    def memory(self, memory: Tensor) -> Tensor:
        """``[B, S, ...]``, real positions first."""
        memory = self.over_time(memory)
        if self.conventions.pad_side == "left":
            memory = _turned(memory, memory.size(1) - self.lengths)
        return memory

    def state(self, part: Tensor) -> Tensor:
        """``[B, ...]`` from one tensor of a state."""
        axis = self.conventions.state_axis
        axis = int(self.conventions.time_first) if axis is None else axis
        part = part.movedim(axis, 0) if part.dim() > axis else part
        return part[self.back] if part.dim() and part.size(0) == len(self.back) else part

    def rows(self, outputs: Sequence[Any] | Tensor) -> list[Any]:
        """Decoded outputs, one a sentence, in the law's own order."""
        return [outputs[row] for row in self.back.tolist()]


def _turned(values: Tensor, by: Tensor) -> Tensor:
    """``[B, S, ...]`` with each row's positions rolled to the left by ``by [B]``."""
    places = torch.arange(values.size(1), device=values.device)[None] + by[:, None].to(
        values.device
    )
    places = places.remainder(values.size(1))  # [B, S]
    rows = torch.arange(len(values), device=values.device)[:, None]
    return values[rows, places]


def whole_target(batch: Batch) -> Tensor:
    """``BOS … EOS`` and pads, ``[B, T + 1]``: for models that take one target and shift it."""
    last = batch.tgt_lengths[:, None]  # where a row's EOS belongs
    whole = torch.cat([batch.tgt_in, batch.tgt_in[:, :1]], 1)  # [B, T + 1]
    eos = batch.tgt_out.gather(1, (last - 1).clamp(min=0))
    pads = torch.arange(whole.size(1), device=whole.device)[None] > last
    pad = batch.tgt_out.new_full((), _pad_of(batch))
    return torch.where(pads, pad, whole.scatter(1, last, eos))


def labels(batch: Batch, ignore_id: int = -100) -> Tensor:
    """``tgt_out`` with ``ignore_id`` at the pads, ``[B, T]``: Hugging Face's ``labels``."""
    return batch.tgt_out.masked_fill(~batch.tgt_mask, ignore_id)


def _pad_of(batch: Batch) -> int:
    pads = batch.tgt_out[~batch.tgt_mask]
    return int(pads[0]) if pads.numel() else PAD_ID


def _first_of(config: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(config, name, None)
        if value is not None:
            return int(value[0] if isinstance(value, list | tuple) else value)
    return None
