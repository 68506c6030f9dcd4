"""What the notebooks of chapter 5 are given: votes, batches for a pencil, a small training run."""

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from seq2seq_lib.batching import Batch, collate, encode_pairs
from seq2seq_lib.corpora import Corpus, letters, numbers
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.losses import LossSum
from seq2seq_lib.metrics import exact_match
from seq2seq_lib.runtime import kept_rng
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import LossFunction, TrainConfig, fit
from seq2seq_lib.vocab import Vocab

WORDS = ("ich", "liebe", "dich", "danke", "•")
VOTES = (1.0, 2.0, 3.0, 6.0, 8.0)  # of 20; a logit is the log of its votes
TAU = 0.6  # the chapter's temperature
BATCH_VOTES = (
    ((1, 2, 3, 6, 8), (4, 1, 9, 2, 4), (2, 5, 1, 1, 3), (7, 2, 2, 8, 1)),
    ((3, 1, 1, 4, 1), (1, 1, 2, 3, 18), (6, 14, 5, 5, 10), (9, 1, 1, 1, 4)),
)
BATCH_TARGETS = ((3, 2, 1, 0), (3, 4, 1, 2))  # the last one of row 0 is a pad


def row() -> Tensor:
    """The logits ``[V]`` of the chapter's row, five words."""
    return torch.tensor(VOTES).log()


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Two sentences of 3 and 4 tokens.

    Returns:
        logits floats ``[2, 4, 5]``, targets int64 ``[2, 4]``, mask bool ``[2, 4]``.
    """
    logits = torch.tensor(BATCH_VOTES, dtype=torch.float32).log()
    mask = torch.ones(2, 4, dtype=torch.bool)
    mask[0, 3] = False
    return logits, torch.tensor(BATCH_TARGETS), mask


def weighted_batch() -> tuple[Tensor, Tensor, Tensor]:
    """Three rows of shares ``[3, 3]``, their targets ``[3]``, and class weights ``[3]``."""
    shares = torch.tensor([[0.90, 0.06, 0.04], [0.50, 0.30, 0.20], [0.10, 0.25, 0.65]])
    return shares, torch.tensor([0, 1, 2]), torch.tensor([3.0, 1.0, 2.0])


class Task:
    """A generated task, encoded, and the small model of this chapter that learns it.

    Attributes:
        corpus: its pairs.
        target_vocab: of the targets.
        train, valid, test: examples for ``collate``.
    """

    def __init__(self, corpus: Corpus) -> None:
        source = Vocab.build(pair.source for pair in corpus.train)
        self.corpus = corpus
        self.target_vocab = Vocab.build(pair.target for pair in corpus.train)
        self.train, self.valid, self.test = (
            encode_pairs(split, source, self.target_vocab)
            for split in (corpus.train, corpus.valid, corpus.test)
        )
        self._config = Seq2SeqConfig(
            len(source),
            len(self.target_vocab),
            embed_size=32,
            hidden_size=48,
            dropout=0.0,
            attention="dot",
        )

    def fresh_model(self, seed: int) -> Seq2Seq:
        """A model with random weights; the global random state stays as it was."""
        with kept_rng():
            torch.manual_seed(seed)
            return Seq2Seq(self._config)

    def fit(self, loss: LossFunction, seed: int = 0, epochs: int = 6) -> tuple[Seq2Seq, list]:
        """Train a fresh model with ``loss`` in random batches of 50.

        Returns:
            the model, and the mean training loss of each epoch.
        """
        model, order = self.fresh_model(seed), torch.Generator().manual_seed(seed)
        loader = DataLoader(self.train, 50, shuffle=True, generator=order, collate_fn=collate)
        config = TrainConfig(epochs=epochs, learning_rate=8e-3, cosine_decay=True)
        with kept_rng():
            history = fit(model, loader, None, config, loss_function=loss, progress=False)
        return model, [record.train_loss for record in history.records]

    def exact_match(self, model: Seq2Seq) -> float:
        """The share of test pairs that greedy search writes without a mistake."""
        batch = collate(self.test)
        found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=8)
        written = [self.target_vocab.decode(best.tokens) for (best,) in found]
        return exact_match(written, [list(pair.target) for pair in self.corpus.test])


def numbers_task(num_train: int = 2000, num_test: int = 300) -> Task:
    """Number words to digits, V = 14: each source has one right target."""
    return Task(numbers(num_train, num_test, num_test, limit=10_000))


def letters_task(num_train: int = 400, num_test: int = 1000) -> Task:
    """Letters that become other letters by chance: a source has many right targets."""
    return Task(letters(num_train, max(1, num_test // 5), num_test))


@torch.no_grad()
def forced(model: Seq2Seq, examples: list) -> tuple[Tensor, Tensor, Batch]:
    """Logits ``[N, V]`` and targets ``[N]`` of all real tokens, and the batch they are from."""
    together = collate(examples)
    mask = together.tgt_mask
    return model(together)[mask], together.tgt_out[mask], together


# ---------------------------------------------------------------- losses to train with


def cross_entropy_loss(model: Seq2Seq, batch: Batch, step: int) -> LossSum:
    """Logits into cross-entropy: right."""
    logits = model(batch)[batch.tgt_mask]  # [N, V]
    return _summed(logits.log_softmax(-1), batch)


def tempered_loss(model: Seq2Seq, batch: Batch, step: int) -> LossSum:
    """Logits divided by 0.6 into cross-entropy: the model learns them in other units."""
    return _summed((model(batch)[batch.tgt_mask] / TAU).log_softmax(-1), batch)


def softmax_first_loss(model: Seq2Seq, batch: Batch, step: int) -> LossSum:
    """Shares into cross-entropy, which takes them for logits."""
    return _summed(model(batch)[batch.tgt_mask].softmax(-1).log_softmax(-1), batch)


def shares_to_nll_loss(model: Seq2Seq, batch: Batch, step: int) -> LossSum:
    """Shares into NLLLoss, which takes them for log-probabilities."""
    return _summed(model(batch)[batch.tgt_mask].softmax(-1), batch)


def over_tokens_loss(model: Seq2Seq, batch: Batch, step: int) -> LossSum:
    """The log-softmax of ``[N, V]`` runs over its N tokens."""
    return _summed(model(batch)[batch.tgt_mask].log_softmax(0), batch)


def _summed(numbers: Tensor, batch: Batch) -> LossSum:
    targets = batch.tgt_out[batch.tgt_mask]  # [N]
    picked = -numbers.gather(-1, targets[:, None])  # [N, V] -> [N, 1]
    return LossSum(picked.sum(), batch.tgt_mask.sum())
