"""Chapter 9.6: two translators of Multi30k, German to English, and one table for both.

python -m benchmarks.real_text            # prints it; about ten minutes on a slow core
python -m benchmarks.real_text --write    # keeps it in results/real_text.json

The corpus is found or fetched as `corpora.multi30k` says. No sentence of it is kept, only numbers.
"""

import argparse
import datetime
import json
import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.report import write_whole
from seq2seq_lib.corpora import Corpus, multi30k
from seq2seq_lib.course.ch09_real_translation import real_text
from seq2seq_lib.translate import train

RESULT = Path(__file__).parent / "results" / "real_text.json"
SYSTEMS = {  # pairs, epochs, seed
    "A": {"num_train": 29_000, "epochs": 3, "seed": 2},
    "B": {"num_train": 12_000, "epochs": 4, "seed": 1},
}


def measure(
    published: Corpus, num_train: int, epochs: int, seed: int, num_test: int = 1000
) -> dict:
    """Train one system, translate the test set, and keep the numbers."""
    words = multi30k(real_text.LANGUAGES)
    part = Corpus(words.name, words.train[:num_train], words.valid, words.test)
    start = time.process_time()
    settings = replace(real_text.recipe(seed), epochs=epochs)
    translator, _ = train(part, settings, progress=False)
    seconds = time.process_time() - start
    scored = real_text.score(translator, published, num_test)
    alone = [translator([source])[0] for (source,) in (p.source for p in published.test[:20])]
    same = sum(a.target == b.target for a, b in zip(alone, scored.translations, strict=False))
    return {
        "num_train": num_train, "epochs": epochs, "seed": seed, "cpu_seconds": round(seconds, 1),
        "rows": {name: round(number, 2) for name, number in scored.rows.items()},
        "sizes": scored.sizes, "alone_as_in_the_batch": same,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    real = real_text.find()
    if real.corpus is None:
        raise SystemExit(real.why)
    kept = {"date": str(datetime.date.today()), "torch": torch.__version__, "systems": {}}
    for name, settings in SYSTEMS.items():
        kept["systems"][name] = measure(real.corpus, **settings)
        print(name, json.dumps(kept["systems"][name], indent=1), flush=True)
        if arguments.write:
            write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
