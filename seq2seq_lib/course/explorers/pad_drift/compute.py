"""The numbers of the pad drift explorer: one sentence, a small GRU, four readings of its state."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.encoder import Encoder

WORDS = ("", "", "end", "", "the", "cat", "sat", "down", "a", "small", "dog", "ran", "to", "it")
SENTENCE = (4, 5, 6, 7, 2)  # the cat sat down, and its end
LONGER = (8, 9, 10, 11, 12, 4, 5, 2)
SHORTER = (13, 11, 2)
UNITS, MAX_EXTRA, SEED = 8, 12, 5

RAW = ("embedded = embedding(src)", "outputs, h_n = rnn(embedded)")
PACKED = (
    "packed = pack_padded_sequence(",
    "    embedding(src), lengths, batch_first=True, enforce_sorted=False)",
    "outputs, h_n = rnn(packed)",
)
READINGS = {
    "raw": (*RAW, "state = h_n[-1]"),
    "last_output": (*PACKED, "state = pad_packed_sequence(outputs, batch_first=True)[0][:, -1]"),
    "gather": (*RAW, "state = outputs[torch.arange(B), lengths - 1]"),
    "packed": (*PACKED, "state = h_n[-1]"),
}
NAMES = {
    "raw": "raw last state",
    "last_output": "packed, outputs[:, -1]",
    "gather": "outputs at length − 1",
    "packed": "packed h_n",
}


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        extra_pads, reading, neighbours: as in ``compute``.
        rows: the ids of the batch, padded; the sentence is the first row.
        lengths: of the rows.
        before: the final state of the sentence alone, without pads: all four ways agree on it.
        states: by reading, the final state of the sentence in this batch, 8 numbers.
        distances: by reading, the largest difference to ``before`` in any unit.
        still: the readings that stay at ``before`` with 6 extra pads and neighbours.
    """

    extra_pads: int
    reading: str
    neighbours: bool
    rows: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    before: tuple[float, ...]
    states: Mapping[str, tuple[float, ...]]
    distances: Mapping[str, float]
    still: tuple[str, ...]


def compute(
    *,
    reading: str = "raw",
    neighbours: bool = False,
    extra_pads: int = 0,
) -> Result:
    """Encode the sentence in a padded batch and read its final state in four ways.

    Args:
        reading: what the bars show: ``"raw"``, ``"last_output"``, ``"gather"`` or ``"packed"``.
        neighbours: whether a longer and a shorter sentence are in the batch.
        extra_pads: PAD columns after the longest sentence, 0 .. 12.
    """
    sentences = _sentences(neighbours)
    before = _read(0, False)["packed"]
    states = _read(extra_pads, neighbours)
    width = max(map(len, sentences)) + extra_pads
    return Result(
        extra_pads=extra_pads,
        reading=reading,
        neighbours=neighbours,
        rows=tuple((*ids, *[0] * (width - len(ids))) for ids in sentences),
        lengths=tuple(map(len, sentences)),
        before=before,
        states=states,
        distances={name: _distance(state, before) for name, state in states.items()},
        still=tuple(n for n, s in _read(6, True).items() if _distance(s, before) == 0),
    )


@cache
def _encoder() -> Encoder:
    """Random weights, the same in every process; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        encoder = Encoder(len(WORDS), 6, UNITS, bidirectional=False).double()
    with torch.no_grad():
        for parameter in encoder.rnn.parameters():
            parameter *= 2.0  # livelier than torch's start, as trained weights are
    return encoder.eval()


def _sentences(neighbours: bool) -> tuple[tuple[int, ...], ...]:
    return (SENTENCE, LONGER, SHORTER) if neighbours else (SENTENCE,)


@cache
@torch.no_grad()
def _read(extra_pads: int, neighbours: bool) -> Mapping[str, tuple[float, ...]]:
    """The sentence's final state, read in four ways."""
    src, lengths = pad_sequences(_sentences(neighbours))  # [B, S], [B]
    src = torch.nn.functional.pad(src, (0, extra_pads))  # [B, S + extra]
    encoder, rows = _encoder(), torch.arange(len(src))
    outputs, state = encoder.rnn(encoder.embedding(src))  # pads are read like words
    packed, packed_state = encoder.rnn(
        pack_padded_sequence(
            encoder.embedding(src), lengths, batch_first=True, enforce_sorted=False
        )
    )
    unpacked, _ = pad_packed_sequence(packed, batch_first=True)  # as wide as the longest sentence
    return {
        "raw": _digits(state[-1]),
        "last_output": _digits(unpacked[:, -1]),
        "gather": _digits(outputs[rows, lengths - 1]),
        "packed": _digits(packed_state[-1]),
    }


def _digits(states: Tensor) -> tuple[float, ...]:
    # A matrix product may round differently for another batch size, in the 16th digit: 12 are kept.
    return tuple(round(value, 12) for value in states[0].tolist())  # [B, H] -> H numbers


def _distance(state: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(state, other, strict=True))
