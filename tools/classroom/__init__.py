"""A class: mend, run, grade and hand back what learners hand in. docs/teaching.md says how.

- ``mend``: a notebook as handed in becomes one that nbgrader can grade, with no answer lost.
- ``isolation``: what a submission may see, use and reach while its code runs.
- ``kernel``: the process in which it runs; it keeps the checks as they were.
- ``execute``: runs one notebook in such kernels; nbgrader calls it, and so does ``grade``.
- ``grade``: a whole class, in parallel; ``collect`` before it, ``handback`` after it.
- ``edition``, ``slides``, ``plans``: what a teacher hands out, shows, and plans with.
"""
