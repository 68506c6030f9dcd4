"""The glossary and the index of symptoms point at what exists and says so."""

import ast
import re
from pathlib import Path

from notebooks.chapters import chapters

from seq2seq_lib import laws
from tests.repository.test_links import markdown

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[(\d+)\]\(\.\./(chapters/(ch\d+_\w+)\.ipynb)\)")


def rows(name: str) -> list[list[str]]:
    """The cells of the tables of ``docs/name``, without their heads."""
    lines = (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    return [row for row in cells if LINK.search(" ".join(row))]


def names(path: Path) -> set[str]:
    """Functions and classes that a Python file defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def law_numbers(text: str) -> set[str]:
    """{"5", "6"} of "laws 5 and 6"."""
    groups = re.findall(r"laws? ([\d and,]+)", text)
    return {digit for group in groups for digit in re.findall(r"\d", group)}


# Which function is which law, as docs/laws.md has it.
LAWS = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
NUMBER = {name: n for n, name in re.findall(r"^\| (\d) \| `(\w+)\(", LAWS, re.MULTILINE)}
GLOSSARY, SYMPTOMS = rows("glossary.md"), rows("symptoms.md")


def test_the_glossary_is_in_order_and_says_each_word_once():
    terms = [row[0].casefold() for row in GLOSSARY]
    assert len(terms) > 50
    assert terms == sorted(set(terms))


def test_a_chapter_uses_the_words_that_the_glossary_sends_there():
    prose: dict[str, str] = {}
    wrong = []
    for term, chinese, meaning, link in GLOSSARY:
        number, path, stem = LINK.search(link).groups()
        if path not in prose:
            prose[path] = re.sub(r"\s+", " ", markdown(ROOT / path)).casefold()
        missing = [word for word in term.split(", ") if word.casefold() not in prose[path]]
        if int(number) != int(stem[2:4]) or not chinese or not meaning or missing:
            wrong.append(f"{term}: chapter {number} does not say {missing}")
    assert not wrong, "\n".join(wrong)


def test_each_chapter_has_a_word_in_the_glossary():
    linked = {LINK.search(row[3])[3] for row in GLOSSARY}
    assert linked >= {c.stem for c in chapters(ROOT)} - {"ch00_start_here"}


def test_a_symptom_leads_to_a_law_a_chapter_and_a_test():
    wrong = []
    for symptom, _, ask, chapter, kept in SYMPTOMS:
        number, _, stem = LINK.search(chapter).groups()
        if int(number) != int(stem[2:4]):
            wrong.append(f"{symptom}: {chapter}")
        functions = re.findall(r"`(\w+)(?:\(.*?\))?`", ask)
        for name in functions:
            if not hasattr(laws, name):
                wrong.append(f"{symptom}: seq2seq_lib.laws has no {name}")
        if law_numbers(ask) != {NUMBER[name] for name in functions if name in NUMBER}:
            wrong.append(f"{symptom}: {ask} names a law by another's number")
        for file, name in re.findall(r"`(\w+)\.(\w+)`", kept):
            if not any(name in names(path) for path in (ROOT / "tests").rglob(f"{file}.py")):
                wrong.append(f"{symptom}: {file}.py has no {name}")
    assert not wrong, "\n".join(wrong)


def test_every_law_has_a_symptom():
    assert set().union(*(law_numbers(row[2]) for row in SYMPTOMS)) == set(NUMBER.values())


def test_the_numbers_of_the_scoreboard_stand_in_their_chapters():
    wrong = []
    for _, model, match, seconds, link in rows("scoreboard.md"):
        number, _, stem = LINK.search(link).groups()
        source = (ROOT / "chapters" / "_src" / f"{stem}.py").read_text(encoding="utf-8")
        board = [line for line in source.splitlines() if re.match(r"# +\|", line)]
        bleu = re.findall(r"BLEU ([\d.]+)", model)
        cells = [{c.strip() for c in line.strip("# |").split("|")} for line in board]
        wanted = {match, *bleu, *([seconds] if seconds else [])}
        if not any(wanted <= row for row in cells):
            wrong.append(f"chapter {number}: no row of a table has {sorted(wanted)}")
    assert not wrong, "\n".join(wrong)
