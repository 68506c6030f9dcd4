"""Cells that open an explorer, and the tables from which a page without a kernel shows it."""

import ast
import importlib
import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

EXPLORERS = "seq2seq_lib.course.explorers"
CALL = re.compile(r'`(\w+)\("(\w+)"\)`')


@dataclass(frozen=True)
class Opened:
    """What a cell opens: an explorer, its state, what is locked."""

    name: str
    state: str
    lock: tuple[str, ...]
    title: str


def opened_by(code: str, names: dict[str, str]) -> Opened | None:
    """The explorer that a cell opens, if it does nothing else; None for any other cell.

    A translation box is none: it asks the model of its chapter, which a page does not have.

    Args:
        names: what ``explore`` is called so far in this notebook -> the explorer's module. Cells
            above have filled it, and this one adds to it.
    """
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a magic such as %pip
        return None
    match body:
        case [ast.ImportFrom(module=str(module), names=[alias]), *rest] if (
            module.startswith(f"{EXPLORERS}.") and alias.name == "explore"
        ):
            names[alias.asname or alias.name] = module
            body = rest
    match body:
        case [ast.Expr(value=ast.Call(func=ast.Name(id=called)) as call)] if called in names:
            pass
        case _:
            return None
    module = names[called]
    explorer = importlib.import_module(module).EXPLORER
    values = dict(zip(("state", "lock"), map(ast.literal_eval, call.args), strict=False))
    values |= {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    state, lock = explorer.checked(values.get("state"), values.get("lock", ()))
    return Opened(module.rpartition(".")[2], state, tuple(sorted(lock)), explorer.title)


def placed(opened: Opened, number: int, picture: str) -> str:
    """HTML, in one line, that site.js turns into the panel.

    Args:
        number: of this title on its page; two regions of one name could not be told apart.
        picture: the stored still as HTML, for paper and for readers without JavaScript.
    """
    title = opened.title if number == 1 else f"{opened.title}, figure {number}"
    spec = json.dumps({"title": title, "state": opened.state, "lock": list(opened.lock)})
    return (
        f'<div class="s2s-live" data-explorer="{opened.name}" data-spec="{escape(spec)}">'
        f'<p class="s2s-wait">{escape(title)}: an interactive figure. It opens when it comes into '
        f'view.</p><div class="s2s-still">{picture}</div></div>'
    )


def with_buttons(text: str, names: dict[str, str]) -> str:
    """Calls that a reader is told to write, as buttons that open the state in the panel nearby.

    Args:
        text: a cell of Markdown.
        names: as ``opened_by`` has filled it.
    """

    def button(call: re.Match) -> str:
        if call[1] not in names:
            return call[0]
        state, _ = importlib.import_module(names[call[1]]).EXPLORER.checked(call[2], ())
        explorer = names[call[1]].rpartition(".")[2]
        return (
            f'<button type="button" class="s2s-state" data-explorer="{explorer}" '
            f'data-state="{state}">{call[0]}</button>'
        )

    return CALL.sub(button, text)


def write_tables(names: list[str], folder: Path) -> None:
    """One file for each explorer: gzip, which site.js unpacks, so no server needs to."""
    from seq2seq_lib.course.explorers.kit import table

    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        explorer = importlib.import_module(f"{EXPLORERS}.{name}").EXPLORER
        # A name that no server takes for a compressed page, which a browser would unpack itself.
        (folder / f"{name}.table").write_bytes(table.packed(table.table(explorer)))
