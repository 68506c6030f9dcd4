"""The seven laws, as a picture tells them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """A sentence "two ways, one number", and where in the pipeline it stands.

    Attributes:
        name: after its number.
        left, right: the two ways, in the pans of a balance; a line each.
        number: what both must give.
        where: the place, in words.
    """

    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    number: str
    where: str


LAWS: Mapping[int, Law] = {
    1: Law(
        "batch invariance",
        ("alone",),
        ("in any", "batch"),
        "memory, logits, answer",
        "between the batch and the encoder",
    ),
    2: Law("parity", ("our cell",), ("nn.GRU,", "nn.LSTM"), "state, gradient", "in the encoder"),
    3: Law(
        "the loss ledger",
        ("mask ×", "NLL"),
        ("select,", "ignore_index"),
        "loss",
        "at the loss",
    ),
    4: Law(
        "parallel = stepwise", ("all at", "once"), ("token by", "token"), "logits", "in the decoder"
    ),
    5: Law(
        "search has an oracle",
        ("beam of 1,", "beam of all"),
        ("greedy,", "exhaustive"),
        "the output",
        "in the search",
    ),
    6: Law(
        "scores add up",
        ("the search", "says"),
        ("the model", "says"),
        "log probability",
        "between the search and the text",
    ),
    7: Law(
        "shard invariance",
        ("one large", "batch"),
        ("several", "shards"),
        "gradient",
        "at the update",
    ),
}
