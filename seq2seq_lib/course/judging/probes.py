"""What a check feeds to an answer."""

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Probe:
    """Arguments for one call.

    Attributes:
        args: by name, in the order of the signature.
        fed: them, in words.
        gradient: whether a gradient can be asked for (not with NaN at the pads).
    """

    args: dict[str, Any]
    fed: str
    gradient: bool = True


def fresh_generator(seed: int | None = None) -> torch.Generator:
    """A generator of the check's own: the global one is not touched."""
    generator = torch.Generator()
    if seed is None:
        generator.seed()  # from the operating system
    else:
        generator.manual_seed(seed)
    return generator
