"""Exercise 2.8b: a test that rejects the patient and lets right encoders pass."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.cells import unroll_stack
from seq2seq_lib.course.ch02_gru_and_lstm_gates.patient import embedding, gru, patient_encode
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside


def test_patient(encode: Any) -> None:
    src = torch.tensor([[5, 1, 0, 0], [3, 7, 6, 2], [4, 0, 0, 0]])  # [B, S]; 0 is PAD
    lengths = torch.tensor([2, 4, 1])
    together = encode(src, lengths)  # [B, 2H]
    for row, length in enumerate(lengths.tolist()):
        alone = encode(src[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(together[row], alone[0])


def test_patient_with_neighbours(encode: Any) -> None:
    """Changes everything but row 1, and turns the batch round; row 1 is the shortest."""
    src = torch.tensor([[5, 1, 6, 0], [3, 7, 0, 0], [4, 2, 2, 1]])
    lengths = torch.tensor([3, 2, 4])
    before = encode(src, lengths)[1]
    others = torch.tensor([[1, 1, 2, 6, 6], [3, 7, 0, 0, 0], [2, 6, 1, 0, 0]])
    other_lengths = torch.tensor([5, 2, 3])
    torch.testing.assert_close(encode(others, other_lengths)[1], before)
    torch.testing.assert_close(encode(src.flip(0), lengths.flip(0))[1], before)
    torch.testing.assert_close(encode(src[1:2, :2], lengths[1:2])[0], before)


# ---------------------------------------------------------------- right encoders


def packed(src: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs ``[B, S, 2H]`` and the final states ``[2, B, H]``, without the pads."""
    pack = pack_padded_sequence(embedding(src), lengths, batch_first=True, enforce_sorted=False)
    outputs, h_n = gru(pack)
    return pad_packed_sequence(outputs, batch_first=True)[0], h_n


def by_transpose(src: Tensor, lengths: Tensor) -> Tensor:
    return packed(src, lengths)[1].transpose(0, 1).flatten(1)


def by_cat(src: Tensor, lengths: Tensor) -> Tensor:
    return torch.cat(list(packed(src, lengths)[1]), dim=1)


def by_gather(src: Tensor, lengths: Tensor) -> Tensor:
    outputs, _ = packed(src, lengths)
    forward, backward = outputs.chunk(2, dim=2)  # each [B, S, H]
    return torch.cat([forward[torch.arange(len(src)), lengths - 1], backward[:, 0]], dim=1)


def one_by_one(src: Tensor, lengths: Tensor) -> Tensor:
    rows = [gru(embedding(row[:n])[None])[1] for row, n in zip(src, lengths, strict=True)]
    return torch.cat([h_n.transpose(0, 1).flatten(1) for h_n in rows])


def by_equations(src: Tensor, lengths: Tensor) -> Tensor:
    """Ours: the last digits differ from torch's."""
    return unroll_stack(gru, embedding(src), lengths).state.flatten(1)


# ---------------------------------------------------------------- wrong encoders


def time_over_batch(src: Tensor, lengths: Tensor) -> Tensor:
    """As if batch_first had been forgotten: time runs across the batch."""
    outputs, _ = gru(embedding(src).transpose(0, 1))  # read as S sentences of B tokens
    return outputs.transpose(0, 1)[torch.arange(len(src)), lengths - 1]


def last_column(src: Tensor, lengths: Tensor) -> Tensor:
    return packed(src, lengths)[0][:, -1]


def reads_pads(src: Tensor, lengths: Tensor) -> Tensor:
    return gru(embedding(src))[1].transpose(0, 1).flatten(1)


def not_sorted_back(src: Tensor, lengths: Tensor) -> Tensor:
    order = lengths.argsort(descending=True, stable=True)
    return by_cat(src[order], lengths[order])


def centred(src: Tensor, lengths: Tensor) -> Tensor:
    state = by_cat(src, lengths)
    return state - state.mean(dim=0)


def normalised(src: Tensor, lengths: Tensor) -> Tensor:
    return F.normalize(by_cat(src, lengths), dim=0)


INNOCENT = (by_transpose, by_cat, by_gather, one_by_one, by_equations)
SUSPECTS = {
    "mixed": patient_encode,
    "time_over_batch": time_over_batch,
    "last_column": last_column,
    "reads_pads": reads_pads,
    "not_sorted_back": not_sorted_back,
    "centred": centred,
    "normalised": normalised,
}
TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="mixed",
    tiers=((1, 2), (5, 2), (len(SUSPECTS), 1)),
    called=("encoder", "encoders"),
)
EXERCISES = (
    detective(
        "2.8b",
        test_patient,
        TASK,
        difficulty=4,
        minutes=15,
        words=words_beside(__file__),
        alternatives=(test_patient_with_neighbours,),
    ),
)
