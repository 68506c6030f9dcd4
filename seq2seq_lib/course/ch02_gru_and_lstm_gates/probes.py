"""What this chapter's checks share: steps, sizes, words for what was fed."""

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe

FIXED = 2  # probes whose numbers are the same at each check; a message shows one of them


def sizes(*named: tuple[str, int]) -> str:
    """``B = 2, H = 3``."""
    return ", ".join(f"{name} = {size}" for name, size in named)


def shown(**tensors: Tensor) -> str:
    """The tensors, as far as they are small."""
    return "".join(f"\n{name} = {describe.value(tensor)}" for name, tensor in tensors.items())


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Random numbers: no two weights are alike, or a swap of blocks would go unseen."""
    return torch.randn(*shape, generator=generator)
