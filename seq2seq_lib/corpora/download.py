"""Where real corpora come from: a folder of yours, the user's cache, or one checked download.

A file is used only if its hash is the known one; anything else is refused with a ``CorpusError``
that says what to do. pooch (https://www.fatiando.org/pooch) knows where a system keeps such files
and checks hashes. A download goes to a part beside the target, which is renamed only when the
hash is right, so nothing that was interrupted can be taken for the file; the part of a process that
was killed is removed by the next that fetches the file (``seq2seq_lib._files``).
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seq2seq_lib._files import written_whole

VARIABLE = "SEQ2SEQ_DATA_DIR"


class CorpusError(RuntimeError):
    """A corpus cannot be had, or a file of it is not what it should be. The message says more."""


@dataclass(frozen=True)
class DataFile:
    """One file of a corpus.

    Attributes:
        path: where it lies under a data folder, with forward slashes: "multi30k/train.de.gz".
        digest: "sha256:…" or "md5:…", in hexadecimal.
        urls: the addresses that serve exactly these bytes; the next is asked where one answers with
            an HTTP error. Empty where no such address exists.
        how_to_get: for a file without an address, what the reader can do.
    """

    path: str
    digest: str
    urls: tuple[str, ...] = ()
    how_to_get: str = ""


def data_folders(data_dir: str | os.PathLike | None = None) -> Iterator[Path]:
    """The folders that are searched, in order: argument, SEQ2SEQ_DATA_DIR, the user's cache."""
    for folder in (data_dir, os.environ.get(VARIABLE)):
        if folder:
            yield Path(folder).expanduser()
    yield cache_folder()  # last, for it imports pooch


def cache_folder() -> Path:
    """Where downloads are kept: ``pooch.os_cache("seq2seq_lib")``, such as ~/.cache/seq2seq_lib."""
    import pooch

    return Path(pooch.os_cache("seq2seq_lib"))


def read_files(
    files: Sequence[DataFile], data_dir: str | os.PathLike | None = None
) -> dict[str, bytes]:
    """The content of each file, by its path, read from disk and checked against its hash.

    Each file is taken from the first of ``data_folders(data_dir)`` that has it; what none has is
    downloaded to the cache, with progress shown on stderr. Each call checks every hash again.

    Raises:
        CorpusError: a wrong hash, and one for all missing files together where they cannot be
            downloaded (no network, no address, a cache folder that cannot be written).
    """
    found = {file.path: _find(file, data_dir) for file in files}
    missing = [file for file in files if found[file.path] is None]
    if missing:
        found |= _download(missing, list(data_folders(data_dir)))
    return {file.path: _read_checked(file, found[file.path]) for file in files}


def _find(file: DataFile, data_dir: str | os.PathLike | None) -> Path | None:
    places = (folder / file.path for folder in data_folders(data_dir))
    return next((place for place in places if place.is_file()), None)


def _read_checked(file: DataFile, path: Path) -> bytes:
    """Read once, hash what was read: the bytes that are checked are the bytes that are used."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} exists but cannot be read: {error}") from error
    kind, _, expected = file.digest.partition(":")
    came = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
    if came != expected:
        source = f"fetch it again from {file.urls[0]}" if file.urls else file.how_to_get
        raise CorpusError(
            f"{path} is not the file it should be, so it is not used.\n"
            f"  expected {kind} {expected}\n"
            f"  but got  {kind} {came} ({len(content):,} bytes)\n"
            f"It is damaged, cut short, or another version. Delete it and call again, or {source}"
        )
    return content


def _download(missing: Sequence[DataFile], folders: Sequence[Path]) -> dict[str, Path]:
    """Fetch every missing file to the cache, or raise one CorpusError that names them all."""
    if any(not file.urls for file in missing):
        raise CorpusError(_how_to_provide(missing, folders, "There is no address to download from"))
    cache = folders[-1]
    return {file.path: _fetch(file, cache, missing, folders) for file in missing}


def _fetch(
    file: DataFile, cache: Path, missing: Sequence[DataFile], folders: Sequence[Path]
) -> Path:
    from pooch.hashes import hash_matches
    from requests.exceptions import HTTPError, RequestException

    target = cache / file.path
    for url in file.urls:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(target) as out:
                _write_from(url, out)
                out.flush()
                hash_matches(out.name, file.digest, strict=True, source=url)
            return target
        except HTTPError as error:
            problem = error  # the server has no such file: ask the next address
        except RequestException as error:
            reason = f"No connection, or it broke: {error}"
            raise CorpusError(_how_to_provide(missing, folders, reason)) from error
        except OSError as error:
            reason = f"The cache folder {target.parent} cannot be written: {error}"
            raise CorpusError(_how_to_provide(missing, folders, reason)) from error
        except ValueError as error:  # the hash does not match
            reason = f"What {url} sent is not the file, and was deleted: {error}"
            raise CorpusError(_how_to_provide(missing, folders, reason)) from error
    reason = f"The server refused: {problem}"
    raise CorpusError(_how_to_provide(missing, folders, reason)) from problem


def _write_from(url: str, out: BinaryIO) -> None:
    """pooch's own downloader leaves the connection open when the server refuses."""
    import requests
    from tqdm import tqdm

    with requests.get(url, stream=True, timeout=30) as response:
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0)) or None
        name = url.rsplit("/", 1)[-1]
        with tqdm(total=size, desc=name, unit="B", unit_scale=True) as bar:
            for chunk in response.iter_content(64 * 1024):
                out.write(chunk)
                bar.update(len(chunk))


def _how_to_provide(missing: Sequence[DataFile], folders: Sequence[Path], reason: str) -> str:
    lines = [f"{reason.rstrip('.')}.", "These files are needed, and none of the folders has them:"]
    for file in missing:
        lines += [f"  {file.path}", f"    expected {file.digest.replace(':', ' ')}"]
        lines += [f"    address  {file.urls[0]}"] if file.urls else [f"    {file.how_to_get}"]
    lines += ["Folders searched: " + ", ".join(map(str, folders))]
    lines += [
        f"Fetch them on a machine that can, keep the folder layout, and set {VARIABLE} to the "
        "folder that holds it (or pass data_dir=...)."
    ]
    return "\n".join(lines)
