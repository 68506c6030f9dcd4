"""Words to ids and back: what is kept, what becomes UNK, and files that are whole or refused."""

import json
import os
import pickle
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, Vocab

SENTENCES = [["b", "a", "c"], ["b", "a", "d"], ["b"], []]  # b 3 times, a twice, c and d once
word = st.text(min_size=1, max_size=4).filter(lambda text: text not in SPECIAL_TOKENS)
sentences = st.lists(st.lists(word, max_size=6), max_size=5)


@given(sentences)
def test_what_was_built_from_comes_back(token_lists):
    vocab = Vocab.build(token_lists)
    for tokens in token_lists:
        ids = vocab.encode(tokens)
        assert all(len(SPECIAL_TOKENS) <= i < len(vocab) for i in ids)
        assert vocab.decode(ids) == tokens
        assert vocab.decode([BOS_ID, *ids, EOS_ID, PAD_ID, PAD_ID]) == tokens


def test_ids_follow_frequency_and_ties_the_alphabet():
    vocab = Vocab.build(SENTENCES)
    assert vocab.tokens == (*SPECIAL_TOKENS, "b", "a", "c", "d")
    assert vocab.encode(["b", "a", "c", "d"]) == [4, 5, 6, 7]
    assert len(vocab) == 8
    assert repr(vocab) == "Vocab(8 tokens)"


@given(sentences, st.randoms())
def test_the_order_of_the_sentences_does_not_matter(token_lists, rng):
    shuffled = [rng.sample(tokens, len(tokens)) for tokens in token_lists]
    rng.shuffle(shuffled)
    assert Vocab.build(shuffled) == Vocab.build(token_lists)


def test_unknown_words_become_unk_and_stay_visible():
    vocab = Vocab.build(SENTENCES)
    assert vocab.encode(["b", "never seen", "a"]) == [4, UNK_ID, 5]
    assert vocab.decode([4, UNK_ID, 5]) == ["b", "<unk>", "a"]
    assert "b" in vocab and "never seen" not in vocab


@pytest.mark.parametrize(("min_freq", "kept"), [(1, "bacd"), (2, "ba"), (3, "b"), (4, "")])
def test_min_freq_drops_what_is_rarer(min_freq, kept):
    assert Vocab.build(SENTENCES, min_freq=min_freq).tokens[4:] == tuple(kept)


def test_unk_is_met_in_training_from_min_freq_2_on():
    """With 1 no id of the training sentences is UNK, so no step would train its row."""
    rare = Counter(token for sentence in SENTENCES for token in sentence)
    met = {
        least: sum(Vocab.build(SENTENCES, least).encode(s).count(UNK_ID) for s in SENTENCES)
        for least in (1, 2)
    }
    assert met == {1: 0, 2: sum(count == 1 for count in rare.values())} and met[2] > 0


@pytest.mark.parametrize(
    ("max_size", "kept"), [(4, ""), (5, "b"), (7, "bac"), (8, "bacd"), (99, "bacd")]
)
def test_max_size_counts_the_special_tokens_and_keeps_the_most_frequent(max_size, kept):
    vocab = Vocab.build(SENTENCES, max_size=max_size)
    assert vocab.tokens[4:] == tuple(kept)
    assert len(vocab) <= max_size


def test_min_freq_and_max_size_act_together():
    assert Vocab.build(SENTENCES, min_freq=2, max_size=5).tokens[4:] == ("b",)


def test_no_sentences_give_the_special_tokens_alone():
    assert Vocab.build([]).tokens == SPECIAL_TOKENS == Vocab([]).tokens


def test_an_empty_sentence_has_no_ids():
    vocab = Vocab.build(SENTENCES)
    assert vocab.encode([]) == []
    assert vocab.decode([]) == vocab.decode([EOS_ID]) == []


def test_decode_stops_at_the_first_eos_and_reads_tensors():
    vocab = Vocab.build(SENTENCES)
    assert vocab.decode([BOS_ID, 5, PAD_ID, 6, EOS_ID, 7, EOS_ID]) == ["a", "c"]
    assert vocab.decode(torch.tensor([5, EOS_ID, 10**6])) == ["a"]  # what follows EOS is not read


@pytest.mark.parametrize("wrong", [-1, 8])
def test_decode_refuses_ids_of_another_vocabulary(wrong):
    for ids in ([5, wrong], torch.tensor([5, wrong])):
        with pytest.raises(ValueError, match=rf"in 0 \.\. 7, but one is {wrong}\."):
            Vocab.build(SENTENCES).decode(ids)


def test_a_special_token_in_a_text_is_a_word_like_any_other():
    vocab = Vocab.build([["a", "<eos>", "<pad>", "<pad>", "<bos>", "<unk>", "a"]])
    assert vocab.tokens == (*SPECIAL_TOKENS, "a")
    assert vocab.encode(["<eos>", "<pad>", "a", "<bos>", "<unk>"]) == [
        UNK_ID,
        UNK_ID,
        4,
        UNK_ID,
        UNK_ID,
    ]


def test_the_four_ids_are_the_documented_ones():
    vocab = Vocab(["a"])
    ids = (vocab.pad_id, vocab.bos_id, vocab.eos_id, vocab.unk_id)
    assert ids == (PAD_ID, BOS_ID, EOS_ID, UNK_ID) == (0, 1, 2, 3)
    assert vocab.tokens[:4] == ("<pad>", "<bos>", "<eos>", "<unk>")


@pytest.mark.parametrize("clash", [{"eos_id": 0}, {"bos_id": 2}, {"unk_id": 0}, {"pad_id": 1}])
def test_special_ids_that_clash_are_refused(clash):
    ids = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, **clash}
    with pytest.raises(ValueError, match=f"must be distinct, but they are {ids}"):
        Vocab(["a"], **clash)


def test_special_ids_cannot_be_moved():
    with pytest.raises(ValueError, match="fixed at 0, 1, 2, 3"):
        Vocab(["a"], eos_id=9)
    Vocab(["a"], pad_id=0, bos_id=1, eos_id=2, unk_id=3)


@pytest.mark.parametrize("call", [Vocab, Vocab(["a"]).encode, lambda text: Vocab.build([text])])
def test_a_string_instead_of_a_list_is_refused(call):
    with pytest.raises(TypeError, match="'a cat'"):
        call("a cat")


def test_tokens_must_be_distinct_strings():
    with pytest.raises(ValueError, match="'b' occurs again"):
        Vocab(["a", "b", "c", "b"])
    with pytest.raises(ValueError, match="'<eos>' occurs again"):
        Vocab(["<eos>"])
    with pytest.raises(TypeError, match="one is 7"):
        Vocab(["a", 7])
    with pytest.raises(TypeError, match=r"one is \['b'\]"):
        Vocab(["a", ["b"]])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"min_freq": 0}, "min_freq must be ≥ 1, but it is 0"),
        ({"max_size": 3}, "max_size must be ≥ 4"),
    ],
)
def test_limits_that_make_no_sense_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        Vocab.build(SENTENCES, **option)


def test_equal_lists_are_equal_vocabularies():
    a, b, c = Vocab(["x", "y"]), Vocab(["x", "y"]), Vocab(["y", "x"])
    assert a == b and hash(a) == hash(b)
    assert a != c and a != ("x", "y")
    assert pickle.loads(pickle.dumps(a)) == a  # worker processes of a DataLoader receive it so


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), unique=True))
def test_a_file_gives_back_every_token(tmp_path_factory, tokens):
    vocab = Vocab([token for token in tokens if token not in SPECIAL_TOKENS])
    path = tmp_path_factory.mktemp("vocab") / "vocab.json"
    vocab.save(str(path))
    assert Vocab.load(str(path)) == Vocab.load(path) == vocab
    assert Vocab.from_tokens(json.loads(path.read_text(encoding="utf-8"))) == vocab
    assert os.listdir(path.parent) == ["vocab.json"]


def test_a_saved_file_can_be_read_and_compared_by_people(tmp_path):
    Vocab(["größe", "日本"]).save(tmp_path / "v.json")
    lines = (tmp_path / "v.json").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ['"<pad>",', '"<bos>",', '"<eos>",', '"<unk>",', '"größe",', '"日本"', "]"]
    (tmp_path / "v.json").write_text("\n".join(lines), encoding="utf-8-sig")  # as Notepad may
    assert Vocab.load(tmp_path / "v.json") == Vocab(["größe", "日本"])


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path, old = tmp_path / "v.json", Vocab(["old"])
    old.save(path)

    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Vocab(["new"]).save(path)
    monkeypatch.undo()
    assert Vocab.load(path) == old
    assert os.listdir(tmp_path) == ["v.json"]


def valid_file():
    return json.dumps([*SPECIAL_TOKENS, "a", "b"]).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        valid_file()[:-5],  # the end is missing
        b"\xff\xfe" + valid_file(),
        b'{"a": 1}',
        b'"<pad>"',
        b"[]",
        b'["a", "b", "c", "d"]',
        json.dumps([*SPECIAL_TOKENS[::-1], "a"]).encode(),
        json.dumps([*SPECIAL_TOKENS, "a", 5]).encode(),
        json.dumps([*SPECIAL_TOKENS, "a", "a"]).encode(),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused_by_name(tmp_path, content):
    path = tmp_path / "foreign.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="foreign.json is not a vocabulary"):
        Vocab.load(path)


def test_a_list_that_is_no_vocabulary_is_refused():
    for wrong in (["a"], "<pad>", [*SPECIAL_TOKENS, 5]):
        with pytest.raises(ValueError, match="^the list is not a vocabulary"):
            Vocab.from_tokens(wrong)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        Vocab.load(tmp_path / "nowhere.json")
