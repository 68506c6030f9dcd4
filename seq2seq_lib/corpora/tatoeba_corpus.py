"""Tatoeba: 5,000 short English sentences with French translations.

The first 5,000 lines of the English-French file of https://www.manythings.org/anki, which takes its
sentences from https://tatoeba.org: **CC-BY 2.0 FR**, with the author of each line named in its
third column (keep the column when you pass the file on). Nothing of it is shipped with the library.

Many sentences have several translations: 5,000 lines are 2,597 distinct English sentences. Split by
line, and most test sentences have been seen in training with another translation. Split here by
English sentence, and sentences that differ in punctuation or case only ("Run!", "Run.") stay
together, for their translations are the same.
"""

import os
from collections.abc import Callable

from seq2seq_lib.corpora.download import CorpusError, DataFile, read_files
from seq2seq_lib.corpora.pair import Corpus, Pair
from seq2seq_lib.corpora.sampling import check_sizes, distinct_numbers, make_rng
from seq2seq_lib.corpora.tokenizer import bare_sentence, tokenize

_FILE = DataFile(
    path="tatoeba/eng-fra-5000.tsv",
    digest="sha256:d952b56a181da5270b7bb4ded3f3bbe61e67a9b1de0e0fbc1d46438c71fb55a7",
    how_to_get=(
        "get it from your teacher or a colleague: it is the first 5,000 lines of fra.txt in "
        "fra-eng.zip of https://www.manythings.org/anki, in an edition of which no address is "
        "kept; today's edition has other lines and is refused"
    ),
)
_LINES = 5_000
LICENCE = "Tatoeba sentences by way of manythings.org/anki: CC-BY 2.0 FR, authors in the file"


def tatoeba(
    data_dir: str | os.PathLike | None = None,
    tokenizer: Callable[[str], list[str]] | None = None,
    *,
    num_valid: int = 250,
    num_test: int = 250,
    seed: int = 0,
) -> Corpus:
    """English to French, short everyday sentences, several translations for many.

    Args:
        data_dir: a folder that holds ``tatoeba/eng-fra-5000.tsv``. Searched first, then the folder
            that SEQ2SEQ_DATA_DIR names, then the user's cache. It cannot be downloaded: see the
            error.
        tokenizer: text to list of tokens, ``tokenize`` (lower case) unless given. The split is made
            on the text, so it is the same for every tokenizer.
        num_valid, num_test: *distinct sentences* in these splits (punctuation and case aside);
            training has the rest.

    All translations of a sentence stand in one split, one Pair each, in the order of the file:
    ``corpus.references("test")`` collects them. Equal pairs are kept once. entropy_floor None, no
    alignment. The same arguments give the same corpus everywhere.

    Raises:
        CorpusError: a missing or wrong file.
        ValueError: negative sizes or such that leave nothing to train.
    """
    tokenizer = tokenizer or tokenize
    rows = _rows(read_files([_FILE], data_dir)[_FILE.path])
    sentences = list(dict.fromkeys(bare_sentence(english) for english, _ in rows))
    check_sizes(1, num_valid, num_test, len(sentences), "distinct sentences (one is for training)")
    order = [sentences[k] for k in distinct_numbers(make_rng(seed), len(sentences))]
    test, valid = set(order[:num_test]), set(order[num_test : num_test + num_valid])
    splits: dict[str, dict[Pair, None]] = {"train": {}, "valid": {}, "test": {}}
    for english, french in rows:
        bare = bare_sentence(english)
        name = "test" if bare in test else "valid" if bare in valid else "train"
        splits[name][Pair(tuple(tokenizer(english)), tuple(tokenizer(french)))] = None
    return Corpus("tatoeba-en-fr", *(tuple(split) for split in splits.values()), licence=LICENCE)


def _rows(content: bytes) -> list[tuple[str, str]]:
    lines = content.decode("utf-8").removesuffix("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    if len(rows) != _LINES or any(len(row) != 3 for row in rows):
        raise CorpusError(
            f"{_FILE.path} must have {_LINES:,} lines of three columns (English, French, "
            f"attribution), but has {len(rows):,} lines, not all of that shape"
        )
    return [(english, french) for english, french, _ in rows]
