"""The texts that the command trains on and scores with: Multi30k, Tatoeba, or a reader's own."""

import argparse
from collections.abc import Sequence

from seq2seq_lib.corpora import (
    Corpus,
    check_overlap,
    multi30k,
    own_corpus,
    read_parallel,
    tatoeba,
)

Lines = list[str]
References = Lines | list[Lines]  # one a source, or several


def training_corpus(options: argparse.Namespace) -> tuple[Corpus, list[str]]:
    """The corpus that the options of ``train`` name, and what is to be said about its files."""
    if options.train is None:
        if options.corpus == "tatoeba":
            return tatoeba(options.data_dir), []
        return multi30k(options.languages, data_dir=options.data_dir), []
    how = {"columns": tuple(options.columns), "encoding": options.encoding}
    train, valid, test = (
        read_parallel(files, **how) if files else None
        for files in (options.train, options.valid, options.test)
    )
    overlap = {"allow_overlap": options.allow_overlap}
    corpus, notes = own_corpus(train, valid, valid_share=options.valid_share, **overlap)
    if test is not None:
        notes += check_overlap(train, test, **overlap)
    return corpus, notes


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
        text = read_parallel(
            options.test, columns=tuple(options.columns), encoding=options.encoding
        )
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
