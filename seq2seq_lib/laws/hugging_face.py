"""How a Hugging Face model is called, as the laws need it. transformers itself is not imported."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws.adapters import Adapter, takes
from seq2seq_lib.laws.conventions import Conventions, labels, whole_target
from seq2seq_lib.masks import sequence_mask


@dataclass
class _Model:
    model: nn.Module
    conventions: Conventions | None
    max_new_tokens: int
    num_beams: int
    num_items: bool

    def __post_init__(self) -> None:
        self.conventions = self.conventions or self.usual()

    def mask(self, src: Tensor, src_lengths: Tensor) -> Tensor:
        """``attention_mask`` int64 ``[B, S]``, 1 at real tokens."""
        mask = sequence_mask(src_lengths.to(src.device), src.size(1)).long()
        return mask.flip(1) if self.conventions.pad_side == "left" else mask

    def adapter(self) -> Adapter:
        """All callables."""
        config = self.model.config
        size = getattr(config, "decoder_vocab_size", None) or config.vocab_size
        return Adapter(
            config.vocab_size,
            size,
            self.conventions,
            list(self.model.named_parameters()),
            encode=getattr(self, "encode", None),
            logits=self.logits,
            loss=self.loss,
            decode=self.decode,
            start=self.start,
            step=self.step,
            gradients=self.gradients,
        )

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The model's own loss from ``labels``, a mean, as a sum and a count."""
        tokens = batch.tgt_lengths.sum()
        if not int(tokens):
            return self.logits(batch).sum() * 0, tokens
        return self.model(**self.given(batch)).loss * tokens, tokens

    def gradients(self, shards: list[Batch]) -> tuple[Tensor, list[Tensor]]:
        """As ``Trainer`` accumulates: each shard's loss divided by the tokens of all."""
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        count = sum(int(shard.tgt_lengths.sum()) for shard in shards)
        kept = [shard for shard in shards if int(shard.tgt_lengths.sum())]
        if self.num_items:
            loss = sum(
                self.model(**self.given(shard), num_items_in_batch=count).loss for shard in kept
            )
        else:
            loss = sum(self.loss(shard)[0] for shard in kept) / count
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        pairs = zip(grads, parameters, strict=True)
        return loss.detach(), [torch.zeros_like(p) if g is None else g for g, p in pairs]

    def generated(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What ``generate`` says, the prompt of a decoder-only model included."""
        return self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=self.max_new_tokens,
            num_beams=self.num_beams,
            do_sample=False,
            pad_token_id=self.conventions.pad_id,
            eos_token_id=self.conventions.eos_id,
        )


class EncoderDecoder(_Model):
    """BART, Marian, T5 and their like."""

    def usual(self) -> Conventions:
        return Conventions.of(self.model.config)

    def encode(self, src: Tensor, src_lengths: Tensor) -> Tensor:
        encoder = self.model.get_encoder()
        return encoder(input_ids=src, attention_mask=self.mask(src, src_lengths)).last_hidden_state

    def logits(self, batch: Batch) -> Tensor:
        return self.model(
            input_ids=batch.src,
            attention_mask=batch.src_mask.long(),
            decoder_input_ids=batch.tgt_in,
        ).logits

    def given(self, batch: Batch) -> dict[str, Tensor]:
        return {
            "input_ids": batch.src,
            "attention_mask": batch.src_mask.long(),
            "labels": labels(batch),
        }

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        mask = self.mask(src, src_lengths)
        return self.model.get_encoder()(input_ids=src, attention_mask=mask), mask, None

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        encoded, mask, cache = state
        result = self.model(
            encoder_outputs=encoded,
            attention_mask=mask,
            decoder_input_ids=tokens[:, None],
            past_key_values=cache,
            use_cache=True,
        )
        return result.logits[:, -1], (encoded, mask, result.past_key_values)

    def decode(self, src: Tensor, src_lengths: Tensor) -> Tensor:
        bos = self.conventions.bos_id
        found = self.generated(src, self.mask(src, src_lengths))
        return found[:, 1:] if bool((found[:, 0] == bos).all()) else found


class Prompted(_Model):
    """Decoder-only models: GPT-2, Llama and their like. Prompts are padded on the left."""

    def usual(self) -> Conventions:
        return Conventions.of(self.model.config, pad_side="left")

    def read(self, batch: Batch, target: Tensor, real: Tensor) -> dict[str, Tensor]:
        """Prompt and target as one row, with positions that are counted from the first token."""
        mask = torch.cat([batch.src_mask, real], 1).long()  # [B, S + T]
        return self.at({"input_ids": torch.cat([batch.src, target], 1), "attention_mask": mask})

    def at(self, given: dict[str, Any]) -> dict[str, Any]:
        if takes(self.model.forward, "position_ids"):
            given["position_ids"] = (given["attention_mask"].cumsum(1) - 1).clamp(min=0)
        return given

    def logits(self, batch: Batch) -> Tensor:
        found = self.model(**self.read(batch, batch.tgt_in, batch.tgt_mask)).logits
        return found[:, batch.src.size(1) :]

    def given(self, batch: Batch) -> dict[str, Tensor]:
        start = torch.ones_like(batch.tgt_mask[:, :1])
        given = self.read(batch, whole_target(batch), torch.cat([start, batch.tgt_mask], 1))
        prompt = torch.full_like(given["input_ids"][:, : batch.src.size(1) + 1], -100)
        return {**given, "labels": torch.cat([prompt, labels(batch)], 1)}

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        mask = self.mask(src, src_lengths)
        given = self.at({"input_ids": src, "attention_mask": mask})
        return self.model(**given, use_cache=True).past_key_values, mask

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        cache, mask = state
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
        given = self.at({"attention_mask": mask})
        if "position_ids" in given:
            given["position_ids"] = given["position_ids"][:, -1:]
        result = self.model(
            input_ids=tokens[:, None], past_key_values=cache, use_cache=True, **given
        )
        return result.logits[:, -1], (result.past_key_values, mask)

    def decode(self, src: Tensor, src_lengths: Tensor) -> Tensor:
        bos = torch.full_like(src[:, :1], self.conventions.bos_id)
        mask = torch.cat([self.mask(src, src_lengths), torch.ones_like(bos)], 1)
        ids = torch.cat([src, bos], 1)
        return self.generated(ids, mask)[:, ids.size(1) :]
