"""What each chapter says of itself."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seq2seq_lib.course.atlas.laws import LAWS

FOLDER = Path(__file__).parents[1]
FACTS = {"title": str, "minutes": int, "needs": list, "laws": list}


@dataclass(frozen=True)
class Entry:
    """A chapter on the map.

    Attributes:
        number, stem: 4 and ``"ch04_padding_masks"``.
        title: without its number.
        minutes: to read.
        needs: numbers of the chapters to read before.
        laws: numbers of the laws that it meets.
    """

    number: int
    stem: str
    title: str
    minutes: int
    needs: tuple[int, ...]
    laws: tuple[int, ...]


def entries(folder: Path = FOLDER) -> list[Entry]:
    """Every chapter with a ``chapter.toml`` in this folder, by number.

    Raises:
        ValueError: a file that lacks a fact, or holds another one; the message names the file.
    """
    found = []
    for path in sorted(folder.glob("ch[0-9][0-9]_*/chapter.toml")):
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        wrong = [name for name, kind in FACTS.items() if not isinstance(facts.get(name), kind)]
        wrong += sorted(facts.keys() - FACTS.keys())
        wrong += [f"law {law}" for law in facts.get("laws", ()) if law not in LAWS]
        if wrong:
            raise ValueError(
                f"{path}: look at {', '.join(wrong)}. Wanted are a title, minutes (a number), "
                f"needs (numbers of chapters) and laws (of {min(LAWS)} to {max(LAWS)})."
            )
        stem = path.parent.name
        facts |= {name: tuple(facts[name]) for name in ("needs", "laws")}
        found.append(Entry(int(stem[2:4]), stem, **facts))
    return found


def in_words(numbers: Sequence[int]) -> str:
    """``"chapters 1, 4"``."""
    one = len(numbers) == 1
    return f"chapter{'' if one else 's'} {', '.join(map(str, numbers))}"
