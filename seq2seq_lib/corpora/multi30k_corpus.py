"""Multi30k: 31,014 image captions in English, German, French and Czech.

Elliott, Frank, Sima'an and Specia 2016, "Multi30K: Multilingual English-German Image Descriptions",
https://aclanthology.org/W16-3210; French: Elliott et al. 2017, https://aclanthology.org/W17-4718;
Czech: Barrault et al. 2018, https://aclanthology.org/W18-6402. The captions derive from Flickr30K:
for **non-commercial research and educational use**. Nothing of it is shipped with the library.
"""

import gzip
import os
from collections.abc import Callable

from seq2seq_lib.corpora.download import CorpusError, DataFile, read_files
from seq2seq_lib.corpora.pair import Corpus, Pair, Tokens
from seq2seq_lib.corpora.tokenizer import tokenize

# The published files at one commit, and the branch that holds the same bytes today. Whatever
# answers, the hash decides.
_ADDRESSES = (
    "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d/data/task1/raw/",
    "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/",
)
_LINES = {"train": 29_000, "val": 1_014, "test_2016_flickr": 1_000}

# For Czech nobody published SHA-256 sums that we know of. The MD5 sums are those of
# torchtext 0.9 (torchtext/datasets/multi30k.py), whose sums for English and German, of all three
# splits, are those of the files below.
_DIGESTS = {
    "train.de.gz": "sha256:726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.en.gz": "sha256:d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "train.fr.gz": "sha256:622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    "train.cs.gz": "md5:d9a5fc268917725a2b0efce3a0cc8607",
    "val.de.gz": "sha256:f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.en.gz": "sha256:14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "val.fr.gz": "sha256:ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
    "val.cs.gz": "md5:83cdc082f646b769095615384cf5c0ca",
    "test_2016_flickr.de.gz": (
        "sha256:9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"
    ),
    "test_2016_flickr.en.gz": (
        "sha256:611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"
    ),
    "test_2016_flickr.fr.gz": (
        "sha256:6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90"
    ),
    "test_2016_flickr.cs.gz": "md5:3104872229daa1bef3b401d44dd2220b",
}
LANGUAGES = ("de", "en", "fr", "cs")
LICENCE = "Multi30k, from Flickr30K captions: non-commercial research and educational use"


def multi30k(
    languages: tuple[str, str] = ("de", "en"),
    data_dir: str | os.PathLike | None = None,
    tokenizer: Callable[[str], list[str]] | None = None,
) -> Corpus:
    """Multi30k in any ordered pair of its languages: "de", "en", "fr", "cs".

    Args:
        languages: (source, target).
        data_dir: a folder that holds ``multi30k/train.de.gz`` and so on. Searched first, then the
            folder that SEQ2SEQ_DATA_DIR names, then the user's cache; what none has is downloaded
            there.
        tokenizer: text to list of tokens, ``tokenize`` (lower case) unless given.

    Returns:
        a Corpus of the published splits (train, val, test_2016_flickr), in the published order and
        untouched; entropy_floor None, no alignment. The published splits are nearly clean: with the
        default tokenizer, one source of the validation set is also one of the training set (the
        same caption of another picture), in German as in English; none of the test set is.
        ``shared_sources`` lists them. About 0.7 s from disk.

    Raises:
        ValueError: unknown or equal languages.
        CorpusError: a file that cannot be had, has the wrong hash or the wrong number of lines (see
            ``download``).
    """
    tokenizer = tokenizer or tokenize
    source, target = _check_languages(languages)
    names = [f"{split}.{language}.gz" for split in _LINES for language in (source, target)]
    contents = read_files([_data_file(name) for name in names], data_dir)
    texts = {name: _lines(name, contents[f"multi30k/{name}"]) for name in names}
    train, valid, test = (
        tuple(
            _pair(tokenizer, s, t)
            for s, t in zip(
                texts[f"{split}.{source}.gz"], texts[f"{split}.{target}.gz"], strict=True
            )
        )
        for split in _LINES
    )
    return Corpus(f"multi30k-{source}-{target}", train, valid, test, licence=LICENCE)


def _check_languages(languages: tuple[str, str]) -> tuple[str, str]:
    if isinstance(languages, str) or len(languages) != 2 or languages[0] == languages[1]:
        raise ValueError(
            f"languages must be two different codes, (source, target), but got {languages!r}"
        )
    for language in languages:
        if language not in LANGUAGES:
            raise ValueError(f"Unknown language: {language!r}. Valid: 'de', 'en', 'fr', 'cs'")
    return languages[0], languages[1]


def _data_file(name: str) -> DataFile:
    urls = tuple(address + name for address in _ADDRESSES)
    return DataFile(f"multi30k/{name}", _DIGESTS[name], urls)


def _lines(name: str, content: bytes) -> list[str]:
    # Not splitlines: it also cuts at characters that occur inside sentences, such as U+2028.
    lines = gzip.decompress(content).decode("utf-8").removesuffix("\n").split("\n")
    expected = _LINES[name.split(".")[0]]
    if len(lines) != expected:
        raise CorpusError(
            f"multi30k/{name} has {len(lines):,} lines where {expected:,} belong: source and "
            "target would slip against each other, so the file is not used. Fetch it again"
        )
    return lines


def _pair(tokenizer: Callable[[str], list[str]], source: str, target: str) -> Pair:
    tokens: list[Tokens] = [tuple(tokenizer(line)) for line in (source, target)]
    return Pair(tokens[0], tokens[1])
