"""Files are replaced as a whole; whatever happens in between, the old one is still there."""

import os
import platform
import sys
import threading
from pathlib import Path

import pytest

from seq2seq_lib._files import write_whole, written_whole
from seq2seq_lib.training import CheckpointError, check_folder

TEXT = "größe\r\n日本\n"


def test_a_text_arrives_byte_for_byte(tmp_path):
    write_whole(tmp_path / "a.txt", "longer than what comes after it: " + TEXT)
    write_whole(str(tmp_path / "a.txt"), TEXT)
    assert (tmp_path / "a.txt").read_bytes() == TEXT.encode()
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no space left")])
@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_beside_it(
    tmp_path, monkeypatch, error, where
):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(*args):
        raise error

    with monkeypatch.context() as patched:
        if where != "write":
            patched.setattr(os, where, fail)
        with pytest.raises(type(error) if isinstance(error, OSError) else error):
            with written_whole(path) as file:
                file.write(b"half")
                if where == "write":
                    fail()
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_the_new_file_is_complete_before_it_is_seen(tmp_path, monkeypatch):
    path, order = tmp_path / "a.txt", []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("fsync"), fsync(number)))

    def watched(part, target):
        order.append(("replace", Path(part).read_bytes()))
        replace(part, target)

    monkeypatch.setattr(os, "replace", watched)
    write_whole(path, "x" * 100_000)  # more than a buffer holds
    assert order == ["fsync", ("replace", b"x" * 100_000)]


def test_threads_that_write_the_same_file_do_not_share_a_part(tmp_path):
    path, both_write = tmp_path / "a.txt", threading.Barrier(3)
    failed = []

    def write(content):
        try:
            with written_whole(path) as file:
                file.write(content)
                both_write.wait(timeout=60)
        except Exception as error:
            failed.append(error)

    contents = [b"one" * 100, b"another" * 100, b"main" * 100]
    threads = [threading.Thread(target=write, args=[content]) for content in contents[:2]]
    for thread in threads:
        thread.start()
    write(contents[2])
    for thread in threads:
        thread.join()
    assert failed == [] and path.read_bytes() in contents and os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
def test_a_pipe_a_device_and_a_folder_are_not_replaced(tmp_path):
    """Who may write in /dev would put a file in the place of /dev/null."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link, tmp_path):
        with pytest.raises(OSError, match="a folder, a pipe or a device, and not replaced"):
            write_whole(path, TEXT)
    for path in (pipe, link):
        with pytest.raises(
            CheckpointError, match="cannot be written .*a pipe or a device, and not repl"
        ):
            check_folder(path)
    assert pipe.is_fifo() and link.is_symlink() and len(os.listdir(tmp_path)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_a_link_and_a_private_file_private(tmp_path):
    """A checkpoint that is a link to a larger disk; a file that nobody else may read."""
    large, small = tmp_path / "large", tmp_path / "small"
    large.mkdir()
    small.mkdir()
    link, target = small / "a.txt", large / "real.txt"
    link.symlink_to(Path("..", "large", "real.txt"))
    write_whole(link, "new")  # where it leads there is nothing yet
    target.chmod(0o600)
    write_whole(link, TEXT)
    assert link.is_symlink() and target.read_bytes() == TEXT.encode()
    assert target.stat().st_mode & 0o777 == 0o600
    assert os.listdir(large) == ["real.txt"] and os.listdir(small) == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="parts of others are let alone there")
@pytest.mark.parametrize(
    ("error", "stays"), [(None, True), (PermissionError, True), (ProcessLookupError, False)]
)
def test_a_part_is_removed_only_if_who_wrote_it_is_gone(tmp_path, monkeypatch, error, stays):
    part = tmp_path / f"a.txt.{platform.node()}.4321.part"
    part.touch()

    def kill(process, number):  # as it answers for a process that lives, another user's, and none
        assert (process, number) == (4321, 0)
        if error:
            raise error

    monkeypatch.setattr(os, "kill", kill)
    write_whole(tmp_path / "a.txt", TEXT)
    assert part.exists() == stays
