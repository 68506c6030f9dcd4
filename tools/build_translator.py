"""Train the small translator that the library ships, and three more systems whose outputs it ships.

python tools/build_translator.py

All of it is generated data. It takes half a minute on one quiet core and needs no network. Another
processor or version of PyTorch may round differently, so the tests judge what the files can do.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from seq2seq_lib._files import write_whole, written_whole
from seq2seq_lib.corpora import detokenize
from seq2seq_lib.course.assets import translation
from seq2seq_lib.metrics import corpus_bleu
from seq2seq_lib.training import load_checkpoint, save_checkpoint
from seq2seq_lib.translate import Translator, load_translator, train

ENOUGH_BLEU = 70  # of each system


def train_system(system: translation.System, path: Path | None = None) -> Translator:
    """Train one of the systems of chapter 9; with a path, write its weights, vocabularies, pieces.

    The file holds no optimiser: it can translate, and its training cannot be resumed.
    """
    corpus = translation.phrase_corpus(system.num_train)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.pt")
        train(corpus, system.recipe(), checkpoint_path=whole, progress=False)
        if path is not None:
            checkpoint = load_checkpoint(whole)
            save_checkpoint(
                path,
                checkpoint.build(),
                src_vocab=checkpoint.src_vocab,
                tgt_vocab=checkpoint.tgt_vocab,
                extra=checkpoint.extra | {"recipe": asdict(system.recipe())},
            )
        return load_translator(whole)


def build_translation(path: Path, outputs: Path) -> dict[str, float]:
    """Train the systems of chapter 9, write the first and what all of them make of the test set.

    Returns:
        name of each system -> its BLEU.

    Raises:
        RuntimeError: the one to be shipped is not good enough; then nothing is written.
    """
    pairs = translation.phrase_corpus().test
    sources, references = ([detokenize(side) for side in sides] for sides in zip(*(
        (pair.source, pair.target) for pair in pairs), strict=True))  # fmt: skip
    made: dict[tuple, Translator] = {}
    kept, scores = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        shipped = Path(folder, "shipped.pt")
        for name, system in translation.SYSTEMS.items():
            training = system._replace(num_beams=0)
            if training not in made:
                made[training] = train_system(system, None if made else shipped)
            found = made[training](sources, num_beams=system.num_beams)
            kept[name] = [one.text for one in found]
            scores[name] = corpus_bleu(kept[name], references).score
        if min(scores.values()) < ENOUGH_BLEU:
            raise RuntimeError(f"BLEU {min(scores.values()):.1f} is too low: nothing written.")
        with written_whole(path) as file:
            file.write(shipped.read_bytes())
    text = json.dumps(kept, ensure_ascii=False, indent=0)
    write_whole(outputs, text + "\n")
    return scores


def main() -> int:
    torch.set_num_threads(1)  # two threads on a shared core make nn.GRU many times slower
    scores = build_translation(translation.TRANSLATOR, translation.OUTPUTS)
    for file in (translation.TRANSLATOR, translation.OUTPUTS):
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")
    print(", ".join(f"{name}: BLEU {score:.2f}" for name, score in scores.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
