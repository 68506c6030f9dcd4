"""A reader's own parallel text: two files, line by line, or one with columns.

What is wrong with such files is found before anything trains on them. Where one could guess or
refuse, this refuses: from a lost line on, all pairs are wrong; text in a wrong encoding is text all
the same; and a sentence on both sides of the split makes the score a measure of memory.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seq2seq_lib._numbers import check_number, is_integer
from seq2seq_lib._text import visible
from seq2seq_lib.corpora.download import CorpusError
from seq2seq_lib.corpora.pair import Corpus, Pair
from seq2seq_lib.corpora.sampling import distinct_numbers, make_rng
from seq2seq_lib.corpora.tokenizer import bare_sentence

Files = Sequence[str | os.PathLike[str]]

VALID_SHARE = 0.02  # of the sources, kept for validation
MOST_EMPTY = 0.05  # of the lines; above, the files are not what they should be
MOST_SHARED = 0.01  # of the sources of a split that are in training, too


@dataclass(frozen=True)
class ParallelText:
    """The lines of a text that have two sides.

    Attributes:
        name: the files' names, for messages.
        pairs: (source, target) as they stand in the files, without white space around them.
        numbers: line number of each pair, from 1.
        empty: line numbers that were left out, because a side of them is empty.
        digest: SHA-256 of the pairs, in hexadecimal.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    numbers: tuple[int, ...]
    empty: tuple[int, ...]
    digest: str


def read_parallel(
    files: Files, *, columns: tuple[int, int] | None = None, encoding: str = "utf-8"
) -> ParallelText:
    """Read two files of as many lines, or one whose columns are set apart by tabs.

    Only a line feed ends a line, and a carriage return before it is dropped: other characters that
    some programs take for line ends (U+2028, U+0085) occur inside sentences. A byte order mark is
    no text. A file that gzip has packed is unpacked. A side in which nothing can be seen is empty.

    Args:
        files: (source, target), or one file.
        columns: of one file: which is the source and which the target, counted from 1; the first
            and the second when left out.
        encoding: as Python names it, such as "utf-8", "latin-1", "utf-16".

    Raises:
        CorpusError: a file is missing, has another encoding, other lines than its partner, a line
            with other columns than the first; no pair is left, or more than 5 % have an empty side.
        ValueError: not one or two files, columns that are none, or columns of two files.
        TypeError: one path in place of a list.
    """
    if isinstance(files, str | os.PathLike):
        raise TypeError(f"files must be a list of one or two paths, but it is {str(files)!r}.")
    paths = [Path(file) for file in files]
    if len(paths) not in (1, 2):
        raise ValueError(f"Give two files, or one with columns, but not {len(paths)}.")
    if len(paths) == 2 and columns is not None:
        raise ValueError(f"columns {columns} are of one file, but there are two: leave them out.")
    if len(paths) == 2:
        rows = _rows_of_two(paths, encoding)
    else:
        rows = _rows_of_one(paths[0], _checked(columns or (1, 2)), encoding)
    name = " + ".join(path.name for path in paths)
    seen = [all(visible(side).strip() for side in row) for row in rows]
    kept = [(n, row) for n, (row, both) in enumerate(zip(rows, seen, strict=True), 1) if both]
    empty = tuple(n for n, both in enumerate(seen, 1) if not both)
    if not kept:
        raise CorpusError(f"{name}: no line has a source and a target.")
    if len(empty) > MOST_EMPTY * len(rows):
        raise CorpusError(
            f"{name}: {len(empty):,} of {len(rows):,} lines have an empty side (the first: "
            f"{_some(empty)}). More than 5 %: the files may have slipped against each other. Look "
            f"at these lines, and take them out of both sides."
        )
    numbers, pairs = zip(*kept, strict=True)
    digest = hashlib.sha256("\n".join("\t".join(pair) for pair in pairs).encode()).hexdigest()
    return ParallelText(name, pairs, numbers, empty, digest)


def own_corpus(
    train: ParallelText,
    valid: ParallelText | None = None,
    *,
    valid_share: float = VALID_SHARE,
    allow_overlap: bool = False,
    seed: int = 0,
) -> tuple[Corpus, list[str]]:
    """A corpus for ``translate.train``, and sentences about what was left out or looks odd.

    Each side of a pair is one token, the whole line. Without ``valid``, ``valid_share`` of the
    *distinct sources* and all their translations become the validation set; sources that differ in
    case and punctuation alone stay together. ``test`` is empty.

    Raises:
        CorpusError: of ``valid``'s lines more than 1 % have a source that training has, too, unless
            ``allow_overlap``; too few distinct sources for a split; all targets as their sources.
        ValueError: a share outside 0 to 1.
    """
    notes = [note for text in (train, valid) if text for note in _left_out(text)]
    copied = sum(source == target for source, target in train.pairs)
    if copied == len(train.pairs):
        raise CorpusError(
            f"{train.name}: the source and the target of every pair are the same text, so there is "
            f"nothing to translate. Is one file given twice?"
        )
    if copied:
        notes.append(f"{train.name}: {copied:,} pairs have one text on both sides; they are kept.")
    repeated = len(train.pairs) - len(set(train.pairs))
    if repeated:
        notes.append(f"{train.name}: {repeated:,} pairs repeat an earlier one; they are kept.")
    if valid is not None:
        notes += check_overlap(train, valid, allow_overlap=allow_overlap)
        splits = (train.pairs, valid.pairs)
    else:
        splits = _split_by_source(train, valid_share, seed)
        notes.append(
            f"{train.name}: {len(splits[1]):,} pairs are kept for validation, split by source."
        )
    name = f"{train.name} (sha256 {train.digest[:12]})"
    pairs = [tuple(Pair((s,), (t,)) for s, t in split) for split in splits]
    return Corpus(name, *pairs, test=(), licence="your own"), notes


def check_overlap(
    train: ParallelText, other: ParallelText, *, allow_overlap: bool = False
) -> list[str]:
    """A sentence about sources of ``other`` that training has, too, or none.

    Raises:
        CorpusError: they are more than 1 % of its lines, and ``allow_overlap`` is not given.
    """
    known = {bare_sentence(source) for source, _ in train.pairs}
    shared = [
        (number, source)
        for number, (source, _) in zip(other.numbers, other.pairs, strict=True)
        if bare_sentence(source) in known
    ]
    if not shared:
        return []
    number, source = shared[0]
    what = (
        f"{other.name}: {len(shared):,} of {len(other.pairs):,} sources are in {train.name}, too "
        f"(the first: line {number}, {_short(source)})"
    )
    if len(shared) > MOST_SHARED * len(other.pairs) and not allow_overlap:
        raise CorpusError(
            f"{what}: a score on them measures memory. Take them out of one of the two, or give "
            f"--allow-overlap."
        )
    return [f"{what}."]


# ---------------------------------------------------------------- reading


def _checked(columns: tuple[int, int]) -> tuple[int, int]:
    whole = all(is_integer(column) and column >= 1 for column in columns)
    if not whole or len(columns) != 2 or columns[0] == columns[1]:
        raise ValueError(f"columns are two different numbers from 1 on, but are {columns}.")
    return columns


def _rows_of_two(paths: Sequence[Path], encoding: str) -> list[tuple[str, str]]:
    sources, targets = (read_lines(path, encoding) for path in paths)
    if len(sources) != len(targets):
        raise CorpusError(
            f"{paths[0].name} has {len(sources):,} lines, {paths[1].name} {len(targets):,}: from "
            f"some line on, all pairs are wrong. Compare their ends, then look for the line that "
            f"is missing."
        )
    return [(s.strip(), t.strip()) for s, t in zip(sources, targets, strict=True)]


def _rows_of_one(path: Path, columns: tuple[int, int], encoding: str) -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in read_lines(path, encoding)]
    width = len(rows[0]) if rows else 0
    if rows and width < max(columns):
        raise CorpusError(
            f"{path.name}: line 1 has {width} column(s), but column {max(columns)} is asked for. "
            f"Columns are set apart by tabs; two files are given as --train SOURCE TARGET."
        )
    for number, row in enumerate(rows, 1):
        if len(row) != width and any(cell.strip() for cell in row):
            raise CorpusError(
                f"{path.name}: line {number} has {len(row)} column(s) where line 1 has {width}."
            )
    blank = [""] * width
    return [
        tuple(((row if len(row) == width else blank)[c - 1]).strip() for c in columns)
        for row in rows
    ]


def read_lines(path: Path, encoding: str = "utf-8") -> list[str]:
    """The lines of a text file, which gzip may have packed. Only a line feed ends a line.

    Raises:
        CorpusError: it is not there, or is no text in this encoding; the message names the line.
    """
    content = _content(path)
    if "utf-8" in encoding.lower().replace("_", "-").replace("utf8", "utf-8"):
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise CorpusError(
                f"{path.name} begins with the mark of UTF-16: give --encoding utf-16."
            )
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise CorpusError(f"{error}: give a name that Python knows, such as latin-1.") from error
    except UnicodeDecodeError as error:
        line, start = content.count(b"\n", 0, error.start) + 1, content.rfind(b"\n", 0, error.start)
        raise CorpusError(
            f"{path.name} is not {encoding.removesuffix('-sig')}: line {line} has the byte "
            f"0x{content[error.start]:02x} at position {error.start - start}. If you know its "
            f"encoding, give it, for example --encoding latin-1."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CorpusError(
            f"{path.name} holds the character NUL in line {line}: it is no text, or it is UTF-16 "
            f"without its mark (then --encoding utf-16-le or utf-16-be)."
        )
    text = text.replace("\r\n", "\n").removesuffix("\n")
    if "\r" in text.rstrip("\r") and "\n" not in text:
        raise CorpusError(
            f"{path.name} has no line feed, but carriage returns, which some programs write at the "
            f"end of a line: convert it first, for example with tr '\\r' '\\n'."
        )
    return text.split("\n") if text else []


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        packed = path.suffix == ".gz" or content.startswith(b"\x1f\x8b")
        return gzip.decompress(content) if packed else content
    except FileNotFoundError as error:
        raise CorpusError(f"There is no file {path}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{path} cannot be read: {error}.") from error


# ---------------------------------------------------------------- splitting, telling


def _split_by_source(text: ParallelText, share: float, seed: int):
    check_number(share, "valid_share", "above 0 and below 1", low=0, high=1, open_low=True)
    sources = list(dict.fromkeys(bare_sentence(source) for source, _ in text.pairs))
    if len(sources) < 2:
        raise CorpusError(f"{text.name}: {len(sources)} distinct source cannot be split in two.")
    size = min(max(1, round(share * len(sources))), len(sources) - 1)
    order = distinct_numbers(make_rng(seed), len(sources))
    held_out = {sources[next(order)] for _ in range(size)}
    splits = ([], [])
    for pair in text.pairs:
        splits[bare_sentence(pair[0]) in held_out].append(pair)
    return splits


def _left_out(text: ParallelText) -> list[str]:
    if not text.empty:
        return []
    return [
        f"{text.name}: {len(text.empty):,} lines with an empty side are left out (the first: "
        f"{_some(text.empty)})."
    ]


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:3]))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
