"""The shipped date models: what the files hold, what they can do, what is said when one is gone."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import build_assets
import pytest
import torch

from benchmarks.neighbours import answers
from seq2seq_lib.batching import encode_pairs
from seq2seq_lib.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.course import assets
from seq2seq_lib.course.assets.careless import SameLength
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import EOS_ID

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
