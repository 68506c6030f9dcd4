"""Relative links in Markdown: to pages as pages, to other files as downloads."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

# A fence, a link (its words may hold code), or code: whichever begins first.
PARTS = re.compile(
    r"^```.*?^```"
    r"|(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)"
    r"|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Links:
    """Which file of the repository is which page.

    Attributes:
        root: the repository.
        source: the folder that Sphinx reads.
        pages: path in the repository -> path in ``source``, both relative.
    """

    root: Path
    source: Path
    pages: dict[Path, Path]

    def rewritten(self, text: str, origin: Path, page: Path) -> str:
        """The text of ``origin`` as it must stand in ``page``; other files are copied along."""

        def link(match: re.Match) -> str:
            bang, words, target, anchor = match.groups()
            if words is None or re.match(r"[a-z]+:", target):
                return match[0]
            # notebooks name a heading as it stands, Sphinx in lower case
            anchor = re.sub(r"[^\w#-]", "", anchor or "").lower()
            path = Path(os.path.normpath(origin.parent / target)) if target else origin
            if path.is_absolute() or not (self.root / path).exists():
                return match[0]
            if path in self.pages:
                to = self._from(page, self.pages[path]) if target else ""
                return f"{bang}[{words}]({to}{anchor})"
            if (self.root / path).is_dir():
                readme = path / "README.md"
                if readme in self.pages:
                    return f"[{words}]({self._from(page, self.pages[readme])})"
                return words
            copy = Path("_files") / path
            (self.source / copy).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.root / path, self.source / copy)
            return f"{bang}[{words}]({self._from(page, copy)})"

        return PARTS.sub(link, text)

    @staticmethod
    def _from(page: Path, target: Path) -> str:
        return Path(os.path.relpath(target, page.parent)).as_posix()
