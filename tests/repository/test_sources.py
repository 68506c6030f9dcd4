"""Every claim about other people's work has its line in docs/sources.md."""

import re
from datetime import date
from pathlib import Path

import pytest
from notebooks.chapters import chapters

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
LINK = re.compile(r"https?://[^\s<>)\]\"'`]+[^\s<>)\]\"'`.,;:]")


def texts() -> dict[str, str]:
    """What makes claims, by the name that docs/sources.md gives it."""
    found = {"README": (ROOT / "README.md").read_text(encoding="utf-8")}
    found["docs/laws"] = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
    for chapter in chapters():
        files = [chapter.source, chapter.solution_source]
        files += (ROOT / "seq2seq_lib" / "course" / chapter.stem).glob("*.toml")
        found[chapter.stem] = "\n".join(f.read_text(encoding="utf-8") for f in files if f.exists())
    return found


def links(text: str) -> set[str]:
    """The links of a text, apart from those that only recommend."""
    without = re.sub(r"(?ms)^(?:# )?## Further reading\n.*?(?=^(?:# )?## |\Z)", "", text)
    return set(LINK.findall(without))


def lines(sources: str) -> dict[str, tuple[str, str, set[str]]]:
    """By link: when it was read, what it says, where it is used."""
    found = {}
    for row in re.findall(r"^\| \[.*$", sources, flags=re.MULTILINE):
        link, read, says, used = (part.strip() for part in row.strip("| ").split(" | "))
        (address,) = LINK.findall(link)
        assert address not in found, f"two lines for {address}"
        found[address] = read, says, set(re.findall(r"`([^`]+)`", used))
    return found


def missing(texts: dict[str, str], sources: str) -> list[str]:
    """What the table lacks, and what it has too much, in sentences."""
    known = lines(sources)
    used = {(name, link) for name, text in texts.items() for link in links(text)}
    said = {(name, link) for link, (_, _, names) in known.items() for name in names}
    lacking = [
        f"{name} links to {link}: docs/sources.md says nothing of it" for name, link in used - said
    ]
    return lacking + [
        f"docs/sources.md: {link} is not used in {name}" for name, link in said - used
    ]


def test_every_link_has_its_line_and_every_line_its_link():
    found = missing(texts(), SOURCES)
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize("link", lines(SOURCES))
def test_a_line_has_a_date_and_says_something(link):
    read, says, used = lines(SOURCES)[link]
    assert read == "unread" or date(2026, 1, 1) <= date.fromisoformat(read) <= date.today()
    assert len(says.split()) >= 4 and used


TABLE = "| [a](https://a.org/x) | 2026-11-28 | that it is so | `ch04_x` |\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("See [a](https://a.org/x).", []),
        ("Nothing.", ["https://a.org/x is not used in ch04_x"]),
        ("[a](https://a.org/x), <https://b.org/y>.", ["ch04_x links to https://b.org/y:"]),
        ("# [a](https://a.org/x)\n# ## Further reading\n# [b](https://b.org)\n", []),
        (
            "https://a.org/x\n## Further reading\nhttps://b.org/y\n## 4.1 On\nhttps://c.org/z",
            ["ch04_x links to https://c.org/z:"],
        ),
    ],
)
def test_a_link_without_a_line_is_seen(text, says):
    found = missing({"ch04_x": text}, TABLE)
    assert len(found) == len(says)
    assert all(part in sentence for part, sentence in zip(says, found, strict=True))
