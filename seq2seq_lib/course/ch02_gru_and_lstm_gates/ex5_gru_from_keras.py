"""Exercise 2.5: the weights of a Keras GRU in torch's layout."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch02_gru_and_lstm_gates.probes import normal, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, holds_numbers
from seq2seq_lib.course.judging.words import words_beside

Four = tuple[Tensor, Tensor, Tensor, Tensor]
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def gru_from_keras_spec(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    H = recurrent.size(0)
    rows = [*range(H, 2 * H), *range(H), *range(2 * H, 3 * H)]  # r, z, n out of z, r, h
    weights = [
        torch.stack([matrix[:, column] for column in rows]) for matrix in (kernel, recurrent)
    ]
    biases = [torch.stack([row[column] for column in rows]) for row in bias]
    return (*weights, *biases)


def gru_from_keras(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    def reordered(blocks: Tensor) -> Tensor:
        z, r, n = blocks.chunk(3, dim=-1)  # Keras' columns
        return torch.cat([r, z, n], dim=-1)

    bias_ih, bias_hh = reordered(bias)  # [2, 3H] -> [3H], [3H]
    return reordered(kernel).T, reordered(recurrent).T, bias_ih, bias_hh


def gru_from_keras_by_index(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    z, r, n = torch.arange(bias.size(1)).view(3, -1)
    rows = torch.cat([r, z, n])
    return kernel.t()[rows], recurrent.t()[rows], bias[0][rows], bias[1][rows]


# ---------------------------------------------------------------- wrong answers


def reordered(blocks: Tensor) -> Tensor:
    """What is right: z, r, n to r, z, n along the last axis."""
    z, r, n = blocks.chunk(3, -1)
    return torch.cat([r, z, n], -1)


def not_reordered(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    return kernel.T, recurrent.T, bias[0], bias[1]


def weights_only(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    return reordered(kernel).T, reordered(recurrent).T, bias[0], bias[1]


def biases_only(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    return kernel.T, recurrent.T, *reordered(bias)


def input_only(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    return reordered(kernel).T, recurrent.T, *reordered(bias)


def input_only_with_bias(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    return reordered(kernel).T, recurrent.T, reordered(bias)[0], bias[1]


def reshaped(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    W, U = reordered(kernel), reordered(recurrent)
    return W.reshape(W.size(1), -1), U.reshape(U.size(1), -1), *reordered(bias)


def reshaped_first(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    W, U = kernel.reshape(kernel.size(1), -1), recurrent.reshape(recurrent.size(1), -1)
    return reordered(W.T).T, reordered(U.T).T, *reordered(bias)


def biases_swapped(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    W, U, b, d = gru_from_keras(kernel, recurrent, bias)
    return W, U, d, b


def biases_summed(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    W, U, b, d = gru_from_keras(kernel, recurrent, bias)
    return W, U, b + d, torch.zeros_like(d)


def in_order(*places: int):
    """Keras' blocks z, r, n, everything right but for their order."""

    def convert(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
        W, U, (b, d) = (
            torch.cat([blocks.chunk(3, -1)[place] for place in places], -1)
            for blocks in (kernel, recurrent, bias)
        )
        return W.T, U.T, b, d

    return convert


def blocks_transposed(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    """The recurrent blocks keep their rows: they are square, and no shape complains."""
    W, U, b, d = gru_from_keras(kernel, recurrent, bias)
    return W, torch.cat([block.T for block in U.chunk(3)]), b, d


def not_transposed(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    return reordered(kernel), reordered(recurrent), *reordered(bias)


def z_replaces(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Four:
    """As if Keras' z had the other meaning: 1 - sigmoid(a) = sigmoid(-a)."""
    W, U, b, d = (part.clone() for part in gru_from_keras(kernel, recurrent, bias))
    H = U.size(1)
    for part in (W, U, b, d):
        part[H : 2 * H] *= -1
    return W, U, b, d


MUTANTS = (
    Mutant("not_reordered", not_reordered),
    Mutant("weights_only", weights_only),
    Mutant("biases_only", biases_only),
    Mutant("input_only", input_only),
    Mutant("input_only", input_only_with_bias),
    Mutant("reshaped", reshaped),
    Mutant("reshaped", reshaped_first),
    Mutant("swapped", biases_swapped),
    Mutant("summed", biases_summed),
    Mutant("other_order", in_order(2, 1, 0)),
    Mutant("other_order", in_order(1, 2, 0)),
    Mutant("other_order", in_order(2, 0, 1)),
    Mutant("other_order", in_order(0, 2, 1)),
    Mutant("blocks_transposed", blocks_transposed),
    Mutant("not_transposed", not_transposed),
    Mutant("z_replaces", z_replaces),
)


# ---------------------------------------------------------------- the exercise


def are_four_tensors(value: Any, expected: Any) -> Problem | None:
    """A step: a tuple or list of four tensors."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, tuple | list) or len(value) != 4:
        return "not_four", {}
    return None if all(map(holds_numbers, value)) else ("not_four", {})


def have_shapes(value: Any, expected: Any) -> Problem | None:
    """A step: each has its shape; the first that has not is named."""
    for name, part, due in zip(NAMES, value, expected, strict=True):
        if part.shape != due.shape:
            facts = {"name": name, "shape": str(list(part.shape)), "expected": str(list(due.shape))}
            return "one_shape", facts
    return None


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Which of the four is wrong, if they are not all."""
    wrong = [
        name
        for name, part, due in zip(NAMES, value, expected, strict=True)
        if part.dtype != due.dtype or not torch.allclose(part, due)
    ]
    if len(wrong) == len(NAMES):
        return "none_right", {}
    right = [name for name in NAMES if name not in wrong]
    return "some_wrong", {"wrong": ", ".join(wrong), "right": ", ".join(right)}


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = []
    fixed = torch.Generator().manual_seed(5)
    for number, (width, H) in enumerate(((2, 3), (4, 2), (3, 3), (1, 4), (3, 1), (1, 1))):
        source = fixed if number == 0 else generator
        kernel, recurrent = normal(source, width, 3 * H), normal(source, H, 3 * H)
        args = {"kernel": kernel, "recurrent": recurrent, "bias": normal(source, 2, 3 * H)}
        shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in args.items())
        drawn.append(Probe(args, f"{sizes(('I', width), ('H', H))}: {shapes}"))
    return drawn


TASK = FunctionTask(
    spec=gru_from_keras_spec,
    probes=probes,
    steps=(are_four_tensors, have_shapes),
    mutants=MUTANTS,
    explain=explain,
)
EXERCISES = (
    Exercise(
        "2.5",
        "gru_from_keras",
        kind="I",
        difficulty=4,
        importance=4,
        minutes=20,
        points=4,
        task=TASK,
        reference=gru_from_keras,
        words=words_beside(__file__),
        alternatives=(gru_from_keras_by_index,),
    ),
)
