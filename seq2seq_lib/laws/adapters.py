"""Ready adapters: what people have, seen as the callables of the laws. ``judge`` runs them all.

None of them imports another library: a Hugging Face model is called by its documented arguments.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.batch_invariance import batch_invariance
from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.laws.gradient_flow import gradient_flow
from seq2seq_lib.laws.parallel_stepwise import parallel_stepwise
from seq2seq_lib.laws.prefixes import PrefixModel
from seq2seq_lib.laws.reads_source import reads_source
from seq2seq_lib.laws.returned import logits_of, sum_of
from seq2seq_lib.laws.shard_invariance import shard_invariance
from seq2seq_lib.laws.verdict import Verdict
from seq2seq_lib.losses import LossSum, sequence_loss


@dataclass
class Adapter:
    """Callables of laws 1, 4, 6 and 7, as far as a model has them; the rest is None.

    ``judge(adapter)`` runs the laws on all of it. Each may be replaced before: an adapter is a
    plain object.
    """

    src_vocab_size: int
    tgt_vocab_size: int
    conventions: Conventions = DEFAULT
    parameters: Sequence[Any] = ()  # (name, parameter)
    plant_at_pads: bool | None = None
    encode: Callable | None = None
    logits: Callable | None = None
    loss: Callable | None = None
    decode: Callable | None = None
    start: Callable | None = None
    step: Callable | None = None
    gradients: Callable | None = None

    @property
    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that the laws share."""
        return {
            "src_vocab_size": self.src_vocab_size,
            "tgt_vocab_size": self.tgt_vocab_size,
            "conventions": self.conventions,
        }


def judge(adapter: Adapter, *, seed: int = 0) -> list[Verdict]:
    """Every law that speaks about what the adapter has: 1, does it read its source, 4, 7, and
    whether the gradient reaches every parameter."""
    if not isinstance(adapter, Adapter):
        raise TypeError(
            f"judge takes an Adapter, as of_forward and of_hugging_face make it, and not a "
            f"{type(adapter).__name__}."
        )
    options = {**adapter.sizes, "seed": seed}
    named = probes.named(adapter.parameters)
    found = [
        batch_invariance(
            adapter.encode,
            logits=adapter.logits,
            loss=adapter.loss,
            decode=adapter.decode,
            parameters=[p for _, p in named] if adapter.loss or adapter.logits else (),
            plant_at_pads=adapter.plant_at_pads,
            **options,
        )
    ]
    if adapter.logits is not None:
        found.append(reads_source(adapter.logits, **options))
        found.append(parallel_stepwise(adapter.logits, adapter.start, adapter.step, **options))
    if adapter.loss is not None and named:
        found.append(gradient_flow(adapter.loss, named, **options))
    if adapter.gradients is not None:
        found.append(shard_invariance(adapter.gradients, **options))
    return found


def of_forward(
    forward: Callable[[Tensor, Tensor, Tensor, Tensor], Any],
    model: nn.Module,
    src_vocab_size: int,
    tgt_vocab_size: int,
    *,
    encode: Callable[[Tensor, Tensor], Any] | None = None,
    conventions: Conventions = DEFAULT,
    max_new_tokens: int = 8,
) -> Adapter:
    """A model with one forward pass, ``nn.Transformer`` for example.

    Args:
        forward: ``(src [B, S], tgt_in [B, T], src_mask [B, S], tgt_mask [B, T]) -> [B, T, V]``;
            masks are bool, True = real (``nn.Transformer`` wants them inverted).
        model: for its parameters.
        src_vocab_size, tgt_vocab_size: of its embeddings.
        encode: ``(src, src_mask) -> memory [B, S, H]``.
        conventions: ids, and the side of the pads.
        max_new_tokens: of greedy outputs, which are made by feeding the prefix again.

    Raises:
        ValueError: ``conventions.time_first``: transpose inside ``forward`` instead.
    """
    if conventions.time_first:
        raise ValueError(
            "of_forward feeds batches with the sentences first; leave time_first out and transpose "
            "inside forward: model(src.T, tgt_in.T, ...).transpose(0, 1)."
        )

    def logits(batch: Batch) -> Tensor:
        return forward(batch.src, batch.tgt_in, batch.src_mask, batch.tgt_mask)

    def loss(batch: Batch) -> LossSum:
        scores = logits_of(logits(batch), len(batch), 1)
        return sequence_loss(scores, batch.tgt_out, batch.tgt_mask)

    def src_mask(src: Tensor, src_lengths: Tensor) -> Tensor:
        places = torch.arange(src.size(1), device=src.device)
        if conventions.pad_side == "left":
            places = places.flip(0)
        return places[None] < src_lengths[:, None]

    def scores(src: Tensor, src_lengths: Tensor, prefixes: Tensor) -> Any:
        real = torch.ones_like(prefixes, dtype=torch.bool)
        return forward(src, prefixes, src_mask(src, src_lengths), real)

    def encoded(src: Tensor, src_lengths: Tensor) -> tuple[Any, None]:
        return encode(src, src_mask(src, src_lengths)), None

    stepping = PrefixModel(scores, type(model).__name__)
    return Adapter(
        src_vocab_size,
        tgt_vocab_size,
        conventions,
        list(model.named_parameters()),
        encode=encoded if encode else None,
        logits=logits,
        loss=loss,
        start=stepping.start,
        step=stepping.step,
        decode=greedy(stepping, max_new_tokens, conventions),
        gradients=summed_gradients(loss, model.parameters()),
    )


def greedy(model: Any, max_new_tokens: int, conventions: Conventions = DEFAULT) -> Callable:
    """``decode(src, src_lengths)`` for a model with the decoding protocol: the best token each."""

    def decode(src: Tensor, src_lengths: Tensor) -> list[list[int]]:
        state = model.start(src, src_lengths)
        tokens = torch.full((len(src),), conventions.bos_id, device=src.device)
        columns = []
        for _ in range(max_new_tokens):
            scores, state = model.step(tokens, state)
            tokens = scores.argmax(-1)
            columns.append(tokens)
        return torch.stack(columns, 1).tolist()  # what stands after EOS is not compared

    return decode


def summed_gradients(loss: Callable, parameters: Iterable[Tensor]) -> Callable:
    """Law 7's callable for a loss ``(total, tokens)``: add up the sums, divide once."""
    parameters = [p for _, p in probes.named(parameters)]

    def gradients(shards: list[Batch]) -> tuple[Tensor, list[Tensor]]:
        parts = [sum_of(loss(shard), shard.tgt_lengths.sum()) for shard in shards]
        mean = sum(total for total, _ in parts) / sum(count for _, count in parts)
        grads = torch.autograd.grad(mean, parameters, allow_unused=True)
        pairs = zip(grads, parameters, strict=True)
        return mean.detach(), [torch.zeros_like(p) if g is None else g for g, p in pairs]

    return gradients


def of_training_step(step: Callable[[list[Batch]], Any], model: nn.Module) -> Callable:
    """Law 7's callable for a whole training step: what gradient does the optimiser see?

    Args:
        step: ``(shards) -> loss``, one update from a list of batches, as yours does it:
            accumulation, clipping, ``optimizer.step()``, ``zero_grad()``. The loss may be None. A
            ``Trainer`` whose ``training_step`` is called for each shard will do.
        model: whose parameters are watched. They get their values back after each step.

    The gradients are those at the moment of ``optimizer.step()``, or in ``.grad`` at the end if no
    optimiser of torch made a step.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]

    def at_hand() -> list[Tensor]:
        return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]

    def gradients(shards: list[Batch]) -> tuple[Any, list[Tensor]]:
        kept, seen = [p.detach().clone() for p in parameters], []
        for p in parameters:
            p.grad = None
        hook = register_optimizer_step_pre_hook(lambda *_: seen.append(at_hand()))
        try:
            loss = step(shards)
            found = seen[-1] if seen else at_hand()
        finally:
            hook.remove()
            with torch.no_grad():
                for p, value in zip(parameters, kept, strict=True):
                    p.copy_(value)
                    p.grad = None
        return (0.0 if loss is None else loss), found

    return gradients


def of_hugging_face(
    model: nn.Module,
    *,
    conventions: Conventions | None = None,
    max_new_tokens: int = 8,
    num_beams: int = 1,
    num_items: bool = True,
) -> Adapter:
    """A Hugging Face model with ``generate``: encoder-decoder (BART, Marian, T5) or decoder-only.

    A decoder-only model reads the source as a prompt, padded on the left, then BOS and the target;
    the prompt has the label -100.

    Args:
        model: in evaluation mode; its ``config`` names the ids.
        conventions: other ids, or the other side.
        max_new_tokens, num_beams: of ``generate``.
        num_items: law 7 calls the loss as ``Trainer`` does, with ``num_items_in_batch``.
    """
    from seq2seq_lib.laws import hugging_face  # noqa: PLC0415  (it builds an Adapter)

    kind = hugging_face.EncoderDecoder if model.config.is_encoder_decoder else hugging_face.Prompted
    return kind(model, conventions, max_new_tokens, num_beams, num_items).adapter()


def takes(function: Callable, name: str) -> bool:
    """Whether a function has a parameter of this name."""
    return name in inspect.signature(function).parameters
