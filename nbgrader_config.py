"""nbgrader's settings: solutions/ is what is written, exercises/ is what is released from it.

Submissions, grades and feedback go to .nbgrader/, which git ignores; NBGRADER_WORK names another
folder, for instance one that is backed up.
"""

import os
import re
import sys

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

c = get_config()

root = os.path.dirname(os.path.abspath(__file__))
tools = os.path.join(root, "tools")
if tools not in sys.path:
    sys.path.insert(0, tools)

work = os.path.abspath(os.environ.get("NBGRADER_WORK", os.path.join(root, ".nbgrader")))
# Without the database's folder nbgrader stops after it has deleted the exercise's folder.
os.makedirs(work, exist_ok=True)

c.CourseDirectory.course_id = "seq2seq"
c.CourseDirectory.root = root
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.submitted_directory = os.path.join(work, "submitted")
c.CourseDirectory.autograded_directory = os.path.join(work, "autograded")
c.CourseDirectory.feedback_directory = os.path.join(work, "feedback")
c.CourseDirectory.db_url = "sqlite:///" + os.path.join(work, "gradebook.db")


class ClearLetters(NbGraderPreprocessor):
    """Releases `letter = "B"  ### SOLUTION` as `letter = "?"`.

    nbgrader's own regions become a `raise`, which outside a function would stop the notebook.
    """

    marked = re.compile(r"""^(\w+ = )"[^"]*"  ### SOLUTION$""", re.MULTILINE)

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "code":
            cell.source = self.marked.sub(r'\1"?"', cell.source)
        return cell, resources


c.GenerateAssignment.preprocessors.prepend([ClearLetters])

# Releasing needs no more than this; a class is graded where tools/ is, too.
if os.path.isdir(os.path.join(tools, "classroom")):
    from classroom.execute import Execute
    from classroom.handback import FeedbackPage, Harmless
    from classroom.isolation import HIDDEN
    from classroom.mend import Mend

    # What is handed in is mended first: copied, deleted and stripped cells cost nothing else.
    c.Mend.released = os.path.join(root, "exercises", "{assignment}", "{assignment}.ipynb")
    c.Autograde.sanitize_preprocessors = [
        ClearOutput,
        Mend,
        DeduplicateIds,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]

    # Then it runs in a kernel that sees neither the gradebook nor other submissions.
    c.Execute.submitted = os.path.join(work, "submitted", "{student}", "{assignment}")
    c.Execute.hidden = "\n".join(
        [
            os.path.join(root, "solutions"),
            *(os.path.join(work, name) for name in HIDDEN),
        ]
    )
    c.Autograde.autograde_preprocessors = [
        Execute,
        IgnorePattern,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        Harmless,
        CheckCellMetadata,
    ]

    # What goes back says what the checks said, and runs nothing.
    c.GenerateFeedback.preprocessors = [GetGrades]
    c.GenerateFeedback.exporter_class = FeedbackPage
