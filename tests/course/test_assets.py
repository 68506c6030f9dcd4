"""The shipped models: what the files hold, what they can do, and what is said when one is gone."""

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
LOADERS = {assets.DATES: assets.date_reader, assets.PHRASES: assets.phrase_translator}
for_every_model = pytest.mark.parametrize("path", LOADERS, ids=lambda path: path.stem)


def test_every_model_in_the_folder_has_a_recipe_and_a_loader():
    files = set((ROOT / "seq2seq_lib" / "course" / "assets").glob("*.pt"))
    assert files == set(build_assets.RECIPES) == set(LOADERS)


@for_every_model
def test_the_file_is_small_and_holds_data_alone(path):
    assert path.stat().st_size < 300_000, "bytes; every clone and every wheel carries it"
    assert isinstance(torch.load(path, weights_only=True), dict)


@for_every_model
def test_the_file_is_what_its_recipe_says(path):
    checkpoint, recipe = load_checkpoint(path), build_assets.RECIPES[path]
    config = recipe.config(checkpoint.src_vocab, checkpoint.tgt_vocab)
    assert checkpoint.config == asdict(config)
    assert checkpoint.extra == {"recipe": asdict(recipe)}, "run tools/build_assets.py again"
    assert checkpoint.optimizer is None and checkpoint.progress == {}, "a model, not a training run"
    dtype = torch.half if recipe.half else torch.float
    assert {weight.dtype for weight in checkpoint.weights.values()} == {dtype}


@for_every_model
def test_it_reads_what_it_never_saw(path):
    corpus = build_assets.RECIPES[path].corpus()
    unseen = corpus.test[:200]
    assert not {pair.source for pair in unseen} & {pair.source for pair in corpus.train}
    reader = LOADERS[path]()
    accuracy = build_assets.measure(reader.model, reader.src_vocab, reader.tgt_vocab, unseen)
    assert accuracy > 0.95


def test_the_test_dates_occur_in_training_in_no_form():
    corpus = build_assets.RECIPES[assets.DATES].corpus()
    assert not {pair.target for pair in corpus.test} & {pair.target for pair in corpus.train}


@pytest.mark.parametrize(
    ("path", "lines", "expected"),
    [
        (assets.DATES, ["Wednesday,  4 August 1999", "1999/08/04"], ["1999-08-04"] * 2),
        (assets.PHRASES, ["the small red  cat"], ["le petit chat rouge"]),
    ],
    ids=lambda value: getattr(value, "stem", None),
)
def test_the_reader_goes_from_text_to_text(path, lines, expected):
    reader = LOADERS[path]()
    assert isinstance(reader, Translator) and not reader.model.training
    assert [answer.text for answer in reader(lines)] == expected


@for_every_model
def test_each_call_returns_a_model_of_its_own_in_single_precision(path):
    one, other = LOADERS[path]().model, LOADERS[path]().model
    with torch.no_grad():
        next(one.parameters()).zero_()
    assert next(other.parameters()).any()
    assert {weight.dtype for weight in other.parameters()} == {torch.float}


@pytest.mark.parametrize("name", ["DATES", "PHRASES"])
@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint", "half"])
def test_a_missing_or_damaged_file_is_named_with_the_way_to_get_it_back(
    tmp_path, monkeypatch, content, name
):
    shipped = getattr(assets, name)
    path, whole = tmp_path / shipped.name, shipped.read_bytes()
    if content is not None:
        path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    monkeypatch.setattr(assets, name, path)
    command = f"python tools/build_assets.py {path.name}"
    with pytest.raises(CheckpointError, match=command) as raised:
        LOADERS[shipped]()
    assert str(path) in str(raised.value)


def test_a_checkpoint_that_cannot_read_text_is_refused(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "other.pt", assets.date_reader().model)
    monkeypatch.setattr(assets, "DATES", tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="no vocabularies"):
        assets.date_reader()


@for_every_model
def test_a_model_that_learned_too_little_is_not_written(tmp_path, path):
    poor = replace(build_assets.RECIPES[path], num_train=64, num_test=20, epochs=1)
    with pytest.raises(RuntimeError, match="nothing written"):
        build_assets.build(tmp_path / "poor.pt", poor)
    assert list(tmp_path.iterdir()) == []


def test_a_command_trains_the_models_that_are_named(monkeypatch, capsys):
    built = []
    monkeypatch.setattr(
        build_assets, "build", lambda path, recipe: built.append((path, recipe)) or 1.0
    )
    assert build_assets.main(["phrases.pt"]) == 0
    assert built == [(assets.PHRASES, build_assets.RECIPES[assets.PHRASES])]
    assert capsys.readouterr().out.startswith("phrases.pt: ")


@for_every_model
def test_an_installed_library_has_the_file(path):
    """setuptools takes along what these patterns match."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    found = {file for pattern in patterns for file in path.parent.glob(pattern)}
    assert path in found
