"""The texts that the command trains on and scores with: Multi30k, Tatoeba, or a reader's own."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from seq2seq_lib.corpora import (
    Corpus,
    ParallelText,
    check_overlap,
    multi30k,
    own_corpus,
    read_parallel,
    tatoeba,
)
from seq2seq_lib.corpora.own_corpus import VALID_SHARE

Lines = list[str]
References = Lines | list[Lines]  # one a source, or several


def training_corpus(options: argparse.Namespace) -> tuple[Corpus, list[str]]:
    """The corpus that the options of ``train`` name, and what is to be said about its files."""
    if options.train is None:
        if options.corpus == "tatoeba":
            return tatoeba(options.data_dir), []
        return multi30k(options.languages, data_dir=options.data_dir), []
    train, valid, test = (
        _read(files, options) if files else None
        for files in (options.train, options.valid, options.test)
    )
    overlap = {"allow_overlap": options.allow_overlap}
    share = options.valid_share or VALID_SHARE
    corpus, notes = own_corpus(train, valid, valid_share=share, **overlap)
    if test is not None:
        notes += check_overlap(train, test, **overlap)
    return corpus, notes


def _read(files: Sequence[Path], options: argparse.Namespace) -> ParallelText:
    columns = tuple(options.columns) if options.columns and len(files) == 1 else None
    return read_parallel(files, columns=columns, encoding=options.encoding or "utf-8")


def raw_lines(languages: tuple[str, str], split: str, data_dir=None) -> tuple[Lines, Lines]:
    """Sources and references of a Multi30k split as published, not tokenised."""
    corpus = multi30k(languages, data_dir=data_dir, tokenizer=lambda line: [line.strip()])
    pairs = corpus.split(split)
    return [pair.source[0] for pair in pairs], [pair.target[0] for pair in pairs]


def scored_lines(corpus_name: str, options: argparse.Namespace) -> tuple[Lines, References]:
    """Sources and references for ``evaluate``: of the files given, or of the model's own corpus.

    A Tatoeba sentence comes once, with all its references.

    Raises:
        ValueError: the model was trained on files, and none are given to score it with.
    """
    if options.test is not None:
        text = _read(options.test, options)
        return [source for source, _ in text.pairs], [target for _, target in text.pairs]
    languages = languages_of(corpus_name)
    if languages is None:
        raise ValueError(
            f"This model was trained on {corpus_name}: give the text to score it with, --test "
            f"SOURCE TARGET, or one file with columns."
        )
    if corpus_name == "tatoeba-en-fr":
        whole = tatoeba(options.data_dir, tokenizer=lambda line: [line.strip()])
        found = whole.references(options.split)
        return [line for (line,) in found], [[t for (t,) in r] for r in found.values()]
    return raw_lines(languages, options.split, options.data_dir)


def languages_of(corpus_name: str) -> tuple[str, str] | None:
    """("de", "en") of "multi30k-de-en"; None for a reader's own corpus."""
    name, _, pair = corpus_name.partition("-")
    codes: Sequence[str] = pair.split("-")
    return (codes[0], codes[1]) if name in ("multi30k", "tatoeba") and len(codes) == 2 else None
