"""What the cells of an exercise print before anybody has answered.

Exercises are released without outputs, so a page of one would ask about numbers that it does not
show. They stand in the solved notebook, among others that depend on its answers.
"""

import ast
from typing import Any


def fill_in(exercise: list[dict[str, Any]], solved: list[dict[str, Any]]) -> None:
    """Give cells of ``exercise`` the outputs of the same cells of ``solved``.

    A cell gets none if it reads what an answer defines, or what such a cell has made of it. What a
    cell imports is the course's own, also where an answer has the same name.
    """
    outputs = {_source(cell): cell["outputs"] for cell in solved if cell["cell_type"] == "code"}
    answers: set[str] = set()
    for cell in exercise:
        if cell["cell_type"] != "code":
            continue
        read, written, imported = _names(_source(cell))
        if _source(cell) not in outputs or (read - imported) & answers:
            answers |= written
        else:
            cell["outputs"] = outputs[_source(cell)]
        answers -= imported


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _names(code: str) -> tuple[set[str], set[str], set[str]]:
    """The names that a cell reads, those that it defines, and those that it imports."""
    read, written, imported = set(), set(), set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                written.add(name)
            case ast.alias(name=name, asname=other):
                imported.add(other or name)
    return read, written, imported
