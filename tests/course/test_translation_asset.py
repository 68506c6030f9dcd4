"""The shipped translator and outputs: what the files hold, and what is said when one is gone."""

from dataclasses import asdict

import build_translator
import pytest
import torch

from seq2seq_lib.corpora import detokenize
from seq2seq_lib.course.assets import translation
from seq2seq_lib.metrics import corpus_bleu
from seq2seq_lib.training import CheckpointError, load_checkpoint


def test_the_files_are_small_and_hold_data_alone():
    assert translation.TRANSLATOR.stat().st_size < 800_000, "bytes; every clone carries it"
    assert translation.OUTPUTS.stat().st_size < 150_000
    assert isinstance(torch.load(translation.TRANSLATOR, weights_only=True), dict)


def test_the_file_is_what_its_recipe_says():
    checkpoint = load_checkpoint(translation.TRANSLATOR)
    recipe = asdict(translation.SYSTEMS["A, greedy"].recipe())
    stored = checkpoint.extra["recipe"]  # what a recipe has got since then is not in it
    assert stored == {part: recipe[part] for part in stored} and len(stored) >= 17
    config = checkpoint.build().to_dict()
    assert recipe == recipe | {part: config[part] for part in config if part in recipe}
    assert recipe["piece_dropout"] == 0
    assert checkpoint.optimizer is None and checkpoint.progress == {}
    assert sum(weight.numel() for weight in checkpoint.build().parameters()) == 183_660


def test_its_target_side_is_cut_into_the_pieces_that_it_writes():
    translator, pieces = translation.phrase_translator(), translation.target_subwords()
    assert pieces.vocab().tokens == translator.tgt_vocab.tokens
    text = detokenize(translation.phrase_corpus().test[0].target)
    assert pieces.encode(text) != translator.tokenize(text), "those are the source's pieces"
    assert translator.detokenize(pieces.encode(text)) == text


def test_the_outputs_are_the_model_s():
    """Near ties may fall otherwise on another processor, so nearly all must agree."""
    sources = [detokenize(pair.source) for pair in translation.phrase_corpus().test[:60]]
    translator, outputs = translation.phrase_translator(), translation.phrase_outputs()
    for name, beams in (("A, greedy", 1), ("A, 5 beams", 5)):
        said = [one.text for one in translator(sources, num_beams=beams)]
        same = sum(a == b for a, b in zip(said, outputs[name], strict=False))
        assert same >= 57, name


def test_every_system_has_an_output_for_every_phrase_and_is_good_enough():
    pairs, outputs = translation.phrase_corpus().test, translation.phrase_outputs()
    assert list(outputs) == list(translation.SYSTEMS)
    references = [detokenize(pair.target) for pair in pairs]
    for lines in outputs.values():
        assert len(lines) == len(pairs) == 800
        assert corpus_bleu(lines, references).score > build_translator.ENOUGH_BLEU


def test_the_rare_words_are_rare():
    corpus = translation.phrase_corpus()
    for word, most in translation.RARE.items():
        assert sum(word in pair.source for pair in corpus.train) == most
    assert corpus.shared_sources() == ()


def test_a_missing_file_is_named_with_the_way_to_get_it_back(monkeypatch, tmp_path):
    monkeypatch.setattr(translation, "TRANSLATOR", tmp_path / "gone.pt")
    with pytest.raises(CheckpointError, match="python tools/build_translator.py"):
        translation.phrase_translator()


def test_a_system_that_learned_too_little_is_not_written(monkeypatch, tmp_path):
    poor = {"poor": translation.System(300, 1, 1, 1)}
    monkeypatch.setattr(translation, "SYSTEMS", poor)
    with pytest.raises(RuntimeError, match="nothing written"):
        build_translator.build_translation(tmp_path / "a.pt", tmp_path / "b.json")
    assert list(tmp_path.iterdir()) == []
