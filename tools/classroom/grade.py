"""Grade a class: mend each submission, run it alone in its kernel, save its points.

Three steps, so that no learner's code runs while grades are written: read and mend all submissions;
run them, several at a time; save what was found. The gradebook has the same bytes before and after
the second step, or it is put back and the teacher is told.
"""

import contextlib
import hashlib
import json
import os
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.utils import ensure_event_loop

from classroom.collect import notebook_in, safe
from classroom.execute import CannotRun, Execute, Noticed, execute
from classroom.handback import harmless
from classroom.isolation import HIDDEN, Limits, can_cut_off
from classroom.mend import id_of, mend
from seq2seq_lib._files import write_whole, written_whole

VERSION = 1  # of what is noted; another one grades anew


class CannotGrade(Exception):
    """What is wrong with one submission, and what a teacher can do about it."""


@dataclass
class Course:
    """Where a course's files are.

    Attributes:
        root: the repository.
        work: submissions, grades, feedback; nbgrader's settings call it NBGRADER_WORK.
    """

    root: Path
    work: Path

    @property
    def gradebook(self) -> Path:
        return self.work / "gradebook.db"

    @property
    def db_url(self) -> str:
        return f"sqlite:///{self.gradebook}"

    def submitted(self, student: str, assignment: str) -> Path:
        return self.work / "submitted" / student / assignment

    def autograded(self, student: str, assignment: str) -> Path:
        return self.work / "autograded" / student / assignment / f"{assignment}.ipynb"

    def released(self, assignment: str) -> Path:
        return self.root / "exercises" / assignment / f"{assignment}.ipynb"

    def notes(self, assignment: str) -> Path:
        return self.work / "notes" / f"{assignment}.json"

    @property
    def hidden(self) -> tuple[Path, ...]:
        """What no submission may see."""
        return (*(self.work / name for name in HIDDEN), self.root / "solutions")


@dataclass
class Submission:
    """One learner's notebook on its way.

    Attributes:
        look: lines for the teacher.
        failed: why it could not be graded.
    """

    student: str
    assignment: str
    nb: Any = None
    fingerprint: str = ""
    failed: str = ""
    empty: bool = False
    look: list[str] = field(default_factory=list)

    def note(self) -> dict[str, Any]:
        kept = {k: v for k, v in asdict(self).items() if k in ("fingerprint", "failed", "empty")}
        return kept | {"look": self.look, "version": VERSION}


def grade(
    course: Course,
    assignment: str,
    students: list[str] | None = None,
    jobs: int | None = None,
    limits: Limits | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> list[Submission]:
    """Grade one chapter.

    Args:
        students: only these, as the table or a person writes their names; else all who handed
            it in.
        jobs: kernels at a time; the number of cores if None.
        force: also what was graded before and has not changed.

    Returns:
        What was graded now.
    """
    limits = limits or Limits()
    in_gradebook(course, assignment)
    everybody = sorted(
        path.parent.name for path in (course.work / "submitted").glob(f"*/{assignment}")
    )
    found = [safe(name) for name in students] if students else everybody
    for name, wanted in zip(found, students or [], strict=False):
        if name not in everybody:
            raise SystemExit(f"Nobody called {wanted!r} has handed in {assignment}.")
    notes = read_notes(course, assignment)
    notes = {name: note for name, note in notes.items() if name in everybody}  # others are gone
    todo = [read(course, student, assignment) for student in found]
    if not force:
        todo = [s for s in todo if not _unchanged(s, notes.get(s.student, {}), course)]
    say(f"{assignment}: {len(todo)} to grade, {len(found) - len(todo)} as before")
    if todo and not can_cut_off():
        say("Submissions run as ordinary processes of yours here: see docs/teaching.md, Security")
    before = course.gradebook.read_bytes()

    def run_one(submission: Submission) -> None:
        if not submission.failed:
            _run(course, submission, limits)

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for done, submission in enumerate(pool.map(_returning(run_one), todo), start=1):
            tell = submission.failed or "; ".join(submission.look) or "ran"
            say(f"  {done} of {len(todo)} {submission.student}: {tell}")
    if course.gradebook.read_bytes() != before:
        with written_whole(course.gradebook) as file:
            file.write(before)
        say("A submission changed the gradebook while it ran: it has been put back")
        for submission in todo:
            submission.look.append("the gradebook was changed while this class was run")
    for submission in todo:
        if not submission.failed:
            save(course, submission)
        notes[submission.student] = submission.note()
    write_notes(course, assignment, notes)
    return todo


def in_gradebook(course: Course, assignment: str) -> None:
    """Put an assignment, or its newest version, into the gradebook."""
    source = course.root / "solutions" / assignment / f"{assignment}.ipynb"
    if not source.exists():
        raise SystemExit(f"There is no {source}: is the name of the chapter right?")
    stamp = course.work / "notes" / f"{assignment}.source"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if course.gradebook.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    nbgrader(course, "generate_assignment", assignment)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)


def nbgrader(course: Course, step: str, assignment: str) -> None:
    """One of nbgrader's steps on this course, in this process: it takes longer to start than to do.

    Args:
        step: ``generate_assignment`` or ``generate_feedback``, a method of nbgrader's API. What is
            released goes to the work folder.
    """
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config.loader import PyFileConfigLoader

    with _in_environment(NBGRADER_WORK=str(course.work)):
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    config.CourseDirectory.release_directory = str(course.work / "release")
    with warnings.catch_warnings():  # SQLAlchemy's, on how nbgrader is written
        warnings.simplefilter("ignore")
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        done = getattr(api, step)(assignment, force=True)
    if not done["success"]:
        raise SystemExit(
            f"nbgrader {step} {assignment} failed:\n{done.get('log', '')}{done['error']}"
        )


@contextlib.contextmanager
def _in_environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def read(course: Course, student: str, assignment: str) -> Submission:
    """A submission, mended, or with the reason why it cannot be graded."""
    submission = Submission(student, assignment)
    folder = course.submitted(student, assignment)
    try:
        path, said = notebook_in(folder, assignment, course.released(assignment))
        submission.look += said
        submission.fingerprint = fingerprint(folder)
        submission.nb = _parsed(path)
        released = nbformat.read(course.released(assignment), as_version=4)
        _of_this_chapter(submission.nb, released)
        submission.look += mend(submission.nb, released)
        submission.empty = _untouched(submission.nb, released)
        _as_in_the_gradebook(course, submission)
    except CannotGrade as error:
        submission.failed = str(error)
    except Exception as error:  # whatever it is, it costs nobody else anything
        last = traceback.format_exception_only(error)[-1].strip()
        submission.failed = f"cannot be read ({last}): ask for it again as .ipynb"
    return submission


def _parsed(path: Path) -> Any:
    text = path.read_bytes()
    if not text.strip():
        raise CannotGrade("the file is empty: ask for it again")
    if len(text) > 100 * 2**20:
        raise CannotGrade("the file has more than 100 MB: ask for it without its outputs")
    try:
        raw = json.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError) as error:
        raise CannotGrade(f"the file is no notebook ({error}): ask for it again") from None
    if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
        raise CannotGrade("the file is no notebook (it has no cells): ask for it again")
    raw.setdefault("metadata", {})
    raw.setdefault("nbformat", 4)
    raw.setdefault("nbformat_minor", 5)
    for cell in raw.get("cells", []):
        cell.setdefault("metadata", {})
        cell.setdefault("source", "")
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
    nb = nbformat.from_dict(raw)
    return nb if raw["nbformat"] == 4 else nbformat.convert(nb, 4)


def _of_this_chapter(nb: Any, released: Any) -> None:
    """Checks of another chapter, and none of this: it is no attempt that is worth 0 points."""
    here, there = (
        [
            str(id_of(cell))
            for cell in book.get("cells", [])
            if str(id_of(cell)).startswith("check-")
        ]
        for book in (nb, released)
    )
    if here and not set(here) & set(there):
        chapters = [id.split("-")[1] for id in (here[0], there[0])]
        raise CannotGrade(
            "this is the notebook of chapter {}: ask for the one of chapter {}".format(*chapters)
        )


def _untouched(nb: Any, released: Any) -> bool:
    """Whether all that a learner could write is as it was handed out."""
    return [c.source.strip() for c in nb.cells] == [c.source.strip() for c in released.cells]


def _as_in_the_gradebook(course: Course, submission: Submission) -> None:
    """Checks with their hidden lines, by nbgrader's own step."""
    from nbgrader.preprocessors import OverwriteCells

    submission.nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    of = {"nbgrader": _names(course, submission)}
    submission.nb, _ = OverwriteCells().preprocess(submission.nb, of)


def _names(course: Course, submission: Submission) -> dict[str, str]:
    name = submission.assignment
    return {"student": submission.student, "assignment": name, "notebook": name,
            "db_url": course.db_url}  # fmt: skip


def _returning(function: Callable[[Submission], None]) -> Callable[[Submission], Submission]:
    def call(submission: Submission) -> Submission:
        try:
            function(submission)
        except CannotRun:
            raise
        except Exception as error:
            submission.failed = f"did not run ({error!r}): grade it again, alone"
        return submission

    return call


def _run(course: Course, submission: Submission, limits: Limits) -> None:
    step = Execute(
        limits=limits,
        submitted=str(course.work / "submitted" / "{student}" / "{assignment}"),
        hidden="\n".join(map(str, course.hidden)),
    )
    noticed = Noticed()
    run = step.run_of(submission.student, submission.assignment)
    try:
        submission.nb = execute(submission.nb, run, noticed)
    finally:
        ensure_event_loop().close()  # jupyter_client opens one in each thread, and leaves it open
    submission.look += noticed.lines


def save(course: Course, submission: Submission) -> None:
    """Points into the gradebook, the notebook into autograded/."""
    from nbgrader.api import Gradebook
    from nbgrader.preprocessors import SaveAutoGrades

    with warnings.catch_warnings():  # SQLAlchemy's, on how nbgrader is written
        warnings.simplefilter("ignore")
        with Gradebook(course.db_url, "seq2seq") as gradebook:
            gradebook.update_or_create_student(submission.student)
            gradebook.update_or_create_submission(submission.assignment, submission.student)
        of = {"nbgrader": _names(course, submission)}
        SaveAutoGrades().preprocess(submission.nb, of)
    target = course.autograded(submission.student, submission.assignment)
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        target.unlink()  # nbgrader's own are read-only
    nbformat.write(harmless(submission.nb), target)


def fingerprint(folder: Path) -> str:
    """Changes when a file of the submission does."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def _unchanged(submission: Submission, note: dict, course: Course) -> bool:
    if note.get("failed") or note.get("version") != VERSION:
        return False
    there = course.autograded(submission.student, submission.assignment).exists()
    return there and note.get("fingerprint") == submission.fingerprint


def read_notes(course: Course, assignment: str) -> dict[str, dict]:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(course.notes(assignment).read_text(encoding="utf-8"))
    return {}


def write_notes(course: Course, assignment: str, notes: dict[str, dict]) -> None:
    path = course.notes(assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(notes, indent=1, ensure_ascii=False))
