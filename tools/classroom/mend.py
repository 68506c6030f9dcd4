"""A notebook as it was handed in becomes one that can be graded: no answer is lost on the way.

Learners copy cells with their metadata, delete checks, hand in what an editor stripped of
metadata. What was released tells what belongs where. Answers stay as they are and where they are;
what the course wrote comes back.
"""

import ast
import copy
import re
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

FLAGS = ("grade", "locked", "solution", "task")
# A cell of the learner's own that says one of these is worth a look: see docs/teaching.md
WORTH_A_LOOK = re.compile(
    r"seq2seq_lib\.course\.(?!ch\d\d_\w+ import (?!_)[\w, ()]+$|explorers\b)|judging|"
    r"\bimport .*\bex\d\w*_|\.reference\b|\.alternatives\b|"
    r"sealed|getsource|importlib|sys\.modules|builtins|__import__|get_ipython|sqlite3|gradebook|"
    r"_getframe|currentframe|tb_frame|__closure__|__globals__|__code__|settrace|setprofile|"
    r"\bgc\b|ctypes|os\.(?:kill|system|environ)|/proc/|NBGRADER",
    re.MULTILINE,
)


def settings(cell: Any) -> dict[str, Any]:
    """nbgrader's part of a cell's metadata; empty if there is none."""
    found = cell.get("metadata", {}).get("nbgrader")
    return found if isinstance(found, dict) else {}


def id_of(cell: Any) -> str | None:
    return settings(cell).get("grade_id")


def mend(nb: Any, released: Any) -> list[str]:
    """Repair ``nb`` in place.

    Args:
        nb: as handed in, nbformat 4.
        released: what learners were given.

    Returns:
        What was repaired, and what is worth a look, a line each.
    """
    said: list[str] = []
    known = {id_of(cell): cell for cell in released.cells if id_of(cell)}
    _plain_cells(nb)
    for cell in nb.cells:
        if settings(cell) and id_of(cell) not in known:
            del cell.metadata["nbgrader"]
            said.append("a cell with an id that was not handed out is treated as a plain one")
    _recognise(nb, released, known, said)
    _once_each(nb, known, said)
    _as_released(nb, known, said)
    _bring_back(nb, released, known, said)
    said += look_at(nb, released)
    return list(dict.fromkeys(said))


def look_at(nb: Any, released: Any) -> list[str]:
    """Lines of the learner's own that could reach for points in another way than by an answer."""
    given = {line.strip() for cell in released.cells for line in cell.source.splitlines()}
    lines = [
        line.strip()
        for cell in nb.cells
        if cell.cell_type == "code" and not settings(cell).get("locked")
        for line in cell.source.splitlines()
        if line.strip() not in given and not line.strip().startswith("#")
    ]
    return [f"look: {line[:100]}" for line in lines if WORTH_A_LOOK.search(line)][:5]


def _plain_cells(nb: Any) -> None:
    """What nbformat asks of a cell, and ids that differ."""
    seen: set[str] = set()
    for cell in nb.cells:
        if isinstance(cell.get("source"), list):
            cell.source = "".join(cell.source)
        if not isinstance(cell.get("source"), str):
            cell.source = ""
        if not isinstance(cell.get("metadata"), dict):
            cell.metadata = nbformat.from_dict({})
        if "nbgrader" in cell.metadata and not settings(cell):
            del cell.metadata["nbgrader"]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.pop("outputs", None), cell.pop("execution_count", None)
        if cell.get("id") in seen or not re.fullmatch(r"[\w-]{1,64}", str(cell.get("id", ""))):
            cell.id = nbformat.v4.new_code_cell().id
        seen.add(cell.id)
    nb.nbformat, nb.nbformat_minor = 4, 5


def _recognise(nb: Any, released: Any, known: dict[str, Any], said: list[str]) -> None:
    """Give back the metadata of cells that lost it."""
    before = _texts_before(released)
    for id, cell in known.items():
        if any(id_of(other) == id for other in nb.cells):
            continue
        found = [
            other
            for place, other in enumerate(nb.cells)
            if not settings(other) and _is_this(other, cell, before.get(id), nb.cells[:place])
        ]
        if found:
            found[-1].metadata["nbgrader"] = copy.deepcopy(cell.metadata["nbgrader"])
            said.append(f"{id}: the cell had lost its metadata, and has it back")


def _is_this(cell: Any, released: Any, before: str | None, earlier: list[Any]) -> bool:
    if settings(released).get("solution"):
        if released.cell_type == "code":
            return cell.cell_type == "code" and id_of(released) in _defined(cell.source, False)
        if cell.cell_type != "markdown":
            return False
        text = next((c.source for c in reversed(earlier) if c.source.strip()), None)
        return cell.source == released.source or (before is not None and text == before)
    return cell.source.strip() == released.source.strip()


def _texts_before(released: Any) -> dict[str, str]:
    """What stands right before each cell."""
    pairs = zip(released.cells, released.cells[1:], strict=False)
    return {id_of(cell): before.source for before, cell in pairs if id_of(cell)}


def _once_each(nb: Any, known: dict[str, Any], said: list[str]) -> None:
    """Of copies, one is graded; the others stay as plain cells and run where they stand."""
    for id, released in known.items():
        copies = [cell for cell in nb.cells if id_of(cell) == id]
        if len(copies) < 2:
            continue
        kept = copies[-1] if released.cell_type == "code" else copies[0]
        if settings(released).get("solution"):
            touched = [c for c in copies if c.source.strip() != released.source.strip()]
            if released.cell_type == "code":
                said.append(f"{id}: {len(copies)} cells; the last one before its check counts")
                kept = touched[-1] if touched else copies[0]
                if touched:  # a stub below an answer would undo it
                    for cell in copies:
                        if cell not in touched:
                            cell.source = f"# a copy, not changed:\n{_commented(cell.source)}"
            else:
                texts = dict.fromkeys(cell.source for cell in touched)
                kept.source = "\n\n".join(texts) or released.source
                said.append(f"{id}: {len(copies)} cells, put together in the first")
        else:
            same = [cell for cell in copies if cell.source.strip() == released.source.strip()]
            kept = same[0] if same else copies[0]
        for cell in copies:
            if cell is not kept:
                del cell.metadata["nbgrader"]
                if settings(released).get("locked") and released.cell_type == "code":
                    if settings(released).get("grade"):
                        cell.source = f"# a copy of a check:\n{_commented(cell.source)}"
                elif released.cell_type == "markdown":
                    cell.source = ""


def _as_released(nb: Any, known: dict[str, Any], said: list[str]) -> None:
    """Kind and settings of each cell, and what the course wrote; a learner's lines move out."""
    cells: list[Any] = []
    for cell in nb.cells:
        released = known.get(id_of(cell))
        if released is not None:
            given, had = settings(released), settings(cell)
            if cell.cell_type != released.cell_type:
                said.append(f"{id_of(cell)}: is {released.cell_type} again")
                _change_kind(cell, released.cell_type)
            if any(had.get(flag) != given.get(flag) for flag in (*FLAGS, "points")):
                said.append(f"{id_of(cell)}: its settings are again those that were handed out")
            cell.metadata["nbgrader"] = copy.deepcopy(given)
            if given.get("locked") and cell.source.strip() != released.source.strip():
                own = _without(cell.source, released.source)
                if cell.cell_type == "code" and _defined(own):
                    cells.append(nbformat.v4.new_code_cell(own))
                said.append(f"{id_of(cell)}: is again what was handed out")
                cell.source = released.source
        cells.append(cell)
    nb.cells = cells


def _bring_back(nb: Any, released: Any, known: dict[str, Any], said: list[str]) -> None:
    """Lost cells of the course return, each before the next one that is there."""
    order = list(known)
    for place in range(len(order) - 1, -1, -1):
        id, cell = order[place], known[order[place]]
        here = {id_of(other): at for at, other in enumerate(nb.cells) if id_of(other)}
        if id in here:
            continue
        flags = settings(cell)
        if flags.get("solution") and not flags.get("grade"):
            continue  # an answer that is gone; its check says so
        later = [here[other] for other in order[place + 1 :] if other in here]
        at = min(later) if later else len(nb.cells)
        if place == 0:
            code = [n for n, other in enumerate(nb.cells) if other.cell_type == "code"]
            at = min([at, *code])
        nb.cells.insert(at, copy.deepcopy(cell))
        said.append(f"{id}: the cell was missing, and was put back")


def _change_kind(cell: Any, kind: str) -> None:
    cell.cell_type = kind
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    else:
        cell.pop("outputs", None), cell.pop("execution_count", None)


def _defined(source: str, imported: bool = True) -> set[str]:
    """Names of a cell's functions, classes, assignments and imports; those of broken code too."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return set(re.findall(r"^(?:def +|class +)?(\w+)(?= *[=(:])", source, re.MULTILINE))
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif imported and isinstance(node, ast.ImportFrom | ast.Import):
            names |= {a.asname or a.name for a in node.names}
    return names


def _without(source: str, released: str) -> str:
    given = {line.strip() for line in released.splitlines() if line.strip()}
    return "\n".join(line for line in source.splitlines() if line.strip() not in given)


def _commented(source: str) -> str:
    return "\n".join(f"# {line}" for line in source.splitlines())


class Mend(NbGraderPreprocessor):
    """``mend`` as nbgrader's first step; ``released`` names the file that was handed out."""

    released = Unicode("", help="Path of a released notebook, with {assignment} in it").tag(
        config=True
    )

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        path = self.released.format(assignment=resources["nbgrader"]["assignment"])
        for line in mend(nb, nbformat.read(path, as_version=4)):
            self.log.warning("%s: %s", resources["nbgrader"]["student"], line)
        return nb, resources
