"""Where a file is written before it takes the place of the old one."""

import contextlib
import glob
import os
import platform
import sys
from pathlib import Path


def part_beside(path: Path) -> Path:
    """A name beside ``path`` that no other process writes to; ``os.replace`` it when complete.

    Parts of ``path`` that processes of this machine have left, because they were killed while they
    wrote, are removed. Those of other machines, which may share the folder, are not touched.
    """
    mine = f"{path.name}.{platform.node()}."
    if sys.platform != "win32":  # there nobody can ask harmlessly whether a process is alive
        for other in path.parent.glob(f"{glob.escape(mine)}*.part"):
            number = other.name.removeprefix(mine).removesuffix(".part")
            if number.isdecimal() and not _lives(int(number)):
                with contextlib.suppress(OSError):
                    other.unlink()
    return path.with_name(f"{mine}{os.getpid()}.part")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
