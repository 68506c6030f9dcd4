"""A full disk, a killed process, two at once, a folder that cannot be written: nothing is lost.

What a file held before it holds still, or it holds all that is new; and nothing is left beside it.
"""

import contextlib
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from signal import SIGTERM

import pytest
import torch

from seq2seq_lib.corpora import CorpusError, download
from seq2seq_lib.corpora.download import DataFile, read_files
from seq2seq_lib.training import load_checkpoint
from tests.support.writers import SIGNALS, WRITERS

ROOT = Path(__file__).parents[2]
for_every_writer = pytest.mark.parametrize("writer", WRITERS.values(), ids=lambda one: one.name)
SIGKILL = 9  # not on Windows, where nothing is killed here
posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX systems")


def started(*arguments):
    """A Python process that finds this tree's modules."""
    places = [str(ROOT), str(ROOT / "tools"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def finished(process) -> str:
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, err
    return out


@contextlib.contextmanager
def raises_or_is_silent(writer):
    if writer.error is None:
        yield
    else:
        with pytest.raises(writer.error):
            yield


# ---------------------------------------------------------------- disks


class Disk:
    """A small disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        made = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
        done = subprocess.run(made, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")

    def fill(self) -> Path:
        """Leave 20 kB, so that a write fails in its middle; returns what fills it."""
        filler = self.folder / "filler"
        room = os.statvfs(self.folder)
        filler.write_bytes(b"x" * (room.f_bavail * room.f_frsize - 20_480))
        return filler

    def write_protect(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def close(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    small = Disk(tmp_path)
    yield small
    small.close()


@for_every_writer
def test_on_a_full_disk_the_old_file_stays(writer, disk):
    path = disk.folder / "file"
    writer.write(path, 1)
    filler = disk.fill()
    with raises_or_is_silent(writer):
        writer.write(path, 2)
    assert writer.read(path) == 1
    assert sorted(disk.folder.iterdir()) == [path, filler]
    filler.unlink()
    writer.write(path, 2)
    assert writer.read(path) == 2 and list(disk.folder.iterdir()) == [path]


@posix
@for_every_writer
def test_a_file_that_may_not_grow_is_not_half_written(writer, tmp_path):
    """The same without a disk of its own: the system refuses what goes beyond 20 kB."""
    import resource

    path = tmp_path / "file"
    writer.write(path, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_480, hard))
    try:
        with raises_or_is_silent(writer):
            writer.write(path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert writer.read(path) == 1 and list(tmp_path.iterdir()) == [path]


@for_every_writer
def test_what_cannot_be_written_stays_as_it_was(writer, disk):
    path = disk.folder / "file"
    writer.write(path, 1)
    disk.write_protect()
    with raises_or_is_silent(writer):
        writer.write(path, 2)
    assert writer.read(path) == 1 and list(disk.folder.iterdir()) == [path]


# ---------------------------------------------------------------- processes


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    return json.loads(finished(started("-m", "tests.support.writers", "kill", folder, 4)))


@posix
@pytest.mark.parametrize("signal", SIGNALS, ids=lambda one: one.name)
@for_every_writer
def test_a_killed_process_leaves_the_old_file_or_the_new_one(writer, signal, killed):
    found = killed[f"{writer.name} {signal.name}"]  # that it could be read was asserted there
    assert found["written"] > 4
    if signal.name == "SIGINT":  # an exception, so it cleans up
        assert found["left by the kills"] == []
    assert found["left after the next write"] == []


@posix
def test_processes_that_write_the_same_file_do_not_disturb_each_other(tmp_path):
    for writer in WRITERS.values():
        writer.write(tmp_path / writer.name, 1)
    times = 12
    both = [started("-m", "tests.support.writers", "race", tmp_path, times) for _ in range(2)]
    for process in both:
        finished(process)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(WRITERS)
    for writer in WRITERS.values():
        last = writer.read(tmp_path / writer.name)
        # notes of both, and none of them is lost
        assert last == (2 * times + 1 if writer.name == "progress" else times + 1)


# ---------------------------------------------------------------- training


@posix
@pytest.mark.slow
def test_a_training_that_is_killed_at_any_moment_goes_on_as_if_nothing_had_happened(tmp_path):
    """20 kills, SIGTERM and SIGKILL; the loads, states and results are compared in there."""
    times = 20
    killed = started("-m", "tests.support.killed_training", "alone", tmp_path, times)
    found = json.loads(finished(killed))
    assert len(set(found["steps"])) > 5 and len(found["steps"]) == times
    assert found["left"] == ["m.pt"]


needs_gloo = pytest.mark.skipif(
    sys.platform != "linux" or not torch.distributed.is_gloo_available(),
    reason="needs torchrun and gloo, on Linux",
)


def torchrun(task, folder):
    return started(
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *(ROOT / "tests" / "support" / "killed_training.py", task, folder),
    )


def wait_until(condition):
    limit = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < limit, "nothing happened for five minutes"
        time.sleep(0.05)


def step_of(path) -> int:
    return load_checkpoint(path).progress["step"] if path.exists() else 0


def runs(process: int) -> bool:
    """Whether it does; one that has ended and that nobody has asked for does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@needs_gloo
@pytest.mark.slow
def test_processes_that_torchrun_started_end_together_and_lose_nothing(tmp_path):
    path = tmp_path / "m.pt"
    for who, number in (("worker", SIGKILL), ("torchrun", SIGTERM), ("torchrun", SIGKILL)):
        before = step_of(path)
        for old in tmp_path.glob("process *"):
            old.unlink()
        launcher = torchrun("together", tmp_path)
        wait_until(lambda before=before: step_of(path) > before + 1)
        workers = [int((tmp_path / f"process {rank}").read_text()) for rank in (0, 1)]
        os.kill(workers[1] if who == "worker" else launcher.pid, number)
        launcher.communicate(timeout=300)
        assert launcher.returncode != 0
        wait_until(lambda workers=workers: not any(map(runs, workers)))
        assert before + 1 < step_of(path) < 24, "killed too late"
    finished(torchrun("compare", tmp_path))
    found = [json.loads((tmp_path / f"process {rank}").read_text()) for rank in (0, 1)]
    assert len({weights for both in found for weights in both}) == 1
    assert sorted(left.name for left in tmp_path.iterdir()) == ["m.pt", "process 0", "process 1"]


# ---------------------------------------------------------------- downloads

CONTENT = os.urandom(600_000)  # no buffer holds a half of it
FETCH = """
import sys
from pathlib import Path
from seq2seq_lib.corpora import download
download.cache_folder = lambda: Path(sys.argv[1])
file = download.DataFile("corpus/file", sys.argv[2], (sys.argv[3],))
print(len(download.read_files([file])[file.path]))
"""


class Remote:
    """A server on this machine that sends a half and, if it is slow, waits to be told to go on."""

    def __init__(self):
        self.go_on, self.halves, self.slow = threading.Event(), threading.Semaphore(0), False
        remote = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 (the base class names it)
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever asked is gone
                    self.wfile.write(CONTENT[:300_000])
                    remote.halves.release()
                    if remote.slow:
                        remote.go_on.wait(60)
                    self.wfile.write(CONTENT[300_000:])

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
        url = f"http://127.0.0.1:{self.server.server_address[1]}/file"
        self.file = DataFile("corpus/file", digest, (url,))
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def fetched_by_another(self, cache: Path) -> subprocess.Popen:
        file = self.file
        return started("-c", FETCH, cache, file.digest, file.urls[0])

    def read(self) -> bool:
        return read_files([self.file]) == {self.file.path: CONTENT}


@pytest.fixture
def remote(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv(download.VARIABLE, raising=False)
    found = Remote()
    yield found
    found.server.shutdown()
    found.server.server_close()


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_download_that_the_disk_has_no_room_for_leaves_nothing(disk, remote, monkeypatch):
    monkeypatch.setattr(download, "cache_folder", lambda: disk.folder)
    filler = disk.fill()
    with pytest.raises(CorpusError, match="cache folder .* cannot be written: .*No space left"):
        remote.read()
    assert below(disk.folder) == ["filler"]
    filler.unlink()
    disk.write_protect()
    with pytest.raises(CorpusError, match="cache folder .* cannot be written: .*Read-only"):
        remote.read()
    assert below(disk.folder) == []


@posix
@pytest.mark.slow
def test_a_download_that_is_killed_is_not_taken_for_the_file(tmp_path, remote, monkeypatch):
    monkeypatch.setattr(download, "cache_folder", lambda: tmp_path)
    remote.slow = True
    process = remote.fetched_by_another(tmp_path)
    assert remote.halves.acquire(timeout=300)
    wait_until(lambda: any(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()))
    process.kill()
    process.communicate()
    (half,) = below(tmp_path)
    assert half != "file"
    remote.slow = False
    remote.go_on.set()
    assert remote.read() and below(tmp_path) == ["file"]


@posix
@pytest.mark.slow
def test_two_that_download_the_same_file_at_once_both_have_it(tmp_path, remote):
    remote.slow = True
    both = [remote.fetched_by_another(tmp_path) for _ in range(2)]
    assert remote.halves.acquire(timeout=300) and remote.halves.acquire(timeout=300)
    remote.go_on.set()
    assert [finished(process).strip() for process in both] == [str(len(CONTENT))] * 2
    assert below(tmp_path) == ["file"]
