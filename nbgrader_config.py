"""nbgrader's settings: solutions/ is what is written, exercises/ is what is released from it.

Submissions, grades and feedback go to .nbgrader/, which git ignores; NBGRADER_WORK names another
folder, for instance one that is backed up.
"""

import os

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

# nbgrader's 30 seconds a cell are too short for a slow laptop.
c.ExecutePreprocessor.timeout = 300
