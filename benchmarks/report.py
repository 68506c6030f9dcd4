"""What stands around a measured number: its target, the machine, the page it is written into."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from seq2seq_lib._files import write_whole

README = Path(__file__).parent / "README.md"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: was measured.
        measured: with its unit; or why there is nothing.
        target: "" if none was set.
        met: None without a target or without a measurement.
    """

    what: str
    measured: str
    target: str = ""
    met: bool | None = None

    @property
    def skipped(self) -> bool:
        """Whether nothing was measured; then ``measured`` says why."""
        return self.measured.startswith("skipped")

    @classmethod
    def at_most(cls, what: str, value: float, limit: float, form: str = "{:.2f}") -> "Row":
        """Met if the value is at most the limit; ``form`` says how both are printed."""
        return cls(what, _apart(value, limit, form), f"≤ {form.format(limit)}", value <= limit)

    @classmethod
    def at_least(cls, what: str, value: float, limit: float, form: str = "{:.1f}") -> "Row":
        """Met if the value is at least the limit."""
        return cls(what, _apart(value, limit, form), f"≥ {form.format(limit)}", value >= limit)

    @classmethod
    def equal(cls, what: str, holds: bool, measured: str = "equal") -> "Row":
        """A result that must not depend on how fast it came; anything else is an error."""
        if not holds:
            raise ValueError(f"{what}: the results differ, so their times mean nothing.")
        return cls(what, measured, measured, True)


def _apart(value: float, limit: float, form: str) -> str:
    """The value, with two digits more if it would look like a limit that it is not."""
    if value != limit and form.format(value) == form.format(limit):
        form = re.sub(r"\.(\d)", lambda digits: f".{int(digits[1]) + 2}", form)
    return form.format(value)


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    words = {True: "yes", False: "**no**", None: "–"}
    lines = ["| what | measured | target | met |", "|---|--:|--:|---|"]
    lines += [f"| {r.what} | {r.measured} | {r.target or '–'} | {words[r.met]} |" for r in rows]
    return "\n".join(lines)


def machine(device: torch.device) -> str:
    """The kind of machine, without anything that names the one machine: for readers to compare."""
    if device.type != "cpu":
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return f"one {name}"
    threads = torch.get_num_threads()
    return (
        f"{os.cpu_count()} {platform.machine()} cores that others may share, "
        f"{threads} thread{'s' * (threads > 1)}"
    )


def versions(*packages: str) -> str:
    """Of Python and the packages, in one line."""
    found = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    return ", ".join([f"Python {platform.python_version()}", *found])


def write_section(name: str, text: str, page: Path = README) -> None:
    """Replace what stands between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->`` in a page."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    old = page.read_text(encoding="utf-8")
    if old.count(begin) != 1 or old.count(end) != 1:
        raise ValueError(f"{page.name} must hold {begin} and {end} once each.")
    before, rest = old.split(begin)
    after = rest.split(end)[1]
    write_whole(page, f"{before}{begin}\n{text.strip()}\n{end}{after}")
