"""What the laws feed to an implementation, and how they leave no trace.

A probe is a ``Batch`` in which nothing is symmetric: B, S, T and both V differ, lengths are
unsorted, one sentence has length 1 and one is full. One further probe is square (B = S = T), where
a transposition has no wrong shape and only values can give it away.
"""

import contextlib
import functools
import inspect
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import returned
from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.vocab import PAD_ID

SHAPES = ((5, 7, 6), (4, 4, 4))  # B, S, T


@contextlib.contextmanager
def plain_tensors() -> Iterator[None]:
    """Inside, new tensors are on the CPU and may be trained on, whatever the caller has set.

    That is ``torch.set_default_device("cuda")``, or ``torch.inference_mode()``.
    """
    with torch.inference_mode(False), torch.device("cpu"):
        yield


def random_ids(
    shape: Sequence[int],
    vocab_size: int,
    generator: torch.Generator,
    conventions: Conventions = DEFAULT,
) -> Tensor:
    """int64 ids of words: neither PAD, BOS nor EOS."""
    words = torch.tensor(conventions.words(vocab_size))
    if len(words) < 2 or max(conventions.special) >= vocab_size:
        least = max(max(conventions.special) + 1, len(conventions.special) + 2)
        raise ValueError(
            f"A probe needs at least {least} ids, two words besides the special ones "
            f"{list(conventions.special)}, but the vocabulary has {vocab_size}."
        )
    return words[torch.randint(len(words), tuple(shape), generator=generator)]


@plain_tensors()
def make_batch(
    shape: tuple[int, int, int] = SHAPES[0],
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    seed: int = 0,
    device: torch.device | str = "cpu",
    conventions: Conventions = DEFAULT,
) -> Batch:
    """A probe of ``shape`` = (B, S, T), B ≥ 3 and S, T ≥ 3; PAD stands at its pads."""
    B, S, T = shape
    generator = torch.Generator().manual_seed(seed)
    src_lengths, tgt_lengths = (
        torch.randint(2, longest, (B,), generator=generator) for longest in (S, T)
    )
    # the short sentence and the full one are different rows, and neither order is sorted
    src_lengths[1], src_lengths[2] = S, 1
    tgt_lengths[0], tgt_lengths[1] = 1, T
    rows = torch.arange(B)
    src = random_ids((B, S), src_vocab_size, generator, conventions)
    if conventions.source_eos:
        src[rows, src_lengths - 1] = conventions.eos_id
    words = random_ids((B, T), tgt_vocab_size, generator, conventions)
    tgt_in = torch.cat([torch.full((B, 1), conventions.bos_id), words[:, :-1]], 1)  # [B, T]
    tgt_out = words.clone()
    tgt_out[rows, tgt_lengths - 1] = conventions.eos_id
    batch = Batch(src, src_lengths, tgt_in, tgt_out, tgt_lengths)
    return fill_pads(batch, None, conventions.pad_id).to(device)


def make_batches(
    src_vocab_size: int,
    tgt_vocab_size: int,
    seed: int,
    device: Any,
    conventions: Conventions = DEFAULT,
) -> list[Batch]:
    """The asymmetric probe and the square one."""
    return [
        make_batch(shape, src_vocab_size, tgt_vocab_size, seed + i, device, conventions)
        for i, shape in enumerate(SHAPES)
    ]


def fill_pads(batch: Batch, other: Batch | None, pad_id: int = PAD_ID) -> Batch:
    """PAD at the pads, or what stands there in ``other``."""
    src = torch.full_like(batch.src, pad_id) if other is None else other.src
    tgt_in = torch.full_like(batch.tgt_in, pad_id) if other is None else other.tgt_in
    tgt_out = torch.full_like(batch.tgt_out, pad_id) if other is None else other.tgt_out
    return replace(
        batch,
        src=torch.where(batch.src_mask, batch.src, src),
        tgt_in=torch.where(batch.tgt_mask, batch.tgt_in, tgt_in),
        tgt_out=torch.where(batch.tgt_mask, batch.tgt_out, tgt_out),
    )


@plain_tensors()
def noise(
    batch: Batch,
    src_vocab_size: int,
    tgt_vocab_size: int,
    seed: int,
    conventions: Conventions = DEFAULT,
) -> Batch:
    """Other random ids everywhere, with the lengths of ``batch``."""
    generator = torch.Generator().manual_seed(seed)
    B, S = batch.src.shape
    T = batch.tgt_in.size(1)
    src = random_ids((B, S), src_vocab_size, generator, conventions).to(batch.src.device)
    tgt_in, tgt_out = (
        random_ids((B, T), tgt_vocab_size, generator, conventions).to(batch.src.device)
        for _ in range(2)
    )
    return replace(batch, src=src, tgt_in=tgt_in, tgt_out=tgt_out)


def widen(batch: Batch, src_columns: int = 3, tgt_columns: int = 2, pad_id: int = PAD_ID) -> Batch:
    """The same sentences with more PAD columns on the right."""
    pad = functools.partial(nn.functional.pad, value=pad_id)
    return replace(
        batch,
        src=pad(batch.src, (0, src_columns)),
        tgt_in=pad(batch.tgt_in, (0, tgt_columns)),
        tgt_out=pad(batch.tgt_out, (0, tgt_columns)),
    )


def take(batch: Batch, rows: Sequence[int], trim: bool = True) -> Batch:
    """Some of the sentences, in this order; ``trim`` cuts columns in which all of them are pads."""
    index = torch.as_tensor(rows, device=batch.src.device)
    src_lengths, tgt_lengths = batch.src_lengths[index], batch.tgt_lengths[index]
    S = int(src_lengths.max()) if trim else batch.src.size(1)
    T = max(1, int(tgt_lengths.max())) if trim else batch.tgt_in.size(1)
    return Batch(
        batch.src[index, :S],
        src_lengths,
        batch.tgt_in[index, :T],
        batch.tgt_out[index, :T],
        tgt_lengths,
    )


def with_lengths(batch: Batch, lengths: Tensor, conventions: Conventions) -> Batch:
    """The same sentences with targets of other lengths ``[B]``: EOS at their ends, PAD behind."""
    rows = torch.arange(len(batch), device=lengths.device)
    tgt_out = batch.tgt_out.clone()
    tgt_out[rows, lengths - 1] = conventions.eos_id
    moved = replace(batch, tgt_out=tgt_out, tgt_lengths=lengths)
    return fill_pads(moved, None, conventions.pad_id)


def reordered(batch: Batch) -> list[int]:
    """An order of the rows in which none stays where it was, and in which a sort shows.

    Code that sorts its rows by length, and puts them back by the order itself in place of its
    inverse, is right by chance where sorting twice changes nothing, as in the probe of seed 0. Here
    the shortest row stands first and the longest last but one: sorted, that is never undone.
    """
    return [*range(2, len(batch)), 1, 0]


def row_mask(batch: Batch, row: int) -> Tensor:
    """bool ``[B]``, True at ``row``."""
    return torch.arange(len(batch), device=batch.src.device) == row


total_and_tokens = returned.sum_of
first_tokens = returned.ids_of


def named(parameters: Any) -> list[tuple[str, Tensor]]:
    """Name and tensor of all that learn, from ``parameters()`` or ``named_parameters()``."""
    parts = parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters)
    pairs = [p if isinstance(p, tuple) else (str(name), p) for name, p in parts]
    return [(name, p) for name, p in pairs if p.requires_grad]


def device_of(*functions: Any) -> torch.device:
    """Where the modules live that the callables show, if that is one place; else the CPU."""
    found = {
        parameter.device
        for function in functions
        for module in modules_of(function)
        for parameter in module.parameters()
        if parameter.device.type != "meta"
    }
    return found.pop() if len(found) == 1 else torch.device("cpu")


def modules_of(function: Any, depth: int = 3) -> Iterator[nn.Module]:
    """The modules that a callable is, belongs to, closes over or names."""
    if isinstance(function, nn.Module):
        yield function
    if depth == 0 or function is None:
        return
    owner = getattr(function, "__self__", None)
    function = getattr(function, "__func__", function)
    inner = [owner, *getattr(owner, "__dict__", {}).values()]
    if isinstance(function, functools.partial):
        inner += [function.func, *function.args, *function.keywords.values()]
    if inspect.isfunction(function):
        with contextlib.suppress(ValueError):  # a variable that is not filled yet
            names = inspect.getclosurevars(function)
            inner += [*names.nonlocals.values(), *names.globals.values()]
    for value in inner:
        if isinstance(value, nn.Module | functools.partial) or inspect.isroutine(value):
            yield from modules_of(value, depth - 1)


@contextlib.contextmanager
def undisturbed(*functions: Any, seed: int = 0) -> Iterator[None]:
    """Put everything back afterwards that an implementation may change by accident.

    Random number generators (torch, Python, numpy), gradient and inference mode, and for every
    module that the callables show: training mode, buffers (a batch norm's running mean), parameters
    (``nn.Embedding(max_norm=)`` writes into its own) and their gradients. Inside, torch's
    generators start from ``seed``, so that a verdict can be repeated, gradients are on, and cuDNN
    is off: its RNNs refuse gradients in evaluation mode and round to TF32's three digits.
    """
    modules = {id(m): m for function in functions for m in modules_of(function)}.values()
    modes = [(part, part.training) for module in modules for part in module.modules()]
    buffers = [(buffer, buffer.clone()) for module in modules for buffer in module.buffers()]
    parameters = {id(p): p for module in modules for p in module.parameters() if not is_lazy(p)}
    values = [(p, p.detach().clone()) for p in parameters.values() if p.device.type != "meta"]
    gradients = [
        (p, p.grad, None if p.grad is None else p.grad.clone()) for p in parameters.values()
    ]
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()
    gpu_states = torch.cuda.get_rng_state_all() if on_gpu else None
    cpu_state, python_state = torch.get_rng_state(), random.getstate()
    numpy_random = sys.modules["numpy"].random if "numpy" in sys.modules else None
    numpy_state = numpy_random.get_state() if numpy_random else None
    cudnn = torch.backends.cudnn.enabled
    try:
        torch.manual_seed(seed)
        torch.backends.cudnn.enabled = False
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.backends.cudnn.enabled = cudnn
        torch.set_rng_state(cpu_state)
        random.setstate(python_state)
        if numpy_random:
            numpy_random.set_state(numpy_state)
        if on_gpu:
            torch.cuda.set_rng_state_all(gpu_states)
        for part, training in modes:
            part.training = training
        for buffer, value in buffers:
            with torch.no_grad():
                buffer.copy_(value)
        for parameter, value in values:
            if not torch.equal(parameter, value):
                parameter.data.copy_(value)  # .data: a graph of the caller's stays valid
        for parameter, gradient, value in gradients:
            parameter.grad = gradient if value is None else gradient.copy_(value)
