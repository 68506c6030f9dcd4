"""The patient of chapter 0's bug clinic: an encoder whose last state is that of a PAD.

Rewritten from scratch, small. https://github.com/pytorch/tutorials/issues/3643 asks of PyTorch's
tutorial on translation whether its encoder's last state is not that of the padding.
"""

import torch
from torch import Tensor, nn

from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.course.ch00_start_here.given import small_encoder

SENTENCES = ([4, 7, 9, 2], [5, 2], [11, 3, 4, 6, 8, 10, 2], [9, 9, 2], [7, 5, 6, 4, 3, 2], [8, 2])

# What `reproduce_log()` returns. Another processor may change the last digit.
LOG = """\
six sentences, encoded alone and in one batch of width 7
largest difference between the two, over all units

  length   pads     outputs, real places     last state     the same, PAD's vector zero
       4      3                    0.000          0.401                           0.278
       2      5                    0.000          0.399                           0.286
       7      0                    0.000          0.000                           0.000
       3      4                    0.000          0.430                           0.243
       6      1                    0.000          0.266                           0.181
       2      5                    0.000          0.364                           0.161

no attention, no decoder and no loss has run
"""


class PatientEncoder(nn.Module):
    """Should give the memory and the last state of each sentence of a padded batch."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.gru = small_encoder()

    def forward(self, src: Tensor, src_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """int64 ``[B, S]`` and ``[B]`` -> outputs ``[B, S, H]``, last state ``[B, H]``."""
        embedded = self.embedding(src)  # [B, S, E]
        outputs, state = self.gru(embedded)  # [B, S, H], [1, B, H]
        return outputs, state[-1]


def patient_encode(src: Tensor, lengths: Tensor) -> Tensor:
    """The patient's last state ``[B, H]`` alone."""
    return PatientEncoder()(src, lengths)[1]


def reproduce_log() -> str:
    """Encode six sentences alone and together, and print how far apart the two are."""
    src, lengths = pad_sequences(SENTENCES)
    width = src.size(1)
    lines = [
        f"six sentences, encoded alone and in one batch of width {width}",
        "largest difference between the two, over all units",
        "",
        "  length   pads     outputs, real places     last state     the same, PAD's vector zero",
    ]
    patient, zeroed = PatientEncoder(), PatientEncoder()
    zeroed.embedding.weight[0] = 0
    for row, sentence in enumerate(SENTENCES):
        ids = torch.tensor([sentence])  # [1, n]
        differences = []
        for encoder in (patient, zeroed):
            outputs, states = encoder(src, lengths)
            alone, state = encoder(ids, torch.tensor([len(sentence)]))
            differences += [
                (outputs[row, : len(sentence)] - alone[0]).abs().max().item(),
                (states[row] - state[0]).abs().max().item(),
            ]
        n = len(sentence)
        outputs, state, _, with_zero = differences
        lines.append(f"{n:8}{width - n:7}{outputs:25.3f}{state:15.3f}{with_zero:32.3f}")
    return "\n".join([*lines, "", "no attention, no decoder and no loss has run"]) + "\n"


def clinic_log() -> str:
    """The log that the bug really produces."""
    return LOG
