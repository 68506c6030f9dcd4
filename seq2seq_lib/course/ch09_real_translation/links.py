"""Which source pieces a target piece should look at: the gold links of a generated pair."""

from collections.abc import Sequence

from seq2seq_lib.corpora import Pair, detokenize
from seq2seq_lib.translate import Translation


def gold_links(pair: Pair, found: Translation) -> list[set[int]]:
    """For each target piece of a right output, the source pieces of the words it is linked to.

    Pieces are placed by their letters in the plain text: a piece belongs to the token in which its
    last letter lies. EOS is nobody's link.

    Raises:
        ValueError: the output is not the pair's target, so the pair's links say nothing about it.
    """
    if found.text != detokenize(pair.target):
        raise ValueError(f"links are known for {detokenize(pair.target)!r}, not {found.text!r}")
    source = _token_of(found.source, pair.source)
    links: dict[int, set[int]] = {}
    for i, j in pair.alignment or ():
        links.setdefault(j, set()).update(k for k, token in enumerate(source) if token == i)
    return [links.get(j, set()) for j in _token_of(found.target, pair.target)]


def _token_of(pieces: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """For each piece the number of its token."""
    ends, length = [], 0
    for token in tokens:
        length += len(token)
        ends.append(length)
    places, read = [], 0
    for piece in pieces:
        read += len(piece.replace("▁", ""))
        places.append(next(i for i, end in enumerate(ends) if max(read, 1) <= end))
    return places
