"""nbgrader's settings: solutions/ is what is written, exercises/ is what is released from it.

Submissions, grades and feedback go to .nbgrader/, which git ignores; NBGRADER_WORK names another
folder, for instance one that is backed up.
"""

import os
import re

from nbgrader.preprocessors import NbGraderPreprocessor

c = get_config()

root = os.path.dirname(os.path.abspath(__file__))
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

# A test cell that was deleted comes back, and so does its zero.
c.OverwriteCells.add_missing_cells = True

# A file seq2seq_lib.py that is handed in beside a notebook must not stand in for the library.
c.Execute.extra_arguments = ["--InteractiveShellApp.ignore_cwd=True"]

# nbgrader's 30 seconds a cell are too short for a slow laptop.
c.ExecutePreprocessor.timeout = 300
