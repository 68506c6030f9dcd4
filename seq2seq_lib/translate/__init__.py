"""From text to text: ``Translator``, and a command that trains, translates and evaluates.

python -m seq2seq_lib.translate train --languages de en --checkpoint de-en.pt
python -m seq2seq_lib.translate translate --checkpoint de-en.pt "Ein Hund läuft im Schnee."
python -m seq2seq_lib.translate evaluate --checkpoint de-en.pt

Your own text, in two files or in one with columns; the first command trains nothing:
python -m seq2seq_lib.translate train --train my.de my.en --check
python -m seq2seq_lib.translate train --train my.de my.en --checkpoint my.pt
python -m seq2seq_lib.translate evaluate --checkpoint my.pt --test test.de test.en

Training with two processes, on two processors or two GPUs:
torchrun --nproc-per-node 2 -m seq2seq_lib.translate train --checkpoint de-en.pt
"""

from seq2seq_lib.translate.command import main
from seq2seq_lib.translate.recipe import (
    PLAIN,
    Recipe,
    default_checkpoint,
    load_translator,
    train,
)
from seq2seq_lib.translate.texts import raw_lines
from seq2seq_lib.translate.translator import Translation, Translator, bleu

__all__ = [
    "PLAIN",
    "Recipe",
    "Translation",
    "Translator",
    "bleu",
    "default_checkpoint",
    "load_translator",
    "main",
    "raw_lines",
    "train",
]
