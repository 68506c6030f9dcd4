"""The one-number machine: an RNN whose state is one number that one can read.

It reads digits 1 to 9 by ``h = 10 * h + x`` and writes by ``h % 10`` and ``h // 10`` until nothing
is left. It is a real ``nn.RNN`` with one unit, so pads, packing and neighbours do to it what they
do to any other. In float64 all states below are exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib._arguments import check_choice
from seq2seq_lib.batching import pad_sequences

DIGITS = "123456789"  # 0 is PAD's id, and a state does not show a leading 0
MOST, MAX_EXTRA = 4, 6
NEIGHBOURS = ((2, 7, 1, 8, 2), (5,))
READINGS = {  # how a final state is read from an unpacked and a packed batch
    "last_column": "outputs[:, -1]",
    "gather": "outputs[b, length - 1]",
    "packed_last": "packed: outputs[:, -1]",
    "packed": "packed: h_n",
}


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        digits, extra_pads, neighbours, readings: as in ``compute``.
        rows: the ids of the batch, padded; the reader's own digits are the first row.
        lengths: of the rows.
        running: the state of the first row after each column.
        states: by reading, the final state of the first row.
        said: by reading, what the decoder says to it.
        right: the digits backwards: what it should say.
        after_one_pad: what it says to the state behind one PAD.
        still: the readings from which it says the right thing beside 6 PADs and the neighbours.
    """

    digits: str
    extra_pads: int
    neighbours: bool
    readings: str
    rows: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    running: tuple[int, ...]
    states: Mapping[str, int]
    said: Mapping[str, str]
    right: str
    after_one_pad: str
    still: tuple[str, ...]


def compute(
    *,
    digits: str = "3 1 4",
    extra_pads: int = 0,
    neighbours: bool = False,
    readings: str = "one",
) -> Result:
    """Read digits, perhaps padded and beside others, and let the decoder speak.

    Args:
        digits: 1 to 4 digits from 1 to 9, with spaces or commas between them or not.
        extra_pads: PAD columns behind the longest row, 0 .. 6.
        neighbours: whether 2 7 1 8 2 and 5 are in the batch.
        readings: ``"one"``, the state after the last column, or ``"four"`` ways to read it.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_choice(readings, ("one", "four"), "readings")
    if not 0 <= extra_pads <= MAX_EXTRA:
        raise ValueError(f"extra_pads must be in 0 .. {MAX_EXTRA}, but it is {extra_pads}.")
    own = _digits(digits)
    sentences = (own, *NEIGHBOURS) if neighbours else (own,)
    src, running, states = _read(sentences, extra_pads)
    right = "".join(map(str, own[::-1]))
    beside = _read((own, *NEIGHBOURS), MAX_EXTRA)[2]
    return Result(
        digits="".join(map(str, own)),
        extra_pads=extra_pads,
        neighbours=neighbours,
        readings=readings,
        rows=src,
        lengths=tuple(map(len, sentences)),
        running=running,
        states=states,
        said={name: says(state) for name, state in states.items()},
        right=right,
        after_one_pad=says(_read((own,), 1)[2]["last_column"]),
        still=tuple(name for name, state in beside.items() if says(state) == right),
    )


def machine(dtype: torch.dtype = torch.float64) -> nn.RNN:
    """The encoder as a torch module: ``h = relu(1 * x + 10 * h)``, x ``[B, S, 1]``."""
    rnn = nn.RNN(1, 1, nonlinearity="relu", bias=False, batch_first=True, dtype=dtype)
    with torch.no_grad():
        rnn.weight_ih_l0.fill_(1)
        rnn.weight_hh_l0.fill_(10)
    return rnn.requires_grad_(False)


def says(state: Tensor | float) -> str:
    """What the decoder says to a state: its last digit first, until nothing is left."""
    state, said = int(state), ""
    while state > 0:
        said, state = said + str(state % 10), state // 10
    return said


def _digits(text: str) -> tuple[int, ...]:
    bare = "".join(text.replace(",", " ").split())
    if not 1 <= len(bare) <= MOST or set(bare) - set(DIGITS):
        raise ValueError(
            f"Type 1 to {MOST} digits from 1 to 9, such as 3 1 4. (0 is the id of PAD.) Now it is "
            f"{text[:20]!r}."
        )
    return tuple(map(int, bare))


@cache
def _read(
    sentences: tuple[tuple[int, ...], ...], extra_pads: int
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...], Mapping[str, int]]:
    """The padded rows, the running state of the first row, and its final state in four ways."""
    src, lengths = pad_sequences(sentences)  # [B, S], [B]
    src = nn.functional.pad(src, (0, extra_pads))  # [B, S + extra]
    x, rnn = src[..., None].double(), machine()  # [B, S, 1]
    outputs, _ = rnn(x)
    packed, h_n = rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    unpacked, _ = pad_packed_sequence(packed, batch_first=True)
    states = {
        "last_column": outputs[0, -1],
        "gather": outputs[0, lengths[0] - 1],
        "packed_last": unpacked[0, -1],
        "packed": h_n[0, 0],
    }
    return (
        tuple(map(tuple, src.tolist())),
        tuple(int(h) for h in outputs[0, :, 0]),
        {name: int(state) for name, state in states.items()},
    )
