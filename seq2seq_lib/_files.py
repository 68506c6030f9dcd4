"""How files are written: whole, or not at all."""

import contextlib
import glob
import os
import platform
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write into that takes the place of ``path`` when it is complete.

    It lies beside ``path`` until then, so an interruption or a full disk leaves the old file as it
    was, and a reader sees the old one or the new one, never a half. Of a process that is killed
    at once a file that ends in ``.part`` remains; the next that writes to ``path`` removes it.

    A link stays one: the file that it leads to is replaced. Who may read a file may read the new.

    Raises:
        OSError: it cannot be written, or ``path`` is a folder, a pipe or a device such as
            ``/dev/null``, which no file may replace.
    """
    path = _replaceable(path)
    part = _part_beside(path)
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a rename that overtakes its data would leave an empty file
        with contextlib.suppress(OSError):  # there is no old one, or it is another user's
            shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)  # after an interruption; already renamed otherwise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the OSError or ValueError with which ``written_whole`` would begin; nothing stays."""
    part = _part_beside(_replaceable(path))
    try:
        part.touch()
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """The same for a text: UTF-8, with line ends as they are in it on every system."""
    with written_whole(path) as file:
        file.write(text.encode())


def _replaceable(path: str | os.PathLike[str]) -> Path:
    """The file that a link leads to; an OSError if it is there and is none."""
    path = Path(os.path.realpath(path))
    if os.path.exists(path) and not path.is_file():
        raise OSError(f"{path} is a folder, a pipe or a device, and not replaced by a file")
    return path


def _part_beside(path: Path) -> Path:
    """A name beside ``path`` that no other process or thread writes to.

    Parts of ``path`` that processes of this machine have left, because they were killed while they
    wrote, are removed. Those of other machines, which may share the folder, are not touched.
    """
    mine = f"{path.name}.{platform.node()}."
    if sys.platform != "win32":  # there nobody can ask harmlessly whether a process is alive
        for other in path.parent.glob(f"{glob.escape(mine)}*.part"):
            number = other.name.removeprefix(mine).removesuffix(".part")
            process = number.partition("-")[0]
            if process.isdecimal() and not _lives(int(process)):
                with contextlib.suppress(OSError):
                    other.unlink()
    main = threading.current_thread() is threading.main_thread()
    thread = "" if main else f"-{threading.get_ident()}"
    return path.with_name(f"{mine}{os.getpid()}{thread}.part")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
