"""A chapter is a stem, ``chNN_name``: what stands under that stem in the folders belongs to it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from notebooks.paths import ROOT, notebook_of

STEM = re.compile(r"ch(\d\d)_[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Chapter:
    """A stem, and where its parts are or would be."""

    stem: str
    root: Path = ROOT

    @property
    def number(self) -> str:
        """ "4" for ch04_padding_masks, as the ids of its exercises begin."""
        return str(int(STEM.fullmatch(self.stem)[1]))

    @property
    def source(self) -> Path:
        return self.root / "chapters" / "_src" / f"{self.stem}.py"

    @property
    def notebook(self) -> Path:
        return notebook_of(self.source)

    @property
    def solution_source(self) -> Path:
        return self.root / "solutions" / "_src" / f"{self.stem}.py"

    @property
    def solution(self) -> Path:
        return notebook_of(self.solution_source)

    @property
    def exercise(self) -> Path:
        """What nbgrader releases from the solution."""
        return self.root / "exercises" / self.stem / f"{self.stem}.ipynb"

    @property
    def package(self) -> Path:
        return self.root / "seq2seq_lib" / "course" / self.stem

    @property
    def tests(self) -> Path:
        return self.root / "tests" / "course" / self.stem

    @property
    def title(self) -> str:
        """The first heading of the notebook, such as "4. Padding masks"."""
        for cell in json.loads(self.notebook.read_text(encoding="utf-8"))["cells"]:
            heading = re.search(r"^# (.+)$", "".join(cell["source"]), flags=re.MULTILINE)
            if cell["cell_type"] == "markdown" and heading:
                return heading.group(1).strip()
        raise SystemExit(f"{self.notebook.name} has no markdown cell with a heading '# ...'")


def chapters(root: Path = ROOT) -> list[Chapter]:
    """Every chapter of which anything exists, in order."""
    places = (
        "chapters/_src/*.py", "chapters/*.ipynb", "solutions/_src/*.py", "solutions/*/*.ipynb",
        "exercises/*/*.ipynb", "seq2seq_lib/course/*/*.*", "tests/course/*/*.*",
    )  # fmt: skip
    found = [path.relative_to(root) for place in places for path in root.glob(place)]
    names = {name for path in found for name in (path.stem, path.parent.name)}
    return [Chapter(name, root) for name in sorted(names) if STEM.fullmatch(name)]
