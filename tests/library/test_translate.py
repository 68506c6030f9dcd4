"""From text to text: the ``Translator``, and the command with its exit codes and messages.

The command runs in this process on a Multi30k of generated phrases, which the library reads as if
it were the real one. One test trains on real sentences, where SEQ2SEQ_DATA_DIR names some.
"""

import importlib
import inspect
import io
import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor, nn

from seq2seq_lib import translate
from seq2seq_lib.corpora import Corpus, Pair, detokenize, download, phrases
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.translate import (
    Recipe,
    Translator,
    command,
    default_checkpoint,
    load_translator,
    main,
    raw_lines,
    recipe,
    texts,
    train,
    translator,
)
from seq2seq_lib.translate.options import make_parser
from seq2seq_lib.vocab import EOS_ID, UNK_ID, Vocab

# ---------------------------------------------------------------- Translator


@dataclass(frozen=True)
class Step:
    """The state of ``Scripted``: how many tokens were said, and where it looked."""

    said: Tensor  # [B]
    attention: Tensor | None = None  # [B, S]

    def select(self, rows: Tensor) -> "Step":
        look = None if self.attention is None else self.attention[rows]
        return Step(self.said[rows], look)


class Scripted(nn.Module):
    """Says the given ids whatever it reads; at step t it looks at source place ``looks[t]``."""

    def __init__(self, ids: list[int], looks: list[int] | None, vocab_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))  # a model lies on some device
        self.ids, self.looks, self.vocab_size = ids, looks, vocab_size

    def start(self, src: Tensor, src_lengths: Tensor) -> Step:
        self.width = src.size(1)
        return Step(torch.zeros(len(src), dtype=torch.int64))

    def step(self, tokens: Tensor, state: Step) -> tuple[Tensor, Step]:
        log_probs = torch.full((len(tokens), self.vocab_size), -9.0)
        attention = None if self.looks is None else torch.full((len(tokens), self.width), 0.01)
        for row, t in enumerate(state.said.tolist()):
            log_probs[row, self.ids[min(t, len(self.ids) - 1)]] = -0.1
            if attention is not None:
                attention[row, self.looks[min(t, len(self.looks) - 1)]] = 0.9
        return log_probs, Step(state.said + 1, attention)


SRC = Vocab(["ein", "hund", "bellt"])
TGT = Vocab(["a", "dog", "barks"])
A, DOG, BARKS = TGT.encode(["a", "dog", "barks"])


def scripted(ids: list[int], looks: list[int] | None) -> Translator:
    return Translator(Scripted(ids, looks, len(TGT)), SRC, TGT)


def random_translator(**changes) -> Translator:
    torch.manual_seed(5)
    sizes = {"embed_size": 6, "hidden_size": 10, **changes}
    # float64, so that sums in another order cannot choose another token
    model = Seq2Seq(Seq2SeqConfig(len(SRC), len(TGT), **sizes)).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.7)
    return Translator(model, SRC, TGT)


LINES = [
    "ein hund bellt",
    "",
    "bellt",
    "ein ein ein ein hund hund bellt",
    " \t",
    "hund ein",
    "bellt",
]


def test_translations_come_in_the_order_of_their_lines():
    translations = random_translator()(LINES, batch_size=2, max_new_tokens=12)
    assert [t.source for t in translations] == [line.split() for line in LINES]
    assert translations[2].text == translations[6].text


@pytest.mark.parametrize("attention", ["general", "none"])
@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_line_alone_is_translated_as_in_any_batch(attention, num_beams):
    translator = random_translator(attention=attention)
    options = {"num_beams": num_beams, "max_new_tokens": 12}
    alone = [translator([line], **options)[0] for line in LINES]
    for batch_size in (1, 2, 3, 64):
        together = translator(LINES, batch_size=batch_size, **options)
        for one, other in zip(alone, together, strict=True):
            assert one.target == other.target and one.text == other.text
            assert one.log_prob == pytest.approx(other.log_prob, abs=1e-9)
            if attention != "none":
                torch.testing.assert_close(one.attention, other.attention, rtol=0, atol=1e-9)


def test_attention_has_a_row_an_output_token_and_a_column_for_the_end():
    for t in random_translator()(LINES, max_new_tokens=12):
        assert t.attention.shape == (len(t.target), len(t.source) + 1)
        # nothing was looked at beyond the source's end
        torch.testing.assert_close(t.attention.sum(1), torch.ones(len(t.target)).double())


def test_a_model_without_attention_translates_and_says_so():
    for t in random_translator(attention="none")(LINES, max_new_tokens=12):
        assert t.attention is None


def test_an_empty_line_is_read_as_its_end_alone():
    (empty,) = random_translator()([""], max_new_tokens=12)
    assert empty.source == [] and empty.unknown == []
    assert empty.attention.shape[1] == 1


def test_a_blank_line_is_empty_for_every_tokenizer():
    letters = replace(scripted([A, EOS_ID], [0, 0]), tokenize=list)
    assert [t.source for t in letters(["  ", "a b"])] == [[], ["a", " ", "b"]]


def test_no_lines_give_no_translations():
    assert random_translator()([]) == []


def test_lines_may_come_from_a_generator():
    options = {"max_new_tokens": 3}
    translations = random_translator()((line for line in LINES), **options)
    assert [t.text for t in translations] == [t.text for t in random_translator()(LINES, **options)]


def test_a_vocabulary_of_another_model_is_refused():
    with pytest.raises(ValueError, match="ids must be in 0 .. 4, but one is 5"):
        replace(scripted([DOG, EOS_ID], [0, 1]), tgt_vocab=Vocab(["a"]))(["ein hund"])


def test_a_string_is_refused_and_not_read_letter_by_letter():
    with pytest.raises(TypeError, match=r"list of lines.*translator\(\[text\]\)"):
        random_translator()("ein hund")


def test_the_end_is_cut_off_and_an_answer_without_one_is_marked():
    (whole,) = scripted([A, DOG, BARKS, EOS_ID], [0, 1, 2, 3])(["ein hund bellt"])
    assert (whole.text, whole.target, whole.finished) == (
        "a dog barks",
        ["a", "dog", "barks"],
        True,
    )
    assert whole.log_prob == pytest.approx(-0.4)
    assert whole.attention.shape == (3, 4)  # no row for the end, which is not in target
    (cut,) = scripted([A, DOG], [0, 1])(["ein hund"], max_new_tokens=4)
    assert (cut.text, cut.finished) == ("a dog dog dog", False)
    assert cut.attention.shape == (4, 3)


def test_an_unknown_output_is_copied_from_where_the_model_looked():
    translator = scripted([A, UNK_ID, UNK_ID, EOS_ID], [0, 2, 1, 3])
    (found,) = translator(["ein Schneemann Waldi"])
    assert found.target == ["a", "waldi", "schneemann"]
    assert found.text == "a waldi schneemann"
    assert found.unknown == ["schneemann", "waldi"]


def test_an_unknown_output_is_never_copied_from_the_sources_end():
    (found,) = scripted([UNK_ID, EOS_ID], [2, 2])(["hund waldi"])  # it looks at EOS
    assert found.target[0] in ("hund", "waldi")


def test_without_attention_or_source_an_unknown_output_stays_visible():
    assert scripted([UNK_ID, EOS_ID], None)(["waldi"])[0].text == "<unk>"
    assert scripted([UNK_ID, EOS_ID], [0])([""])[0].text == "<unk>"


def test_known_words_are_not_called_unknown():
    (found,) = scripted([A, EOS_ID], [0, 1])(["Ein Hund"])
    assert found.source == ["ein", "hund"] and found.unknown == []


# ---------------------------------------------------------------- a command without real data


def fake_multi30k(languages, data_dir=None, tokenizer=None) -> Corpus:
    """Phrases in the place of Multi30k; each language pair has a name of its own, as there."""
    corpus = phrases(num_train=120, num_valid=10, num_test=12)

    def read(pair: Pair) -> Pair:
        if tokenizer is None:
            return pair
        source, target = (tuple(tokenizer(detokenize(t))) for t in (pair.source, pair.target))
        return Pair(source, target)

    splits = (tuple(map(read, corpus.split(name))) for name in ("train", "valid", "test"))
    return Corpus(f"multi30k-{'-'.join(languages)}", *splits)


def never(*args, **kwargs):
    raise AssertionError("the data were read before the mistake was found")


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(texts, "multi30k", fake_multi30k)


SMALL = "--hidden-size 8 --num-pieces 90 --batch-size 32 --limit 96 --epochs 2".split()


def train_args(path, *more: str) -> list[str]:
    return ["train", "--checkpoint", str(path), *SMALL, *more]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint of an uninterrupted run of two epochs; tests read it and leave it as it is."""
    path = tmp_path_factory.mktemp("trained") / "model.pt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "multi30k", fake_multi30k)
        assert main(train_args(path)) == 0
    return path


def refused(capsys, arguments) -> str:
    """The message of a command that fails: one line on stderr, exit code 2, nothing on stdout."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


def misused(capsys, arguments) -> str:
    """The message of a command that argparse refuses."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err


def leftovers(folder) -> list[str]:
    return [file.name for file in folder.iterdir() if file.suffix != ".pt"]


# ---------------------------------------------------------------- help and arguments


@pytest.mark.parametrize("command", ["train", "translate", "evaluate"])
def test_help_explains_every_option(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "--checkpoint FILE" in out and "--languages SOURCE TARGET" in out
    (commands,) = (a for a in make_parser()._actions if a.dest == "command")
    options = commands.choices[command]._actions
    assert len(options) >= 7
    assert [option.dest for option in options if not option.help] == []


def test_the_commands_of_the_module_docstring_parse():
    lines = [
        line.removeprefix("python -m seq2seq_lib.translate ")
        for line in translate.__doc__.splitlines()
        if line.startswith("python -m")
    ]
    assert len(lines) == 6
    for line in lines:
        words = re.findall(r'"[^"]*"|\S+', line)
        assert make_parser().parse_args(words).command == words[0]


NAMED = ("--beams", "--threads", "--limit", "--epochs", "--batch-size", "--valid-share")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["translate", "--beams", "0"],
        ["translate", "--threads", "0"],
        ["evaluate", "--limit", "0"],
        ["evaluate", "--show", "-1"],
        ["evaluate", "--split", "exam"],
        ["train", "--epochs", "0"],
        ["train", "--batch-size", "-3"],
        ["train", "--accumulate", "0"],
        ["train", "--limit", "0"],
        ["train", "--limit", "some"],
        ["train", "--hidden-size", "0"],
        ["train", "--num-pieces", "0"],
        ["train", "--seed", "-1"],
        ["train", "--valid-share", "0"],
        ["train", "--valid-share", "1"],
        ["train", "--valid-share", "nan"],
        ["train", "--languages", "de"],
        ["train", "--resume", "--overwrite"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_refused_before_anything_is_read(arguments, capsys, monkeypatch):
    monkeypatch.setattr(texts, "multi30k", never)
    monkeypatch.setattr(command, "load_checkpoint", never)
    message = misused(capsys, arguments)
    assert "usage:" in message and "error:" in message
    for argument in arguments:  # the message names what is wrong
        if argument in NAMED:
            assert f"argument {argument}" in message


def test_without_a_name_the_checkpoint_lies_in_the_cache(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recipe, "cache_folder", lambda: tmp_path / "cache")
    path = default_checkpoint(("fr", "en"))
    assert path == tmp_path / "cache" / "translate-fr-en.pt"
    message = refused(capsys, ["translate", "--languages", "fr", "en", "bonjour"])
    assert str(path) in message and "train one first" in message


# ---------------------------------------------------------------- train


def test_train_reports_each_epoch_and_writes_one_file(data, tmp_path, capsys):
    path = tmp_path / "model.pt"
    assert main(train_args(path)) == 0
    out, err = capsys.readouterr()
    first, second, last = out.splitlines()
    number = r"\d+\.\d{3}"
    for n, line in ((1, first), (2, second)):
        expected = rf"epoch {n}: training loss {number}, validation loss {number} nats a token"
        assert re.match(expected, line)
    assert last.startswith(f"{path} written after") and "on cpu" in last
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]


def test_the_same_command_trains_the_same_model(data, trained, tmp_path):
    assert main(train_args(tmp_path / "again.pt")) == 0
    same_run(load_checkpoint(tmp_path / "again.pt"), load_checkpoint(trained))


def same_run(one, other) -> None:
    assert one.weights.keys() == other.weights.keys()
    for name in one.weights:
        assert torch.equal(one.weights[name], other.weights[name]), name
    losses = [
        [(r["train_loss"], r["valid_loss"]) for r in checkpoint.progress["history"]]
        for checkpoint in (one, other)
    ]
    assert losses[0] == losses[1] and len(losses[0]) == 2


def test_limit_and_sizes_reach_the_training(data, tmp_path, trained):
    changed = tmp_path / "changed.pt"
    assert main(train_args(changed, "--epochs", "1", "--limit", "40")) == 0
    assert load_checkpoint(changed).progress["step"] == 2  # 40 pairs in batches of 32
    assert load_checkpoint(trained).progress["step"] == 6  # 96 pairs, twice
    other = load_checkpoint(changed).config
    assert other["hidden_size"] == 8 and other["tgt_vocab_size"] == 90


def test_every_option_reaches_the_recipe(data, tmp_path, monkeypatch):
    asked = {}

    def spy(corpus, recipe, **options):
        asked.update(vars(recipe), pairs=len(corpus.train), **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train", spy)
    path = tmp_path / "m.pt"
    assert main(train_args(path, "--seed", "7", "--device", "cpu")) == 130
    expected = {"seed": 7, "hidden_size": 8, "num_pieces": 90, "batch_size": 32, "epochs": 2}
    expected |= {"pairs": 96, "checkpoint_path": path, "resume": False}
    assert {name: asked[name] for name in expected} == expected
    assert asked["device"] == torch.device("cpu")


def test_train_in_python_gives_the_translator_that_the_file_holds(tmp_path):
    path = tmp_path / "model.pt"
    recipe = Recipe(num_pieces=90, embed_size=8, hidden_size=8, epochs=1)
    corpus = fake_multi30k(("de", "en"))
    translator, history = train(corpus, recipe, checkpoint_path=path, progress=False)
    assert len(history.records) == 1
    sources = [detokenize(pair.source) for pair in corpus.test]
    loaded = load_translator(path)(sources, max_new_tokens=9)
    for one, other in zip(translator(sources, max_new_tokens=9), loaded, strict=True):
        assert one.text == other.text and one.log_prob == pytest.approx(other.log_prob, abs=1e-5)


def batches_of(loader, epoch):
    """What ``fit`` would see: source and target of each row, without pads."""
    loader.batch_sampler.set_epoch(epoch)
    return [
        (src[:length].tolist(), tgt[:tgt_length].tolist())
        for batch in loader
        for src, length, tgt, tgt_length in zip(
            batch.src, batch.src_lengths, batch.tgt_out, batch.tgt_lengths, strict=True
        )
    ]


@pytest.mark.parametrize("piece_dropout", [0.0, 0.5])
def test_sources_are_cut_anew_in_each_epoch_and_targets_are_not(monkeypatch, piece_dropout):
    loaders = []

    def keep(model, loader, *_, **__):
        loaders.append(loader)

    monkeypatch.setattr(recipe, "fit", keep)
    tiny = Recipe(num_pieces=90, embed_size=8, hidden_size=8, piece_dropout=piece_dropout)
    for seed in (1, 1, 2):
        train(fake_multi30k(("de", "en")), replace(tiny, seed=seed), progress=False)
    one, same, other = loaders
    first, second = batches_of(one, 0), batches_of(one, 1)
    assert len(one) == math.ceil(len(first) / tiny.batch_size)
    assert first != second, "another order at least"
    assert sorted(t for _, t in first) == sorted(t for _, t in second)
    drawn = [sorted(s for s, _ in batches) for batches in (first, second, batches_of(other, 0))]
    alike = drawn[0] == drawn[1], drawn[0] == drawn[2]
    assert alike == ((True, True) if piece_dropout == 0 else (False, False))
    assert batches_of(same, 1) == second and batches_of(one, 0) == first, "so a run can be resumed"


def test_an_epoch_is_told_at_once_also_where_output_is_held_back(data, tmp_path, monkeypatch):
    """In a pipe or a file, where lines wait until there are many."""
    told = []

    class Held(io.StringIO):
        def flush(self):
            told.append(self.getvalue())

    def train(*_, after_epoch, **__):
        record = SimpleNamespace(epoch=1, train_loss=2.0, valid_loss=3.0, seconds=4.0)
        after_epoch(None, record)
        assert told and told[-1].startswith("epoch 1: ")
        return None, SimpleNamespace(records=[record])

    monkeypatch.setattr(command, "train", train)
    monkeypatch.setattr(sys, "stdout", Held())
    assert main(train_args(tmp_path / "m.pt")) == 0


def test_pairs_of_just_the_most_pieces_are_trained_on(monkeypatch):
    loaders = []
    monkeypatch.setattr(recipe, "fit", lambda model, loader, *_, **__: loaders.append(loader))
    tiny = Recipe(num_pieces=90, embed_size=8, hidden_size=8, piece_dropout=0.0)

    def longer_sides(tiny):
        train(fake_multi30k(("de", "en")), tiny, progress=False)
        return sorted(max(len(s), len(t)) - 1 for s, t in batches_of(loaders[-1], 0))  # - 1: EOS

    pieces = longer_sides(tiny)
    most = pieces[len(pieces) // 2]
    kept = longer_sides(replace(tiny, max_pieces=most))
    assert kept == [n for n in pieces if n <= most] and kept[-1] == most < pieces[-1]


def test_too_many_pieces_for_a_little_text_is_explained(data, tmp_path, capsys):
    message = refused(capsys, train_args(tmp_path / "m.pt", "--num-pieces", "99999"))
    assert "99999 pieces" in message and list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- refused before training


def test_an_existing_checkpoint_is_not_replaced_unasked(trained, monkeypatch, capsys):
    monkeypatch.setattr(texts, "multi30k", never)
    before = trained.read_bytes()
    message = refused(capsys, train_args(trained))
    assert "exists" in message and "--resume" in message and "--overwrite" in message
    assert trained.read_bytes() == before


def test_overwrite_begins_anew(data, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    assert main(train_args(path, "--overwrite", "--epochs", "1")) == 0
    assert load_checkpoint(path).progress["epoch"] == 1


def test_what_train_cannot_train_on_is_refused():
    corpus = phrases(num_train=40, num_valid=5, num_test=5)
    with pytest.raises(ValueError, match="resume goes on from checkpoint_path, but there is none"):
        train(corpus, Recipe(), resume=True)
    with pytest.raises(ValueError, match="phrases has no validation pairs"):
        train(replace(corpus, valid=()), Recipe())


def test_resume_without_a_checkpoint_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(texts, "multi30k", never)
    message = refused(capsys, train_args(tmp_path / "none.pt", "--resume"))
    assert "no checkpoint" in message and "none.pt" in message


@pytest.mark.parametrize("place", ["no/such/folder/m.pt", "file/m.pt", "folder"])
def test_a_place_that_cannot_be_written_is_refused_before_training(
    place, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(texts, "multi30k", never)
    (tmp_path / "file").write_text("a file where a folder belongs")
    (tmp_path / "folder").mkdir()
    more = ["--overwrite"] if place == "folder" else []
    message = refused(capsys, train_args(tmp_path / place, *more))
    assert place.split("/")[0] in message
    due = "is a folder" if place == "folder" else "hoose another"
    assert due in message
    assert sorted(f.name for f in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may write everywhere"
)
def test_a_read_only_folder_is_refused_before_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(texts, "multi30k", never)
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert "cannot be written" in refused(capsys, train_args(folder / "m.pt"))


@pytest.mark.parametrize("letters", [250, 5000])  # of 250 the file beside it has too long a name
def test_a_name_too_long_for_a_file_is_refused_before_training(
    letters, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(texts, "multi30k", never)
    message = refused(capsys, train_args(tmp_path / ("x" * letters)))
    assert "too long" in message.lower()
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- interruption


def interrupt_step(monkeypatch, number: int) -> None:
    """Ctrl-C in the given update of the next training."""
    steps = iter(range(1, 1000))
    module = importlib.import_module("seq2seq_lib.training.fit")  # the function has its name
    original = module.train_step

    def step(*args, **kwargs):
        if next(steps) == number:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(module, "train_step", step)


def test_an_interrupted_run_goes_on_and_equals_one_that_was_not(
    data, trained, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "model.pt"
    with monkeypatch.context() as patch:
        interrupt_step(patch, 5)  # in the second epoch
        assert main(train_args(path)) == 130
    err = capsys.readouterr().err
    assert "Interrupted." in err and "--resume" in err and str(path) in err
    assert "Traceback" not in err
    assert load_checkpoint(path).progress["epoch"] == 1
    assert leftovers(tmp_path) == []

    assert main(train_args(path, "--resume")) == 0
    out = capsys.readouterr().out
    assert "epoch 2:" in out and "epoch 1:" not in out
    same_run(load_checkpoint(path), load_checkpoint(trained))


def test_an_interruption_while_writing_leaves_the_last_checkpoint_whole(
    data, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "model.pt"
    original, saves = torch.save, iter(range(1, 100))

    def save(content, file):
        if next(saves) == 2:
            file.write(b"half a checkpoint")
            raise KeyboardInterrupt
        original(content, file)

    monkeypatch.setattr(torch, "save", save)
    assert main(train_args(path)) == 130
    assert load_checkpoint(path).progress["epoch"] == 1
    assert leftovers(tmp_path) == []


def test_before_the_first_epoch_an_interruption_promises_nothing(
    data, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "model.pt"
    with monkeypatch.context() as patch:
        interrupt_step(patch, 2)
        assert main(train_args(path)) == 130
    err = capsys.readouterr().err
    assert "nothing is saved" in err and "--resume" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_old_checkpoint_is_not_passed_off_as_the_interrupted_run(
    data, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    interrupt_step(monkeypatch, 2)
    assert main(train_args(path, "--overwrite")) == 130
    err = capsys.readouterr().err
    assert "the old checkpoint" in err and "--resume" not in err
    assert path.read_bytes() == b"old"


def test_a_finished_run_says_so_and_leaves_the_file_alone(data, trained, capsys):
    before = trained.read_bytes()
    assert main(train_args(trained, "--resume")) == 0
    assert "2 of 2 epochs" in capsys.readouterr().out
    assert trained.read_bytes() == before


# ---------------------------------------------------------------- translate


def stdin(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))


SENTENCES = ["we sing", "", "the hero does not buy her bee", "we sing"]


def expected(path, sentences) -> list[str]:
    return [t.text for t in load_translator(path)(sentences)]


def translate_args(path, *sentences: str) -> list[str]:
    return ["translate", "--checkpoint", str(path), *sentences]


def test_arguments_are_translated_a_line_each(trained, capsys):
    assert main(translate_args(trained, *SENTENCES)) == 0
    assert capsys.readouterr().out.split("\n") == [*expected(trained, SENTENCES), ""]


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_standard_input_is_translated_line_by_line(trained, monkeypatch, capsys, end, mark):
    stdin(monkeypatch, (mark + "\n".join(SENTENCES) + end).encode())
    assert main(translate_args(trained)) == 0
    assert capsys.readouterr().out.split("\n") == [*expected(trained, SENTENCES), ""]


def test_the_mark_that_windows_editors_put_first_is_no_text(monkeypatch):
    stdin(monkeypatch, "\ufeffwe sing\n".encode())
    assert list(command._standard_input(set())) == ["we sing"]


def test_odd_line_ends_do_not_shift_the_lines(trained, monkeypatch, capsys):
    lines = ["we sing\r", "we\u2028sing\x0c", "we sing"]
    stdin(monkeypatch, "\n".join(lines).encode())
    assert main(translate_args(trained)) == 0
    out = capsys.readouterr().out.split("\n")
    assert out[:-1] == expected(trained, lines) and len(out) == 4


def test_empty_input_gives_empty_output(trained, monkeypatch, capsys):
    stdin(monkeypatch, b"")
    assert main(translate_args(trained)) == 0
    assert capsys.readouterr().out == ""


def test_the_first_output_comes_before_the_last_input(trained, monkeypatch, capsys):
    class Endless:
        """A pipe that nobody closes: it counts what was asked of it."""

        asked = 0

        def __iter__(self):
            while True:
                if self.asked == 100:
                    raise KeyboardInterrupt
                self.asked += 1
                yield b"we sing\n"

    monkeypatch.setattr(sys, "stdin", type("Pipe", (), {"buffer": Endless(), "isatty": bool})())
    assert main(translate_args(trained, "--max-new-tokens", "3")) == 130
    assert len(capsys.readouterr().out.splitlines()) == 1 + 2 + 4 + 8 + 16 + 32


def test_batches_grow_so_far_and_lose_no_line():
    lines = [str(number) for number in range(4000)]
    batches = list(command._growing_batches(iter(lines)))
    sizes = [len(batch) for batch in batches]
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 4000 - 2047 - 1024]
    assert [line for batch in batches for line in batch] == lines


def test_an_output_that_is_cut_is_told_of(trained, capsys):
    assert main(translate_args(trained, "--max-new-tokens", "1", "we sing", "we sing")) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert err.count("within 1 pieces and is cut") == 2 and "line 2" in err
    assert "--max-new-tokens" in err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("we sing\n".encode("utf-16"), "Standard input is UTF-16"),
        ("we sing\n".encode("utf-16-le"), "NUL (line 1)"),
        (b"we sing\nwe \xe9t\xe9\n", "line 2 is not UTF-8"),
    ],
)
def test_input_in_another_encoding_is_refused(trained, monkeypatch, capsys, content, says):
    stdin(monkeypatch, content)
    assert main(translate_args(trained)) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "error", "says"),
    [
        (["ok", "caf\udce9"], ValueError, "Line 2 holds the lone surrogate '\\udce9' at 3"),
        (["ok", float("nan")], TypeError, "Line 2 must be a string, but is nan"),
    ],
)
def test_lines_that_are_no_text_are_named(lines, error, says):
    with pytest.raises(error, match=re.escape(says)):
        random_translator()(lines)


@example(lengths=[65, 65], size=2)
@given(
    lengths=st.lists(st.integers(1, 9) | st.integers(1, 400), min_size=1, max_size=40),
    size=st.integers(1, 5),
)
def test_a_batch_is_full_and_no_fuller_than_its_rows_and_cells_allow(lengths, size):
    batches = list(translate.translator._batches(lengths, size))
    rows = [row for batch in batches for row in batch]
    assert sorted(rows) == list(range(len(lengths)))
    assert [lengths[row] for row in rows] == sorted(lengths)

    def fits(batch):  # the longest of a batch is its last
        return len(batch) <= size and len(batch) * lengths[batch[-1]] <= 64 * size

    assert all(len(batch) == 1 or fits(batch) for batch in batches)
    for batch, (first, *_) in pairwise(batches):
        assert not fits([*batch, first])


@pytest.mark.parametrize("words", [["translate"], ["evaluate"]])
def test_the_command_and_the_translator_search_alike_unless_told_otherwise(words):
    options = vars(make_parser().parse_args(words))
    said = inspect.signature(Translator.__call__).parameters
    options["num_beams"] = options.pop("beams")
    for name in ("num_beams", "length_penalty", "max_new_tokens"):
        assert options[name] == said[name].default, name


@pytest.mark.parametrize("size", [0, -1, 1.5, "4", True])
def test_a_batch_size_that_is_none_is_refused(size):
    with pytest.raises((TypeError, ValueError), match="batch_size must be (≥ 1|an integer)"):
        random_translator()(["we sing"], batch_size=size)


def test_lines_that_are_not_utf8_are_named_and_the_others_are_not_lost(
    trained, monkeypatch, capsys
):
    bad = [b"le h\xe9ros", b"we \0 sing", *[b"\xff"] * 7]
    stdin(monkeypatch, b"\n".join([b"we sing", *bad, "we sing\u2028\u202e\x1b".encode()]))
    assert main(translate_args(trained)) == 2
    out, err = capsys.readouterr()
    lines = out.split("\n")[:-1]
    assert len(lines) == 11 and lines[1:10] == [""] * 9 and lines[0] == lines[10] != ""
    assert "error: line 2 is not UTF-8: 'utf-8' codec can't decode byte 0xe9 in position 4" in err
    assert "line 3 is not UTF-8: it holds the character NUL" in err
    assert "line 6" in err and "line 7" not in err  # five of them are enough
    assert "9 of 11 lines are no text" in err and "iconv" in err


def test_a_person_at_a_terminal_is_told_what_to_do(trained, monkeypatch, capsys):
    stdin(monkeypatch, b"we sing\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(translate_args(trained)) == 0
    assert "Ctrl-D" in capsys.readouterr().err


def test_the_search_options_reach_the_search(trained, capsys):
    assert main(translate_args(trained, "--beams", "1", *SENTENCES)) == 0
    greedy = [t.text for t in load_translator(trained)(SENTENCES, num_beams=1)]
    assert capsys.readouterr().out.split("\n")[:-1] == greedy
    assert "length_penalty" in refused(
        capsys, translate_args(trained, "--length-penalty", "nan", "we sing")
    )


def test_an_interrupted_translation_says_only_that(trained, monkeypatch, capsys):
    def beam_search(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(translator, "beam_search", beam_search)
    assert main(translate_args(trained, "we sing")) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."


def test_as_a_command_it_speaks_utf8_in_every_locale(trained, tmp_path):
    checkpoint = load_checkpoint(trained)
    model = checkpoint.build()
    piece = checkpoint.tgt_vocab.tokens.index("é")
    with torch.no_grad():
        model.decoder.output.bias[piece] = 1000.0  # it says "é" and nothing else
    path = tmp_path / "e.pt"
    vocabs = {"src_vocab": checkpoint.src_vocab, "tgt_vocab": checkpoint.tgt_vocab}
    save_checkpoint(path, model, **vocabs, extra=checkpoint.extra)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "seq2seq_lib.translate", *translate_args(path)],
        input="héros\n".encode(),
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.decode("utf-8").splitlines() == ["é" * 80]


# ---------------------------------------------------------------- evaluate


def evaluate_args(path, *more: str) -> list[str]:
    return ["evaluate", "--checkpoint", str(path), *more]


def test_evaluate_prints_translations_and_bleu_with_its_signature(data, trained, capsys):
    assert main(evaluate_args(trained, "--limit", "6", "--show", "2")) == 0
    out = capsys.readouterr().out.splitlines()
    sources, references = raw_lines(("de", "en"), "test")
    assert out[0] == f"source      {sources[0]}"
    assert out[1].startswith("translation ")
    assert out[2] == f"reference   {references[0]}"
    assert sum(line.startswith("source") for line in out) == 2
    score, translations = translate.bleu(load_translator(trained), sources[:6], references[:6])
    assert out[-1] == f"BLEU {score.score:.2f}  {score.signature}"
    assert "case:lc" in out[-1] and "tok:13a" in out[-1] and "version:" in out[-1]
    assert len(translations) == 6


def test_bleu_counts_the_case_of_published_lines_as_the_signature_says():
    class Perfect:
        def __call__(self, sources, **search):
            return [
                replace(scripted([A, EOS_ID], None)(["ein"])[0], text=s.lower()) for s in sources
            ]

    lines = ["A dog barks at the old man.", "Two men ride on red bikes."]
    score, _ = translate.bleu(Perfect(), lines, lines)
    assert score.score == 100.0


@pytest.mark.parametrize(("split", "size"), [("train", 120), ("valid", 10), ("test", 12)])
def test_each_split_can_be_evaluated(data, trained, capsys, split, size):
    assert len(raw_lines(("de", "en"), split)[0]) == size
    assert main(evaluate_args(trained, "--split", split, "--show", "0", "--limit", "3")) == 0
    assert capsys.readouterr().out.startswith("BLEU ")


# ---------------------------------------------------------------- checkpoints and devices


def test_a_missing_checkpoint_says_how_to_get_one(tmp_path, capsys):
    for arguments in (translate_args(tmp_path / "m.pt", "x"), evaluate_args(tmp_path / "m.pt")):
        message = refused(capsys, arguments)
        assert "m.pt" in message and "train one first" in message


def test_a_damaged_or_foreign_checkpoint_is_refused(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(texts, "multi30k", fake_multi30k)
    path = tmp_path / "bad.pt"
    for content in (b"", b"not a model", trained.read_bytes()[:5000]):
        path.write_bytes(content)
        for arguments in (
            translate_args(path, "x"),
            evaluate_args(path),
            train_args(path, "--resume"),
        ):
            assert str(path) in refused(capsys, arguments)
        assert path.read_bytes() == content


def test_a_model_that_was_not_trained_on_text_is_refused(tmp_path, capsys):
    path = tmp_path / "other.pt"
    save_checkpoint(path, random_translator().model)
    message = refused(capsys, translate_args(path, "x"))
    assert "not written by seq2seq_lib.translate" in message
    with pytest.raises(CheckpointError):
        load_translator(path)


def test_a_model_without_vocabularies_is_refused(trained, tmp_path):
    checkpoint = load_checkpoint(trained)
    path = tmp_path / "wordless.pt"
    save_checkpoint(path, checkpoint.build(), extra=checkpoint.extra)
    with pytest.raises(CheckpointError, match="holds no vocabularies"):
        load_translator(path)


def test_a_checkpoint_of_another_language_pair_is_refused(data, trained, capsys):
    before = trained.read_bytes()
    for arguments in (
        evaluate_args(trained, "--languages", "en", "de"),
        train_args(trained, "--resume", "--languages", "en", "de", "--epochs", "3"),
        translate_args(trained, "--languages", "en", "de", "a dog"),  # it used to translate
    ):
        message = refused(capsys, arguments)
        assert "trained on multi30k-de-en, not on" in message and "en" in message
    assert trained.read_bytes() == before


@pytest.mark.parametrize(
    ("pair", "message"), [(["de", "xx"], "Unknown language: 'xx'"), (["de", "de"], "different")]
)
def test_a_language_that_is_not_there_is_refused(pair, message, tmp_path, capsys):
    arguments = train_args(tmp_path / "m.pt", "--languages", *pair)
    assert message in refused(capsys, arguments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("way", ["variable", "option"])
def test_a_gpu_that_is_not_there_is_not_replaced_by_the_cpu(
    way, trained, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(texts, "multi30k", never)
    option = ["--device", "cuda"] if way == "option" else []
    if way == "variable":
        monkeypatch.setenv("SEQ2SEQ_DEVICE", "cuda")
    for arguments in (
        train_args(tmp_path / "m.pt", *option),
        translate_args(trained, *option, "we sing"),
    ):
        message = refused(capsys, arguments)
        assert "cuda" in message and "'cpu'" in message


def test_what_an_extra_would_bring_is_named(trained, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "sentencepiece", None)
        without.setattr(texts, "multi30k", fake_multi30k)
        for arguments in (train_args(tmp_path / "m.pt"), translate_args(trained, "we sing")):
            message = refused(capsys, arguments)
            assert "sentencepiece is not installed" in message and "`course`" in message
    with monkeypatch.context() as broken:  # a mistake of ours is none of the reader's
        broken.setattr(
            translate.command, "_translate", lambda options: importlib.import_module("nowhere")
        )
        with pytest.raises(ModuleNotFoundError, match="nowhere"):
            main(translate_args(trained, "we sing"))


def test_an_unknown_device_is_refused(trained, capsys):
    assert "'abacus'" in refused(capsys, translate_args(trained, "--device", "abacus", "x"))


# ---------------------------------------------------------------- data


def test_without_data_and_network_the_message_says_what_to_fetch(
    trained, tmp_path, monkeypatch, capsys
):
    import requests

    def get(*args, **kwargs):
        raise requests.exceptions.ConnectionError("no network in this test")

    monkeypatch.setattr(requests, "get", get)
    for name in ("empty", "cache"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(download.VARIABLE, str(tmp_path / "empty"))
    monkeypatch.setattr(download, "cache_folder", lambda: tmp_path / "cache")
    for arguments in (train_args(tmp_path / "m.pt"), evaluate_args(trained)):
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and "Traceback" not in err
        assert err.startswith("error: No connection")
        for part in ("train.de.gz", "sha256", "https://", download.VARIABLE, "no network"):
            assert part in err
    assert not (tmp_path / "m.pt").exists()
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


@pytest.mark.real_data
def test_real_sentences_are_trained_on_and_evaluated(real_data_dir, tmp_path, capsys):
    if not (real_data_dir / "multi30k" / "train.de.gz").is_file():
        pytest.skip(f"{real_data_dir} holds no multi30k/")
    path = tmp_path / "model.pt"
    small = "--limit 300 --epochs 1 --hidden-size 32 --num-pieces 500".split()
    assert main(["train", "--checkpoint", str(path), *small]) == 0
    assert main(evaluate_args(path, "--limit", "20", "--beams", "1", "--show", "1")) == 0
    out = capsys.readouterr().out
    assert "source      Ein Mann mit einem orangefarbenen Hut, der etwas anstarrt." in out
    assert re.search(r"^BLEU \d+\.\d\d  nrefs:1\|case:lc\|eff:no\|tok:13a\|", out, re.MULTILINE)


def test_what_a_recipe_says_of_the_model_reaches_it():
    said = {
        "embed_size": 6, "hidden_size": 10, "dropout": 0.1, "cell": "gru", "attention": "additive",
        "attend_first": True, "tie_embeddings": False, "residual": False,
    }  # fmt: skip
    default = Recipe()
    assert all(getattr(default, name) != value for name, value in said.items())
    assert Recipe(**said).config(20, 30) == Seq2SeqConfig(20, 30, **said)
    assert default.config(20, 30) == Seq2SeqConfig(
        20, 30, **{name: getattr(default, name) for name in said}
    )
