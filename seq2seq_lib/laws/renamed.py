"""A model without weights under other ids: for searches whose PAD, BOS and EOS differ."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


class Renamed:
    """``model``, a ``HashModel`` or ``TableModel``, as if its special ids were ``conventions``'.

    Its words get the smallest ids that are free; what is neither word nor EOS has probability 0.
    """

    def __init__(self, model: Any, conventions: Conventions) -> None:
        self.model, self.conventions = model, conventions
        count = model.vocab_size - EOS_ID - 1
        size = max(conventions.special) + 1
        while len(conventions.words(size)) < count:
            size += 1
        words = conventions.words(size)[:count]
        self.vocab_size = size
        self.ours = torch.full((size,), PAD_ID, device="cpu")  # their id -> ours
        self.ours[words] = torch.arange(EOS_ID + 1, model.vocab_size, device="cpu")
        self.ours[conventions.eos_id] = EOS_ID
        self.ours[conventions.bos_id] = BOS_ID  # the last: what is read first is the start
        self.columns = [*words, conventions.eos_id]

    def __repr__(self) -> str:
        return f"{self.model} with {self.conventions.said()[0]}"

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        """As the model does."""
        return self.model.start(src, src_lengths)

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Log-probabilities float64 ``[N, V]`` in their ids, after ``tokens`` int64 ``[N]``."""
        scores, state = self.model.step(self.ours.to(tokens.device)[tokens], state)
        found = scores.new_full((len(scores), self.vocab_size), float("-inf"))
        ours = [*range(EOS_ID + 1, self.model.vocab_size), EOS_ID]
        found[:, self.columns] = scores[:, ours]
        return found, state


def renamed(model: Any, conventions: Conventions) -> Any:
    """The model itself where the ids are this library's."""
    same = conventions.special == DEFAULT.special and conventions.bos_id == BOS_ID
    return model if same and conventions.eos_id == EOS_ID else Renamed(model, conventions)
