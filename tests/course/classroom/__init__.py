"""What a teacher runs: mending, running, grading and handing back a class."""
