"""The code in docs/laws.md runs, and prints what stands there."""

import contextlib
import io
import re
from pathlib import Path

import torch

from seq2seq_lib import laws

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "laws.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def without_numbers(text: str) -> str:
    """The weights are random: what differs is fixed, and by how much is not."""
    return re.sub(r"\d+(\.\d+)?(e-\d+)?", "#", text)


def test_the_document_does_what_it_says():
    torch.manual_seed(0)
    names, printed = {}, ""
    for kind, block in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")):
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(block, DOCUMENT.name, "exec"), names)
            printed = output.getvalue()
        else:
            assert without_numbers(printed) == without_numbers(block)


def test_ten_lines_are_enough():
    first = BLOCK.search(DOCUMENT.read_text(encoding="utf-8"))[2]
    assert len([line for line in first.splitlines() if line.strip()]) <= 10


def test_every_law_is_in_the_table():
    text = DOCUMENT.read_text(encoding="utf-8")
    functions = re.findall(r"^\| (\d) \| `(\w+)\(", text, re.MULTILINE)
    assert [number for number, _ in functions] == list("1234567")
    assert all(callable(getattr(laws, name)) for _, name in functions)
