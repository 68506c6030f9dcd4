"""A small model that makes a sentence of keywords: "owls boat", "our owls dream of their boat".

    python -m seq2seq_lib.course.assets.keywords    # trains it anew, about ten seconds

The source holds the nouns of a generated English sentence, the target is that sentence. So a source
has many right targets, and the model is in doubt, as a translation model is.
"""

import functools
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from seq2seq_lib.batching import encode_pairs, make_loader
from seq2seq_lib.corpora import Corpus, Pair, phrases
from seq2seq_lib.corpora.phrase_lexicon import NOUNS
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import CheckpointError, TrainConfig, fit, load_checkpoint, save_checkpoint
from seq2seq_lib.vocab import Vocab

FILE = Path(__file__).with_name("keywords.pt")
NO_NOUN = "it"  # the source of a sentence without a noun
NOUN_FORMS = frozenset(form for noun in NOUNS for form in (noun.english, noun.english_plural))


@dataclass(frozen=True)
class Recipe:
    """How the model is trained. The other fields of ``Seq2SeqConfig`` keep their defaults."""

    num_train: int = 8000
    num_valid: int = 200
    num_test: int = 300
    embed_size: int = 48
    hidden_size: int = 64
    attention: str = "general"
    dropout: float = 0.1
    batch_size: int = 64
    epochs: int = 4
    learning_rate: float = 5e-3
    seed: int = 0


@dataclass(frozen=True)
class KeywordModel:
    """A model in evaluation mode, and the vocabularies of its source and its target."""

    model: Seq2Seq
    src_vocab: Vocab
    tgt_vocab: Vocab


def keyword_pairs(recipe: Recipe = Recipe()) -> Corpus:
    """The pairs; the sentences and their splits are those of ``corpora.phrases``, seed 0."""
    english = phrases(recipe.num_train, recipe.num_valid, recipe.num_test)
    splits = (
        tuple(keyword_pair(pair.source) for pair in split)
        for split in (english.train, english.valid, english.test)
    )
    return Corpus("keywords", *splits)


def keyword_pair(sentence: tuple[str, ...]) -> Pair:
    """The nouns of an English sentence, and the sentence."""
    nouns = tuple(word for word in sentence if word in NOUN_FORMS)
    return Pair(nouns or (NO_NOUN,), tuple(sentence))


def train(recipe: Recipe = Recipe()) -> KeywordModel:
    """Train a model by the recipe, on the CPU."""
    seed_everything(recipe.seed)
    corpus = keyword_pairs(recipe)
    src_vocab = Vocab.build(pair.source for pair in corpus.train)
    tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
    config = Seq2SeqConfig(
        len(src_vocab),
        len(tgt_vocab),
        embed_size=recipe.embed_size,
        hidden_size=recipe.hidden_size,
        dropout=recipe.dropout,
        attention=recipe.attention,
    )
    model = Seq2Seq(config)
    examples = encode_pairs(corpus.train, src_vocab, tgt_vocab)
    loader = make_loader(examples, batch_size=recipe.batch_size, seed=recipe.seed)
    settings = TrainConfig(
        epochs=recipe.epochs, learning_rate=recipe.learning_rate, cosine_decay=True
    )
    fit(model, loader, None, settings, progress=False)
    return KeywordModel(model.eval(), src_vocab, tgt_vocab)


def write(path: Path, recipe: Recipe = Recipe()) -> None:
    """Train the model and write it with its vocabularies and its recipe."""
    made = train(recipe)
    save_checkpoint(
        path,
        made.model,
        src_vocab=made.src_vocab,
        tgt_vocab=made.tgt_vocab,
        extra={"recipe": asdict(recipe)},
    )


@functools.cache
def keyword_model() -> KeywordModel:
    """The model that ships. The cached one is handed out, so leave its weights alone.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    try:
        checkpoint = load_checkpoint(FILE)
        model = checkpoint.build().eval()
        if checkpoint.src_vocab is None or checkpoint.tgt_vocab is None:
            raise CheckpointError(f"{FILE} holds no vocabularies.")
    except CheckpointError as error:
        raise CheckpointError(
            f"The keyword model that comes with the library cannot be used. {error} Install the "
            f"library again, or train the model anew: "
            f"python -m seq2seq_lib.course.assets.keywords"
        ) from error
    return KeywordModel(model, checkpoint.src_vocab, checkpoint.tgt_vocab)


def main() -> int:
    torch.set_num_threads(1)  # two threads on a shared core make nn.GRU many times slower
    write(FILE)
    print(f"{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
