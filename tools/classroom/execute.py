"""Run one notebook in isolated kernels. A cell that ends its kernel costs itself and nothing else.

``Execute`` stands in nbgrader's list of preprocessors in place of nbgrader's own.
"""

import contextlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbgrader.preprocessors import Execute as NbgradersExecute
from traitlets import Instance, Unicode

from classroom.isolation import Limits, Run
from classroom.kernel import GRADED
from seq2seq_lib.course.judging.limits import PATIENCE

STARTS = 120  # seconds for a kernel, torch included
ENDED = "This cell ended the program that runs the notebook, so it was left out, and the rest ran."
TOO_LONG = "This cell ran for more than {seconds:g} seconds and was stopped."
NO_TIME = "The notebook's time of {seconds:g} seconds was over before this cell."
UNPROVEN = (
    "No verdict came from the check of this cell, so it has no points. Does a cell change how "
    "notebooks run?"
)


@dataclass
class Noticed:
    """What a teacher may want to look at, in short lines."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)


class Ended(Exception):
    """The kernel is gone."""


def execute(nb: Any, run: Run, noticed: Noticed | None = None) -> Any:
    """Run all code cells, in place; the outputs of graded cells are what the kernel judged.

    Returns:
        The notebook. A cell that ended its kernel, or would not stop, has an error as its output,
        and the others ran again without it.
    """
    noticed = Noticed() if noticed is None else noticed
    deadline = time.monotonic() + run.limits.total_seconds
    code = [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]
    left_out: dict[int, str] = {}
    for _ in range(run.limits.kernels):
        with run, _kernel(run) as client:
            place = _run_cells(code, left_out, client, run, deadline, noticed)
        if place is None:
            return nb
        left_out[place[0]] = place[1]
        noticed.add(f"a cell was left out: {_first_line(code[place[0]])!r}: {place[1]}")
    for place, cell in enumerate(code):  # a notebook that ends kernel after kernel
        if place > max(left_out):
            _error(cell, "NotRun", NO_TIME.format(seconds=run.limits.total_seconds))
    return nb


def _run_cells(
    code: list, left_out: dict[int, str], client: Any, run: Run, deadline: float, noticed: Noticed
) -> tuple[int, str] | None:
    """The place of the cell that ended the kernel, and how; None at the end of the notebook."""
    for place, cell in enumerate(code):
        if place in left_out:
            _error(cell, "LeftOut", left_out[place])
            continue
        seconds = min(run.limits.cell_seconds, deadline - time.monotonic())
        if seconds <= 0:
            _error(cell, "NotRun", NO_TIME.format(seconds=run.limits.total_seconds))
            noticed.add("the notebook's time was over")
            continue
        graded = cell.metadata.get("nbgrader", {}).get("grade", False)
        try:
            if graded:
                most = (PATIENCE + 2) * run.limits.check_seconds + 30
                _graded(cell, client, run.secret, min(most, seconds + most), noticed)
            else:
                _own(cell, client, seconds, run.limits.printed)
        except Ended as error:
            return place, str(error)
    return None


@contextlib.contextmanager
def _kernel(run: Run) -> Any:
    manager = KernelManager(transport="ipc", ip=str(run.connection) + "-ipc")
    if not hasattr(__import__("socket"), "AF_UNIX"):  # Windows
        manager = KernelManager()
    manager.connection_file = str(run.connection)
    manager._kernel_spec = KernelSpec(
        argv=run.command, display_name="graded", language="python", interrupt_mode="message"
    )
    manager.start_kernel(env=run.environment, cwd=str(run.work))
    client = manager.blocking_client()
    try:
        client.start_channels()
        try:
            client.wait_for_ready(timeout=STARTS)
        except RuntimeError as error:
            raise CannotRun(
                "The kernel for grading did not start. Does `python -c 'import ipykernel, "
                f"seq2seq_lib'` work here? {error}"
            ) from error
        yield client, manager
    finally:
        client.stop_channels()
        with contextlib.suppress(Exception):
            manager.shutdown_kernel(now=True)
        with contextlib.suppress(Exception):
            manager.cleanup_resources()


class CannotRun(RuntimeError):
    """No submission can run here: a matter of the installation."""


def _own(cell: Any, client_and_manager: Any, seconds: float, printed: int) -> None:
    """A cell of the learner's, or of the course, that is not graded."""
    outputs: list[Any] = []
    size = 0

    def keep(message: dict) -> None:
        nonlocal size
        if message["msg_type"] == "stream":
            room = printed - size
            text = message["content"]["text"]
            size += len(text)
            if room <= 0:
                return
            message["content"]["text"] = text[:room] + ("\n..." if len(text) > room else "")
        if message["msg_type"] in ("stream", "error", "display_data", "execute_result"):
            outputs.append(nbformat.v4.output_from_msg(message))

    reply = _ask(client_and_manager, cell.source, seconds, keep)
    cell.outputs = _joined(outputs)
    cell.execution_count = reply["content"].get("execution_count")
    if reply["content"].get("status") == "stopped":
        _error(cell, "Stopped", TOO_LONG.format(seconds=seconds))


def _graded(cell: Any, client_and_manager: Any, secret: str, seconds: float, noticed: Any) -> None:
    nonce = secrets.token_hex(8)
    code = f"{GRADED}{secret} {nonce}\n{cell.source}"
    content = _ask(client_and_manager, code, seconds, lambda message: None)["content"]
    cell.execution_count, id = content.get("execution_count"), cell.metadata.nbgrader.grade_id
    verdict = content.get("verdict", "")
    proof = hmac.digest(secret.encode(), f"{nonce}{verdict}".encode(), "sha256").hex()
    if content.get("status") == "stopped":
        return _error(cell, "Stopped", TOO_LONG.format(seconds=seconds))
    if not hmac.compare_digest(proof, str(content.get("proof", ""))):
        noticed.add(f"{id}: the notebook changes how its cells are run")
        return _error(cell, "Unproven", UNPROVEN)
    found = json.loads(verdict)
    if found["changed"]:
        noticed.add(f"{id}: put back what the notebook had changed: {', '.join(found['changed'])}")
    if found["error"]:
        return _error(cell, *found["error"])
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=found["printed"])]
    if found["earned"] is not None:
        number = {"text/plain": repr(found["earned"])}
        count = cell.execution_count
        cell.outputs.append(
            nbformat.v4.new_output("execute_result", data=number, execution_count=count)
        )
    return None


def _ask(client_and_manager: Any, code: str, seconds: float, keep: Any) -> dict:
    """Execute; what comes back, with status "stopped" if it had to be interrupted.

    Raises:
        Ended: the kernel died, or did not stop when it was asked to.
    """
    client, manager = client_and_manager
    asked = client.execute(code, allow_stdin=False, stop_on_error=False)
    deadline, stopping, reply = time.monotonic() + seconds, False, None
    while True:
        try:
            message = client.get_iopub_msg(timeout=0.5)
        except Empty:
            message = None
        if message and message["parent_header"].get("msg_id") == asked:
            if message["content"].get("execution_state") == "idle":
                break
            keep(message)
            if time.monotonic() < deadline:
                continue
        if message is None and not manager.is_alive():
            raise Ended(ENDED)
        if time.monotonic() > deadline:
            if stopping:
                raise Ended(TOO_LONG.format(seconds=seconds))
            manager.interrupt_kernel()
            stopping, deadline = True, time.monotonic() + 5
    until = time.monotonic() + 5
    while reply is None and time.monotonic() < until:
        try:
            got = client.get_shell_msg(timeout=1)
        except Empty:
            if not manager.is_alive():
                raise Ended(ENDED) from None
            continue
        if got["parent_header"].get("msg_id") == asked:
            reply = got
    reply = reply or {"content": {}}
    if stopping:
        reply["content"]["status"] = "stopped"
    return reply


def _joined(outputs: list) -> list:
    """Neighbouring pieces of one stream become one."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        same = last is not None and last.output_type == output.output_type == "stream"
        if same and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _error(cell: Any, name: str, text: str) -> None:
    cell.outputs = [
        nbformat.v4.new_output("error", ename=name, evalue=text, traceback=text.splitlines())
    ]


def _first_line(cell: Any) -> str:
    """What tells the cell apart: of a check, which one it is."""
    if cell.metadata.get("nbgrader", {}).get("grade"):
        return cell.metadata.nbgrader.grade_id
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return lines[0][:60] if lines else ""


class Execute(NbgradersExecute):
    """nbgrader's step, isolated. ``done`` holds what a class runner has run before."""

    limits = Instance(Limits, args=())
    submitted = Unicode("", help="Where submissions are, {student} and {assignment} in it").tag(
        config=True
    )
    hidden = Unicode("", help="Folders and files that no submission may see, one a line").tag(
        config=True
    )
    done: dict[tuple[str, str], Any] = {}

    def preprocess(self, nb: Any, resources: Any, km: Any = None) -> tuple[Any, Any]:
        of = resources["nbgrader"]
        key = of["student"], of["assignment"]
        if key in self.done:
            ran = self.done.pop(key)
        else:
            ran = execute(nb, self.run_of(*key))
        return ran, resources

    def run_of(self, student: str, assignment: str) -> Run:
        """How this submission is run."""
        beside = Path(self.submitted.format(student=student, assignment=assignment))
        hidden = tuple(Path(line) for line in self.hidden.splitlines() if line)
        chapter = str(int(assignment[2:4])) if assignment[2:4].isdigit() else "0"
        return Run(chapter, self.limits, hidden, beside if beside.is_dir() else None)
