"""A few settings in place of all of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any


def covering(settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Settings that hold, between them, every pair of two parameters' values that stands in any.

    What a picture gets wrong hangs on one control, or on two of them; a third alike is seen once.
    The one that adds the most pairs is taken first, so the same settings come at each call.
    """
    pairs = [
        set(combinations(sorted(one.items(), key=lambda item: item[0]), 2)) for one in settings
    ]
    left, taken = set().union(*pairs), []
    while left:
        best = max(range(len(settings)), key=lambda i: len(pairs[i] & left))
        left -= pairs[best]
        taken.append(dict(settings[best]))
    return taken
