"""How often the largest weight stands where the truth says: a count over gold links."""

from collections.abc import Sequence

from torch import Tensor

from seq2seq_lib.corpora import Pair


def on_gold(attention: Tensor, pairs: Sequence[Pair]) -> tuple[list[bool], list[bool]]:
    """For each target token that the corpus links, whether its largest weight is on a link.

    Args:
        attention: weights ``[B, T, S]`` of a pass over the gold targets; a row may have pads.
        pairs: B pairs with their alignment, a set of links (source position, target position).

    Returns:
        One bool for each linked target token; and of these the ones that have a link that crosses
        another one of the pair, where one is later in the source and earlier in the target.

    Raises:
        ValueError: there are not as many pairs as rows.
    """
    if len(attention) != len(pairs):
        raise ValueError(f"There are {len(attention)} rows of attention, but {len(pairs)} pairs.")
    hits, crossing = [], []
    for weights, pair in zip(attention, pairs, strict=True):
        links = pair.alignment
        for t in sorted({t for _, t in links}):
            hits.append((int(weights[t].argmax()), t) in links)
            mine = [s for s, u in links if u == t]
            if any((s - j) * (t - k) < 0 for s in mine for j, k in links):
                crossing.append(hits[-1])
    return hits, crossing
