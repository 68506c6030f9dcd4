"""Exercise 2.7: the final state of the top layer, out of torch's h_n."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch02_gru_and_lstm_gates.probes import sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def top_state_spec(h_n: Tensor, bidirectional: bool) -> Tensor:
    _, B, H = h_n.shape
    slices = [len(h_n) - 2, len(h_n) - 1] if bidirectional else [len(h_n) - 1]
    state = torch.empty(B, len(slices) * H)
    for b in range(B):
        for number, at in enumerate(slices):
            for unit in range(H):
                state[b, number * H + unit] = h_n[at, b, unit]
    return state


def top_state(h_n: Tensor, bidirectional: bool) -> Tensor:
    if not bidirectional:
        return h_n[-1]  # [B, H]
    return torch.cat([h_n[-2], h_n[-1]], dim=1)  # [B, 2H], forward | backward


def top_state_by_transpose(h_n: Tensor, bidirectional: bool) -> Tensor:
    directions = 2 if bidirectional else 1
    batch_first = h_n[-directions:].transpose(0, 1)  # [B, D, H]
    return batch_first.flatten(1)


# ---------------------------------------------------------------- wrong answers


def directions(bidirectional: bool) -> int:
    return 2 if bidirectional else 1


def bottom(h_n: Tensor, bidirectional: bool) -> Tensor:
    return torch.cat(list(h_n[: directions(bidirectional)]), dim=1)


def backward_first(h_n: Tensor, bidirectional: bool) -> Tensor:
    return torch.cat([h_n[-1], h_n[-2]], dim=1) if bidirectional else h_n[-1]


def one_of_each_layer(h_n: Tensor, bidirectional: bool) -> Tensor:
    """The forward slices, as if layers were concatenated."""
    return torch.cat([h_n[0], h_n[-2]], dim=1) if bidirectional else h_n[-1]


def layers_first(h_n: Tensor, bidirectional: bool) -> Tensor:
    """As if the order were layer 0 forward, layer 1 forward, layer 0 backward, ..."""
    if not bidirectional:
        return h_n[-1]
    return torch.cat([h_n[len(h_n) // 2 - 1], h_n[-1]], dim=1)


def outermost(h_n: Tensor, bidirectional: bool) -> Tensor:
    return torch.cat([h_n[0], h_n[-1]], dim=1) if bidirectional else h_n[-1]


def viewed(h_n: Tensor, bidirectional: bool) -> Tensor:
    return h_n[-directions(bidirectional) :].reshape(h_n.size(1), -1)


def stacked(h_n: Tensor, bidirectional: bool) -> Tensor:
    return torch.stack(list(h_n[-directions(bidirectional) :]), dim=1)


def along_the_batch(h_n: Tensor, bidirectional: bool) -> Tensor:
    return torch.cat(list(h_n[-directions(bidirectional) :]), dim=0)


def interleaved(h_n: Tensor, bidirectional: bool) -> Tensor:
    return h_n[-directions(bidirectional) :].permute(1, 2, 0).flatten(1)


MUTANTS = (
    Mutant("viewed", viewed),
    Mutant("every_layer_viewed", lambda h_n, both: h_n.reshape(h_n.size(1), -1)),
    Mutant("every_layer", lambda h_n, both: h_n.transpose(0, 1).flatten(1)),
    Mutant("bottom", bottom),
    Mutant("backward_first", backward_first),
    Mutant("layers", one_of_each_layer),
    Mutant("layers", layers_first),
    Mutant("layers", outermost),
    Mutant("batch_first", lambda h_n, both: h_n[:, -1]),
    Mutant("batch_first", lambda h_n, both: h_n[:, -directions(both) :].flatten(1)),
    Mutant("one_direction", lambda h_n, both: h_n[-1]),
    Mutant("one_direction", lambda h_n, both: h_n[-2] if both else h_n[-1]),
    Mutant("sum", lambda h_n, both: h_n[-2] + h_n[-1] if both else h_n[-1]),
    Mutant("sum", lambda h_n, both: (h_n[-2] + h_n[-1]) / 2 if both else h_n[-1]),
    Mutant("one_twice", lambda h_n, both: torch.cat([h_n[-1], h_n[-1]], 1) if both else h_n[-1]),
    Mutant("always_two", lambda h_n, both: torch.cat(list(h_n[-2:]), dim=1)),
    Mutant("stacked", stacked),
    Mutant("along_the_batch", along_the_batch),
    Mutant("interleaved", interleaved),
    Mutant("squeezed", lambda h_n, both: top_state(h_n, both).squeeze()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """h_n of 100 layers + 10 sentences + the unit, so that a message can be read."""
    cases = ((2, 2, 3, 4), (1, 2, 3, 2), (2, 1, 3, 4), (3, 2, 2, 2), (1, 2, 1, 3), (1, 1, 1, 1),
             (2, 2, 4, 1), (2, 2, 1, 1))  # fmt: skip
    drawn = []
    for number, (layers, D, B, H) in enumerate(cases):
        h_n = torch.rand(layers * D, B, H, generator=generator)
        if number < 2:  # layer and direction . sentence, unit: 3.21 is slice 3, sentence 2, unit 1
            places = (torch.arange(size, dtype=torch.float32) for size in h_n.shape)
            slices, rows, units = torch.meshgrid(*places, indexing="ij")
            h_n = slices + rows / 10 + units / 100
        fed = sizes(("layers", layers), ("directions", D), ("B", B), ("H", H))
        if number < 2:
            fed += ". 3.21 stands in slice 3 of h_n, sentence 2, unit 1"
        drawn.append(Probe({"h_n": h_n, "bidirectional": D == 2}, fed))
    return drawn


TASK = FunctionTask(
    spec=top_state_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "2.7",
        "top_state",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=10,
        points=3,
        task=TASK,
        reference=top_state,
        words=words_beside(__file__),
        alternatives=(top_state_by_transpose,),
    ),
)
