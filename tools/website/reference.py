"""The library's reference: a page for each public module, made from its docstrings."""

import importlib
import pkgutil
from pathlib import Path

LIBRARY = "seq2seq_lib"
# The chapters' own machinery; docs/authoring.md speaks of it.
NOT_SHOWN = {"course"}


def modules(package: str = LIBRARY) -> list[str]:
    """Every public module. A package that names what it offers stands for its modules."""
    names = []
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        name = f"{package}.{found.name}"
        if found.name.startswith("_") or found.name in NOT_SHOWN:
            continue
        names.append(name)
        if found.ispkg and not hasattr(importlib.import_module(name), "__all__"):
            names += modules(name)
    return names


def write(folder: Path) -> None:
    """Write a source for each module, and their list."""
    folder.mkdir(parents=True)
    names = modules()
    short = {name: name.removeprefix(LIBRARY + ".") for name in names}
    for name in names:
        text = f"# `{short[name]}`\n\n"
        text += f"```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    rows = "\n".join(f"| [`{short[name]}`]({name}.md) | {_first_line(name)} |" for name in names)
    listed = "\n".join(names)
    (folder / "index.md").write_text(
        f"# Reference\n\nWhat `{LIBRARY}` offers, from its docstrings. Import what you need from "
        f"the module that holds it: `from {LIBRARY}.masks import sequence_mask`.\n\n"
        f"| module | holds |\n|---|---|\n{rows}\n\n"
        f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{listed}\n```\n",
        encoding="utf-8",
    )


def _first_line(name: str) -> str:
    words = (importlib.import_module(name).__doc__ or "").strip().split("\n\n")[0]
    return " ".join(words.split()).replace("``", "`").replace("|", "\\|")
