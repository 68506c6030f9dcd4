"""A date reader that is careless about padding: chapter 0's patient, and how it is trained.

Three careless things, none of which raises: the lengths are ignored, so the encoder and the
attention read pads; the embedding has no ``padding_idx``, so PAD's vector is random and stays so;
and each batch holds sources of one length, as bucketing makes them, so no pad is met in training.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.corpora import Corpus
from seq2seq_lib.encoder import Encoder, EncoderOutput
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, fit
from seq2seq_lib.vocab import Vocab


class ReadsPads(Encoder):
    """An encoder that believes each row to be as long as the batch is wide."""

    reads_pads = True

    def __init__(self, vocab_size: int, embed_size: int, *sizes: int, **options: object) -> None:
        super().__init__(vocab_size, embed_size, *sizes, **options)
        self.embedding = nn.Embedding(vocab_size, embed_size)  # no padding_idx

    def forward(self, src: Tensor, src_lengths: Tensor) -> EncoderOutput:
        """As ``Encoder.forward``; the mask is True everywhere."""
        return super().forward(src, torch.full_like(src_lengths, src.size(1)))


class CarelessSeq2Seq(Seq2Seq):
    """The library's model with ``ReadsPads`` in front: same sizes, same names of weights."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        encoder = ReadsPads(
            config.src_vocab_size,
            config.embed_size,
            config.hidden_size,
            num_layers=config.num_layers,
            dropout=config.dropout,
            cell=config.cell,
            bidirectional=config.bidirectional,
        )
        super().__init__(config, encoder=encoder)


class SameLength(Sampler[list[int]]):
    """Batches of indices whose lengths are equal, in another order each epoch.

    Args:
        lengths: of each example.
        batch_size: the most in a batch.
        seed: the order is a function of ``(seed, epoch)``.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int = 0) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        counts = [self.lengths.count(length) for length in set(self.lengths)]
        return sum(-(-count // self.batch_size) for count in counts)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        groups: dict[int, list[int]] = {}
        for i in torch.randperm(len(self.lengths), generator=generator).tolist():
            groups.setdefault(self.lengths[i], []).append(i)
        size = self.batch_size
        batches = [g[i : i + size] for g in groups.values() for i in range(0, len(g), size)]
        for i in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[i]


def train(
    corpus: Corpus,
    src_vocab: Vocab,
    tgt_vocab: Vocab,
    config: Seq2SeqConfig,
    *,
    batch_size: int,
    epochs: int,
    learning_rate: float,
    seed: int,
) -> CarelessSeq2Seq:
    """Train the careless model; about fifteen seconds of one core for 6,000 dates and 6 epochs."""
    seed_everything(seed)
    model = CarelessSeq2Seq(config)
    examples = encode_pairs(corpus.train, src_vocab, tgt_vocab)
    sampler = SameLength([len(source) for source, _ in examples], batch_size, seed)
    loader = DataLoader(examples, batch_sampler=sampler, collate_fn=collate)
    settings = TrainConfig(epochs=epochs, learning_rate=learning_rate, cosine_decay=True)
    fit(model, loader, None, settings, progress=False)
    return model
