"""Exercise 3.8c: the patient, healed: the decoder starts from each row's own final state."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.course.ch03_encoder_decoder.patient import SourceReader, TargetWriter
from seq2seq_lib.course.ch03_encoder_decoder.probes import batches, fed
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import (
    Problem,
    has_shape,
    is_finite_float,
    is_tensor,
    same_value,
)
from seq2seq_lib.course.judging.words import words_beside

V, E, H = 9, 4, 5


def healed_spec(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, lengths: Tensor, tgt_in: Tensor
) -> Tensor:
    """Row by row: alone, without pads."""
    rows = []
    for row, length, words in zip(src, lengths.tolist(), tgt_in, strict=True):
        _, h = encoder.rnn(encoder.embedding(row[None, :length]))  # [1, 1, H]
        outputs, _ = decoder.rnn(decoder.embedding(words[None]), h)  # [1, T, H]
        rows.append(decoder.output(outputs))
    return torch.cat(rows)


def healed(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, lengths: Tensor, tgt_in: Tensor
) -> Tensor:
    x = encoder.embedding(src)  # [B, S] -> [B, S, E]
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, h = encoder.rnn(packed)  # [1, B, H], each row's own last token
    outputs, _ = decoder.rnn(decoder.embedding(tgt_in), h)  # [B, T, H]
    return decoder.output(outputs)  # [B, T, V]


def healed_by_index(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, lengths: Tensor, tgt_in: Tensor
) -> Tensor:
    states, _ = encoder.rnn(encoder.embedding(src))  # pads are read, and not looked at
    h = states[torch.arange(len(src)), lengths - 1][None]  # [1, B, H]
    return decoder.output(decoder.rnn(decoder.embedding(tgt_in), h)[0])


# ---------------------------------------------------------------- wrong answers


def no_return(*args: Any) -> None:
    healed(*args)


def write(decoder: nn.Module, tgt_in: Tensor, h: Tensor | None) -> Tensor:
    return decoder.output(decoder.rnn(decoder.embedding(tgt_in), h)[0])


def blind(encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor) -> Tensor:
    return write(decoder, tgt_in, None)


def after_pads(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    return write(decoder, tgt_in, encoder.rnn(encoder.embedding(src))[1])


def packed_last_column(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    packed = pack_padded_sequence(encoder.embedding(src), n, True, enforce_sorted=False)
    states, _ = pad_packed_sequence(encoder.rnn(packed)[0], batch_first=True)
    return write(decoder, tgt_in, states[:, -1][None].contiguous())


def sorted_rows(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    order = n.argsort(descending=True, stable=True)
    packed = pack_padded_sequence(encoder.embedding(src[order]), n[order], True)
    return write(decoder, tgt_in, encoder.rnn(packed)[1])


def reads_target(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    return write(decoder, tgt_in, encoder.rnn(encoder.embedding(tgt_in))[1])


def mean_state(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    mask = (torch.arange(src.size(1)) < n[:, None])[..., None]
    states, _ = encoder.rnn(encoder.embedding(src))
    return write(decoder, tgt_in, ((states * mask).sum(1) / n[:, None])[None])


def no_output(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    return decoder.rnn(decoder.embedding(tgt_in), encoder(src, n))[0]


def source_embedding(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    return decoder.output(decoder.rnn(encoder.embedding(tgt_in), encoder(src, n))[0])


def detached(
    encoder: nn.Module, decoder: nn.Module, src: Tensor, n: Tensor, tgt_in: Tensor
) -> Tensor:
    packed = pack_padded_sequence(encoder.embedding(src), n, True, enforce_sorted=False)
    return write(decoder, tgt_in, encoder.rnn(packed)[1].detach())


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("blind", blind),
    Mutant("blind", lambda encoder, decoder, src, n, tgt_in: decoder(tgt_in, encoder(src, n))),
    Mutant("after_pads", after_pads),
    Mutant("packed_last_column", packed_last_column),
    Mutant("sorted_rows", sorted_rows),
    Mutant("reads_target", reads_target),
    Mutant("mean_state", mean_state),
    Mutant("source_embedding", source_embedding),
    Mutant("no_output", no_output),
    Mutant("probabilities", lambda *args: healed(*args).softmax(-1)),
    Mutant("detached", detached),
)


# ---------------------------------------------------------------- the exercise


def reaches_encoder(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: right logits have a graph, and it leads to the only weights that want a gradient."""
    cut = not value.requires_grad and same_value(value, expected)
    return ("detached", {}) if cut else None


def probes(generator: torch.Generator) -> list[Probe]:
    """Modules with lively weights; T differs from S, and the pads are words like any other."""
    with torch.random.fork_rng(devices=[]):
        encoder, decoder = SourceReader(V, E, H), TargetWriter(V, E, H)
    encoder.embedding.padding_idx = None  # so that a pad that is read is heard
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        parameter.requires_grad_(False).copy_(torch.randn(parameter.shape, generator=generator))
    encoder.requires_grad_(True)  # alone, so that logits with a graph have it from the encoder
    drawn = []
    for lengths, S in batches(generator):
        B, T = len(lengths), S + 2 if S > 1 else 1
        src, tgt_in = (torch.randint(3, V, (B, n), generator=generator) for n in (S, T))
        args = {"encoder": encoder, "decoder": decoder, "src": src, "lengths": lengths}
        drawn.append(Probe(args | {"tgt_in": tgt_in}, fed(lengths, S, f", T = {T}, H = {H}")))
    return drawn


TASK = FunctionTask(
    spec=healed_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float, reaches_encoder),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "3.8c",
        "healed",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=6,
        points=2,
        task=TASK,
        reference=healed,
        words=words_beside(__file__),
        alternatives=(healed_by_index,),
    ),
)
