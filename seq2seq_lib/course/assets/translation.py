"""A small translator, English to French, and what four such systems made of 800 test phrases.

``python tools/build_translator.py`` trains and translates anew, on generated data.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from seq2seq_lib.corpora import Corpus, phrases
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import CheckpointError, load_checkpoint
from seq2seq_lib.translate import PLAIN, Recipe, Translator, load_translator

TRANSLATOR = Path(__file__).with_name("phrases_en_fr.pt")
OUTPUTS = Path(__file__).with_name("phrases_outputs.json")

# The most training pairs with each word: so the test set holds words that training hardly knows.
RARE = {
    word: most
    for most, words in (
        (0, "hedgehog hedgehogs harp harps"),
        (2, "owl owls"),
        (4, "axe axes"),
        (8, "castle castles"),
        (16, "heroine heroines"),
    )
    for word in words.split()
}
NUM_VALID, NUM_TEST = 400, 800


class System(NamedTuple):
    """How the outputs of one system were made.

    Attributes:
        num_train: pairs that are drawn, before rare words are thinned.
        epochs, seed: of its training; all else is ``recipe``.
        num_beams: of its search; 1 is greedy.
    """

    num_train: int
    epochs: int
    seed: int
    num_beams: int

    def recipe(self) -> Recipe:
        """The recipe of its training."""
        return recipe(self.seed, self.epochs)


SYSTEMS = {  # the first two are one model: the one that is shipped
    "A, greedy": System(3000, 6, 1, 1),
    "A, 5 beams": System(3000, 6, 1, 5),
    "A again with seed 2, greedy": System(3000, 6, 2, 1),
    "twice the data, 5 beams": System(6000, 4, 1, 5),
}


def recipe(seed: int = 1, epochs: int = 6) -> Recipe:
    """A bidirectional GRU with dot attention over 300 pieces a side."""
    return Recipe(
        **PLAIN,
        num_pieces=300,
        embed_size=96,
        hidden_size=96,
        dropout=0.1,
        batch_size=32,
        epochs=epochs,
        learning_rate=6e-3,
        warmup_steps=50,
        label_smoothing=0.1,
        seed=seed,
    )


@cache
def phrase_corpus(num_train: int = 3000) -> Corpus:
    """Phrases, English to French, thinned so that some words are rare or never seen in training."""
    return phrases(num_train, NUM_VALID, NUM_TEST, rare=RARE)


def phrase_translator() -> Translator:
    """The model of "A": English phrases to French ones, in pieces of words, on the CPU.

    Each call reads the file and returns a model of its own.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    try:
        return load_translator(TRANSLATOR)
    except CheckpointError as error:
        raise CheckpointError(
            f"The translator that comes with the library cannot be used. {error} Install the "
            f"library again, or train it anew: python tools/build_translator.py"
        ) from error


def target_subwords() -> Subwords:
    """What cuts French into the pieces of ``phrase_translator``, and joins them again."""
    model = load_checkpoint(TRANSLATOR).extra["write"]  # uint8, as training keeps it
    return Subwords(bytes(model.tolist()))


def phrase_outputs() -> dict[str, list[str]]:
    """What each of ``SYSTEMS`` made of the test phrases of ``phrase_corpus``, in their order."""
    kept: dict[str, list[str]] = json.loads(OUTPUTS.read_text(encoding="utf-8"))
    return kept
