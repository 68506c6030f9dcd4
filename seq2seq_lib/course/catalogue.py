"""Finding a course's chapters and exercises: by the names of its folders, when they are asked for.

A chapter is a package ``chNN_name`` inside the course's package. Its ``EXERCISES``, in order, are
its exercises; nothing lists the chapters, and asking for one loads no other.
"""

import importlib
import pkgutil
import re
from typing import Any

from seq2seq_lib.course.judging import engine, progress_file
from seq2seq_lib.course.judging.exercise import Exercise


class Course:
    """The chapters of a package, and what a notebook calls for its exercises.

    Args:
        package: the dotted name of the package that holds the chapters.
    """

    def __init__(self, package: str) -> None:
        self.package = package

    def chapters(self) -> dict[str, str]:
        """The stem of each chapter by its number: ``{"4": "ch04_padding_masks", …}``.

        Raises:
            ValueError: two chapters have one number.
        """
        found: dict[str, str] = {}
        for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__):
            if not (match := re.fullmatch(r"ch(\d\d)_\w+", module.name)):
                continue
            number = str(int(match[1]))
            if number in found:
                raise ValueError(
                    f"Two chapters have the number {number}: {found[number]} and {module.name}. "
                    "Rename one of the folders."
                )
            found[number] = module.name
        return found

    def exercises(self, chapter: str | None = None) -> tuple[Exercise, ...]:
        """The exercises of one chapter in order, ``exercises("4")``; of all if none is named.

        Raises:
            ValueError: no such chapter, or none with exercises; an exercise that has the id of
                another chapter or of another exercise.
        """
        if chapter is None:
            return tuple(e for number in self.chapters() for e in self._load(number))
        found = self._load(chapter) if chapter in self.chapters() else ()
        if not found:
            valid = [number for number in self.chapters() if self._load(number)]
            raise ValueError(f"No exercises in chapter {chapter!r}. Valid: {', '.join(valid)}.")
        return found

    def find(self, exercise_id: str) -> Exercise:
        """The exercise of this id; its chapter is loaded, and no other.

        Raises:
            ValueError: there is none; the message lists what there is.
        """
        number = exercise_id.partition(".")[0] if isinstance(exercise_id, str) else ""
        near = self._load(number) if number in self.chapters() else ()
        for exercise in near:
            if exercise.id == exercise_id:
                return exercise
        valid = ", ".join(exercise.id for exercise in near or self.exercises())
        raise ValueError(f"There is no exercise {exercise_id!r}. Valid: {valid}.")

    def points(self, exercise_id: str) -> int:
        """Points of an exercise, ``points("4.2")``, or of a chapter and its bonus, ``points("4")``.

        Raises:
            ValueError: no such exercise or chapter.
        """
        if isinstance(exercise_id, str) and "." not in exercise_id:
            return sum(exercise.points for exercise in self.exercises(exercise_id))
        return self.find(exercise_id).points

    def check(self, exercise_id: str, answer: Any) -> float | None:
        """Judge an answer and say what was found: correct, wrong and why, error, not attempted.

        Args:
            exercise_id: ``"4.2"``.
            answer: the learner's function, uncalled; or a letter.

        Returns:
            None, so that a cell may end with it. Under nbgrader (``NBGRADER_EXECUTION`` is set) it
            does what ``grade`` does.

        Raises:
            ValueError: no exercise has this id.
            AssertionError: under nbgrader, if the answer earns nothing.
        """
        return engine.check(self.find(exercise_id), answer)

    def grade(self, exercise_id: str, answer: Any) -> float | None:
        """``check`` for hidden tests: the same text, and nbgrader reads the points from the cell.

        Returns:
            None for a correct answer: all points. The points, for one that is correct in part.

        Raises:
            ValueError: no exercise has this id.
            AssertionError: the answer earns nothing.
        """
        return engine.grade(self.find(exercise_id), answer)

    def hint(self, exercise_id: str, level: int = 1) -> None:
        """Level 1 asks about shapes, 2 names the call, 3 shows a skeleton with blanks.

        Raises:
            ValueError: no exercise has this id, or no hint this level.
        """
        engine.hint(self.find(exercise_id), level)

    def solution(self, exercise_id: str) -> None:
        """Show the reference's source and why it is right; noted as assisted in the progress file.

        Raises:
            ValueError: no exercise has this id.
        """
        engine.solution(self.find(exercise_id))

    def progress(self, chapter: str | None = None) -> None:
        """Print what is done in a chapter, or in all: solved or not, checks made, minutes needed.

        Raises:
            ValueError: no such chapter.
        """
        progress_file.progress(self.exercises(chapter))

    def _load(self, number: str) -> tuple[Exercise, ...]:
        module = importlib.import_module(f"{self.package}.{self.chapters()[number]}")
        found = tuple(getattr(module, "EXERCISES", ()))
        seen: set[str] = set()
        for exercise in found:
            if exercise.chapter != number or exercise.id in seen:
                fault = "stands there twice" if exercise.id in seen else "is another chapter's"
                raise ValueError(f"{module.__name__}.EXERCISES: {exercise.id} {fault}.")
            seen.add(exercise.id)
        return found
