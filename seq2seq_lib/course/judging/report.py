"""How a result is shown: rich where a notebook shows it, plain text elsewhere, the same words."""

import sys
import textwrap
from dataclasses import dataclass

from seq2seq_lib import _card

SYMBOLS = {"correct": "✓", "partly": "◐", "wrong": "✗", "error": "!", "not_attempted": "○", "": "·"}
EDGES = {
    "correct": _card.GREEN,
    "partly": _card.ORANGE,
    "wrong": _card.ORANGE,
    "error": _card.ORANGE,
    "not_attempted": _card.GREY,
    "": _card.BLUE,
}


@dataclass(frozen=True)
class Report:
    """A heading, labelled lines, and code where there is some.

    Attributes:
        state: of the check; empty for a hint or a solution.
        heading: without the symbol.
        lines: (label, text); a label may be empty.
        code: shown as it is, below.
    """

    state: str
    heading: str
    lines: tuple[tuple[str, str], ...] = ()
    code: str = ""

    @property
    def text(self) -> str:
        """The plain text."""
        parts = [f"{SYMBOLS[self.state]} {self.heading}"]
        for label, line in self.lines:
            head = f"  {label}: " if label else "  "
            parts += [
                textwrap.fill(
                    part,
                    96,
                    initial_indent=head if first else "    ",
                    subsequent_indent="    " if label else "  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                for first, part in zip(
                    [True] + [False] * line.count("\n"), line.split("\n"), strict=True
                )
            ]
        if self.code:
            parts += ["", textwrap.indent(self.code.rstrip("\n"), "    ")]
        return "\n".join(parts)

    @property
    def html(self) -> str:
        """The same words as a card."""
        heading = f"{SYMBOLS[self.state]} {self.heading}"
        return _card.card(EDGES[self.state], heading, self.lines, self.code)

    def print(self) -> None:
        """The plain text to stdout, with ? for a symbol that a console cannot write."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(self.text.encode(encoding, "replace").decode(encoding))

    def show(self) -> None:
        """Display it in a notebook, print it elsewhere."""
        shell = _shell()
        if shell is None:
            self.print()
            return
        from IPython.display import display

        display({"text/plain": self.text, "text/html": self.html}, raw=True)


def _shell():
    # asked of what is loaded: a script that never imported IPython does not start to
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None
