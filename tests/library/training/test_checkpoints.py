"""Checkpoints: whole or not written, read as data, refused with a reason."""

import errno
import os
import pickle
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seq2seq_lib.batching import collate
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.runtime import get_rng, kept_rng, set_rng
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.training import CheckpointError, checkpoints, load_checkpoint, save_checkpoint
from seq2seq_lib.vocab import Vocab
from tests.library.training.test_training import make_examples, make_model, same, weights

SRC, TGT = Vocab(["eins", "zwei", "drei", "vier", "fünf"]), Vocab(list("abcdefg"))


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(path, make_model(), src_vocab=SRC, tgt_vocab=TGT)
    return path


def content(path):
    return torch.load(path, weights_only=True)


# --- what comes back


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm", "num_layers": 2},
        {"attention": "additive", "attend_first": True},
        {"attention": "none", "bidirectional": False},
        {"tie_embeddings": True},
    ],
)
def test_a_model_comes_back_with_weights_settings_and_vocabularies(tmp_path, options):
    model = make_model(**options)
    save_checkpoint(tmp_path / "m.pt", model, src_vocab=SRC, tgt_vocab=TGT)
    checkpoint = load_checkpoint(tmp_path / "m.pt")
    again = checkpoint.build()
    assert same(weights(model), weights(again)) and again.config == model.config
    assert (checkpoint.src_vocab, checkpoint.tgt_vocab) == (SRC, TGT)
    assert not again.training
    batch = collate(make_examples(3))
    found = [
        greedy_search(m, batch.src, batch.src_lengths, max_new_tokens=6) for m in (model, again)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_model_comes_back_no_less_precise_than_it_was(tmp_path, dtype):
    model = make_model(tie_embeddings=True).to(dtype)
    save_checkpoint(tmp_path / "m.pt", model)
    again = load_checkpoint(tmp_path / "m.pt").build()
    wide = torch.promote_types(dtype, torch.float32)
    assert same(weights(model.to(wide)), weights(again))
    assert {weight.dtype for weight in again.state_dict().values()} == {wide}
    assert again.decoder.output.weight is again.decoder.embedding.weight  # tied as before


def test_vocabularies_may_be_left_out(tmp_path):
    save_checkpoint(tmp_path / "m.pt", make_model())
    checkpoint = load_checkpoint(str(tmp_path / "m.pt"))
    assert checkpoint.src_vocab is checkpoint.tgt_vocab is checkpoint.optimizer is None


def test_a_built_model_is_independent_of_the_checkpoint(saved):
    checkpoint = load_checkpoint(saved)
    one, other = checkpoint.build(), checkpoint.build()
    with torch.no_grad():
        next(one.parameters()).add_(1.0)
    assert not same(weights(one), weights(other))
    assert same(weights(other), checkpoint.weights)


def test_other_weights_than_the_models_own_can_be_saved(tmp_path):
    model, other = make_model(0), make_model(1)
    save_checkpoint(tmp_path / "m.pt", model, weights=other.state_dict())
    assert same(weights(load_checkpoint(tmp_path / "m.pt").build()), weights(other))


def test_a_file_is_replaced_and_nothing_else_is_left(saved):
    save_checkpoint(saved, make_model(3))
    assert same(weights(load_checkpoint(saved).build()), weights(make_model(3)))
    assert list(saved.parent.iterdir()) == [saved]


def test_random_numbers_go_on_where_they_were():
    state = get_rng()
    first = torch.rand(3), random.random(), random.gauss(0, 1)
    set_rng(state)
    assert torch.equal(torch.rand(3), first[0])
    assert (random.random(), random.gauss(0, 1)) == first[1:]
    random.gauss(0, 1)  # Python keeps the second of two normal numbers for later
    state = get_rng()
    second = random.gauss(0, 1)
    set_rng(state)
    assert random.gauss(0, 1) == second


def test_numbers_drawn_aside_change_nothing():
    state = get_rng()
    expected = torch.rand(2), random.random()
    set_rng(state)
    with pytest.raises(ZeroDivisionError), kept_rng():
        torch.rand(5), random.random()
        raise ZeroDivisionError
    assert torch.equal(torch.rand(2), expected[0]) and random.random() == expected[1]


def test_random_states_of_gpus_are_kept_where_there_are_as_many(monkeypatch):
    given, used = [], []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: bool(used))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: ["one", "two"])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", given.append)
    assert "cuda" not in get_rng()  # asking would start a GPU that nobody uses
    used.append(True)
    state = get_rng()
    set_rng(state)
    assert given == [["one", "two"]]
    set_rng({**state, "cuda": ["one"]})
    set_rng({name: state[name] for name in ("torch", "python")})
    assert len(given) == 1


# --- writing


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no space"), RuntimeError("failed")])
@pytest.mark.parametrize("where", ["save", "fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file_whole(saved, monkeypatch, error, where):
    old = saved.read_bytes()
    save = torch.save

    def half(content, file):
        save(content, file)
        file.truncate(file.tell() // 2)
        raise error

    def fail(*args):
        raise error

    with monkeypatch.context() as patched:
        if where == "save":
            patched.setattr(torch, "save", half)
        else:
            patched.setattr(os, where, fail)
        kind = KeyboardInterrupt if error is KeyboardInterrupt else CheckpointError
        with pytest.raises(kind, match=None if kind is KeyboardInterrupt else "cannot be written"):
            save_checkpoint(saved, make_model(5))
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_a_place_where_no_file_can_be_is_refused(tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match="There is no folder .*missing"):
        save_checkpoint(tmp_path / "missing" / "m.pt", make_model())
    with pytest.raises(CheckpointError, match="is a folder: give the path of a file"):
        save_checkpoint(tmp_path, make_model())
    (tmp_path / "file").write_text("x")
    with pytest.raises(CheckpointError, match="There is no folder"):
        save_checkpoint(tmp_path / "file" / "m.pt", make_model())

    def protected(path):
        raise OSError(errno.EROFS, "read-only file system")

    monkeypatch.setattr(Path, "touch", protected)
    with pytest.raises(CheckpointError, match="cannot be written .read-only file system.: choose"):
        save_checkpoint(tmp_path / "m.pt", make_model())


@pytest.mark.skipif(
    os.name == "nt" or (hasattr(os, "geteuid") and os.geteuid() == 0),
    reason="this user may write into any folder",
)
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CheckpointError, match="cannot be written"):
            save_checkpoint(tmp_path / "m.pt", make_model())
    finally:
        tmp_path.chmod(0o700)


# --- reading


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="There is no checkpoint .*nothing.pt"):
        load_checkpoint(tmp_path / "nothing.pt")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        load_checkpoint(saved)


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign"
    path.write_text("No checkpoint at all.\n" * 50)
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        load_checkpoint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nor this")
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        load_checkpoint(tmp_path)  # a folder
    for other in ([1, 2], {"weights": {}}, make_model().state_dict(), torch.zeros(2)):
        torch.save(other, path)
        with pytest.raises(CheckpointError, match="PyTorch file, but not a checkpoint"):
            load_checkpoint(path)


class Payload:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_in_a_file_is_refused_and_not_run(tmp_path, saved):
    trace, path = tmp_path / "it-ran", tmp_path / "malicious.pt"
    torch.save({**content(saved), "progress": {"x": Payload(trace)}}, path)
    with pytest.raises(CheckpointError, match="code, which is refused"):
        load_checkpoint(path)
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(CheckpointError, match="code, which is refused"):
        load_checkpoint(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes()).close()
    assert trace.exists()  # so the payload works where it is let in


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "has format 99, but this library reads format 1"),
        ({"config": [1, 2]}, "damaged: its config is a list"),
        ({"model_class": 3}, "damaged: its model_class is a int"),
        ({"weights": []}, "damaged: its weights is a list"),
        ({"weights": {"encoder": "no"}}, "damaged: its weights hold 'encoder', not a tensor"),
        ({"weights": {7: torch.zeros(1)}}, "damaged: its weights hold 7"),
        ({"progress": None}, "damaged: its progress is a NoneType"),
        ({"optimizer": 3}, "damaged: its optimizer is a int"),
        ({"src_vocab": "abc"}, "damaged: its src_vocab is a str"),
        ({"src_vocab": ["a", "b"]}, "damaged: src_vocab is not a vocabulary"),
        ({"tgt_vocab": [*TGT.tokens, "a"]}, "damaged: .*Every token must occur once"),
        ({"tgt_vocab": [*TGT.tokens, 3]}, "damaged: .*Every token must be a string"),
    ],
)
def test_damaged_content_is_refused(saved, change, message):
    torch.save({**content(saved), **change}, saved)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved)


def test_an_error_without_words_is_still_reported(saved, monkeypatch):
    def silent(*args, **options):
        raise EOFError

    monkeypatch.setattr(torch, "load", silent)
    with pytest.raises(CheckpointError, match="EOFError"):
        load_checkpoint(saved)


# --- building


class Other(Seq2Seq):
    """Has the same weights as a Seq2Seq, and is none."""


def test_a_checkpoint_builds_its_own_class_only(saved, tmp_path):
    with pytest.raises(CheckpointError, match=r"holds a Seq2Seq, not a Other: call build\(Seq2Seq"):
        load_checkpoint(saved).build(Other)
    save_checkpoint(tmp_path / "other.pt", Other(make_model().config))
    with pytest.raises(CheckpointError, match=r"holds a Other, not a Seq2Seq: call build\(Other"):
        load_checkpoint(tmp_path / "other.pt").build()
    assert isinstance(load_checkpoint(tmp_path / "other.pt").build(Other), Other)


@pytest.mark.parametrize(
    "change",
    [{"cell": "rnn"}, {"hidden_size": "6"}, {"dropout": 2.0}, {"unknown": 1}, {"num_layers": None}],
)
def test_a_configuration_that_makes_no_model_is_refused(saved, change):
    checkpoint = load_checkpoint(saved)
    broken = replace(checkpoint, config={**checkpoint.config, **change})
    with pytest.raises(CheckpointError, match="configuration is none of Seq2Seq"):
        broken.build()


def test_weights_of_other_names_or_shapes_are_refused(saved):
    checkpoint = load_checkpoint(saved)
    larger = replace(checkpoint, config={**checkpoint.config, "hidden_size": 8})
    with pytest.raises(
        CheckpointError, match=r"has shape \[\d.*\] in the file and \[\d.*in the model"
    ):
        larger.build()
    fewer = dict(checkpoint.weights)
    del fewer["decoder.output.bias"]
    with pytest.raises(CheckpointError, match=r"output.bias has shape None in the file and \[11\]"):
        replace(checkpoint, weights=fewer).build()
    more = {**checkpoint.weights, "extra": torch.zeros(2)}
    with pytest.raises(CheckpointError, match=r"extra has shape \[2\] in the file and None"):
        replace(checkpoint, weights=more).build()


def test_tensors_that_are_shared_are_stored_once(tmp_path):
    model = make_model(embed_size=64, hidden_size=64)
    path = tmp_path / "m.pt"
    save_checkpoint(path, model)
    size = path.stat().st_size
    shared = checkpoints.on_cpu(model.state_dict())
    save_checkpoint(path, model, weights=shared, progress={"last": shared})
    assert path.stat().st_size < 1.1 * size
