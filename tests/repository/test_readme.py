"""What README.md shows is true: its Python is run, its commands exist."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_of_the_laws_finds_the_padding_bug(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "BROKEN" in printed
    assert "final state" in printed


def test_every_law_has_its_row():
    rows = re.findall(r"^\| (\d) ([a-z =]+) \| .+ \|$", README, flags=re.MULTILINE)
    assert [int(number) for number, _ in rows] == [1, 2, 3, 4, 5, 6, 7]


def test_the_subcommands_of_translate_exist():
    named = set(re.findall(r"python -m seq2seq_lib\.translate ([a-z]+)", README))
    assert named == {"train", "evaluate", "translate"}
    shown = subprocess.run(
        [sys.executable, "-m", "seq2seq_lib.translate", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert all(name in shown for name in named)
