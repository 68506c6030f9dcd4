"""The latent command: trains, goes on, writes sentences, walks, and refuses with a reason."""

import os

import pytest
import torch

from seq2seq_lib.corpora import Corpus, CorpusError, Pair
from seq2seq_lib.latent import command, sentences
from seq2seq_lib.latent.command import SCHEDULES, load_model, main
from seq2seq_lib.training import load_checkpoint, save_checkpoint

SMALL = ["--limit", "80", "--batch-size", "16", "--quiet"]


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """A checkpoint after one epoch."""
    path = tmp_path_factory.mktemp("latent") / "echo.pt"
    assert main(["train", "--checkpoint", str(path), "--epochs", "1", *SMALL]) == 0
    return path


def test_sentences_are_written_one_a_line_and_cut_at_eos(echo, tmp_path, capsys):
    """Sampled, because after one epoch hardly a greedy sentence ends within 20 tokens."""
    out = tmp_path / "out.txt"
    arguments = ["--number", "40", "--search", "sample", "--out", str(out)]
    assert main(["sample", "--checkpoint", str(echo), *arguments]) == 0
    lines = out.read_text(encoding="utf-8").split("\n")
    assert len(lines) == 41 and lines[-1] == ""
    lengths = [len(line.split()) for line in lines[:-1]]
    assert min(lengths) < 20 == max(lengths)  # some have ended, some were cut off
    assert not any(special in line for line in lines for special in ("<eos>", "<pad>", "<bos>"))
    assert "40 sentences" in capsys.readouterr().out


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
    other, wordless = tmp_path / "other.txt", tmp_path / "wordless.pt"
    other.write_text("the cat sat\nthe dog ran\nthe cat ran\n", "utf-8")
    save_checkpoint(wordless, load_model(echo)[0])
    new = ["--checkpoint", str(tmp_path / "new.pt")]
    for arguments, message in (
        (["train", "--checkpoint", str(echo)], "exists: go on with --resume"),
        (["train", *new, "--text", str(empty)], "has 0 sentence(s)"),
        (["train", *new, "--text", str(tmp_path / "none.txt")], "There is no file"),
        (["train", *new, "--word-dropout", "2", *SMALL], "must be in [0, 1]"),
        (["sample", *new], "There is no checkpoint"),
        (["sample", "--checkpoint", str(foreign)], "is not a whole checkpoint"),
        (["sample", "--checkpoint", str(wordless)], "wordless.pt holds no vocabulary"),
        (["interpolate", "--checkpoint", str(echo), "", "anna"], "need a word at least"),
        (["evaluate", "--checkpoint", str(echo), "--text", str(other)], "was trained on echo, not"),
        (
            ["train", "--checkpoint", str(echo), "--resume", "--text", str(other)],
            "was trained on echo, not",
        ),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
    for arguments in (["--latent-size", "0"], ["--free-bits", "nan"], ["--schedule", "magic"]):
        with pytest.raises(SystemExit) as stopped:
            main(["train", *new, *arguments])
        assert stopped.value.code == 2


def test_a_model_is_not_measured_on_sentences_that_it_was_trained_on(echo, tmp_path, capsys):
    """Another limit holds out others; so does a text that changed under its name."""
    text, own = tmp_path / "own.txt", tmp_path / "own.pt"
    text.write_text("the cat sat\nthe dog ran\nthe cat ran\n", "utf-8")
    given = ["--text", str(text), "--checkpoint", str(own)]
    assert main(["train", *given, "--epochs", "1", "--quiet"]) == 0
    text.write_text("the cat sat\nthe cat ran\nthe dog ran\n", "utf-8")
    before = own.read_bytes()
    for arguments in (
        ["evaluate", "--checkpoint", str(echo), "--limit", "40"],
        ["evaluate", *given],
        ["train", *given, "--resume", "--epochs", "2"],
    ):
        assert main(arguments) == 2
        assert "was trained on other sentences of " in capsys.readouterr().err
    assert own.read_bytes() == before
    assert main(["evaluate", "--checkpoint", str(echo), "--limit", "80"]) == 0


# ---------------------------------------------------------------- real sentences


def pairs(*english):
    return tuple(Pair(tuple(text.split()), ("oui",)) for text in english)


def test_tatoeba_s_distinct_english_sentences_are_trained_on(tmp_path, capsys, monkeypatch):
    train = pairs("i see .", "i see .", "you see me .", "we see you .", "do you see ?")
    corpus = Corpus("tatoeba-en-fr", train, pairs("unseen ."), ())
    monkeypatch.setattr(sentences, "tatoeba", lambda: corpus)
    path = tmp_path / "real.pt"
    arguments = ["--checkpoint", str(path), "--corpus", "tatoeba", "--quiet"]
    assert main(["train", *arguments, "--epochs", "1", "--min-freq", "1"]) == 0
    said = capsys.readouterr().out
    assert "tatoeba: 3 sentences to train, 1 to validate, 10 words" in said
    assert main(["sample", "--checkpoint", str(path), "--number", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_real_corpus_is_read_where_it_is(real_data_dir):
    name, read = sentences.read_corpus("tatoeba", None, max_words=10, limit=6400)
    assert name == "tatoeba" and len(set(map(tuple, read))) == len(read) > 2000
    assert max(map(len, read)) <= 10


def test_without_the_corpus_the_message_says_where_it_was_looked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SEQ2SEQ_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    new = ["--checkpoint", str(tmp_path / "new.pt"), "--corpus", "tatoeba"]
    assert main(["train", *new]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    with pytest.raises(CorpusError):
        sentences.read_corpus("tatoeba", None, 10, 100)


# ---------------------------------------------------------------- what may go wrong


@pytest.mark.parametrize("name", ["train", "sample", "interpolate", "evaluate"])
def test_help_names_each_option_with_its_default(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert stopped.value.code == 0
    assert "--checkpoint FILE the model" in words and "(default: 0)" in words


def test_training_shows_its_progress_unless_it_is_to_be_quiet(tmp_path, capsys):
    def said(*more):
        new = ["--checkpoint", str(tmp_path / "new.pt"), "--overwrite", "--epochs", "1"]
        assert main(["train", *new, *SMALL[:4], *more]) == 0
        both = capsys.readouterr()
        return both.out + both.err

    assert "epoch 1" in said().lower() and "epoch 1" not in said("--quiet").lower()


@pytest.mark.parametrize("number", ["0", "-3", "two", "1.5"])
def test_a_number_of_sentences_below_one_is_refused(echo, number, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["sample", "--checkpoint", str(echo), "--number", number])
    assert stopped.value.code == 2 and "--number" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(echo, tmp_path, capsys):
    sample = ["sample", "--checkpoint", str(echo), "--out"]
    assert main([*sample, str(tmp_path / "none" / "out.txt")]) == 2
    assert f"There is no folder {tmp_path / 'none'}" in capsys.readouterr().err
    assert main([*sample, str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_device_is_written_to_and_not_replaced(echo, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert main(["sample", "--checkpoint", str(echo), "--number", "3", "--out", str(pipe)]) == 0
    assert os.read(reader, 10_000).count(b"\n") == 3
    os.close(reader)
    assert pipe.is_fifo()


def test_an_interruption_while_writing_leaves_the_old_file(echo, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.txt"
    out.write_text("old\n", "utf-8")

    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    assert main(["sample", "--checkpoint", str(echo), "--out", str(out)]) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]
    assert out.read_text("utf-8") == "old\n"


def test_an_interrupted_training_keeps_its_last_epoch(echo, tmp_path, monkeypatch, capsys):
    """Stopped behind the second of three epochs, it has what two whole epochs give."""
    path, real = tmp_path / "new.pt", command.fit

    def interrupted(*arguments, **options):
        def stop(model, record):
            raise KeyboardInterrupt

        real(*arguments, **options, after_epoch=stop)

    path.write_bytes(echo.read_bytes())
    new = ["--checkpoint", str(path), "--epochs", "3", "--resume"]
    with monkeypatch.context() as patch:
        patch.setattr(command, "fit", interrupted)
        assert main(["train", *new, *SMALL]) == 130
    assert "the last whole checkpoint" in capsys.readouterr().err
    whole = tmp_path / "whole.pt"
    assert main(["train", "--checkpoint", str(whole), "--epochs", "2", *SMALL]) == 0
    kept, due = (load_checkpoint(file).weights for file in (path, whole))
    assert kept.keys() == due.keys() and all(torch.equal(kept[name], due[name]) for name in due)


def test_a_model_of_nan_writes_no_sentences(echo, tmp_path, capsys):
    model, vocab, checkpoint = load_model(echo)
    with torch.no_grad():
        model.to_context.bias.fill_(float("nan"))
    broken, out = tmp_path / "nan.pt", tmp_path / "out.txt"
    extra = {"corpus": checkpoint.extra["corpus"]}
    save_checkpoint(broken, model, src_vocab=vocab, tgt_vocab=vocab, extra=extra)
    assert main(["sample", "--checkpoint", str(broken), "--out", str(out)]) == 2
    assert "NaN" in capsys.readouterr().err and not out.exists()
