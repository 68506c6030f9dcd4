"""The recipe of the course's translators: train one, write it to a file, read it back."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn

from seq2seq_lib.batching import Batch, Example, make_loader
from seq2seq_lib.corpora import Corpus, detokenize
from seq2seq_lib.corpora.download import cache_folder
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import (
    Checkpoint,
    CheckpointError,
    EpochRecord,
    History,
    TrainConfig,
    fit,
    load_checkpoint,
)
from seq2seq_lib.translate.translator import Translator


@dataclass(frozen=True)
class Recipe:
    """How ``train`` trains unless told otherwise; chosen on Multi30k.

    The fields are those of ``Seq2SeqConfig`` and ``TrainConfig``, and three of its own.
    """

    num_pieces: int = 3000  # subwords, of each language
    max_pieces: int = 250  # training pairs with a longer side are left out: memory grows with it
    piece_dropout: float = 0.1  # in training, of the source: BPE-dropout, drawn anew each epoch
    embed_size: int = 256
    hidden_size: int = 256
    attention: str = "general"
    attend_first: bool = False
    tie_embeddings: bool = True
    cell: str = "lstm"
    residual: bool = True
    dropout: float = 0.35
    batch_size: int = 64
    accumulate: int = 1  # such batches a step
    epochs: int = 16
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    cosine_decay: bool = True
    average_from: float | None = None
    label_smoothing: float = 0.1
    weight_decay: float = 0.01
    seed: int = 1

    def config(self, src_vocab_size: int, tgt_vocab_size: int) -> Seq2SeqConfig:
        """The model to be trained."""
        mine = {field.name for field in fields(self)}
        shared = [field.name for field in fields(Seq2SeqConfig) if field.name in mine]
        sizes = {name: getattr(self, name) for name in shared}
        return Seq2SeqConfig(src_vocab_size, tgt_vocab_size, **sizes)


# Of a recipe: a GRU, dot attention after it, pieces cut in one way. The small models of the course.
PLAIN = {"piece_dropout": 0.0, "attention": "dot", "cell": "gru", "residual": False}


def train(
    corpus: Corpus,
    recipe: Recipe,
    *,
    checkpoint_path: str | os.PathLike[str] | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
    after_epoch: Callable[[nn.Module, EpochRecord], None] | None = None,
    progress: bool = True,
    say: Callable[[str], None] | None = None,
) -> tuple[Translator, History]:
    """Train a translation model on the pieces of a corpus's words.

    Args:
        resume: go on from ``checkpoint_path``, with the pieces and sizes stored there.
        say: is told in a sentence what was left out.
        Others as in ``training.fit``.

    Raises:
        ValueError: no training pair is left, no validation pair, or too little text for so many
            pieces; ``resume`` without a path.
        CheckpointError: the checkpoint was trained on another corpus or with other validation
            sentences, or is none.
    """
    if resume and checkpoint_path is None:
        raise ValueError("resume goes on from checkpoint_path, but there is none.")
    if not corpus.valid:
        raise ValueError(f"{corpus.name} has no validation pairs, and each epoch is measured.")
    seed_everything(recipe.seed)
    checkpoint = load_checkpoint(checkpoint_path) if resume else None
    if checkpoint is None:
        read = Subwords.train((detokenize(p.source) for p in corpus.train), recipe.num_pieces)
        write = Subwords.train((detokenize(p.target) for p in corpus.train), recipe.num_pieces)
        src_vocab, tgt_vocab = read.vocab(), write.vocab()
        model = Seq2Seq(recipe.config(len(src_vocab), len(tgt_vocab)))
    else:
        read, write = _load_subwords(checkpoint)
        check_corpus(checkpoint, corpus)
        src_vocab, tgt_vocab = checkpoint.src_vocab, checkpoint.tgt_vocab
        model = checkpoint.build()
    train_ids, valid_ids = (
        [
            (
                src_vocab.encode(read.encode(detokenize(pair.source))),
                tgt_vocab.encode(write.encode(detokenize(pair.target))),
            )
            for pair in pairs
        ]
        for pairs in (corpus.train, corpus.valid)
    )
    fitting = [i for i, pair in enumerate(train_ids) if max(map(len, pair)) <= recipe.max_pieces]
    if not fitting:
        raise ValueError(f"No training pair has at most {recipe.max_pieces} pieces a side.")
    if say is not None and len(fitting) < len(train_ids):
        say(
            f"{len(train_ids) - len(fitting):,} training pairs of more than {recipe.max_pieces} "
            f"pieces are left out."
        )
    train_ids = [train_ids[i] for i in fitting]

    def draw(epoch: int) -> list[Example]:
        """The training pairs, their sources in other pieces in each epoch."""
        if not recipe.piece_dropout:
            return train_ids
        texts = [detokenize(corpus.train[i].source) for i in fitting]
        drawn = read.sample(texts, recipe.piece_dropout, recipe.seed * 1_000_003 + epoch)
        sources = map(src_vocab.encode, drawn)
        return [(source, target) for source, (_, target) in zip(sources, train_ids, strict=True)]

    pin = torch.device(device).type == "cuda"
    history = fit(
        model,
        _EpochLoader(draw, recipe.batch_size, seed=recipe.seed, pin_memory=pin),
        make_loader(valid_ids, recipe.batch_size, shuffle=False, pin_memory=pin),
        TrainConfig(
            epochs=recipe.epochs,
            learning_rate=recipe.learning_rate,
            warmup_steps=recipe.warmup_steps,
            cosine_decay=recipe.cosine_decay,
            average_from=recipe.average_from,
            weight_decay=recipe.weight_decay,
            label_smoothing=recipe.label_smoothing,
            accumulate=recipe.accumulate,
        ),
        device=device,
        checkpoint_path=checkpoint_path,
        resume=checkpoint,
        src_vocab=src_vocab,
        tgt_vocab=tgt_vocab,
        extra={
            "read": _as_tensor(read),
            "write": _as_tensor(write),
            "corpus": corpus.name,
            "valid": _digest(corpus),
        },
        after_epoch=after_epoch,
        progress=progress,
    )
    return Translator(model, src_vocab, tgt_vocab, read.encode, write.decode), history


class _EpochLoader:
    """A loader for ``fit`` whose examples may differ from epoch to epoch.

    Args:
        draw: epoch to examples, as many in each; a function of the epoch alone, so that a run can
            be resumed and several processes see the same.
        batch_size, options: as in ``make_loader``.
    """

    def __init__(self, draw: Callable[[int], list[Example]], batch_size: int, **options) -> None:
        self._make = lambda epoch: make_loader(draw(epoch), batch_size, **options)
        self.batch_sampler = self  # fit sets its epoch
        self.epoch = 0
        self._loader = self._make(0)

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self._loader = epoch, self._make(epoch)
            self._loader.batch_sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._loader)


def default_checkpoint(languages: tuple[str, str]) -> Path:
    """Where the command keeps a model, and where chapter 9 looks for it."""
    return cache_folder() / f"translate-{languages[0]}-{languages[1]}.pt"


def load_translator(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> Translator:
    """The translator that ``train`` wrote; a ``CheckpointError`` for any other file."""
    return make_translator(load_checkpoint(path), device)


def make_translator(checkpoint: Checkpoint, device: torch.device | str) -> Translator:
    """The translator of a checkpoint that ``train`` wrote."""
    read, write = _load_subwords(checkpoint)
    model = checkpoint.build().to(device)
    return Translator(model, checkpoint.src_vocab, checkpoint.tgt_vocab, read.encode, write.decode)


def _as_tensor(subwords: Subwords) -> Tensor:
    return torch.frombuffer(bytearray(subwords.to_bytes()), dtype=torch.uint8)


def _load_subwords(checkpoint: Checkpoint) -> tuple[Subwords, Subwords]:
    try:
        read, write = (
            Subwords(bytes(checkpoint.extra[side].tolist())) for side in ("read", "write")
        )
    except (AttributeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"This checkpoint cannot read or write text ({error!r}): it was not written by "
            f"seq2seq_lib.translate."
        ) from error
    if checkpoint.src_vocab is None or checkpoint.tgt_vocab is None:
        raise CheckpointError("This checkpoint holds no vocabularies: it cannot read text.")
    return read, write


def corpus_of(checkpoint: Checkpoint) -> str:
    """The name of the corpus that ``train`` stored, such as "multi30k-de-en"."""
    _load_subwords(checkpoint)  # refuses what another program wrote
    return checkpoint.extra.get("corpus", "an unknown corpus")


def check_corpus(checkpoint: Checkpoint, corpus: Corpus) -> None:
    """Refuse another corpus: nothing else would notice that its text means nothing here."""
    trained_on = corpus_of(checkpoint)
    if trained_on != corpus.name:
        raise CheckpointError(f"This checkpoint was trained on {trained_on}, not on {corpus.name}.")
    if checkpoint.extra.get("valid", "") not in ("", _digest(corpus)):
        raise CheckpointError(
            f"This checkpoint was trained on {trained_on} with other validation sentences, so it "
            f"may have seen those that there are now: give the same --valid or --valid-share."
        )


def _digest(corpus: Corpus) -> str:
    """What tells its validation sentences from all others: 12 hexadecimal digits."""
    pairs = (f"{detokenize(p.source)}\t{detokenize(p.target)}" for p in corpus.valid)
    return hashlib.sha256("\n".join(pairs).encode()).hexdigest()[:12]
