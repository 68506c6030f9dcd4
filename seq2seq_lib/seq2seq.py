"""The whole model: an encoder, a decoder, and the decoding protocol that search needs."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from seq2seq_lib._arguments import check_choice, check_flag, check_number, check_positive
from seq2seq_lib.attention import AdditiveAttention, Attention, DotAttention, GeneralAttention
from seq2seq_lib.batching import Batch
from seq2seq_lib.decoder import (
    AttentionDecoder,
    BahdanauDecoder,
    Decoder,
    DecoderOutput,
    DecoderState,
    log_probs,
)
from seq2seq_lib.encoder import CELLS, Encoder
from seq2seq_lib.residual import ResidualDecoder, ResidualEncoder

ATTENTIONS = {
    "dot": lambda size: DotAttention(),
    "general": lambda size: GeneralAttention(size, size),
    "additive": lambda size: AdditiveAttention(size, size),
}


@dataclass(frozen=True)
class Seq2SeqConfig:
    """All that decides the shape of a model; a checkpoint stores it beside the weights."""

    src_vocab_size: int  # the four special ids included
    tgt_vocab_size: int
    embed_size: int = 128  # word vectors, source and target
    hidden_size: int = 256  # H of memory and states; even if bidirectional
    num_layers: int = 1
    dropout: float = 0.1  # on embeddings, between layers, before the output
    cell: str = "gru"  # or "lstm"
    bidirectional: bool = True  # the encoder only: a bidirectional decoder would see the answer
    attention: str = "general"  # or "dot", "additive", "none"
    attend_first: bool = False  # attention before the recurrent step (Bahdanau), not after (Luong)
    tie_embeddings: bool = False  # target embedding = output matrix
    residual: bool = False  # residual connections, attention between layers: residual.py

    def __post_init__(self) -> None:
        for name in ("src_vocab_size", "tgt_vocab_size", "embed_size", "hidden_size", "num_layers"):
            check_positive(getattr(self, name), name)
        check_number(self.dropout, "dropout", "in [0, 1)", low=0, high=1)
        for name in ("bidirectional", "attend_first", "tie_embeddings", "residual"):
            check_flag(getattr(self, name), name)
        check_choice(self.cell, tuple(CELLS), "cell")
        check_choice(self.attention, ("none", *ATTENTIONS), "attention")
        if self.attend_first and self.attention == "none":
            raise ValueError(
                "attend_first needs an attention, but attention is 'none': choose one of "
                f"{', '.join(map(repr, ATTENTIONS))}, or leave attend_first out."
            )
        if self.residual and (self.attention == "none" or self.attend_first):
            raise ValueError(
                f"residual puts an attention between two layers, but attention is "
                f"{self.attention!r} and attend_first {self.attend_first}: choose one of "
                f"{', '.join(map(repr, ATTENTIONS))}, and leave attend_first out."
            )


def make_attention(kind: str, hidden_size: int) -> Attention:
    """An attention between vectors of size H by its name in the configuration."""
    check_choice(kind, tuple(ATTENTIONS), "attention")
    return ATTENTIONS[kind](hidden_size)


class Seq2Seq(nn.Module):
    """Encoder and decoder.

    Args:
        config: what to build.
        encoder, decoder: pieces of your own instead of the built ones, with the interfaces of
            ``encoder.Encoder`` and ``decoder.Decoder``.
    """

    def __init__(
        self,
        config: Seq2SeqConfig,
        *,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = make_encoder(config) if encoder is None else encoder
        self.decoder = make_decoder(config) if decoder is None else decoder

    @classmethod
    def from_dict(cls, config: dict) -> "Seq2Seq":
        """A model from the dictionary that a checkpoint holds."""
        return cls(Seq2SeqConfig(**config))

    def to_dict(self) -> dict:
        """The configuration as plain numbers and strings, for a checkpoint."""
        return asdict(self.config)

    def forward(
        self,
        batch: Batch,
        teacher_forcing_ratio: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Logits ``[B, T, V]`` for ``batch.tgt_out``.

        Args:
            batch: a ``Batch`` on the model's device.
            teacher_forcing_ratio: the probability that a step reads the gold token rather than the
                model's own last one (its most probable token, without gradient). The coin is drawn
                anew for every token of every row, as in Bengio et al. 2015. At 1 the whole pass is
                parallel; below it goes token by token. At 0 no gold token is read after BOS; only
                their number decides when to stop.
            generator: for the coins, on the CPU; torch's global one when left out.

        Raises:
            ValueError: the ratio is not in [0, 1].
            TypeError: the ratio is no number.
        """
        if not isinstance(teacher_forcing_ratio, int | float | Tensor):
            raise TypeError(
                f"teacher_forcing_ratio must be a number in [0, 1], but it is "
                f"{teacher_forcing_ratio!r}."
            )
        if not 0.0 <= teacher_forcing_ratio <= 1.0:
            raise ValueError(
                f"teacher_forcing_ratio must be in [0, 1], but it is {teacher_forcing_ratio}."
            )
        state = self.start(batch.src, batch.src_lengths)
        if teacher_forcing_ratio == 1.0:
            return self.decoder(batch.tgt_in, state).logits
        gold = torch.rand(batch.tgt_in.shape, generator=generator) < teacher_forcing_ratio
        gold = gold.to(batch.tgt_in.device)  # [B, T]
        tokens, steps = batch.tgt_in[:, 0], []  # BOS, whatever the first coin says
        for t in range(batch.tgt_in.size(1)):
            tokens = torch.where(gold[:, t], batch.tgt_in[:, t], tokens)  # [B]
            logits, state = self.decoder.step(tokens, state)  # [B, V]
            steps.append(logits)
            tokens = logits.detach().argmax(-1)  # [B]
        return torch.stack(steps, 1)  # [B, T, V]

    def teacher_forced(self, batch: Batch) -> DecoderOutput:
        """The parallel pass with its attention weights ``[B, T, S]``."""
        return self.decoder(batch.tgt_in, self.start(batch.src, batch.src_lengths))

    # The decoding protocol: all that decoding.py asks of a model.

    def start(self, src: Tensor, src_lengths: Tensor) -> DecoderState:
        """The decoder's state before the first token: src int64 ``[B, S]``, lengths ``[B]``."""
        return self.decoder.start(self.encoder(src, src_lengths))

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read tokens ``[N]``; log-probabilities ``[N, V]`` of the next ones and the new state."""
        logits, state = self.decoder.step(tokens, state)
        return log_probs(logits), state


def make_encoder(config: Seq2SeqConfig) -> nn.Module:
    """The encoder that a configuration describes."""
    kind = ResidualEncoder if config.residual else Encoder
    return kind(
        config.src_vocab_size,
        config.embed_size,
        config.hidden_size,
        num_layers=config.num_layers,
        dropout=config.dropout,
        cell=config.cell,
        bidirectional=config.bidirectional,
    )


def make_decoder(config: Seq2SeqConfig) -> nn.Module:
    """The decoder that a configuration describes."""
    sizes = (config.tgt_vocab_size, config.embed_size, config.hidden_size)
    options = {
        "num_layers": config.num_layers,
        "dropout": config.dropout,
        "cell": config.cell,
        "tie_embeddings": config.tie_embeddings,
    }
    if config.attention == "none":
        return Decoder(*sizes, **options)
    attention = make_attention(config.attention, config.hidden_size)
    kind = BahdanauDecoder if config.attend_first else AttentionDecoder
    if config.residual:
        kind = ResidualDecoder
    return kind(*sizes, attention, **options)
