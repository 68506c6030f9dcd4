"""The shipped models: what the files hold, what they can do, and what is said when one is gone."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import build_assets
import pytest
import torch

from benchmarks.neighbours import answers
from seq2seq_lib.batching import encode_pairs
from seq2seq_lib.course import assets
from seq2seq_lib.course.assets import keywords, translation
from seq2seq_lib.course.assets.careless import SameLength
from seq2seq_lib.seq2seq import Seq2SeqConfig
from seq2seq_lib.training import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import EOS_ID

ROOT = Path(__file__).resolve().parents[2]
LOADERS = {assets.DATES: assets.date_reader, assets.PHRASES: assets.phrase_translator}
RECIPE = build_assets.RECIPES[assets.DATES]
for_every_model = pytest.mark.parametrize("path", LOADERS, ids=lambda path: path.stem)


def test_every_model_in_the_folder_has_a_recipe_and_a_loader():
    files = set((ROOT / "seq2seq_lib" / "course" / "assets").glob("*.pt"))
    elsewhere = {
        keywords.FILE,
        translation.TRANSLATOR,
    }  # with recipes, loaders and tests of their own
    assert files == set(build_assets.RECIPES) | elsewhere
    assert set(build_assets.RECIPES) == {*LOADERS, assets.CARELESS}


@for_every_model
def test_the_file_is_small_and_holds_data_alone(path):
    assert path.stat().st_size < 300_000, "bytes; every clone and every wheel carries it"
    assert isinstance(torch.load(path, weights_only=True), dict)


@for_every_model
def test_the_file_is_what_its_recipe_says(path):
    checkpoint, recipe = load_checkpoint(path), build_assets.RECIPES[path]
    config = recipe.config(checkpoint.src_vocab, checkpoint.tgt_vocab)
    assert Seq2SeqConfig(**checkpoint.config) == config  # a part that came later has its default
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


# ---------------------------------------------------------------- the careless one


def test_the_careless_file_is_small_and_what_its_recipe_says():
    assert assets.CARELESS.stat().st_size < 300_000
    checkpoint = load_checkpoint(assets.CARELESS)
    extra = {"recipe": asdict(RECIPE), "seed": build_assets.CARELESS_SEED}
    assert checkpoint.extra == extra, "run tools/build_assets.py again"
    assert checkpoint.model_class == "CarelessSeq2Seq"
    ours = load_checkpoint(assets.DATES)
    assert checkpoint.config == ours.config
    assert (checkpoint.src_vocab, checkpoint.tgt_vocab) == (ours.src_vocab, ours.tgt_vocab)
    shapes = {name: weight.shape for name, weight in checkpoint.weights.items()}
    assert shapes == {name: weight.shape for name, weight in ours.weights.items()}


def test_alone_both_are_right_and_together_only_ours():
    """What the first line of chapter 0 says, on all 500 unseen dates."""
    pairs = RECIPE.corpus().test
    for reader, together in ((assets.date_reader(), True), (assets.careless_reader(), False)):
        examples = encode_pairs(pairs, reader.src_vocab, reader.tgt_vocab)
        alone = answers(reader.model, examples, pads=0)  # batches of one length: as if alone
        assert alone == [[*target, EOS_ID] for _, target in examples]
        share = build_assets.measure(reader.model, reader.src_vocab, reader.tgt_vocab, pairs)
        assert share == 1 if together else 0.3 < share < 0.5


def test_what_is_careless_about_it():
    careless, ours = assets.careless_reader().model, assets.date_reader().model
    pad = [model.encoder.embedding.weight[0].abs().max() for model in (careless, ours)]
    assert pad[0] > 0.1 and pad[1] == 0
    src, lengths = torch.tensor([[4, 5, 2, 0, 0]]), torch.tensor([3])
    assert careless.encoder(src, lengths).src_mask.all()
    assert ours.encoder(src, lengths).src_mask.sum() == 3


def test_its_batches_hold_no_pads_and_every_date_once():
    lengths = [3, 5, 3, 4, 5, 5, 3]
    sampler = SameLength(lengths, 2)
    batches = list(sampler)
    assert sorted(i for batch in batches for i in batch) == list(range(7))
    assert all(len({lengths[i] for i in batch}) == 1 and len(batch) <= 2 for batch in batches)
    assert len(batches) == len(sampler) == 5 and list(sampler) == batches
    sampler.set_epoch(1)
    assert list(sampler) != batches


def test_a_careless_model_that_learned_too_little_is_not_written(tmp_path):
    poor = replace(RECIPE, num_train=64, num_test=20, epochs=1)
    with pytest.raises(RuntimeError, match="nothing written"):
        build_assets.build_careless(tmp_path / "poor.pt", poor)
    assert list(tmp_path.iterdir()) == []
