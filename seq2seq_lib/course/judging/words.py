"""The words of a check: an exercise's own, from the TOML file beside it, and those of all.

A file ``exN_name.toml`` stands beside ``exN_name.py``::

    use = ["losses"]            # optional: findings also taken from losses.toml beside it
    correct = "..."
    solution = "..."            # the words; the code is read from the function
    [[hints]]                   # three: shapes, the call, a skeleton
    words = "..."
    code = '''...'''            # optional
    [findings.inverted]
    means = "... {row_sums} ..."
    asks = "...?"

Lines of a text may be broken anywhere; an empty line begins a paragraph. Braces are filled with the
facts of a finding. No text holds the code of a solution; the third hint is a skeleton with blanks.
"""

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HINTS = 3


@dataclass(frozen=True)
class Hint:
    """Words, and code below them where there is some."""

    words: str
    code: str = ""


@dataclass(frozen=True)
class Message:
    """What a finding means, and one question."""

    means: str
    asks: str


@dataclass(frozen=True)
class Words:
    """Everything that is said about one exercise.

    Attributes:
        correct: after a right answer.
        solution: why the reference is right.
        hints: three, each gives away more than the one before.
        findings: by name; a general finding of the same name is not used then.
    """

    correct: str
    solution: str
    hints: tuple[Hint, ...]
    findings: Mapping[str, Message]

    def message(self, finding: str, facts: Mapping[str, str] | None = None) -> Message:
        """Meaning and question of a finding: the exercise's own, else the general one.

        Args:
            facts: may choose between texts. A ``variant`` asks for ``finding_variant`` first, and
                where the code just stopped, the ``kind`` of its error chooses the question.

        Raises:
            KeyError: nobody has words for this finding.
        """
        facts = facts or {}
        names = [f"{finding}_{facts['variant']}"] if "variant" in facts else []
        names.append(finding)
        found = next(
            (said[name] for said in (self.findings, FINDINGS) for name in names if name in said),
            None,
        )
        if found is None:
            raise KeyError(
                f"Nothing is said about the finding {finding!r}: it stands neither in the "
                f"exercise's TOML nor in judging/words.toml. The exercise knows: "
                f"{', '.join(self.findings) or 'none'}."
            )
        if finding == "raised":
            return Message(found.means, ERRORS.get(facts.get("kind", ""), found.asks))
        return found


def words_beside(file: str, stem: str = "") -> Words:
    """The words that stand beside a module.

    Args:
        file: the module's ``__file__``.
        stem: of the TOML file, where a module holds several exercises; else it is the module's.

    Raises:
        FileNotFoundError: no such file.
        ValueError: what is wrong in it: the message names file and key.
    """
    path = Path(file).with_name(f"{stem or Path(file).stem}.toml")
    read = _read(path)
    _check_keys(path, "", read, {"use", "correct", "solution", "hints", "findings"})
    findings: dict[str, Message] = {}
    for other in _get(path, "", read, "use", list, []):
        shared = path.with_name(f"{other}.toml")
        if not shared.exists():
            raise ValueError(f"{path.name}: use names {other!r}, but there is no {shared.name}.")
        findings |= _findings(shared, _read(shared), allowed={"findings"})
    hints = tuple(
        _hint(path, number, hint)
        for number, hint in enumerate(_get(path, "", read, "hints", list, []), start=1)
    )
    if len(hints) != HINTS:
        raise ValueError(
            f"{path.name}: hints must be {HINTS} (shapes, the call, a skeleton), but there are "
            f"{len(hints)}. Each begins with a line [[hints]]."
        )
    return Words(
        prose(_get(path, "", read, "correct", str)),
        prose(_get(path, "", read, "solution", str)),
        hints,
        findings | _findings(path, read),
    )


def say(key: str, /, **facts: object) -> str:
    """A text of the checks themselves."""
    return SAYS[key].format(**facts)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is no TOML: {error}.") from error


def _check_keys(path: Path, where: str, table: dict, known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(
                f"{path.name}: unknown key {where + key!r}. Valid: {', '.join(sorted(known))}."
            )


def _get(path: Path, where: str, table: dict, key: str, kind: type, default: Any = None) -> Any:
    value = table.get(key, default)
    if value is None:
        raise ValueError(f"{path.name}: {where + key!r} is missing.")
    if not isinstance(value, kind):
        raise ValueError(
            f"{path.name}: {where + key!r} must be a {kind.__name__}, but it is {value!r}."
        )
    if kind is str and not value.strip():
        raise ValueError(f"{path.name}: {where + key!r} is empty.")
    return value


def _hint(path: Path, number: int, table: Any) -> Hint:
    where = f"hints[{number}]."
    if not isinstance(table, dict):
        raise ValueError(f"{path.name}: hint {number} must be a table with words, not {table!r}.")
    _check_keys(path, where, table, {"words", "code"})
    code = table.get("code", "")
    return Hint(prose(_get(path, where, table, "words", str)), code.strip("\n"))


def _findings(path: Path, read: dict, allowed: set[str] | None = None) -> dict[str, Message]:
    if allowed:
        _check_keys(path, "", read, allowed)
    found = {}
    for name, table in _get(path, "", read, "findings", dict, {}).items():
        where = f"findings.{name}."
        if not isinstance(table, dict):
            raise ValueError(f"{path.name}: 'findings.{name}' must be a table, not {table!r}.")
        _check_keys(path, where, table, {"means", "asks"})
        means, asks = (prose(_get(path, where, table, key, str)) for key in ("means", "asks"))
        for key, text in (("means", means), ("asks", asks)):
            _check_braces(path, where + key, text)
        found[name] = Message(means, asks)
    return found


def _check_braces(path: Path, key: str, text: str) -> None:
    try:
        fields = [field for _, field, *_ in string.Formatter().parse(text) if field is not None]
    except ValueError as error:
        raise ValueError(f"{path.name}: {key!r} has an odd brace: {error}.") from error
    for field in fields:
        if not field.isidentifier():
            raise ValueError(
                f"{path.name}: {key!r} has {{{field}}}, which names no fact. A brace that is meant "
                "as such is written twice."
            )


def prose(text: str) -> str:
    """Lines joined, so that a file may break them where it likes; a paragraph stays one."""
    return "\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


_path = Path(__file__).with_suffix(".toml")
_general = _read(_path)
SAYS = {key: prose(text) for key, text in _general["says"].items()}
ERRORS = {key: prose(text) for key, text in _general["errors"].items()}
FINDINGS = _findings(_path, _general)
