"""The latent command: trains, goes on, writes sentences, walks, and refuses with a reason."""

import pytest
import torch

from seq2seq_lib.checkpoints import load_checkpoint
from seq2seq_lib.latent.command import SCHEDULES, main

SMALL = ["--limit", "80", "--batch-size", "16", "--quiet"]


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """A checkpoint after one epoch."""
    path = tmp_path_factory.mktemp("latent") / "echo.pt"
    assert main(["train", "--checkpoint", str(path), "--epochs", "1", *SMALL]) == 0
    return path


def test_sentences_are_written_one_a_line_and_cut_at_eos(echo, tmp_path, capsys):
    out = tmp_path / "out.txt"
    assert main(["sample", "--checkpoint", str(echo), "--number", "5", "--out", str(out)]) == 0
    lines = out.read_text(encoding="utf-8").split("\n")
    assert len(lines) == 6 and lines[-1] == ""
    assert not any(special in line for line in lines for special in ("<eos>", "<pad>", "<bos>"))
    assert "5 sentences" in capsys.readouterr().out


def test_the_same_seed_writes_the_same_sentences_and_another_one_others(echo, capsys):
    def sampled(seed):
        arguments = ["--search", "sample", "--number", "6", "--seed", str(seed)]
        assert main(["sample", "--checkpoint", str(echo), *arguments]) == 0
        return capsys.readouterr().out

    assert sampled(1) == sampled(1) != sampled(2)


def test_resumed_training_is_the_same_training(echo, tmp_path):
    whole, parts = tmp_path / "whole.pt", tmp_path / "parts.pt"
    assert main(["train", "--checkpoint", str(whole), "--epochs", "2", *SMALL]) == 0
    parts.write_bytes(echo.read_bytes())
    assert main(["train", "--checkpoint", str(parts), "--epochs", "2", "--resume", *SMALL]) == 0
    one, other = (load_checkpoint(path).weights for path in (whole, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)
    before = load_checkpoint(echo).weights
    assert not all(torch.equal(one[name], before[name]) for name in one)


def test_a_text_of_ones_own_is_read_and_long_lines_are_left_out(tmp_path, capsys):
    text, path = tmp_path / "own.txt", tmp_path / "own.pt"
    text.write_text("the cat sat\nthe dog sat\n\nthe cat ran\n" + "word " * 30 + "\n", "utf-8")
    own = ["--checkpoint", str(path), "--text", str(text)]
    assert main(["train", *own, "--epochs", "1", "--quiet", "--min-freq", "1"]) == 0
    assert "own.txt: 2 sentences to train, 1 to validate" in capsys.readouterr().out
    assert main(["evaluate", *own, "--importance-samples", "3"]) == 0
    assert "from 3 samples a sentence" in capsys.readouterr().out


def test_a_walk_has_as_many_sentences_as_points(echo, capsys):
    ends = ["anna sees boris and boris sees anna", "hugo calls tina and tina calls hugo"]
    assert main(["interpolate", "--checkpoint", str(echo), *ends, "--points", "4"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize("name", SCHEDULES)
def test_each_schedule_ends_at_one_or_near_it(name):
    schedule = SCHEDULES[name](50)
    assert schedule is None or schedule(1000) == pytest.approx(1.0, abs=0.01)


def test_mistakes_are_refused_with_a_reason(echo, tmp_path, capsys):
    empty, foreign = tmp_path / "empty.txt", tmp_path / "foreign.pt"
    empty.write_text("\n\n", "utf-8")
    foreign.write_bytes(b"no checkpoint")
    new = ["--checkpoint", str(tmp_path / "new.pt")]
    for arguments, message in (
        (["train", "--checkpoint", str(echo)], "exists: go on with --resume"),
        (["train", *new, "--text", str(empty)], "has 0 sentence(s)"),
        (["train", *new, "--text", str(tmp_path / "none.txt")], "No such file"),
        (["train", *new, "--word-dropout", "2", *SMALL], "must be in [0, 1]"),
        (["sample", *new], "There is no checkpoint"),
        (["sample", "--checkpoint", str(foreign)], "is not a whole checkpoint"),
        (["interpolate", "--checkpoint", str(echo), "", "anna"], "need a word at least"),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
    for arguments in (["--latent-size", "0"], ["--free-bits", "nan"], ["--schedule", "magic"]):
        with pytest.raises(SystemExit) as stopped:
            main(["train", *new, *arguments])
        assert stopped.value.code == 2
