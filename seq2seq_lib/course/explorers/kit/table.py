"""The pictures of an explorer for a page without a kernel: every value that it declares.

From each named state all moves are followed that the controls declare as ``static``; every
parameter setting that is reached becomes one view. A view names the views that its controls lead
to, so the page needs no rules of its own:

    {"views": [{"rows": [[{..., "to": [12, 3, ...]}]], "open": 0, "veiled": 1, ...}, ...],
     "pictures": ["ćĈă...", ...], "pieces": ["<svg ...>", "<text ...", ...],
     "starts": {state: index of its view}}

Pictures have most elements in common, so each element stands in the table once, beside those it
resembles. A picture is a text: each character stands for the element whose index is its code less
``FIRST``. Both make the compressed table smaller, together by a fifth.

``open_static(element, spec, table)`` of ``panel.js`` shows it. A folder of such tables needs no
server of its own: each is one JSON file, of at most ``LIMIT`` bytes as servers send it, in gzip.
"""

import gzip
import json
import re
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer

LIMIT = 300_000  # bytes, compressed
FIRST = 0x100  # panel.js has it, too; smaller codes would be escaped in JSON
BETWEEN_ELEMENTS = re.compile("(?<=>)(?=<)")


def table(explorer: Explorer) -> dict[str, Any]:
    """All views that can be reached from the named states."""
    views: list[dict[str, Any]] = []
    pictures: dict[str, int] = {}
    found: dict[tuple, int] = {}
    waiting: list[dict[str, Any]] = []

    def place(params: Params) -> int:
        """The index of the view with these parameters; a new one is put in line."""
        key = tuple(c.get(params) for c in explorer.all_controls() if c.matters(params))
        if key not in found:
            found[key] = len(found)
            waiting.append(dict(params))
        return found[key]

    starts = {state: place(explorer.params(state)) for state in explorer.states}
    controls = {control.key: control for control in explorer.all_controls()}
    for params in waiting:  # it grows while it is read
        view = explorer.view(params)
        for picture in ("open", "veiled"):
            if view[picture] is not None:
                view[picture] = pictures.setdefault(view[picture], len(pictures))
        for row in view["rows"]:
            for data in row:
                _restrict(data, params, explorer, controls[data["key"]], place)
        # what a page cannot move and does not need to say
        view["rows"] = [row for row in ([d for d in r if d["to"]] for r in view["rows"]) if row]
        views.append(view)
    split = [BETWEEN_ELEMENTS.split(picture) for picture in pictures]
    pieces = sorted({piece for picture in split for piece in picture})
    codes = {piece: chr(FIRST + number) for number, piece in enumerate(pieces)}
    texts = ["".join(codes[piece] for piece in picture) for picture in split]
    return {"views": views, "pictures": texts, "pieces": pieces, "starts": starts}


def _restrict(data, params, explorer, control, place) -> None:
    """Leave of a control what the page offers, and say where each value leads."""
    allowed = [v for v in control.values(params) if control.static is None or v in control.static]
    data["to"] = []
    if len(allowed) < 2 or control.get(params) not in allowed:
        return
    data["to"] = [place(explorer.move(params, control.key, value)) for value in allowed]
    if "options" in data:
        data["options"] = [option for option in data["options"] if option["value"] in allowed]
    else:
        data["low"], data["high"] = allowed[0], allowed[-1]


def packed(table: dict[str, Any]) -> bytes:
    """The table as a page loads it: JSON, compressed as servers do.

    Raises:
        ValueError: it is larger than ``LIMIT``; let the controls declare fewer ``static`` values.
    """
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    data = gzip.compress(text.encode(), mtime=0)
    if len(data) > LIMIT:
        raise ValueError(
            f"The table of {len(table['views'])} views is {len(data):,} bytes compressed, more "
            f"than {LIMIT:,}: let the controls declare fewer static values."
        )
    return data
