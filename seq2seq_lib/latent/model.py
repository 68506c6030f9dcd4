"""A variational autoencoder for sentences: a code z for a whole sentence, sampled and decoded.

    q(z|x) = N(mu, diag exp(logvar)),  z = mu + exp(logvar / 2) · noise
    log p(x) ≥ ELBO = E_q[log p(x|z)] − KL(q(z|x) ‖ N(0, I)) = −(reconstruction + kl)

Bowman et al. 2016, "Generating Sentences from a Continuous Space". Both terms are **sums over a
sentence**, nats: a mean over tokens or dimensions in one of them would change its weight. They are
kept apart, because their sum hides a collapse: kl falls to 0 and the decoder ignores z.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from seq2seq_lib._arguments import check_choice, check_flag, check_number, check_positive
from seq2seq_lib.batching import Batch
from seq2seq_lib.decoder import Decoder, DecoderState, log_probs
from seq2seq_lib.decoding import Hypothesis, greedy_search
from seq2seq_lib.encoder import CELLS, Encoder
from seq2seq_lib.losses import LossSum, gaussian_kl, masked_nll_loss
from seq2seq_lib.vocab import BOS_ID, PAD_ID, UNK_ID


@dataclass(frozen=True)
class LatentConfig:
    """All that decides the shape of a model. Source and target share one vocabulary."""

    vocab_size: int  # the four special ids included
    embed_size: int = 64
    hidden_size: int = 128  # H of both RNNs; even if bidirectional
    latent_size: int = 16  # Z
    num_layers: int = 1
    dropout: float = 0.0  # on embeddings, between layers, before the output
    cell: str = "gru"  # or "lstm"
    bidirectional: bool = True  # the encoder only

    def __post_init__(self) -> None:
        for name in ("vocab_size", "embed_size", "hidden_size", "latent_size", "num_layers"):
            check_positive(getattr(self, name), name)
        check_number(self.dropout, "dropout", "in [0, 1)", low=0, high=1)
        check_flag(self.bidirectional, "bidirectional")
        check_choice(self.cell, tuple(CELLS), "cell")


@dataclass(frozen=True)
class LatentLoss:
    """The terms of the ELBO, one number a sentence, unweighted.

    Attributes:
        reconstruction: ``[B]``, −log p(x|z) in nats, summed over the tokens, for one sampled z.
        mu, logvar: ``[B, Z]``.
        tokens: ``[B]``, EOS counted.
        kl_weight, free_bits: what ``objective`` uses; nothing else does.
    """

    reconstruction: Tensor
    mu: Tensor
    logvar: Tensor
    tokens: Tensor
    kl_weight: float = 1.0
    free_bits: float = 0.0

    @property
    def kl(self) -> Tensor:
        """KL(q(z|x) ‖ N(0, I)) in nats a sentence, ``[B]``; neither weighted nor floored."""
        return gaussian_kl(self.mu, self.logvar)

    @property
    def objective(self) -> LossSum:
        """What training minimises: Σ_b reconstruction_b + kl_weight · max(kl_b, free_bits).

        ``free_bits`` are nats a sentence, all dimensions together; below them the KL has no
        gradient. Kingma et al. 2016 (inverse autoregressive flow) floor the minibatch mean of a
        group of dimensions; here each sentence has its own floor and owes its neighbours nothing.
        """
        floored = self.kl.clamp(min=self.free_bits)  # [B]
        return LossSum((self.reconstruction + self.kl_weight * floored).sum(), self.tokens.sum())

    @property
    def bound(self) -> LossSum:
        """−ELBO, summed; KL weight 1, else it would bound nothing. exp(mean) ≥ the perplexity."""
        return LossSum((self.reconstruction + self.kl).sum(), self.tokens.sum())


def reparameterise(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """z = mu + exp(logvar / 2) · noise, all ``[B, Z]``: a sample with a gradient to both.

    exp(logvar / 2) is the standard deviation, exp(logvar) the variance (Kingma & Welling 2014).
    """
    return mu + torch.exp(0.5 * logvar) * noise


def drop_words(ids: Tensor, probability: float, generator: torch.Generator | None = None) -> Tensor:
    """Decoder inputs ``[B, T]``, a copy in which words have become UNK with this probability.

    BOS and PAD stay. What the decoder cannot read from the words before, it must read from z
    (Bowman et al. 2016). The generator is on the CPU, where all random numbers are drawn.
    """
    check_number(probability, "probability", "in [0, 1]", low=0, high=1, open_high=False)
    coins = torch.rand(ids.shape, generator=generator).to(ids.device)
    return ids.masked_fill((coins < probability) & (ids != BOS_ID) & (ids != PAD_ID), UNK_ID)


def sources(batch: Batch) -> list[list[int]]:
    """The ids of each source, without its pads."""
    rows = zip(batch.src.tolist(), batch.src_lengths.tolist(), strict=True)
    return [ids[:length] for ids, length in rows]


class LatentSeq2Seq(nn.Module):
    """An encoder to q(z|x), and a decoder without attention that meets z at every step.

    z gives the decoder's first state and, by another projection, the context that enters every
    input and the readout: a first state alone is forgotten within a few words.

    It has the decoding protocol, from z = mu: ``greedy_search(model, src, src_lengths, …)``
    reconstructs sentences. ``generate`` decodes any z, for example from ``prior``.
    """

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.config = config
        sizes = (config.vocab_size, config.embed_size, config.hidden_size)
        options = dict(num_layers=config.num_layers, dropout=config.dropout, cell=config.cell)
        states = config.num_layers * config.hidden_size * (2 if config.cell == "lstm" else 1)
        self.encoder = Encoder(*sizes, bidirectional=config.bidirectional, **options)
        self.to_posterior = nn.Linear(states, 2 * config.latent_size)
        self.to_hidden = nn.Linear(config.latent_size, states)
        self.to_context = nn.Linear(config.latent_size, config.hidden_size)
        self.decoder = Decoder(*sizes, **options)

    @classmethod
    def from_dict(cls, config: dict) -> "LatentSeq2Seq":
        """A model from the dictionary that a checkpoint holds."""
        return cls(LatentConfig(**config))

    def to_dict(self) -> dict:
        """The configuration as plain numbers and strings, for a checkpoint."""
        return asdict(self.config)

    def encode(self, src: Tensor, src_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar ``[B, Z]`` of sentences: src int64 ``[B, S]``, lengths ``[B]``."""
        final = self.encoder(src, src_lengths).final_state  # [B, L, H], twice for an LSTM
        states = torch.cat(final, -1) if isinstance(final, tuple) else final
        return self.to_posterior(states.flatten(1)).chunk(2, -1)  # [B, 2Z] -> twice [B, Z]

    def decode(self, tgt_in: Tensor, z: Tensor) -> Tensor:
        """Teacher-forced logits ``[B, T, V]``: tgt_in int64 ``[B, T]``, z ``[B, Z]``."""
        if len(tgt_in) != len(z):
            raise ValueError(f"tgt_in has {len(tgt_in)} rows but z has {len(z)}.")
        return self.decoder(tgt_in, self.start_from(z)).logits

    def forward(self, batch: Batch, *, teacher_forcing_ratio: float | None = None) -> Tensor:
        """Logits ``[B, T, V]`` for ``batch.tgt_out`` from z = mu, without noise.

        Raises:
            TypeError: a ``teacher_forcing_ratio`` was given, as the default loss of ``fit`` does:
                it would train an autoencoder without noise or KL.
        """
        if teacher_forcing_ratio is not None:
            raise TypeError(
                "A LatentSeq2Seq got a teacher_forcing_ratio, but it has no such thing, and the "
                "default loss of fit and evaluate has no KL: give them "
                "loss_function=latent_loss(...)."
            )
        return self.decode(batch.tgt_in, self.encode(batch.src, batch.src_lengths)[0])

    def elbo(
        self,
        batch: Batch,
        *,
        kl_weight: float = 1.0,
        free_bits: float = 0.0,
        word_dropout: float = 0.0,
        generator: torch.Generator | None = None,
        occurrence: Sequence[int] | None = None,
    ) -> LatentLoss:
        """The terms of the ELBO for ``batch.tgt_out``, from one sample of z a sentence.

        Args:
            kl_weight, free_bits: finite, ≥ 0; see ``LatentLoss.objective``.
            word_dropout: in [0, 1], see ``drop_words``; none in evaluation.
            generator: for noise and coins, on the CPU. Without one, training draws from the global
                generator, and in evaluation the noise is a function of the sentence: the ELBO is
                the same every time and in any batch. (Without noise, from mu, it is no bound.)
            occurrence: B numbers, of which only that evaluation's noise takes notice: 1 for the
                second occurrence of a sentence, 2 for the third; else equal sentences have equal
                noise and count once in an error bar. ``evaluate_elbo`` gives them.
        """
        for name, value in (("kl_weight", kl_weight), ("free_bits", free_bits)):
            check_number(value, name, "finite and ≥ 0", low=0)
        check_number(word_dropout, "word_dropout", "in [0, 1]", low=0, high=1, open_high=False)
        mu, logvar = self.encode(batch.src, batch.src_lengths)
        z = reparameterise(mu, logvar, self._noise(batch, generator, occurrence))
        read = drop_words(batch.tgt_in, word_dropout, generator) if self.training else batch.tgt_in
        scores, mask = log_probs(self.decode(read, z)), batch.tgt_mask  # [B, T, V], [B, T]
        nll = masked_nll_loss(scores, batch.tgt_out, mask, reduction="none")  # [B, T]
        return LatentLoss(nll.sum(1), mu, logvar, mask.sum(1), kl_weight, free_bits)

    def start_from(self, z: Tensor) -> DecoderState:
        """The decoder's state before the first token, from codes z: floats ``[N, Z]``."""
        size = self.config.latent_size
        if z.dim() != 2 or len(z) == 0 or z.size(1) != size or not z.is_floating_point():
            came = f"{z.dtype} {list(z.shape)}"
            raise ValueError(f"z must be floats [N, {size}] with N ≥ 1, but it is {came}.")
        hidden = torch.tanh(self.to_hidden(z)).view(len(z), self.config.num_layers, -1)
        if self.config.cell == "lstm":
            hidden = hidden.chunk(2, -1)  # [N, L, 2H] -> h and c, [N, L, H] each
        return DecoderState(hidden, context=self.to_context(z))

    def start(self, src: Tensor, src_lengths: Tensor) -> DecoderState:
        """The state that reconstructs sentences, z = mu: src int64 ``[B, S]``, lengths ``[B]``."""
        return self.start_from(self.encode(src, src_lengths)[0])

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read tokens ``[N]``; log-probabilities ``[N, V]`` of the next ones and the new state."""
        logits, state = self.decoder.step(tokens, state)
        return log_probs(logits), state

    def prior(self, num: int, generator: torch.Generator | None = None) -> Tensor:
        """``num`` codes z ~ N(0, I), ``[num, Z]``; the generator is on the CPU."""
        check_positive(num, "num")
        noise = torch.randn(num, self.config.latent_size, generator=generator)
        return noise.to(self.to_context.weight)

    def generate(
        self, z: Tensor, *, max_new_tokens: int, search: Callable = greedy_search, **options
    ) -> list[list[Hypothesis]]:
        """Hypotheses for each z ``[N, Z]``, best first; ``options`` go to the search."""
        lengths = torch.ones(len(z), dtype=torch.int64)
        return search(FromLatent(self), z, lengths, max_new_tokens=max_new_tokens, **options)

    def _noise(
        self, batch: Batch, generator: torch.Generator | None, occurrence: Sequence[int] | None
    ) -> Tensor:
        # [B, Z], drawn on the CPU: the same on every device
        size = self.config.latent_size
        if self.training or generator is not None:
            noise = torch.randn(len(batch), size, generator=generator)
        else:
            times = [0] * len(batch) if occurrence is None else occurrence
            if len(times) != len(batch):
                raise ValueError(f"occurrence needs {len(batch)} numbers, but has {len(times)}.")
            rows = zip(sources(batch), times, strict=True)
            keys = [f"{source} {n}" if n else f"{source}" for source, n in rows]
            seeds = [zlib.crc32(key.encode()) for key in keys]
            own = [torch.Generator().manual_seed(seed) for seed in seeds]
            noise = torch.stack([torch.randn(size, generator=g) for g in own])
        return noise.to(self.to_context.weight)


class FromLatent(nn.Module):
    """The decoding protocol with codes z ``[N, Z]`` in the place of src; lengths are not read."""

    def __init__(self, model: LatentSeq2Seq) -> None:
        super().__init__()
        self.model, self.step = model, model.step

    def start(self, z: Tensor, lengths: Tensor | None = None) -> DecoderState:
        """The state before the first token."""
        return self.model.start_from(z)
