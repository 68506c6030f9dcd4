"""The numbers of the batch builder: sentences in batches, and how many cells are PAD."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from seq2seq_lib.batching import BucketSampler, TokenBatchSampler, collate, encode_pairs
from seq2seq_lib.corpora import Pair, dates, phrases
from seq2seq_lib.vocab import UNK_ID, Vocab

SENTENCES, POOL = 64, 4  # of a generated corpus; batches that are sorted together
MOST, LONGEST = 64, 20  # of the reader's own text: sentences, words in each
BREAK = "/"  # between two sentences of it
OWN = "the cat sees the dog / a cat / we want the black trees"


@dataclass(frozen=True)
class Row:
    """One sentence of a batch, without pads.

    Attributes:
        text: as it was written.
        read: ids and tokens of the source, with EOS; in the shifted view of ``tgt_in``.
        say: the same of ``tgt_out``; empty in the view of the source.
    """

    text: str
    read: tuple[tuple[int, str], ...]
    say: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Result:
    """What the batch builder shows.

    Attributes:
        corpus, batch_size, order, number, view: as in ``compute``; ``number`` counts from 1.
        rows: of the batch that is shown.
        width: of that batch, in cells: its longest row.
        batches: ``(rows, width, real tokens)`` of each batch, in the order in which they come.
        unknown: tokens of the reader's own text that the vocabulary does not hold.
        vocab_size: V of the vocabulary that gave the ids.
    """

    corpus: str
    batch_size: int
    order: str
    number: int
    view: str
    rows: tuple[Row, ...]
    width: int
    batches: tuple[tuple[int, int, int], ...]
    unknown: int
    vocab_size: int

    @property
    def real(self) -> int:
        """Real tokens of all batches."""
        return sum(tokens for _, _, tokens in self.batches)

    @property
    def cells(self) -> int:
        """Cells of all batches, pads counted."""
        return sum(rows * width for rows, width, _ in self.batches)

    @property
    def waste(self) -> float:
        """Share of all cells that are PAD."""
        return 1 - self.real / self.cells

    @property
    def waste_here(self) -> float:
        """Share of the shown batch's cells that are PAD."""
        rows, width, tokens = self.batches[self.number - 1]
        return 1 - tokens / (rows * width)


def compute(
    *,
    corpus: str = "phrases",
    own: str = OWN,
    batch_size: int = 8,
    order: str = "came",
    number: int = 1,
    view: str = "source",
) -> Result:
    """Put sentences into batches, and look at one of them.

    Args:
        corpus: ``phrases`` (words, English and French), ``dates`` (characters), 64 pairs each; or
            ``own``, the reader's text, whose source and target are the same.
        own: sentences of words with ``/`` between them; read with the vocabulary of the phrases.
        batch_size: rows of a batch; for ``tokens`` what a batch of the longest would have.
        order: ``came``; ``pools`` of 4 batches that are sorted (BucketSampler); all ``sorted``; or
            by ``tokens``, so many rows that rows x longest stays below a limit.
        number: the batch to show, from 1.
        view: ``source``, or ``shift`` for the two rows that a decoder needs.

    Raises:
        ValueError: the own text has no sentence, or more than there is room for.
    """
    pairs, examples, vocabs = _own(own) if corpus == "own" else _generated(corpus)
    side = 0 if view == "source" else 1
    lengths = [len(example[side]) + 1 for example in examples]  # + 1: EOS
    batches = in_batches(lengths, batch_size, order)
    chosen = batches[number - 1]
    batch, vocab = collate([examples[i] for i in chosen]), vocabs[side]
    read, say = (batch.src, None) if side == 0 else (batch.tgt_in, batch.tgt_out)
    held = [lengths[i] for i in chosen]
    rows = [
        Row(
            _text(pairs[i], side, corpus),
            _cells(read[b, : held[b]].tolist(), vocab),
            _cells(say[b, : held[b]].tolist(), vocab) if side else (),
        )
        for b, i in enumerate(chosen)
    ]
    return Result(
        corpus=corpus,
        batch_size=batch_size,
        order=order,
        number=number,
        view=view,
        rows=tuple(rows),
        width=max(held),
        batches=tuple(
            (len(some), max(lengths[i] for i in some), sum(lengths[i] for i in some))
            for some in batches
        ),
        unknown=sum(example[side].count(UNK_ID) for example in examples),
        vocab_size=len(vocab),
    )


def in_batches(lengths: Sequence[int], batch_size: int, order: str) -> list[list[int]]:
    """The places of sentences with these lengths, in batches; ``order`` as in ``compute``."""
    if order == "came":
        places = range(len(lengths))
        return [list(places[s : s + batch_size]) for s in places[::batch_size]]
    if order == "pools":
        return list(BucketSampler(lengths, batch_size, pool_batches=POOL))
    if order == "sorted":
        return list(BucketSampler(lengths, batch_size, shuffle=False))
    if order == "tokens":
        return list(TokenBatchSampler(lengths, batch_size * max(lengths), shuffle=False))
    raise ValueError(f"order must be came, pools, sorted or tokens, but it is {order!r}.")


@functools.lru_cache(maxsize=4)
def count_batches(corpus: str, own: str, batch_size: int, order: str, view: str) -> int:
    """How many batches there are with these parameters of ``compute``."""
    _, examples, _ = _own(own) if corpus == "own" else _generated(corpus)
    lengths = [len(example[view == "shift"]) + 1 for example in examples]
    if order == "tokens":
        return len(in_batches(lengths, batch_size, order))
    return math.ceil(len(lengths) / batch_size)


@functools.cache
def _generated(corpus: str) -> tuple[list[Pair], list, tuple[Vocab, Vocab]]:
    make = {"phrases": phrases, "dates": dates}[corpus]
    pairs = make(SENTENCES, 0, 0).train
    vocabs = tuple(Vocab.build(getattr(p, side) for p in pairs) for side in ("source", "target"))
    return pairs, encode_pairs(pairs, *vocabs), vocabs


def _own(text: str) -> tuple[list[Pair], list, tuple[Vocab, Vocab]]:
    """The reader's sentences; each is its own target."""
    sentences = [tuple(part.lower().split()) for part in text.split(BREAK)]
    sentences = [words for words in sentences if words]
    if not sentences:
        raise ValueError(f"There is no sentence. Write some words, and {BREAK} between sentences.")
    if len(sentences) > MOST:
        raise ValueError(
            f"There are {len(sentences)} sentences, and the picture has room for {MOST}: leave out "
            "some."
        )
    for number, words in enumerate(sentences, start=1):
        if len(words) > LONGEST:
            raise ValueError(
                f"Sentence {number} has {len(words)} words, and the picture has room for "
                f"{LONGEST}: cut it with {BREAK}."
            )
    english = _generated("phrases")[2][0]
    pairs = [Pair(words, words) for words in sentences]
    return pairs, encode_pairs(pairs, english, english), (english, english)


def _cells(ids: list[int], vocab: Vocab) -> tuple[tuple[int, str], ...]:
    return tuple((i, vocab.tokens[i]) for i in ids)


def _text(pair: Pair, side: int, corpus: str) -> str:
    tokens = (pair.source, pair.target)[side]
    return ("" if corpus == "dates" else " ").join(tokens)
