"""A class's edition of the course: solutions of graded exercises are closed until a date or a key.

The repository itself is open. ``tools/teach.py release`` writes a copy in which a file
``edition.json`` stands beside this one, and in which the modules that hold answers are packed, so
that nobody reads them by accident. It is a curtain and no lock: the checks need the answers, so
they are on the learner's machine, and whoever wants to can unpack them.
"""

import base64
import datetime
import hashlib
import json
import linecache
import os
import zlib
from pathlib import Path
from typing import Any

from seq2seq_lib.course.judging.words import say

KEY = "SEQ2SEQ_SOLUTIONS"  # the variable in which a learner gives the teacher's key
FILE = Path(__file__).with_name("edition.json")
PACKED = "packed:"
_sources: dict[str, str] = {}


def closed(points: int) -> str:
    """Why the solution of an exercise with so many points is not shown; empty if it is."""
    if not points or not FILE.exists():
        return ""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    opens = told.get("opens", "")
    if opens and datetime.date.today().isoformat() >= opens:
        return ""
    if told.get("key") and hashed(os.environ.get(KEY, ""), told["salt"]) == told["key"]:
        return ""
    return say("closed_until", date=opens) if opens else say("closed")


def hashed(key: str, salt: str) -> str:
    """What is stored of a key."""
    return hashlib.scrypt(key.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()


def pack(text: str) -> str:
    """A text that is not read by accident."""
    return PACKED + base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def unpack(text: str) -> str:
    """What ``pack`` packed; other texts as they are."""
    if not text.startswith(PACKED):
        return text
    return zlib.decompress(base64.b85decode(text.removeprefix(PACKED))).decode()


def load(space: dict[str, Any], packed: str) -> None:
    """Run a packed module in its own namespace."""
    source = unpack(packed)
    _sources[space["__file__"]] = source
    exec(compile(source, space["__file__"], "exec"), space)


def open_sources() -> None:
    """Let ``inspect.getsource`` find the source of packed modules."""
    for file, source in _sources.items():
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
