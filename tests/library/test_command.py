"""What the commands share: streams that the caller closed, and exit codes."""

import os
import re
import subprocess
import sys

import pytest

from seq2seq_lib import translate
from seq2seq_lib._command import exit_code
from seq2seq_lib.corpora import phrases
from seq2seq_lib.latent.command import main as latent_main
from seq2seq_lib.translate import PLAIN, Recipe, command

posix = pytest.mark.skipif(os.name != "posix", reason="a shell that closes streams")
PROBE = """
import sys
from seq2seq_lib._command import open_streams
open_streams()
sys.stdin.buffer.read()
print("é\\udcf6")
print("note", file=sys.stderr)
"""


def without(stream: int, *arguments, **environment):
    """A Python process whose caller has closed one of its streams."""
    closed = ["sh", "-c", f'exec "$@" {stream}>&-', "sh", sys.executable, *map(str, arguments)]
    environment = {**os.environ, **environment}
    return subprocess.run(closed, capture_output=True, env=environment, timeout=300)


@posix
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_what_goes_to_a_closed_stream_goes_nowhere(stream):
    run = without(stream, "-c", PROBE, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert run.returncode == 0
    assert run.stdout == ("é".encode() + b"\xf6\n" if stream != 1 else b"")  # a name of a file
    assert run.stderr.decode() == ("note\n" if stream != 2 else "")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    sizes = {"num_pieces": 60, "hidden_size": 8, "embed_size": 8, "epochs": 1, **PLAIN}
    corpus = phrases(num_train=40, num_valid=5, num_test=5)
    translate.train(
        corpus, Recipe(**sizes), checkpoint_path=folder / "translate.pt", progress=False
    )
    small = ["--limit", "20", "--epochs", "1", "--quiet"]
    assert latent_main(["train", "--checkpoint", str(folder / "latent.pt"), *small]) == 0
    return folder


@posix
def test_a_note_does_not_become_a_translation(checkpoints):
    one = ["-m", "seq2seq_lib.translate", "translate", "we sing", "--max-new-tokens", "1"]
    run = without(2, *one, "--checkpoint", checkpoints / "translate.pt")
    assert run.returncode == 0 and len(run.stdout.splitlines()) == 1 and b"note" not in run.stdout


@posix
def test_sentences_for_nobody_are_no_mistake(checkpoints):
    few = ["-m", "seq2seq_lib.latent", "sample", "--number", "1"]
    run = without(1, *few, "--checkpoint", checkpoints / "latent.pt")
    assert (run.returncode, run.stderr) == (0, b"")


def fails(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ValueError("no such thing"), 2, "error: no such thing"),
        (OSError(28, "No space left"), 2, "error: [Errno 28] No space left"),
        (FloatingPointError("NaN"), 2, "error: NaN"),
        (ModuleNotFoundError("No", name="pooch"), 2, "error: pooch is not installed: the extra"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(error, code, says, capsys):
    assert exit_code(fails(error), lambda: "Interrupted.") == code
    out, err = capsys.readouterr()
    assert out == "" and err.strip().startswith(says) and len(err.strip().splitlines()) == 1


def test_a_mistake_of_the_library_is_not_hidden():
    for error in (TypeError("ours"), ModuleNotFoundError("No", name="ours")):
        with pytest.raises(type(error)):
            exit_code(fails(error), str)


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (translate.main, ["translate", "--checkpoint", "{}/translate.pt", "we sing"]),
        (latent_main, ["sample", "--checkpoint", "{}/latent.pt", "--number", "3"]),
    ],
)
def test_a_closed_pipe_ends_quietly(checkpoints, main, arguments, monkeypatch, capsys):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main([argument.format(checkpoints) for argument in arguments]) == 141
        monkeypatch.undo()
    out, err = capsys.readouterr()
    assert out == "" and "error" not in err and "Traceback" not in err


@pytest.mark.parametrize("main", [translate.main, latent_main])
def test_a_folder_in_place_of_a_file_is_named_before_anything_else(main, tmp_path, capsys):
    for more in ([], ["--overwrite"], ["--resume"]):
        assert main(["train", "--checkpoint", str(tmp_path), *more]) == 2
        assert f"{tmp_path} is a folder: give the path of a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (translate.main, ["train", "--seed", str(2**32)]),
        (translate.main, ["translate", "--threads", "99999", "we sing"]),  # the process would crash
        (latent_main, ["sample", "--checkpoint", "m.pt", "--seed", str(2**64)]),
    ],
)
def test_numbers_beyond_what_can_be_used_are_refused(main, arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert re.search(r"must be ≤ (1024|4294967295), but it is \d+", capsys.readouterr().err)


def test_a_cache_that_cannot_be_made_is_told_with_the_way_out(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setattr(command, "cache_folder", lambda: tmp_path / "file" / "cache")
    monkeypatch.setattr(command, "default_checkpoint", lambda _: command.cache_folder() / "m.pt")
    assert translate.main(["train"]) == 2
    err = capsys.readouterr().err
    assert "cannot be made (Not a directory): name the file to write with --checkpoint" in err
