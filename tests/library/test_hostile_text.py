"""Hostile text: the result is defined, or the text is refused in words; none passes unseen."""

import io
import re
import unicodedata
import warnings

import pytest
import torch

from seq2seq_lib import plots
from seq2seq_lib.batching import collate
from seq2seq_lib.corpora import CorpusError, detokenize, read_parallel, tokenize
from seq2seq_lib.latent.sentences import read_corpus
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.subwords import Subwords, normalise
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import UNK_ID, Vocab
from tests.support.hostile import SURROGATE, TEXTS

for_every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
PLAIN = ["the house of the man", "a man in the house"] * 20


@pytest.fixture(scope="module")
def subwords():
    return Subwords.train(PLAIN, 40)


@for_every_text
def test_tokens_are_words_that_can_be_seen_and_read_again(text):
    tokens = tokenize(text)
    assert all(token and not re.search(r"\s", token) for token in tokens)
    unseen = {c for token in tokens for c in token if unicodedata.category(c) in ("Cc", "Cf")}
    assert unseen == set()
    assert tokenize(detokenize(tokens)) == tokens
    assert tokenize(unicodedata.normalize("NFD", text)) == tokens


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("control characters", ["ab", "[", "31mred"]),
        ("NUL", ["ab", "c"]),
        ("right to left", ["txet", "abc", "\u0645\u0631\u062d\u0628\u0627"]),
        ("emoji", [*"\U0001f469\U0001f469\U0001f467", "\U0001f3f3", "\U0001f308", "ok"]),
        ("invisible", []),
        ("decomposed", ["\u00e9cole", "\u00e5ngstr\u00f6m"]),
        ("line ends", [*"abcdefgh"]),
        ("special tokens", ["<", "pad", ">", "<", "eos", ">", "<", "unk", ">", *"▁a▁b"]),
    ],
)
def test_tokens_by_value(name, tokens):
    assert tokenize(TEXTS[name]) == tokens


@for_every_text
def test_pieces_spell_the_text_and_the_rest_is_unknown(text, subwords):
    pieces = subwords.encode(text)
    assert subwords.decode(pieces) == normalise(text)
    assert not any(re.search(r"[\s\x00-\x1f]", piece) for piece in pieces)
    ids = subwords.vocab().encode(pieces)
    assert all(i >= UNK_ID for i in ids)  # no text ends a sentence or hides a word
    assert collate([(ids, ids)]).src_lengths.tolist() == [len(ids) + 1]


@pytest.mark.parametrize(
    "text",
    # in the names of special tokens SentencePiece sees no letters
    [text for name, text in TEXTS.items() if name != "special tokens"] + ["▅ ▁▂ жд"],
)
def test_pieces_are_learned_from_it(text):
    trained = Subwords.train([*PLAIN, text], 30 + len(set(normalise(text))))
    assert UNK_ID not in trained.vocab().encode(trained.encode(text))


@for_every_text
def test_a_vocabulary_keeps_any_text(text, tmp_path):
    vocab = Vocab.build([tokenize(text), [text]])
    vocab.save(tmp_path / "v.json")
    read = Vocab.load(tmp_path / "v.json")
    assert read == vocab and read.decode(read.encode([text])) == [text]
    with pytest.raises(ValueError, match="must occur once") as caught:
        Vocab([text, text])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "read",
    [
        tokenize,
        normalise,
        lambda text: Subwords.train([*PLAIN, text], 40),
        lambda text: Vocab([text]),
        lambda text: Vocab.build([[text]]),
    ],
)
def test_a_lone_surrogate_is_refused_everywhere(read):
    with pytest.raises(ValueError, match=r"lone surrogate '\\udce9' at 3: .* Decode them anew"):
        read(SURROGATE)


@for_every_text
def test_a_line_gives_a_line(text):
    """Also where the model copies unknown words of the source into its output."""
    seed_everything(0)
    vocab = Vocab(["a", "b"])
    model = Seq2Seq(Seq2SeqConfig(6, 6, embed_size=4, hidden_size=4, attention="dot"))
    with torch.no_grad():
        model.decoder.output.bias[UNK_ID] += 9.0  # so that it copies
    short = text[:2000]  # time and memory of long ones: benchmarks/proportion.py
    (found,) = Translator(model, vocab, vocab)([short], num_beams=2, max_new_tokens=5)
    assert found.source == tokenize(short) and found.unknown == [
        token for token in tokenize(short) if token not in ("a", "b")
    ]
    shown = "".join([found.text, *found.source])  # on a terminal, perhaps
    assert len(shown.splitlines()) <= 1 and not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)


@for_every_text
def test_labels_of_a_figure_are_short_and_no_formulas(text):
    axes = plots.attention_heatmap(torch.full((2, 2), 0.5), [text, "a"], ["b", text])
    labels = [label.get_text() for label in (axes.get_xticklabels()[0], axes.get_yticklabels()[1])]
    assert labels[0] == labels[1] and len(labels[0]) <= 2 * plots.MOST_LETTERS
    assert max(axes.figure.get_size_inches()) < 12
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands in its place
        axes.figure.savefig(io.BytesIO())
    if text.startswith("$"):
        assert labels[0].startswith(r"\$\frac{1}{0}\$ \$x_")


def test_a_figure_of_too_many_tokens_is_refused():
    with pytest.raises(ValueError, match="1,001 tokens cannot be read.*draw a part"):
        plots.attention_heatmap(torch.zeros(1, 1001), ["a"] * 1001, ["b"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("ein hund\nzwei\n".encode("utf-16"), "begins with the mark of UTF-16"),
        ("ein hund\nzwei\n".encode("utf-16-le"), "NUL in line 1"),
        ("ein hund\nfünf\n".encode("latin-1"), "line 2 has the byte 0xfc at position"),
    ],
)
def test_files_in_another_encoding_are_refused_with_their_line(content, says, tmp_path):
    path = tmp_path / "text.de"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=says):
        read_corpus("echo", path, 10, 10)


def test_only_a_line_feed_ends_a_line_of_a_file(tmp_path):
    path = tmp_path / "text.de"
    path.write_bytes("a\u2028b\x85c\rd\nzwei\r\n".encode())
    read = read_parallel([path, path])
    assert [source for source, _ in read.pairs] == ["a\u2028b\x85c\rd", "zwei"]
    assert read_corpus("echo", path, 10, 10) == ("text.de", [["a", "b", "c", "d"], ["zwei"]])
