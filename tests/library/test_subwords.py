"""Subwords: text to pieces and back, learned once and stored whole."""

import os
import subprocess
import sys

import pytest

from seq2seq_lib import subwords as subwords_module
from seq2seq_lib.corpora import detokenize, phrases
from seq2seq_lib.subwords import Subwords, normalise
from seq2seq_lib.vocab import SPECIAL_TOKENS, UNK_ID


@pytest.fixture(scope="module")
def lines():
    return [detokenize(pair.target) for pair in phrases(600, 1, 1).train]


@pytest.fixture(scope="module")
def subwords(lines):
    return Subwords.train(lines, vocab_size=120)


def test_pieces_spell_the_text_they_came_from(subwords, lines):
    for line in lines[:100]:
        assert subwords.decode(subwords.encode(line)) == normalise(line)


def test_vocabulary_has_the_size_asked_for_and_the_special_tokens_first(subwords):
    vocab = subwords.vocab()
    assert len(vocab) == 120
    assert vocab.tokens[:4] == SPECIAL_TOKENS


def test_ids_are_those_of_sentencepiece(subwords, lines):
    vocab = subwords.vocab()
    for line in lines[:20]:
        expected = subwords._processor.encode(normalise(line))
        assert vocab.encode(subwords.encode(line)) == expected


def test_a_word_never_seen_is_split_and_not_unknown(subwords, lines):
    letters = sorted({c for line in lines for c in line if c.isalpha()})
    word = "".join(letters[:9])
    assert not any(word in line for line in lines)
    pieces = subwords.encode(word)
    assert len(pieces) > 1
    assert UNK_ID not in subwords.vocab().encode(pieces)
    assert subwords.decode(pieces) == word


def test_a_letter_never_seen_is_unknown(subwords):
    pieces = subwords.encode("猫")
    assert UNK_ID in subwords.vocab().encode(pieces)


def test_the_same_lines_give_the_same_pieces(subwords, lines):
    assert Subwords.train(lines, vocab_size=120).vocab() == subwords.vocab()


def test_bytes_bring_the_model_back(subwords, lines):
    again = Subwords(subwords.to_bytes())
    assert again.encode(lines[0]) == subwords.encode(lines[0])


def test_case_accents_apostrophes_and_spaces_do_not_matter(subwords):
    assert normalise("  L’E\u0301te\u0301  ") == "l'été"
    assert subwords.encode("LE  CHAT") == subwords.encode("le chat")


def test_an_empty_text_has_no_pieces(subwords):
    assert subwords.encode("  ") == []
    assert subwords.decode([]) == ""


def test_too_little_text_is_refused_with_what_to_do(lines):
    with pytest.raises(ValueError, match="smaller vocab_size or more text"):
        Subwords.train(lines[:3], vocab_size=5000)
    with pytest.raises(ValueError, match="smaller vocab_size or more text"):
        Subwords.train([], vocab_size=100)


def test_no_word_is_so_long_that_a_sentencepiece_ends_the_process(lines, monkeypatch):
    """Before 0.2.3 it does so at 65,536 letters, with no error that could be caught."""
    import sentencepiece

    train, given = sentencepiece.SentencePieceTrainer.train, []

    def recorded(*, sentence_iterator, **settings):
        given.extend(sentence_iterator)
        train(sentence_iterator=iter(given), **settings)

    monkeypatch.setattr(sentencepiece.SentencePieceTrainer, "train", recorded)
    endless = "ab" * 100_000
    trained = Subwords.train([*lines, f"so {endless} long"], 150)
    words = given[-1].split(" ")
    assert words[0] == "so" and words[-1] == "long" and "".join(words[1:-1]) == endless
    assert 2 < max(map(len, words)) < 65_535
    assert "".join(trained.encode(endless)) == "▁" + endless


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(ValueError, match="not a SentencePiece model"):
        Subwords(b"not a model")


def test_a_model_is_small_and_one_with_sentencepiece_s_own_table_still_reads(subwords, lines):
    """Older checkpoints hold a model with that table: on normalised text it changes nothing."""
    import io

    from sentencepiece import SentencePieceTrainer

    assert len(subwords.to_bytes()) < 20_000
    file = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(map(normalise, lines)), model_writer=file, model_type="bpe",
        vocab_size=120, character_coverage=1.0, num_threads=1, minloglevel=2, pad_id=0, bos_id=1,
        eos_id=2, unk_id=3, pad_piece="<pad>", bos_piece="<bos>", eos_piece="<eos>",
        unk_piece="<unk>",
    )  # fmt: skip
    older = Subwords(file.getvalue())
    assert len(older.to_bytes()) > 200_000
    for line in lines[:100]:
        assert older.encode(line) == subwords.encode(line)


# ---------------------------------------------------------------- pieces that are drawn


def test_drawn_pieces_spell_the_same_text_in_other_pieces(subwords, lines):
    drawn = subwords.sample(lines, 0.3, seed=1)
    plain = [subwords.encode(line) for line in lines]
    assert [subwords.decode(pieces) for pieces in drawn] == list(map(normalise, lines))
    assert all(set(pieces) <= set(subwords.vocab().tokens) for pieces in drawn)
    assert sum(a != b for a, b in zip(drawn, plain, strict=True)) > len(lines) / 2
    assert sum(map(len, drawn)) > 1.1 * sum(map(len, plain)), "a merge left out leaves more pieces"
    few = subwords.sample(lines, 1e-9, seed=1)
    assert few == plain


def test_drawn_pieces_are_a_function_of_the_seed(subwords, lines):
    first, again, other = (subwords.sample(lines, 0.3, seed=seed) for seed in (5, 5, 2**32 + 6))
    assert first == again and first != other


def test_another_process_draws_the_same_pieces(subwords, lines):
    code = (
        "import sys; from seq2seq_lib.subwords import Subwords;"
        "model = bytes.fromhex(sys.stdin.readline());"
        "print(Subwords(model).sample([line.strip() for line in sys.stdin], 0.3, seed=5))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join([subwords.to_bytes().hex(), *lines[:50]]),
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.strip() == str(subwords.sample(lines[:50], 0.3, seed=5))


def test_a_frequent_word_has_several_cuts_and_not_one_a_use(subwords):
    drawn = {tuple(pieces) for pieces in subwords.sample(["chat"] * 500, 0.5, seed=1)}
    assert 1 < len(drawn) <= subwords_module.CUTS


@pytest.mark.parametrize("dropout", [0, 1, -0.1, float("nan")])
def test_a_share_of_merges_that_is_none_is_refused(subwords, dropout):
    with pytest.raises(ValueError, match=r"dropout must be in \(0, 1\)"):
        subwords.sample(["le chat"], dropout, seed=1)
