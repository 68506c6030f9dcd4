"""Everything that writes a file which is kept, each told to write a number and to read it back.

``python -m tests.support.writers kill FOLDER TIMES`` writes and is killed, again and again;
``... race FOLDER TIMES`` writes while another process does the same.
"""

import contextlib
import csv
import importlib.util
import itertools
import json
import mmap
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from notebooks.paths import write_atomically

from benchmarks.latent_schedules import write_models
from benchmarks.report import write_whole as write_result
from seq2seq_lib.course.judging import progress_file
from seq2seq_lib.latent.sentences import write_lines as write_sentences
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.vocab import Vocab

LINES = 20_000  # some 100 kB, so that a disk fills in the middle


@dataclass(frozen=True)
class Writer:
    """``write(path, n)`` for n = 1, 2, …; ``read(path)`` gives n, and fails for half a file."""

    name: str
    write: Callable[[Path, int], None]
    read: Callable[[Path], int]
    error: type[Exception] | None  # where nothing can be written; None: it says nothing


def _write_checkpoint(path: Path, number: int) -> None:
    model = Seq2Seq(Seq2SeqConfig(7, 7, embed_size=4, hidden_size=4))
    save_checkpoint(path, model, extra={"number": torch.full((LINES,), number)})


def _read_checkpoint(path: Path) -> int:
    numbers = load_checkpoint(path).extra["number"]
    assert len(numbers) == LINES and len(numbers.unique()) == 1
    return int(numbers[0])


def _write_vocabulary(path: Path, number: int) -> None:
    Vocab(f"{number} {line}" for line in range(LINES // 2)).save(path)


def _read_vocabulary(path: Path) -> int:
    tokens = Vocab.load(path).tokens[4:]
    assert len(tokens) == LINES // 2
    return _all_the_same([token.split()[0] for token in tokens])


def _write_notes(path: Path, number: int) -> None:
    os.environ[progress_file.VARIABLE] = str(path)
    if number == 1:  # what else was done
        path.write_text(json.dumps({"x" * 5 * LINES: {}}), encoding="utf-8")
    progress_file.record("1.1", "wrong")


def _read_notes(path: Path) -> int:
    os.environ[progress_file.VARIABLE] = str(path)
    return progress_file.load()["1.1"]["tries"]


class _Course:
    """As much of a class's course as its notes ask for: where they are kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def notes(self, assignment: str) -> Path:
        return self.path


def _write_class_notes(path: Path, number: int) -> None:
    from classroom.grade import write_notes

    notes = {f"learner {i}": {"fingerprint": str(number)} for i in range(LINES // 8)}
    write_notes(_Course(path), "chapter", notes)


def _read_class_notes(path: Path) -> int:
    from classroom.grade import read_notes

    notes = read_notes(_Course(path), "chapter")
    assert len(notes) == LINES // 8
    return _all_the_same([note["fingerprint"] for note in notes.values()])


def _write_grades(path: Path, number: int) -> None:
    from classroom.handback import Row, write_table

    write_table([Row(f"learner {i}", str(number), "graded") for i in range(LINES // 8)], path)


def _read_grades(path: Path) -> int:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == LINES // 8
    return _all_the_same([row["chapter"] for row in rows])


def _write_models(path: Path, number: int) -> None:
    write_models({"model": {"number": torch.full((LINES,), number)}}, path)


def _read_models(path: Path) -> int:
    return int(torch.load(path, weights_only=True)["model"]["number"].unique().item())


def _text(number: int) -> str:
    return f"{number}\n" * LINES


def _read_text(path: Path) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == LINES
    return _all_the_same(lines)


def _all_the_same(numbers: list[str]) -> int:
    (number,) = set(numbers)
    return int(number)


WRITERS = {
    writer.name: writer
    for writer in (
        Writer("checkpoint", _write_checkpoint, _read_checkpoint, CheckpointError),
        Writer("vocabulary", _write_vocabulary, _read_vocabulary, OSError),
        Writer("sentences", lambda p, n: write_sentences(p, _text(n)), _read_text, Exception),
        Writer("notebook", lambda p, n: write_atomically(p, _text(n)), _read_text, OSError),
        Writer("result", lambda p, n: write_result(p, _text(n)), _read_text, OSError),
        Writer("models", _write_models, _read_models, Exception),
        Writer("progress", _write_notes, _read_notes, None),
        *(
            (
                Writer("class notes", _write_class_notes, _read_class_notes, OSError),
                Writer("grades", _write_grades, _read_grades, OSError),
            )
            if importlib.util.find_spec("nbgrader")  # the extra with which one grades a class
            else ()
        ),
    )
}


def kill_each(folder: Path, times: int) -> None:
    """Be killed while writing: ``times`` times each writer by each signal; print what is found.

    After each time, what is there is what was written last or the one before.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this
    rng, found = random.Random(0), {}
    for writer in WRITERS.values():
        for number in SIGNALS:
            inside = folder / f"{writer.name} {number.name}"
            inside.mkdir()
            found[inside.name] = _kill(writer, inside / "file", number, times, rng)
    print(json.dumps(found))


def _kill(writer: Writer, path: Path, number: int, times: int, rng: random.Random) -> dict:
    started = time.perf_counter()
    writer.write(path, 1)
    seconds = time.perf_counter() - started
    last, begun = 1, mmap.mmap(-1, 8)  # shared with the child: what it writes now
    for _ in range(times):
        begun[:8] = last.to_bytes(8, "big")
        child = os.fork()
        if child == 0:
            with contextlib.suppress(KeyboardInterrupt):
                for new in itertools.count(last + 1):
                    begun[:8] = new.to_bytes(8, "big")
                    writer.write(path, new)
            os._exit(0)
        while int.from_bytes(begun[:8], "big") < last + 2:  # until one is written
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 2 * seconds))
        os.kill(child, number)
        os.waitpid(child, 0)
        now = int.from_bytes(begun[:8], "big")
        found = writer.read(path)
        assert last <= found and found in (now - 1, now), (path, last, found, now)
        last = found
    beside = [left.name for left in path.parent.iterdir() if left != path]
    writer.write(path, last + 1)
    assert writer.read(path) == last + 1
    after = [left.name for left in path.parent.iterdir() if left != path]
    return {"written": last, "left by the kills": beside, "left after the next write": after}


def race_each(folder: Path, times: int) -> None:
    """Write while another process writes the same files."""
    for writer in WRITERS.values():
        path = folder / writer.name
        for number in range(2, times + 2):
            writer.write(path, number)
            assert writer.read(path) > 1, path


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) if os.name == "posix" else ()

if __name__ == "__main__":
    {"kill": kill_each, "race": race_each}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
