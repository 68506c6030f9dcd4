"""How files are written: whole, or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write into that takes the place of ``path`` when it is complete.

    It lies beside ``path`` until then, so an interruption or a full disk leaves the old file as it
    was, and a reader sees the old one or the new one, never a half.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a rename that overtakes its data would leave an empty file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)  # after an interruption; already renamed otherwise


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """The same for a text: UTF-8, with line ends as they are in it on every system."""
    with written_whole(path) as file:
        file.write(text.encode())
