"""The numbers of the attention lens: three tokens by hand, and the date model under surgery.

``tokens`` is a batch small enough for a pencil: two sentences, three queries each; one score can
be edited, and the real tokens taken away. ``date`` reads a date with the model that the library
ships, after some of the source's vectors have given way to those of another date, or after its
weights have been replaced. What the answer then is, and where the model looked, is computed and
not stored.
"""

import math
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from seq2seq_lib.attention import DotAttention
from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.decoder import DecoderState
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import BOS_ID, EOS_ID

WORDS = ("the", "cat", "•", "PAD", "PAD")  # • ends a sentence
QUERIES = torch.tensor(
    [[[1.0, 0, 0, 2], [0, 2, 1, 0], [1, 1, 1, 1]], [[2, 1, 0, 0], [0, 1, 2, 0], [0, 0, 1, 2]]]
)  # [B, T, d]
MEMORY = torch.tensor(
    [
        [[1.0, 0, 1, 0], [0, 1, 0, 1], [2, 0, 0, 0], [0, 0, 2, 1], [1, 1, 0, 0]],
        [[2, 0, 0, 1], [0, 2, 1, 0], [0, 0, 0, 2], [3, 0, 0, 0], [3, 0, 0, 0]],
    ]
)  # [B, S, d], keys and values; the last two of sentence 1 are pads, and not zero
MASK = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])  # [B, S]

UNEDITED = -1
MAX_ROWS = 12
CHANGES = ("own", "letters", "rest", "column", "uniform", "largest", "shuffled")


@dataclass(frozen=True)
class Source:
    """A date, and another one of the same form that lends its vectors.

    Attributes:
        text, donor: as long as each other.
        month: the columns of the month, in both.
    """

    text: str
    donor: str
    month: tuple[int, ...]


SOURCES = {
    "short": Source("14 aug 1999", "27 mar 2051", (3, 4, 5)),
    "long": Source("october 14, 1999", "january 27, 2051", tuple(range(7))),
    "digits": Source("1999/08/14", "2051/03/27", (5, 6)),
}


@dataclass(frozen=True)
class Tokens:
    """Attention on the batch of ``tokens``; numbers may be NaN and infinite.

    Attributes:
        step, scale, mask, axis, beside, real, edited: as in ``compute``.
        raw: the score before the scale that was edited: what it was and what it is; None without.
        unedited: the weight of that position before the edit.
        scores: ``[T][S]`` of sentence 1, as the softmax gets them.
        weights: ``[T][S]`` of sentence 1.
        context: the 4 numbers of the chosen step.
        neighbour: ``[T][S]``, the weights of sentence 0; empty if it is not there.
        leak: the share of the pads at step 0 without a mask, as the question asks.
    """

    step: int
    scale: str
    mask: str
    axis: str
    beside: bool
    real: int
    edited: int
    raw: tuple[float, float] | None
    unedited: float
    scores: tuple[tuple[float, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    context: tuple[float, ...]
    neighbour: tuple[tuple[float, ...], ...]
    leak: float


@dataclass(frozen=True)
class Reading:
    """What the date model writes.

    Attributes:
        source, change, column: as in ``compute``, the source as a ``Source``.
        foreign: the columns that come from the donor.
        before: the answer without a change.
        answer: the answer with it.
        rows: the tokens of the answer, the end among them.
        weights: ``[rows][S]``, used to mix the context.
        with_letters: the answer if the characters of the month come from the donor.
    """

    source: Source
    change: str
    column: int
    foreign: tuple[int, ...]
    before: str
    answer: str
    rows: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    with_letters: str


def compute(
    *,
    scene: str = "date",
    source: str = "short",
    change: str = "own",
    column: int = 9,
    step: int = 0,
    scale: str = "root",
    mask: str = "before",
    axis: str = "source",
    beside: bool = True,
    real: int = 3,
    edited: int = UNEDITED,
    raw: float | str = 8.0,
) -> Tokens | Reading:
    """One of the two scenes.

    Args:
        scene: ``"date"`` or ``"tokens"``.
        source: one of ``SOURCES``.
        change: of the date model: nothing (``"own"``), vectors from the donor at the month's
            ``"letters"``, everywhere else (``"rest"``) or at one ``"column"``; or other weights:
            ``"uniform"``, all on the ``"largest"``, ``"shuffled"``.
        column: the one column, from 0 to that of the end symbol.
        step: the query whose context is shown, 0 .. 2.
        scale: scores divided by nothing (``"none"``), ``"root"`` of d or ``"d"``.
        mask: ``"none"``, -inf ``"before"`` the softmax, times 0 ``"after"`` it, or ``"zero"``
            filled in before it.
        axis: the softmax runs over ``"source"``, ``"target"`` or ``"batch"``.
        beside: whether sentence 0 is in the batch, too.
        real: the number of real tokens of sentence 1, 0 .. 3; the others are pads.
        edited: the position of sentence 1 whose score at ``step`` is set by hand, or ``UNEDITED``.
        raw: that score before the scale; the text ``"nan"`` for NaN.
    """
    if scene == "date":
        return _read(source, change, column)
    return _attend(step, scale, mask, axis, beside, real, edited, float(raw))


# ---------------------------------------------------------------- three tokens


def _attend(
    step: int, scale: str, mask: str, axis: str, beside: bool, real: int, edited: int, value: float
) -> Tokens:
    first = 0 if beside else 1
    queries, memory, is_real = QUERIES[first:], MEMORY[first:], MASK[first:, None, :].clone()
    is_real[-1] = torch.arange(len(WORDS)) < real
    raw = queries @ memory.mT  # [B, T, d] @ [B, d, S] -> [B, T, S]
    _, weights = _softmax(raw, is_real, scale, mask, axis)
    before = (raw[-1, step, edited].item(), value) if edited != UNEDITED else None
    unedited = weights[-1, step, edited].item() if edited != UNEDITED else math.nan
    if edited != UNEDITED:
        raw[-1, step, edited] = value
    scores, weights = _softmax(raw, is_real, scale, mask, axis)
    context = weights @ memory  # [B, T, d]
    return Tokens(
        step=step,
        scale=scale,
        mask=mask,
        axis=axis,
        beside=beside,
        real=real,
        edited=edited,
        raw=before,
        unedited=unedited,
        scores=_rows(scores[-1]),
        weights=_rows(weights[-1]),
        context=tuple(context[-1, step].tolist()),
        neighbour=_rows(weights[0]) if beside else (),
        leak=_leak(),
    )


def _softmax(
    raw: Tensor, is_real: Tensor, scale: str, mask: str, axis: str
) -> tuple[Tensor, Tensor]:
    """Scores ``[B, T, S]`` as the softmax gets them, and the weights."""
    scores = raw / {"none": 1.0, "root": 2.0, "d": 4.0}[scale]
    if mask == "before":
        scores = scores.masked_fill(~is_real, float("-inf"))
    elif mask == "zero":
        scores = scores.masked_fill(~is_real, 0.0)
    weights = scores.softmax({"source": 2, "target": 1, "batch": 0}[axis])
    return scores, weights * is_real if mask == "after" else weights


def _leak() -> float:
    """What the pads take at step 0 without a mask, as the question asks."""
    weights = (QUERIES[1, 0] @ MEMORY[1].T / 2).softmax(-1)  # [S]
    return weights[~MASK[1]].sum().item()


def _rows(table: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, table.tolist()))


# ---------------------------------------------------------------- the date model


class _OtherWeights(DotAttention):
    """The model's attention, its weights replaced before they mix the memory."""

    def __init__(self, change: str) -> None:
        super().__init__()
        self.change = change

    def forward(
        self, query: Tensor, keys: Tensor, memory: Tensor, src_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        if query.dim() == 2:
            query = query.unsqueeze(1)  # [B, Q] -> [B, 1, Q]
        _, weights = super().forward(query, keys, memory, src_mask)  # [B, T, S]
        if self.change == "uniform":
            weights = src_mask[:, None].expand_as(weights) / src_mask.sum(-1)[:, None, None]
        elif self.change == "largest":
            weights = torch.zeros_like(weights).scatter(-1, weights.argmax(-1, True), 1.0)
        else:
            order = torch.randperm(weights.size(-1), generator=torch.Generator().manual_seed(8))
            weights = weights[..., order]
        return weights @ memory, weights  # the one source has no pads


@cache
def _reader() -> Translator:
    reader = date_reader()
    reader.model.eval()
    return reader


@cache
@torch.no_grad()
def _states(source: Source) -> tuple[DecoderState, DecoderState]:
    """The decoder's state before the first token, for the source and for the donor."""
    reader, found = _reader(), []
    for text in (source.text, source.donor):
        ids = [*reader.src_vocab.encode(list(text)), EOS_ID]
        found.append(reader.model.start(torch.tensor([ids]), torch.tensor([len(ids)])))
    return tuple(found)


@cache
def _read(name: str, change: str, column: int) -> Reading:
    source = SOURCES[name]
    columns = range(len(source.text) + 1)
    foreign = {
        "letters": source.month,
        "rest": tuple(s for s in columns if s not in source.month),
        "column": (column,),
    }.get(change, ())
    answer, weights = _write(source, foreign, change)
    rows = (*answer, "end")[: len(weights)]
    return Reading(
        source=source,
        change=change,
        column=column,
        foreign=foreign,
        before=_write(source, (), "own")[0],
        answer=answer,
        rows=rows,
        weights=weights,
        with_letters=_write(source, source.month, "letters")[0],
    )


@torch.no_grad()
def _write(
    source: Source, foreign: tuple[int, ...], change: str
) -> tuple[str, tuple[tuple[float, ...], ...]]:
    """The greedy answer and its weights, with the donor's vectors in the foreign columns."""
    reader, (state, donor) = _reader(), _states(source)
    memory = state.memory.clone()  # [1, S, H]; the keys of dot attention are the memory
    memory[:, list(foreign)] = donor.memory[:, list(foreign)]
    state = replace(state, memory=memory, keys=memory)
    decoder, own = reader.model.decoder, reader.model.decoder.attention
    token, tokens, weights = torch.tensor([BOS_ID]), [], []
    try:
        if change in ("uniform", "largest", "shuffled"):
            decoder.attention = _OtherWeights(change)
        for _ in range(MAX_ROWS):
            logits, state = decoder.step(token, state)
            token = logits.argmax(-1)  # [1]
            weights.append(tuple(state.attention[0].tolist()))
            if token.item() == EOS_ID:
                break
            tokens.append(token.item())
    finally:
        decoder.attention = own
    return "".join(reader.tgt_vocab.decode(tokens)), tuple(weights)
