"""The shipped date model: what the file holds, what it can do, and what is said when it is gone."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import build_assets
import pytest
import torch

from seq2seq_lib.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.course import assets
from seq2seq_lib.translate import Translator

ROOT = Path(__file__).resolve().parents[2]
RECIPE = build_assets.Recipe()


def test_the_file_is_small_and_holds_data_alone():
    assert assets.DATES.stat().st_size < 300_000, "bytes; every clone and every wheel carries it"
    assert isinstance(torch.load(assets.DATES, weights_only=True), dict)


def test_the_file_is_what_its_recipe_says():
    checkpoint = load_checkpoint(assets.DATES)
    config = RECIPE.config(checkpoint.src_vocab, checkpoint.tgt_vocab)
    assert checkpoint.config == asdict(config)
    assert checkpoint.extra == {"recipe": asdict(RECIPE)}, "run tools/build_assets.py again"
    assert checkpoint.optimizer is None and checkpoint.progress == {}, "a model, not a training run"


def test_it_reads_dates_that_it_never_saw():
    corpus = RECIPE.corpus()
    unseen = corpus.test[:200]
    assert not {pair.target for pair in unseen} & {pair.target for pair in corpus.train}
    reader = assets.date_reader()
    accuracy = build_assets.measure(reader.model, reader.src_vocab, reader.tgt_vocab, unseen)
    assert accuracy > 0.95


def test_the_reader_goes_from_text_to_text():
    reader = assets.date_reader()
    assert isinstance(reader, Translator) and not reader.model.training
    answers = reader(["Wednesday,  4 August 1999", "1999/08/04"])
    assert [answer.text for answer in answers] == ["1999-08-04"] * 2


def test_each_call_returns_a_model_of_its_own():
    one, other = assets.date_reader().model, assets.date_reader().model
    with torch.no_grad():
        next(one.parameters()).zero_()
    assert next(other.parameters()).any()


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint", "half"])
def test_a_missing_or_damaged_file_is_named_with_the_way_to_get_it_back(
    tmp_path, monkeypatch, content
):
    path = tmp_path / "dates.pt"
    whole = assets.DATES.read_bytes()
    if content is not None:
        path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    monkeypatch.setattr(assets, "DATES", path)
    with pytest.raises(CheckpointError, match="python tools/build_assets.py") as raised:
        assets.date_reader()
    assert str(path) in str(raised.value)


def test_a_checkpoint_that_cannot_read_text_is_refused(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "other.pt", assets.date_reader().model)
    monkeypatch.setattr(assets, "DATES", tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="no vocabularies"):
        assets.date_reader()


def test_a_model_that_learned_too_little_is_not_written(tmp_path):
    poor = replace(RECIPE, num_train=64, num_test=20, epochs=1)
    with pytest.raises(RuntimeError, match="nothing written"):
        build_assets.build_dates(tmp_path / "poor.pt", poor)
    assert list(tmp_path.iterdir()) == []


def test_an_installed_library_has_the_file():
    """setuptools takes along what these patterns match."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    folder = ROOT / "seq2seq_lib" / "course" / "assets"
    assert assets.DATES in {path for pattern in patterns for path in folder.glob(pattern)}
