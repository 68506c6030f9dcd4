"""The shipped model of keywords: what the file holds, what is said when it is gone."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from seq2seq_lib.batching import encode_pairs, make_loader
from seq2seq_lib.course.assets import keywords
from seq2seq_lib.training import CheckpointError, evaluate, load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
RECIPE = keywords.Recipe()


def test_the_file_is_what_its_recipe_says():
    assert keywords.FILE.stat().st_size < 320_000, "bytes; every clone and every wheel carries it"
    assert isinstance(torch.load(keywords.FILE, weights_only=True), dict)
    checkpoint = load_checkpoint(keywords.FILE)
    assert checkpoint.extra == {"recipe": asdict(RECIPE)}, "train it again"
    assert checkpoint.optimizer is None and checkpoint.progress == {}


def test_a_source_holds_the_nouns_of_its_target_in_their_order():
    pair = keywords.keyword_pair(("the", "small", "cat", "sees", "red", "houses"))
    assert (pair.source, pair.target[:3]) == (("cat", "houses"), ("the", "small", "cat"))
    assert keywords.keyword_pair(("she", "sleeps")).source == ("it",)
    corpus = keywords.keyword_pairs()
    assert [len(s) for s in (corpus.train, corpus.valid, corpus.test)] == [8000, 200, 300]
    assert not {p.target for p in corpus.train} & {p.target for p in corpus.test}


def test_it_has_learned_as_much_as_its_recipe_teaches():
    """Seeds 0 to 4 gave 1.68 to 1.71 on the test set; an untrained model is near log 150 = 5."""
    made, corpus = keywords.keyword_model(), keywords.keyword_pairs()
    test = encode_pairs(corpus.test, made.src_vocab, made.tgt_vocab)
    assert 1.6 < evaluate(made.model, make_loader(test, 100)).mean.item() < 1.8
    assert not made.model.training


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_a_missing_or_damaged_file_is_named_with_the_way_to_get_it_back(
    tmp_path, monkeypatch, content
):
    path = tmp_path / "keywords.pt"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(keywords, "FILE", path)
    with pytest.raises(CheckpointError, match="course.assets.keywords") as raised:
        keywords.keyword_model.__wrapped__()
    assert str(path) in str(raised.value)


def test_training_writes_a_model_that_loads(tmp_path, monkeypatch):
    small = replace(RECIPE, num_train=64, num_valid=1, num_test=1, epochs=1, hidden_size=8)
    monkeypatch.setattr(keywords, "FILE", tmp_path / "small.pt")
    keywords.write(keywords.FILE, small)
    made = keywords.keyword_model.__wrapped__()
    assert made.model.config.hidden_size == 8 and "cat" not in made.tgt_vocab.decode([3])


def test_an_installed_library_has_the_file():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    folder = ROOT / "seq2seq_lib" / "course" / "assets"
    assert keywords.FILE in {path for pattern in patterns for path in folder.glob(pattern)}
