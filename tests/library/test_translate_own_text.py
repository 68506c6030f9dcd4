"""The command on a reader's own text and on Tatoeba."""

import pytest

from seq2seq_lib.corpora import detokenize, phrases
from seq2seq_lib.training import load_checkpoint
from seq2seq_lib.translate import command, main, texts

SIDES = ("source", "target")
SMALL = "--hidden-size 8 --num-pieces 90 --batch-size 32 --epochs 1 --device cpu".split()


@pytest.fixture
def files(tmp_path):
    corpus = phrases(num_train=100, num_valid=10, num_test=10)
    for split in ("train", "test"):
        for side in ("source", "target"):
            lines = [detokenize(getattr(pair, side)) for pair in corpus.split(split)]
            (tmp_path / f"{split}.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def args(files, name, *more):
    text = [str(files / f"train.{side}") for side in ("source", "target")]
    return ["train", "--train", *text, "--checkpoint", str(files / name), *SMALL, *more]


def refused(capsys, arguments) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err
    return err


def test_own_text_is_trained_on_resumed_translated_and_scored(files, capsys):
    path = files / "my.pt"
    assert main(args(files, "my.pt", "--valid-share", "0.1")) == 0
    out, err = capsys.readouterr()
    assert "epoch 1:" in out and str(path) in out
    assert "note: train.source + train.target: 10 pairs are kept for validation" in err
    assert load_checkpoint(path).extra["corpus"].startswith("train.source + train.target (sha256 ")

    assert main([*args(files, "my.pt", "--valid-share", "0.1", "--resume"), "--epochs", "2"]) == 0
    out, err = capsys.readouterr()
    assert "epoch 2:" in out and "note: The cosine decay was planned for" not in err  # of 3 steps

    assert main(["translate", "--checkpoint", str(path), "we sing"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1

    test = [str(files / f"test.{side}") for side in ("source", "target")]
    scored = ["evaluate", "--checkpoint", str(path), "--show", "0", "--test", *test]
    assert main(scored) == 0
    assert capsys.readouterr().out.startswith("BLEU ")
    message = refused(capsys, ["evaluate", "--checkpoint", path])
    assert "trained on train.source + train.target" in message and "--test" in message


def test_resume_with_another_text_is_refused(files, capsys):
    assert main(args(files, "my.pt")) == 0
    before = (files / "my.pt").read_bytes()
    target = files / "train.target"
    target.write_text(target.read_text("utf-8").replace("\n", " !\n", 1), encoding="utf-8")
    capsys.readouterr()
    message = refused(capsys, args(files, "my.pt", "--resume", "--epochs", "2"))
    assert "This checkpoint was trained on train.source" in message
    assert (files / "my.pt").read_bytes() == before


def test_resume_with_another_split_is_refused(files, capsys):
    """A larger share would validate on sentences that were trained on."""
    assert main(args(files, "my.pt")) == 0
    before = (files / "my.pt").read_bytes()
    capsys.readouterr()
    valid = [str(files / f"test.{side}") for side in SIDES]
    for split in (["--valid-share", "0.3"], ["--valid", *valid, "--allow-overlap"]):
        message = refused(capsys, args(files, "my.pt", "--resume", "--epochs", "2", *split))
        assert "with other validation sentences" in message and "--valid-share" in message
    assert (files / "my.pt").read_bytes() == before


def test_a_jump_of_the_learning_rate_is_a_note(files, capsys):
    many = ["--batch-size", "1"]  # past the warm-up of 300 steps
    assert main([*args(files, "my.pt", *many), "--epochs", "4"]) == 0
    capsys.readouterr()
    assert main([*args(files, "my.pt", *many, "--resume"), "--epochs", "5"]) == 0
    err = capsys.readouterr().err
    assert "note: The cosine decay was planned for 392 steps and now is for 490" in err
    assert "Warning" not in err


def test_check_reads_all_and_writes_nothing(files, capsys, monkeypatch):
    monkeypatch.setattr(command, "train", None)  # it would raise
    before = sorted(files.iterdir())
    assert main(args(files, "my.pt", "--check")) == 0
    out = capsys.readouterr().out
    assert "train: 98 pairs, the longest line has" in out and "valid: 2 pairs" in out
    assert sorted(files.iterdir()) == before


def test_what_is_wrong_with_the_files_is_the_commands_message(files, capsys):
    target = files / "train.target"
    target.write_text("\n".join(target.read_text("utf-8").split("\n")[5:]), encoding="utf-8")
    assert "has 100 lines, train.target 95" in refused(capsys, args(files, "my.pt"))
    assert not (files / "my.pt").exists()


def test_seen_test_sources_are_refused_before_training(files, capsys):
    seen = [str(files / f"train.{side}") for side in ("source", "target")]
    message = refused(capsys, args(files, "my.pt", "--test", *seen))
    assert "100 of 100 sources" in message and "--allow-overlap" in message


def test_pairs_too_long_are_left_out_and_told_of(files, capsys):
    assert main(args(files, "my.pt", "--max-pieces", "30")) == 0
    assert "of more than 30 pieces are left out" in capsys.readouterr().err
    assert "at most 1 pieces" in refused(capsys, args(files, "two.pt", "--max-pieces", "1"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--languages", "de", "en", "--train", "a", "b"], "--languages is for Multi30k"),
        (["--valid", "a", "b"], "--valid is for text of your own"),
        (["--check"], "--check is for text of your own"),
        (["--allow-overlap"], "--allow-overlap is for text of your own"),
        (["--valid-share", "0.1"], "--valid-share is for text of your own"),
        (["--columns", "1", "2"], "--columns is for text of your own: give --train"),
        (["--encoding", "latin-1"], "--encoding is for text of your own"),
        (["--train", "a", "b", "--columns", "1", "2"], "--columns is for one file with columns"),
        (
            ["--train", "a", "--valid", "b", "--valid-share", "0.1"],
            "--valid-share is for text with",
        ),
    ],
)
def test_words_that_contradict_each_other_are_refused(words, says, capsys, monkeypatch):
    monkeypatch.setattr(texts, "multi30k", None)
    assert says in refused(capsys, ["train", *words])


def test_options_for_files_are_refused_where_evaluate_reads_none(capsys):
    for words in (["--columns", "1", "2"], ["--encoding", "latin-1"]):
        assert "text of your own: give --test, too" in refused(capsys, ["evaluate", *words])
    both = ["evaluate", "--test", "a", "b", "--split", "valid"]
    assert "--split is of the model's own corpus" in refused(capsys, both)


def test_columns_are_those_of_the_file_that_has_some(files, capsys):
    rows = zip(*((files / f"train.{s}").read_text("utf-8").split("\n") for s in SIDES), strict=True)
    table = files / "train.tsv"
    table.write_text("\n".join(f"x\t{s}\t{t}" for s, t in rows if s), encoding="utf-8")
    valid = [str(files / f"test.{side}") for side in SIDES]
    given = ["train", "--train", str(table), "--columns", "2", "3", "--valid", *valid, "--check"]
    assert main([*given, "--allow-overlap"]) == 0
    assert "train: 100 pairs" in capsys.readouterr().out


def test_evaluate_reads_the_languages_from_the_checkpoint(files, tmp_path, capsys, monkeypatch):
    """A model of another pair than the default is scored on its own corpus without a word."""
    asked = []

    def corpus(languages, data_dir=None, tokenizer=None):
        asked.append(languages)
        found = phrases(num_train=100, num_valid=10, num_test=10)
        if tokenizer is None:
            return type(found)("multi30k-en-fr", found.train, found.valid, found.test)
        return type(found)(
            "multi30k-en-fr",
            *(
                tuple(
                    type(p)(*(tuple(tokenizer(detokenize(s))) for s in (p.source, p.target)))
                    for p in found.split(name)
                )
                for name in ("train", "valid", "test")
            ),
        )

    monkeypatch.setattr(texts, "multi30k", corpus)
    path = str(tmp_path / "en-fr.pt")
    assert main(["train", "--languages", "en", "fr", "--checkpoint", path, *SMALL]) == 0
    assert main(["evaluate", "--checkpoint", path, "--show", "0", "--limit", "2"]) == 0
    assert asked == [("en", "fr"), ("en", "fr")]


@pytest.mark.real_data
def test_tatoeba_is_trained_on_and_scored_with_all_references(real_data_dir, tmp_path, capsys):
    if not (real_data_dir / "tatoeba").is_dir():
        pytest.skip(f"{real_data_dir} holds no tatoeba/")
    where = ["--data-dir", str(real_data_dir), "--checkpoint", str(tmp_path / "t.pt")]
    assert main(["train", "--corpus", "tatoeba", *where, *SMALL, "--limit", "200"]) == 0
    assert main(["evaluate", *where, "--limit", "8", "--show", "8"]) == 0
    out = capsys.readouterr().out
    assert "nrefs:var" in out and " | " in out
