"""Files that were damaged or forged: a clear error or what was written, and no code is run.

1,500 damaged checkpoints, vocabularies and subword models, with a fixed seed.
"""

import io
import itertools
import os
import pickle
import random
import zipfile

import pytest
import torch

from seq2seq_lib.batching import make_loader
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import CheckpointError, TrainConfig, fit, load_checkpoint
from seq2seq_lib.training.checkpoints import CONTENT
from seq2seq_lib.vocab import SPECIAL_TOKENS, Vocab

VOCAB = Vocab(["a", "bé", "ж"])


def make_model():
    seed_everything(0)
    return Seq2Seq(Seq2SeqConfig(7, 7, embed_size=4, hidden_size=4))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint in the middle of a training."""
    path = tmp_path_factory.mktemp("whole") / "m.pt"
    loader = make_loader([([4, 5], [5, 6])] * 4, 2)
    options = {"src_vocab": VOCAB, "tgt_vocab": VOCAB, "extra": {"a": [1, "x"]}}
    fit(make_model(), loader, None, TrainConfig(1), checkpoint_path=path, progress=False, **options)
    return path


def outcome(path, whole):
    """ "refused", "the same", or what differs."""
    try:
        found = load_checkpoint(path)
    except CheckpointError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return "refused"
    for ours, theirs in zip(
        (found.weights, found.optimizer["state"]),
        (whole.weights, whole.optimizer["state"]),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    assert (found.src_vocab, found.config, found.extra) == (VOCAB, whole.config, whole.extra)
    return "the same"


def test_a_flipped_bit_is_never_read_as_another_number(whole, tmp_path):
    good, content, rng = load_checkpoint(whole), whole.read_bytes(), random.Random(0)
    path = tmp_path / "flipped.pt"
    refused = 0
    for _ in range(700):
        flipped = bytearray(content)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        refused += outcome(path, good) == "refused"
    assert refused > 500  # the rest hit padding and dates of the archive


def test_a_truncated_checkpoint_is_refused_wherever_it_was_cut(whole, tmp_path):
    good, content = load_checkpoint(whole), whole.read_bytes()
    path = tmp_path / "cut.pt"
    cuts = [*range(0, len(content), 256), len(content) - 1]
    for cut in cuts:
        path.write_bytes(content[:cut])
        assert outcome(path, good) == "refused", cut
    assert len(cuts) > 100


def test_content_of_another_kind_is_refused(whole, tmp_path):
    content = torch.load(whole, weights_only=True)
    path = tmp_path / "typed.pt"
    wrong = [None, 3, "x", [1], {"a": 1}, {1: torch.ones(2)}, torch.ones(2), 1.5]
    cases = 0
    for name, value in itertools.product(CONTENT, wrong):
        kinds = CONTENT[name] if isinstance(CONTENT[name], tuple) else (CONTENT[name],)
        if isinstance(value, kinds) and name not in ("format", "weights", "src_vocab", "tgt_vocab"):
            continue
        if value is None and "vocab" in name:
            continue
        if name == "weights" and value == {}:
            continue
        torch.save({**content, name: value}, path)
        with pytest.raises(CheckpointError, match="typed.pt"):
            load_checkpoint(path).build()
        cases += 1
    for name in CONTENT:
        torch.save({key: value for key, value in content.items() if key != name}, path)
        with pytest.raises(CheckpointError, match="typed.pt"):
            load_checkpoint(path)
    assert cases > 50


def test_a_damaged_training_state_is_refused(whole, tmp_path):
    content = torch.load(whole, weights_only=True)
    path = tmp_path / "state.pt"
    loader = make_loader([([4, 5], [5, 6])] * 4, 2)
    for name, value in itertools.product(
        ("epoch", "step", "last", "history", "average", "batches", "loss"), ("x", [1], {"a": "b"})
    ):
        torch.save({**content, "progress": {**content["progress"], name: value}}, path)
        with pytest.raises((CheckpointError, TypeError)) as caught:
            fit(
                make_model(),
                loader,
                None,
                TrainConfig(2),
                resume=load_checkpoint(path),
                progress=False,
            )
        assert caught.type is CheckpointError, (name, value, caught.value)


class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL"],)


def test_no_code_of_a_file_is_run(whole, tmp_path, monkeypatch):
    folder = tmp_path / "made by the file"
    monkeypatch.setenv("EVIL", str(folder))
    path = tmp_path / "evil.pt"
    content = torch.load(whole, weights_only=True)
    for forged in ({**content, "extra": {"e": Evil()}}, Evil(), [Evil()]):
        torch.save(forged, path)
        with pytest.raises(CheckpointError, match="evil.pt"):
            load_checkpoint(path)
        path.write_bytes(pickle.dumps(forged))  # not even an archive
        with pytest.raises(CheckpointError, match="evil.pt"):
            load_checkpoint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps(Evil()))
        archive.writestr("evil/version", "3")
    with pytest.raises(CheckpointError, match="evil.pt"):
        load_checkpoint(path)
    assert not folder.exists()


def test_a_damaged_vocabulary_is_a_vocabulary_or_refused(tmp_path):
    """JSON has no check sum: a flipped letter is another word, and nothing worse."""
    path = tmp_path / "v.json"
    VOCAB.save(path)
    content, rng, refused = path.read_bytes(), random.Random(1), 0
    damaged = [content[:cut] for cut in range(len(content))]
    for _ in range(300):
        flipped = bytearray(content)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        damaged.append(bytes(flipped))
    damaged += [b"\xff\xfe", b"[]", b"{}", b"3", b"null", b'["<pad>"]', b"[" * 100_000]
    for case in damaged:
        path.write_bytes(case)
        try:
            read = Vocab.load(path)
        except ValueError as error:
            assert "v.json" in str(error)
            refused += 1
        else:
            assert read.tokens[:4] == SPECIAL_TOKENS and len(read) <= len(VOCAB) + 1
    assert refused > len(damaged) / 2


def test_a_damaged_subword_model_is_refused_or_a_model():
    model = Subwords.train(["the house of the man", "a man in the house"] * 4, 30).to_bytes()
    rng = random.Random(2)
    damaged = [model[:cut] for cut in range(0, len(model), 40)] + [b"", b"\0" * 50, b"{}"]
    for _ in range(150):
        flipped = bytearray(model)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        damaged.append(bytes(flipped))
    refused = 0
    for case in damaged:
        try:
            assert isinstance(Subwords(case).encode("the man"), list)
        except ValueError:
            refused += 1
    assert 0 < refused < len(damaged)


def test_a_pickle_in_place_of_a_vocabulary_is_refused(tmp_path):
    path = tmp_path / "v.json"
    buffer = io.BytesIO()
    torch.save(["a"], buffer)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="v.json"):
        Vocab.load(path)
