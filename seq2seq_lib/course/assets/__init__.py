"""Small trained models that come with the library: nothing to train, nothing to download.

``dates.pt`` reads dates, ``careless.pt`` reads dates and pads, ``phrases.pt`` translates English
phrases to French. ``python tools/build_assets.py`` trains them anew, on generated data.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seq2seq_lib.corpora import normalise_date_text
from seq2seq_lib.course.assets.careless import CarelessSeq2Seq
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.training import CheckpointError, load_checkpoint
from seq2seq_lib.translate import Translator

DATES = Path(__file__).with_name("dates.pt")
PHRASES = Path(__file__).with_name("phrases.pt")
CARELESS = Path(__file__).with_name("careless.pt")


def date_reader() -> Translator:
    """A model that has learned to read dates, with its vocabularies, on the CPU.

    It is the model of chapter 0 after more passes: "4 august 1999" to "1999-08-04", character by
    character. Each call reads the file and returns a model of its own.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    return _translator(DATES, normalise_date_text, "".join)


def careless_reader() -> Translator:
    """The same sizes, dates and passes, but this model reads pads: see ``assets.careless``.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    return _translator(CARELESS, normalise_date_text, "".join, CarelessSeq2Seq)


def phrase_translator() -> Translator:
    """A model that translates the task ``phrases``, word by word, on the CPU.

    "the small red cat" becomes "le petit chat rouge". It knows the words of that grammar alone;
    an elided word is a token of its own ("l'", "arbre"). Each call reads the file and returns a
    model of its own. The file holds 16 bits a weight, the model 32.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    return _translator(PHRASES, str.split, " ".join)


def _translator(
    path: Path,
    tokenize: Callable[[str], Sequence[str]],
    detokenize: Callable[[Sequence[str]], str],
    model_class: Any = Seq2Seq,
) -> Translator:
    try:
        checkpoint = load_checkpoint(path)
        model = checkpoint.build(model_class)
        if checkpoint.src_vocab is None or checkpoint.tgt_vocab is None:
            raise CheckpointError(f"{path} holds no vocabularies.")
    except CheckpointError as error:
        raise CheckpointError(
            f"A model that comes with the library cannot be used. {error} Install the library "
            f"again, or train the model anew: python tools/build_assets.py {path.name}"
        ) from error
    return Translator(model, checkpoint.src_vocab, checkpoint.tgt_vocab, tokenize, detokenize)
