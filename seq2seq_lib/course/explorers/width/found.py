"""What searches of nine widths find for eight sources, computed once: ``found.json``.

    python -m seq2seq_lib.course.explorers.width.found    # searches anew, a few minutes

Exact search asks the model thousands of times for some sources, too long for a slider.
"""

import functools
import json
import sys
from pathlib import Path

import torch

from seq2seq_lib._files import write_whole
from seq2seq_lib.course.assets.keywords import keyword_model
from seq2seq_lib.decoding import Hypothesis, beam_search, best_first_search
from seq2seq_lib.vocab import EOS_ID

FILE = Path(__file__).with_name("found.json")
SOURCES = ("cat", "king", "horses", "dogs", "owls boat", "king dog", "horse game", "bees bear")
WIDTHS = (1, 2, 3, 5, 10, 20, 50)
EXACT = 0  # in place of a width
PENALTIES = (0.0, 0.6, 1.0)
LONGEST, SHOWN = 20, 5  # tokens of an output, outputs of a search


class _Counted:
    """The model, with a counter of calls."""

    def __init__(self, model) -> None:
        self.model, self.calls = model, 0

    def start(self, src, src_lengths):
        return self.model.start(src, src_lengths)

    def step(self, tokens, state):
        self.calls += 1
        return self.model.step(tokens, state)


def search(source: str, width: int, alpha: float) -> dict:
    """Calls of the model, and the outputs: words, and a log-probability a token, EOS last."""
    made = keyword_model()
    ids = [*made.src_vocab.encode(source.split()), EOS_ID]
    batch = torch.tensor([ids]), torch.tensor([len(ids)])
    counted = _Counted(made.model)
    with torch.no_grad():
        if width == EXACT:
            (hyps,) = best_first_search(counted, *batch, max_new_tokens=LONGEST)
        else:
            (hyps,) = beam_search(
                counted,
                *batch,
                num_beams=width,
                n_best=min(width, SHOWN),
                max_new_tokens=LONGEST,
                length_penalty=alpha,
            )
    return {"calls": counted.calls, "outputs": [_shown(hyp) for hyp in hyps]}


def _shown(hyp: Hypothesis) -> list:
    words = keyword_model().tgt_vocab.decode(hyp.tokens)
    return [" ".join(words), [round(lp, 3) for lp in hyp.token_log_probs]]


def key(source: str, width: int, alpha: float) -> str:
    """Of an entry; exact search knows no penalty here."""
    return f"{source}|{width}|{0.0 if width == EXACT else alpha}"


@functools.cache
def found() -> dict[str, dict]:
    """All entries by their key."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def main() -> int:
    torch.set_num_threads(1)
    entries = {}
    for source in SOURCES:
        for width in (*WIDTHS, EXACT):
            for alpha in PENALTIES[: 1 if width == EXACT else None]:
                entries[key(source, width, alpha)] = search(source, width, alpha)
        print(source, entries[key(source, EXACT, 0.0)], flush=True)
    lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
    write_whole(FILE, "{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
