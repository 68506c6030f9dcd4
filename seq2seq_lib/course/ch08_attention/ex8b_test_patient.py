"""Exercise 8.8b: a test that rejects the patient and lets right attentions pass."""

from typing import Any

import torch

from seq2seq_lib.course.ch08_attention import ex8c_fixed_attention as attentions
from seq2seq_lib.course.ch08_attention.patient import patient_attention
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective, last_digit
from seq2seq_lib.course.judging.words import words_beside


def test_patient(attend: Any) -> None:
    memory = torch.tensor(
        [
            [[1.0, 0.0], [0.0, 2.0], [5.0, 5.0], [5.0, 5.0]],  # two real, two pads
            [[0.5, 1.0], [1.0, 0.0], [0.0, 1.0], [2.0, 0.5]],  # four real
        ]
    )  # [B, S, H]
    query, lengths = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([2, 4])
    found = attend(query, memory, lengths)  # [B, H]
    for b, length in enumerate(lengths.tolist()):
        real = memory[b, :length]
        expected = (real @ query[b]).softmax(0) @ real
        torch.testing.assert_close(found[b], expected)


def test_patient_alone(attend: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    memory, query = (
        torch.randn(3, 6, 4, generator=generator),
        torch.randn(3, 4, generator=generator),
    )
    lengths = torch.tensor([2, 6, 3])
    together = attend(query, memory, lengths)
    for b, n in enumerate(lengths.tolist()):
        alone = attend(query[[b]], memory[[b], :n], lengths[[b]])
        assert (together[b] - alone[0]).abs().max() < 1e-4
    one = torch.tensor([[[1.0], [2.0]]])
    context = attend(torch.ones(1, 1), one, torch.tensor([2]))
    assert abs(context.item() - 1.731) < 1e-3  # weights .269 and .731


# ---------------------------------------------------------------- innocents and suspects


INNOCENT = (
    attentions.by_where,
    attentions.attention_spec,
    attentions.fixed_attention,
    attentions.by_masked_softmax,
    attentions.row_by_row,
)
SUSPECTS = {
    "no_mask": patient_attention,
    "mask_after": attentions.mask_after,
    "zero_fill": attentions.zero_fill,
    "over_batch": attentions.over_batch,
    "one_pad": attentions.one_pad,
    "first_row": attentions.first_row_s_mask,
    "mean": attentions.plain_mean,
}
TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="no_mask",
    tiers=((1, 2), (5, 2), (len(SUSPECTS), 1)),
    called=("attention", "attentions"),
    also_right={"last_digits": last_digit(INNOCENT[0])},
)
EXERCISES = (
    detective(
        "8.8b",
        test_patient,
        TASK,
        difficulty=4,
        minutes=15,
        words=words_beside(__file__),
        alternatives=(test_patient_alone,),
    ),
)
