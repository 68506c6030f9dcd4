"""A learner's own notes of what is done: one small JSON file on their machine, sent nowhere.

``SEQ2SEQ_PROGRESS`` names another file, or is ``off``. Nothing depends on it: a file that cannot be
read or written is left alone, silently.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from seq2seq_lib._files import write_whole
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import say

VARIABLE = "SEQ2SEQ_PROGRESS"


def path() -> Path | None:
    """The file, or None if none is wanted."""
    name = os.environ.get(VARIABLE)
    if name is None:
        import pooch  # knows each system's folder for such files

        return Path(pooch.os_cache("seq2seq_lib")) / "progress.json"
    return None if name.strip().lower() in ("", "0", "off", "no") else Path(name).expanduser()


def load() -> dict[str, dict]:
    """Notes by exercise: ``first`` and ``solved`` (seconds since 1970), ``tries``, ``assisted``."""
    try:
        notes = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError, AttributeError, RuntimeError):
        return {}
    return notes if isinstance(notes, dict) else {}


def record(exercise_id: str, state: str = "", assisted: bool = False) -> None:
    """Note one check, or that the solution was looked at before the exercise was solved."""
    try:
        file = path()
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(file.parent):
            notes = load()
            note = notes.setdefault(exercise_id, {"first": int(time.time()), "tries": 0})
            if state in ("partly", "wrong", "error", "correct"):
                note["tries"] += 1
            if "solved" not in note:
                if assisted:
                    note["assisted"] = True
                if state == "correct":
                    note["solved"] = int(time.time())
            write_whole(file, json.dumps(notes, indent=1))  # a reader never sees a half
    except Exception:  # a full disk, a home that cannot be written: no reason to fail a check
        return


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two notebooks that note something at once: the second waits, at most a second.

    The folder itself is locked, so that no file is left over. Where that is not possible (Windows,
    some network disks) the later one wins.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(100):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)  # which unlocks it


def progress(exercises: Iterable[Exercise]) -> None:
    """Print what is done: solved or not, checks made, minutes needed."""
    notes = load()
    for exercise in exercises:
        note = notes.get(exercise.id, {})
        state = "solved" if "solved" in note else "open"
        parts = [say(state), say("tries", tries=note.get("tries", 0))]
        if "solved" in note:
            minutes = max(1, round((note["solved"] - note["first"]) / 60))
            parts.append(say("minutes", minutes=minutes))
        if note.get("assisted"):
            parts.append(say("assisted"))
        print(f"{exercise.id:6} {exercise.title:40} {', '.join(parts)}")
