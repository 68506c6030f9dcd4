"""The patient of chapter 8's bug clinic: attention whose mask is made and never used.

Rewritten from scratch, small. A reader asks about it in
https://github.com/MaximumEntropy/Seq2Seq-PyTorch/issues/6.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.attention import DotAttention
from seq2seq_lib.batching import collate
from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.losses import sequence_loss
from seq2seq_lib.masks import sequence_mask

OURS, ANSWER = "14 aug 1999", "1999-08-14"
NEIGHBOURS = (
    ("27 mar 2051", "2051-03-27"),
    ("march 27, 2051", "2051-03-27"),
    ("27th of march 2051", "2051-03-27"),
    ("monday, 27 march 2051", "2051-03-27"),
    ("wednesday, september 27, 2051", "2051-09-27"),
)

# What `reproduce_log()` returns, stored so that nobody waits for it.
LOG = """\
our date '14 aug 1999', beside one neighbour at a time; the right answer of each

neighbour                        A columns   B our PADs   C log p, ours   D log p, neighbour
27 mar 2051                             12            0          -0.036               -0.050
march 27, 2051                          15            3          -0.043               -0.025
27th of march 2051                      19            7          -0.063               -0.025
monday, 27 march 2051                   22           10          -0.095               -0.034
wednesday, september 27, 2051           30           18          -0.375               -0.024
"""


def patient_attention(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    """Should mix the real vectors of each sentence. It runs, and it is wrong.

    Args:
        query: floats ``[B, H]``.
        memory: floats ``[B, S, H]``; anything at the pads.
        lengths: int64 ``[B]``.

    Returns:
        The context ``[B, H]``.
    """
    mask = sequence_mask(lengths, memory.size(1))  # [B, S], True = real token
    scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # [B, S, H] @ [B, H, 1] -> [B, S]
    assert scores.shape == mask.shape
    weights = scores.softmax(1)
    return torch.bmm(weights.unsqueeze(1), memory).squeeze(1)  # [B, 1, S] @ [B, S, H] -> [B, H]


class _By(DotAttention):
    """The attention of the date model, computed by an answer to the clinic, a query at a time."""

    def __init__(self, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.attend = attend

    def forward(
        self, query: Tensor, keys: Tensor, memory: Tensor, src_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        lengths, scale = src_mask.sum(1), query.size(-1) ** -0.5
        steps = [self.attend(step * scale, memory, lengths) for step in query.unbind(1)]
        return torch.stack(steps, 1), memory.new_zeros(len(memory), query.size(1), memory.size(1))


@torch.no_grad()
def reproduce_log(
    attend: Callable[[Tensor, Tensor, Tensor], Tensor] = patient_attention,
) -> str:
    """One date beside five neighbours, one after the other, and what the model thinks of both."""
    reader = date_reader()
    model = reader.model.eval()
    model.decoder.attention = _By(attend)
    lines = [
        f"our date {OURS!r}, beside one neighbour at a time; the right answer of each",
        "",
        "neighbour                        A columns   B our PADs   C log p, ours   "
        "D log p, neighbour",
    ]
    for neighbour in NEIGHBOURS:
        pairs = [
            (reader.src_vocab.encode(list(source)), reader.tgt_vocab.encode(list(target)))
            for source, target in ((OURS, ANSWER), neighbour)
        ]
        batch = collate(pairs)
        logits = model(batch)
        ours, theirs = (
            -sequence_loss(logits[[b]], batch.tgt_out[[b]], batch.tgt_mask[[b]]).total.item()
            for b in range(2)
        )
        width = batch.src.size(1)
        pads = width - int(batch.src_lengths[0])
        lines.append(f"{neighbour[0]:31}  {width:9d}   {pads:10d}   {ours:13.3f}   {theirs:18.3f}")
    return "\n".join(lines) + "\n"


def decoding_log() -> str:
    """The log that the bug really produces."""
    return LOG
