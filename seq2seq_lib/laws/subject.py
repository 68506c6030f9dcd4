"""Our own model and search as the callables that the laws take: a pattern for adapters of yours."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib import decoding
from seq2seq_lib.batching import Batch
from seq2seq_lib.laws.batch_invariance import batch_invariance
from seq2seq_lib.laws.oracle import plain_penalty
from seq2seq_lib.laws.parallel_stepwise import parallel_stepwise
from seq2seq_lib.laws.plain_beam import Hyp
from seq2seq_lib.laws.scores_add_up import scores_add_up
from seq2seq_lib.laws.shard_invariance import shard_invariance
from seq2seq_lib.laws.verdict import Verdict
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.seq2seq import Seq2Seq


class OurModel:
    """A ``Seq2Seq`` seen as the callables of laws 1, 4, 6 and 7.

    Nothing is switched: a model that is still in training mode with dropout on breaks law 4, and
    says so.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.src_vocab_size = model.config.src_vocab_size
        self.tgt_vocab_size = model.config.tgt_vocab_size
        self.device = next(model.parameters()).device

    def encode(self, src: Tensor, src_lengths: Tensor) -> tuple[Tensor, Any]:
        """``[B, S]``, ``[B]`` -> memory ``[B, S, H]``, final state."""
        encoded = self.model.encoder(src, src_lengths)
        return encoded.memory, encoded.final_state

    def logits(self, batch: Batch) -> Tensor:
        """Teacher forced, ``[B, T, V]``."""
        return self.model(batch)

    def loss(self, batch: Batch) -> LossSum:
        """Summed cross-entropy and the number of tokens."""
        return sequence_loss(self.model(batch), batch.tgt_out, batch.tgt_mask)

    def free_run(self, batch: Batch) -> Tensor:
        """Logits ``[B, T, V]`` of what the model says on its own."""
        return self.model(batch, teacher_forcing_ratio=0.0)

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        """The decoder's first state."""
        return self.model.start(src, src_lengths)

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Tokens ``[B]`` -> log-probabilities ``[B, V]`` and the next state."""
        return self.model.step(tokens, state)

    def greedy(self, src: Tensor, src_lengths: Tensor) -> list[list[int]]:
        """The greedy output of every sentence."""
        found = decoding.greedy_search(self.model, src, src_lengths, max_new_tokens=8)
        return [hypotheses[0].tokens for hypotheses in found]

    def beam(self, src: Tensor, src_lengths: Tensor) -> list[list[int]]:
        """The best of a beam of three for every sentence."""
        found = beam_search(self.model, src, src_lengths, 3, 8, 1, 0.6)
        return [hypotheses[0].tokens for hypotheses in found]

    def gradients(self, shards: list[Batch]) -> tuple[Tensor, Sequence[Tensor]]:
        """Loss a token and its gradients, from micro-batches or ranks."""
        loss = sum(self.loss(shard) for shard in shards)
        return loss.mean, torch.autograd.grad(loss.mean, self.parameters)


def of_model(model: Seq2Seq) -> OurModel:
    """The callables of a ``Seq2Seq``, or of anything with its methods and ``config``."""
    return OurModel(model)


def beam_search(
    model: Any,
    src: Tensor,
    src_lengths: Tensor,
    num_beams: int,
    max_new_tokens: int,
    n_best: int,
    length_penalty: float,
) -> list[list[decoding.Hypothesis]]:
    """``decoding.beam_search`` as laws 5 and 6 call a search."""
    return decoding.beam_search(
        model,
        src,
        src_lengths,
        num_beams=num_beams,
        max_new_tokens=max_new_tokens,
        n_best=n_best,
        length_penalty=length_penalty,
    )


def by_sentence(
    search: Callable[..., Sequence[tuple[Sequence[int], float]]],
) -> Callable[..., list[list[Hyp]]]:
    """A search for one sentence as laws 5 and 6 call a search for a batch.

    Args:
        search: ``(model, src [1, S], src_lengths [1], num_beams, max_new_tokens)``, by position, to
            all that it found: pairs of ids and log-probability. Their scores and their order are
            made here, because a length penalty only ranks what a beam has found.
    """

    def for_a_batch(
        model: Any,
        src: Tensor,
        src_lengths: Tensor,
        num_beams: int,
        max_new_tokens: int,
        n_best: int,
        length_penalty: float,
    ) -> list[list[Hyp]]:
        batch = []
        for b in range(len(src)):
            one = slice(b, b + 1)
            found = search(model, src[one], src_lengths[one], num_beams, max_new_tokens)
            hyps = [
                Hyp(list(tokens), total, total / plain_penalty(len(tokens), length_penalty))
                for tokens, total in found
            ]
            batch.append(sorted(hyps, key=lambda hyp: -hyp.score)[:n_best])
        return batch

    return for_a_batch


def judge_model(model: Seq2Seq, *, seed: int = 0) -> list[Verdict]:
    """The laws that speak about a whole model: 1 (batches), 4 (steps), 6 (scores), 7 (shards)."""
    mine = of_model(model)
    probe = {"src_vocab_size": mine.src_vocab_size, "seed": seed, "device": mine.device}
    sizes = {**probe, "tgt_vocab_size": mine.tgt_vocab_size}
    return [
        batch_invariance(
            mine.encode,
            logits=mine.logits,
            loss=mine.loss,
            parameters=mine.parameters,
            decode=mine.beam,
            **sizes,
        ),
        parallel_stepwise(mine.logits, mine.start, mine.step, free_run=mine.free_run, **sizes),
        scores_add_up(beam_search, models=[model], num_beams=(1, 3), **probe),
        shard_invariance(mine.gradients, **sizes),
    ]
