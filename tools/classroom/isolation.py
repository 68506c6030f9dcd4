"""What a submission may see, use and reach while its code runs.

A kernel gets a folder of its own, limits on memory, processor time and the size of files, and no
grades. Where the system allows it (Linux, ``unshare``), it is also cut off: no network, no other
process, every file system read-only but its own folder, and the gradebook, the submissions of
others and the solutions hidden. Elsewhere it runs as an ordinary process of yours: then grade in a
container or on an account of its own (docs/teaching.md).
"""

import functools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
MiB = 2**20
# what no submission may see, in the work folder
HIDDEN = ("submitted", "autograded", "feedback", "notes", "collected", "gradebook.db")
# what the environment of a submission does not hold: where grades and keys are
KEPT_BACK = ("NBGRADER_WORK", "SEQ2SEQ_SOLUTIONS", "SSH_AUTH_SOCK", "GITHUB_TOKEN")

# Run as root of a new mount, network and process namespace, before the kernel is started in it.
CUT_OFF = r"""
set -e
run=$1 ; shift
mount --make-rprivate /
mount --bind "$run" /mnt
while [ "$1" != -- ] ; do
  if [ -d "$1" ] ; then mount -t tmpfs -o size=1m tmpfs "$1" ; fi
  if [ -f "$1" ] ; then mount --bind /dev/null "$1" ; fi
  shift
done
shift
mount -t tmpfs -o size=1m tmpfs "$(dirname "$run")"
mkdir "$run"
mount --move /mnt "$run"
cut -d' ' -f2 /proc/self/mounts | while read -r place ; do
  case $(printf '%b' "$place") in
    "$run"|/proc*|/dev|/dev/*) ;;
    *) mount -o remount,bind,ro "$(printf '%b' "$place")" 2>/dev/null || true ;;
  esac
done
cd "$run/work"
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all "$@"
"""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cell_seconds: a cell of the learner's own; then it is interrupted.
        check_seconds: of the processor, one check: ``seq2seq_lib.course.judging.limits``.
        total_seconds: the whole notebook, all its kernels together.
        kernels: how often a new one is started after a cell ended the last.
        memory: in MiB.
        file: the largest file that it may write, in MiB.
        printed: characters of a cell's output that are kept.
    """

    cell_seconds: float = 60
    check_seconds: float = 15
    total_seconds: float = 600
    kernels: int = 8
    memory: int = 4096
    file: int = 256
    printed: int = 20_000


@dataclass
class Run:
    """One folder and one command for one kernel. ``with`` removes the folder."""

    chapter: str
    limits: Limits = field(default_factory=Limits)
    hidden: tuple[Path, ...] = ()
    beside: Path | None = None
    cut_off: bool | None = None

    def __enter__(self) -> "Run":
        # sockets live here, and their names may have no more than 100 characters
        top = "/tmp" if os.name == "posix" and os.access("/tmp", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="s2s", dir=top)) / secrets.token_hex(4)
        self.work = self.folder / "work"
        self.work.mkdir(parents=True, mode=0o700)
        if self.beside is not None:
            _copy_beside(self.beside, self.work)
        self.secret = secrets.token_hex(16)
        self.connection = self.folder / "c.json"
        told = {
            "chapter": self.chapter,
            "connection": str(self.connection),
            "secret": self.secret,
            "memory_bytes": self.limits.memory * MiB,
            "cpu_seconds": int(self.limits.total_seconds) + 10,
            "file_bytes": self.limits.file * MiB,
        }
        self._told = self.folder / "s.json"
        self._told.write_text(json.dumps(told))
        self._told.chmod(0o600)
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    @property
    def command(self) -> list[str]:
        """Starts the kernel."""
        # -P: a file of the submission is never run in place of a module of the kernel
        kernel = [sys.executable, "-P", str(HERE / "kernel.py"), str(self._told)]
        if not (can_cut_off() if self.cut_off is None else self.cut_off):
            return kernel
        hidden = [str(path) for path in self.hidden if path.exists()]
        return [*unshare(), "sh", "-c", CUT_OFF, "sh", str(self.folder), *hidden, "--", *kernel]

    @property
    def environment(self) -> dict[str, str]:
        """Of the kernel."""
        kept = {name: value for name, value in os.environ.items() if name not in KEPT_BACK}
        return kept | {
            "HOME": str(self.work),
            "TMPDIR": str(self.work),
            "IPYTHONDIR": str(self.work / ".ipython"),
            "NBGRADER_EXECUTION": "autograde",
            "SEQ2SEQ_PROGRESS": "off",
            "SEQ2SEQ_DEVICE": "cpu",
            "OMP_NUM_THREADS": "1",
            "SEQ2SEQ_CHECK_SECONDS": os.environ.get(
                "SEQ2SEQ_CHECK_SECONDS", f"{self.limits.check_seconds:g}"
            ),
        }


def unshare() -> list[str]:
    """Starts what follows with namespaces of its own."""
    mine = [] if os.name == "posix" and os.geteuid() == 0 else ["--user", "--map-root-user"]
    spaces = ["--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child"]
    return ["unshare", *mine, *spaces, "--mount-proc"]


@functools.cache
def can_cut_off() -> bool:
    """Whether this system can: tried once, with the very steps that are used."""
    if os.environ.get("SEQ2SEQ_CUT_OFF") == "off" or not shutil.which("unshare"):
        return False
    with tempfile.TemporaryDirectory(prefix="s2s") as folder:
        run = Path(folder) / "run"
        (run / "work").mkdir(parents=True)
        tried = [*unshare(), "sh", "-c", CUT_OFF, "sh", str(run), "--", sys.executable, "-c", "1"]
        try:
            return subprocess.run(tried, capture_output=True, timeout=60).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _copy_beside(folder: Path, work: Path, most: int = 50 * MiB) -> None:
    """What was handed in beside the notebook; no links, and not without end."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb":
            most -= path.stat().st_size
            if most < 0:
                return
            target = work / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
