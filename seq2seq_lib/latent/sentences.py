"""What the latent command reads and writes: sentences, each its own target."""

import hashlib
from pathlib import Path

import torch

from seq2seq_lib._files import write_whole
from seq2seq_lib.batching import Example
from seq2seq_lib.corpora import tatoeba, tokenize
from seq2seq_lib.corpora.echo_task import echo_sentences
from seq2seq_lib.corpora.own_corpus import read_lines
from seq2seq_lib.training import check_folder
from seq2seq_lib.vocab import Vocab

Sentences = list[list[str]]


def read_corpus(name: str, text: Path | None, max_words: int, limit: int) -> tuple[str, Sentences]:
    """The corpus's name and its sentences as words: ``echo``, ``tatoeba``, or the lines of a file.

    Raises:
        ValueError: nothing is left, or one sentence alone.
        CorpusError: Tatoeba is not there and cannot be fetched; the file cannot be read.
    """
    if text is not None:
        name, sentences = text.name, [tokenize(line) for line in read_lines(text)]
    elif name == "echo":
        sentences = echo_sentences(limit, torch.Generator().manual_seed(0))
    else:
        pairs = tatoeba().train
        sentences = list(dict.fromkeys(tuple(pair.source) for pair in pairs))
    kept = [list(words) for words in sentences if 0 < len(words) <= max_words][:limit]
    if len(kept) < 2:
        raise ValueError(
            f"{name} has {len(kept)} sentence(s) of 1 to {max_words} words, but training needs two "
            f"or more: give another --text, or a larger --max-words."
        )
    return name, kept


def digest(sentences: Sentences) -> str:
    """What tells these sentences from all others: 12 hexadecimal digits."""
    text = "\n".join(" ".join(words) for words in sentences)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def split(sentences: Sentences) -> tuple[Sentences, Sentences]:
    """All but a tenth to train on, and that tenth, at least one, at most 500."""
    held_out = min(500, max(1, len(sentences) // 10))
    return sentences[:-held_out], sentences[-held_out:]


def as_examples(sentences: Sentences, vocab: Vocab) -> list[Example]:
    """Each sentence as its own target."""
    ids = [vocab.encode(words) for words in sentences]
    return [(sentence, sentence) for sentence in ids]


def write_lines(path: Path, text: str) -> None:
    """Write a text into a file, whole or not at all, or into a pipe.

    Raises:
        CheckpointError: the folder is missing or cannot be written.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        path.write_text(text, encoding="utf-8")  # a pipe or /dev/stdout, which no file may replace
        return
    check_folder(path)
    write_whole(path, text)
