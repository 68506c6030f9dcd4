"""Small trained models that come with the library: nothing to train, nothing to download.

``dates.pt`` reads dates, and ``careless.pt`` reads dates and pads. ``python tools/build_assets.py``
trains both anew, on generated data.
"""

from pathlib import Path
from typing import Any

from seq2seq_lib.checkpoints import CheckpointError, load_checkpoint
from seq2seq_lib.corpora import normalise_date_text
from seq2seq_lib.course.assets.careless import CarelessSeq2Seq
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.translate import Translator

DATES = Path(__file__).with_name("dates.pt")
CARELESS = Path(__file__).with_name("careless.pt")


def date_reader() -> Translator:
    """A model that has learned to read dates, with its vocabularies, on the CPU.

    It is the model of chapter 0 after more passes: "4 august 1999" to "1999-08-04", character by
    character. Each call reads the file and returns a model of its own.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    return _reader(DATES, Seq2Seq)


def careless_reader() -> Translator:
    """The same sizes, dates and passes, but this model reads pads: see ``assets.careless``.

    Raises:
        CheckpointError: the file is missing or damaged; the message says how to get it back.
    """
    return _reader(CARELESS, CarelessSeq2Seq)


def _reader(path: Path, model_class: Any) -> Translator:
    try:
        checkpoint = load_checkpoint(path)
        model = checkpoint.build(model_class)
        if checkpoint.src_vocab is None or checkpoint.tgt_vocab is None:
            raise CheckpointError(f"{path} holds no vocabularies.")
    except CheckpointError as error:
        raise CheckpointError(
            f"The date model that comes with the library cannot be used. {error} Install the "
            f"library again, or train the model anew: python tools/build_assets.py"
        ) from error
    return Translator(
        model, checkpoint.src_vocab, checkpoint.tgt_vocab, normalise_date_text, "".join
    )
