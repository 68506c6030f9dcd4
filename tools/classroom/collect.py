"""From what an LMS gives to submitted/STUDENT/CHAPTER/: zips, folders, files with long names."""

import json
import re
import shutil
import unicodedata
import zipfile
from pathlib import Path

# Who handed in, as the usual systems name the files of "download all":
#   Moodle   Ada Lovelace_12345_assignsubmission_file_/ch04.ipynb   (a folder, or before a file)
#   Canvas   lovelaceada_12345_67890_ch04.ipynb,  lovelaceada_LATE_12345_67890_ch04-1.ipynb
#   ILIAS, OLAT and many scripts: a folder for each learner
MOODLE = r"(?P<student>[^/]+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_|$)"
CANVAS = r"(?P<student>[^/_]+)_(?:LATE_)?(?P<number>\d+)_\d+_"
FOLDER = r"(?P<student>[^/]+)/"
USUAL = (MOODLE, CANVAS, FOLDER)
MOST = 200 * 2**20  # bytes that a zip may unpack to


def collect(source: Path, submitted: Path, assignment: str, pattern: str = "") -> dict[str, int]:
    """Copy what stands in a folder or zip to where it is graded.

    Args:
        pattern: a regular expression with a group ``student``, for names that ``USUAL`` misses.

    Returns:
        Files by learner; under "" those that nobody could be found for.
    """
    if source.suffix.lower() == ".zip" and source.is_file():
        unpacked = submitted.parent / "collected" / source.stem
        shutil.rmtree(unpacked, ignore_errors=True)
        _unzip(source, unpacked)
        source = unpacked
    matched: list[tuple[Path, str, re.Match | None]] = []
    for path in sorted(p for p in source.rglob("*") if p.is_file() and not p.is_symlink()):
        name = path.relative_to(source).as_posix()
        if any(part.startswith(".") or part == "__MACOSX" for part in Path(name).parts):
            continue
        tried = (re.match(p, name) for p in ([pattern] if pattern else USUAL))
        matched.append((path, name, next(filter(None, tried), None)))
    numbers: dict[str, set[str]] = {}  # of a learner's name: two of them are two learners
    for _, _, match in matched:
        if match:
            numbers.setdefault(safe(match["student"]), set()).add(_number(match))
    found: dict[str, int] = {}
    fresh: set[str] = set()
    for path, name, match in matched:
        student = safe(match["student"]) if match else ""
        if match:
            with_number = f"{student}_{_number(match)}".strip("_")
            if len(numbers[student]) > 1 or (submitted / with_number).exists():
                student = with_number
        found[student] = found.get(student, 0) + 1
        if not student:
            continue
        target = submitted / student / assignment
        if student not in fresh:  # the new submission replaces the one before
            shutil.rmtree(target, ignore_errors=True)
            fresh.add(student)
        rest = Path(name[match.end() :].lstrip("_/") or path.name)
        rest = Path(*rest.parts[1:]) if rest.parts[0] == assignment and rest.parts[1:] else rest
        (target / rest).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / rest)
    return found


def safe(student: str) -> str:
    """A learner's name as a folder: letters of any alphabet stay."""
    whole = unicodedata.normalize("NFC", student)  # macOS writes an umlaut as two characters
    return re.sub(r"[^\w.@+-]+", "_", whole.strip()).strip("._")


def _number(match: re.Match) -> str:
    """What an LMS writes after a name to tell learners apart; empty if it writes nothing."""
    return match.groupdict().get("number") or ""


def _unzip(file: Path, target: Path) -> None:
    size = 0
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            size += member.file_size
            parts = Path(member.filename).parts
            if member.is_dir() or ".." in parts or Path(member.filename).is_absolute():
                continue
            if size > MOST * 10:
                raise SystemExit(f"{file.name} unpacks to more than 2 GB: look at it by hand")
            out = target.joinpath(*parts)
            out.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as data, out.open("wb") as copy:
                shutil.copyfileobj(data, copy)


def notebook_in(folder: Path, assignment: str, released: Path) -> tuple[Path, list[str]]:
    """The notebook of a submission, whatever its name is, and what a teacher should know.

    Raises:
        CannotGrade: there is none.
    """
    from classroom.grade import CannotGrade

    for file in folder.rglob("*.zip"):
        with_zip = folder / file.stem
        if not list(folder.rglob("*.ipynb")) and zipfile.is_zipfile(file):
            _unzip(file, with_zip)
    found = sorted(
        path
        for path in folder.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts and not path.is_symlink()
    )
    if not found:
        names = ", ".join(sorted(p.name for p in folder.rglob("*") if p.is_file())[:3])
        raise CannotGrade(f"no .ipynb among what was handed in ({names or 'nothing'}): ask for it")
    wanted = folder / f"{assignment}.ipynb"
    if len(found) == 1:
        said = [] if found[0] == wanted else [f"the file is called {found[0].name!r}"]
        return found[0], said
    ids = set(re.findall(r'"grade_id": "([^"]+)"', released.read_text(encoding="utf-8")))
    scored = {path: _likeness(path, ids) for path in found}
    best = max(found, key=lambda path: (scored[path], path == wanted, path.stat().st_mtime))
    others = ", ".join(path.name for path in found if path != best)
    return best, [f"{len(found)} notebooks; graded is {best.name!r}, not {others}"]


def _likeness(path: Path, ids: set[str]) -> tuple[int, int]:
    """How many cells of the released notebook are in this one, and how much was written."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        cells = json.loads(text).get("cells", [])
    except (ValueError, AttributeError):
        return 0, 0
    open_ones = sum("raise NotImplementedError()" in str(c.get("source")) for c in cells)
    return len(ids & set(re.findall(r'"grade_id": "([^"]+)"', text))), -open_ones
