"""How a result is shown: rich where a notebook shows it, plain text elsewhere, the same words."""

import html
import sys
import textwrap
from dataclasses import dataclass

SYMBOLS = {"correct": "✓", "partly": "◐", "wrong": "✗", "error": "!", "not_attempted": "○", "": "·"}
# One line at the left tells the states apart beside symbol and word. These hues have a contrast
# above 3 : 1 on white and on JupyterLab's dark background; text keeps the theme's own colour.
EDGES = {
    "correct": "#2f8f5b",
    "partly": "#c2681c",
    "wrong": "#c2681c",
    "error": "#c2681c",
    "not_attempted": "#7a7f87",
    "": "#4a7fc1",
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
        """The same words. No background and no text colour: light and dark themes keep theirs."""
        edge = EDGES[self.state]
        parts = [
            f'<div role="status" style="border-left:4px solid {edge};padding:2px 12px">',
            f"<div><strong>{SYMBOLS[self.state]} {_escape(self.heading)}</strong></div>",
        ]
        for label, line in self.lines:
            head = f"<em>{_escape(label)}:</em> " if label else ""
            parts.append(f'<div style="margin-top:4px">{head}{_escape(line)}</div>')
        if self.code:
            parts.append(f'<pre style="margin-top:8px">{html.escape(self.code)}</pre>')
        return "".join([*parts, "</div>"])

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


def _escape(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _shell():
    # asked of what is loaded: a script that never imported IPython does not start to
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None
