"""Exercise 0.6c: the patient healed, so that a state is read where its sentence ends."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.course.ch00_start_here import states
from seq2seq_lib.course.ch00_start_here.given import small_encoder
from seq2seq_lib.course.ch00_start_here.patient import patient_encode
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

embedding, gru = small_encoder()  # as in the notebook


def fixed_encode_spec(src: Tensor, lengths: Tensor) -> Tensor:
    return states.one_by_one(src, lengths)


def fixed_encode(src: Tensor, lengths: Tensor) -> Tensor:
    outputs, _ = gru(embedding(src))  # [B, S, H]
    rows = torch.arange(len(src))
    return outputs[rows, lengths - 1]  # [B, H]: the last real place of each row


def fixed_by_packing(src: Tensor, lengths: Tensor) -> Tensor:
    return states.packed(src, lengths)


# ---------------------------------------------------------------- wrong answers


def no_return(*args: Any) -> None:
    fixed_encode(*args)


def place_before(src: Tensor, lengths: Tensor) -> Tensor:
    return fixed_encode(src, (lengths - 1).clamp(min=1))


def all_rows(src: Tensor, lengths: Tensor) -> Tensor:
    outputs, _ = gru(embedding(src))
    return outputs[:, lengths - 1]  # [B, B, H]


def with_layers(src: Tensor, lengths: Tensor) -> Tensor:
    return fixed_encode(src, lengths)[None]


def squeezed(src: Tensor, lengths: Tensor) -> Tensor:
    return fixed_encode(src, lengths).squeeze(0)


def pads_masked(src: Tensor, lengths: Tensor) -> Tensor:
    """The outputs at pads are zeroed, and the last column is read all the same."""
    outputs, _ = gru(embedding(src))
    real = torch.arange(src.size(1))[None, :] < lengths[:, None]
    return (outputs * real[..., None])[:, -1]


def pads_embedded_as_zero(src: Tensor, lengths: Tensor) -> Tensor:
    """The pads' vectors are zeroed: the steps are taken all the same."""
    real = torch.arange(src.size(1))[None, :] < lengths[:, None]
    return gru(embedding(src) * real[..., None])[0][:, -1]


def length_of_the_longest(src: Tensor, lengths: Tensor) -> Tensor:
    return gru(embedding(src))[0][:, int(lengths.max()) - 1]


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("behind_pads", patient_encode),
    Mutant("zeros", states.last_of_packed),
    Mutant("zeros", pads_masked),
    Mutant("zero_vectors", pads_embedded_as_zero),
    Mutant("longest", length_of_the_longest),
    Mutant("one_pad_more", states.one_pad_more),
    Mutant("place_before", place_before),
    Mutant("sorted_rows", states.sorted_rows),
    Mutant("first_length", states.length_of_the_first),
    Mutant("shortest", states.shortest),
    Mutant("mean", states.mean_of_columns),
    Mutant("all_rows", all_rows),
    Mutant("with_layers", with_layers),
    Mutant("squeezed", squeezed),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Unsorted lengths with 1 and the full width; one row, one column, a square, a wider batch."""
    cases = [([[7, 3, 2], [4, 5, 6, 8, 2], [2], [9, 10, 3, 2]], 0)]
    for lengths, wider in (
        ([2, 6, 1, 4, 3], 2),
        ([5], 0),
        ([3], 3),
        ([1, 1, 1], 0),
        ([2, 3, 1], 0),
    ):
        rows = [torch.randint(3, 12, (n,), generator=generator).tolist() for n in lengths]
        cases.append((rows, wider))
    drawn = []
    for rows, wider in cases:
        src, lengths = pad_sequences(rows)
        src = torch.nn.functional.pad(src, (0, wider))
        words = f"sentences {rows}, width {src.size(1)}"
        drawn.append(Probe({"src": src, "lengths": lengths}, words, gradient=False))
    return drawn


TASK = FunctionTask(
    spec=fixed_encode_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "0.6c",
        "fixed_encode",
        kind="D",
        difficulty=2,
        importance=5,
        minutes=6,
        points=2,
        task=TASK,
        reference=fixed_encode,
        words=words_beside(__file__),
        alternatives=(fixed_by_packing,),
    ),
)
