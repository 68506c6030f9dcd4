"""Links to files lead somewhere: in notebooks, and in every text of the repository."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chapters", "solutions", "exercises")
NOTEBOOKS = [
    path
    for top in FOLDERS
    for path in sorted(ROOT.glob(f"{top}/**/*.ipynb"))
    if ".ipynb_checkpoints" not in path.parts  # what JupyterLab leaves behind
]
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]

CODE = re.compile(r"^( *)(```+|~~~+).*?^\1\2|(`+)[^`].*?\3", re.MULTILINE | re.DOTALL)
TARGETS = (
    re.compile(r"\]\(\s*<?([^)>\s]+)"),  # [words](target "title"), and pictures
    re.compile(r"^\[[^\]]+\]:\s*<?([^>\s]+)", re.MULTILINE),  # [name]: target
    re.compile(r"<(?:a|img)\b[^>]*?\b(?:href|src)=[\"']([^\"']+)"),
)


def markdown(path: Path) -> str:
    """The prose of a notebook or of a text."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def dead(text: str, folder: Path) -> list[str]:
    """The links of a text in this folder that lead to no file; those into the web are not asked."""
    prose = CODE.sub("", text)
    targets = [target for pattern in TARGETS for target in pattern.findall(prose)]
    files = [t.partition("#")[0] for t in targets if not re.match(r"[a-z][a-z0-9+.-]*:", t)]
    return [file for file in files if file and not (folder / file).exists()]


@pytest.mark.parametrize("path", [*NOTEBOOKS, *TEXTS], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_to_files_lead_somewhere(path):
    lost = dead(markdown(path), path.parent)
    name = path.relative_to(ROOT).as_posix()
    assert not lost, f"{name} links to {', '.join(lost)}: no such file, seen from its own folder"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("[a](there.md), [b](there.md#part) and [c](#part)", []),
        ("[a](https://a.org/x), [b](mailto:a@b.org), ![c](attachment:c.png)", []),
        ("[a](../gone/a.ipynb)", ["../gone/a.ipynb"]),
        ("![a](gone.png 'title')", ["gone.png"]),
        ("[a][1]\n\n[1]: gone.md", ["gone.md"]),
        ("<img alt='' src='gone.svg'>", ["gone.svg"]),
        ("`[a](gone.md)`\n```\n[a](gone.md)\n```\n[b](lost.md)", ["lost.md"]),
    ],
)
def test_a_dead_link_is_seen(tmp_path, text, lost):
    (tmp_path / "there.md").touch()
    assert dead(text, tmp_path) == lost
