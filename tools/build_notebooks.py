"""Use: python tools/build_notebooks.py build | check | back | release   (chapters/ch01_x.ipynb ...)

A notebook is written as a py:percent file, which diffs, lints and merges like code, and shipped as
an executed .ipynb, which a reader without a kernel can see:

    chapters/_src/ch01_x.py  ->  chapters/ch01_x.ipynb
    solutions/_src/ch01_x.py ->  solutions/ch01_x/ch01_x.ipynb

build [FILES]   execute the sources, or all of them, and write the notebooks. Two builds on one
                machine write the same bytes. If a cell fails, the old notebook stays. README's
                table of chapters and docs/teaching.md are brought up to date.
check [FILES]   without executing: every notebook is what `build` writes from its source, run once
                from top to bottom. Prints what is not and exits with 1.
back NOTEBOOK   carry edits that were made in Jupyter into the source. Unchanged cells keep their
                source text to the letter. Refuses what it cannot carry over, cells that would
                vanish, and sources that were edited too (--force: take the notebook's cells).
release [FILES] make exercises/ch01_x/ from solutions/ch01_x/ with nbgrader, or all exercises.

A file is a notebook or its source. A cell's header takes tags and nbgrader's settings:
`# %% tags=["nbval-ignore-output"]`; with "not-stored" beside it, what the cell prints is not
written into the notebook, for texts that are not ours to pass on. An output that the reader opens
after a prediction is folded by both of these, in one line:

    # %% tags=["hide-output"] jupyter={"outputs_hidden": true}
"""

import argparse
import os
import sys
from pathlib import Path

import course_pictures
import readme_table
from classroom.plans import write_plans
from notebooks.back import back
from notebooks.build import build, orphans, problems
from notebooks.paths import ROOT, NotebookError, notebook_of, shown, source_of, sources
from notebooks.release import release


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["build", "check", "back", "release"])
    parser.add_argument("files", nargs="*", type=Path, help="notebooks or sources; default: all")
    parser.add_argument("--force", action="store_true", help="back: the notebook's cells win")
    options = parser.parse_intermixed_args(arguments)
    # Outputs must not depend on this machine's cores and accelerator.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("SEQ2SEQ_DEVICE", "cpu")

    chosen = [source_of(file.resolve()) for file in options.files] or sources(root)
    if options.command == "back" and not options.files:
        parser.error("back needs the notebook that you edited")
    failed = 0
    if options.command == "release":
        stems = [source.stem for source in chosen] if options.files else ["ch*"]
        try:
            for stem in stems:
                release(root, stem)
        except NotebookError as error:
            failed += 1
            print(error, file=sys.stderr)
        return failed
    for source in chosen:
        try:
            if options.command == "build":
                print(f"{shown(notebook_of(source))} ...", end=" ", flush=True)
                print(f"{build(source):.0f} s")
            elif options.command == "back":
                changed = back(source, options.force)
                print(shown(source), "written: now build it" if changed else "has these cells")
            else:
                wrong = problems(source)
                failed += bool(wrong)
                print(*wrong, sep="\n", end="\n" if wrong else "")
        except (NotebookError, FileNotFoundError) as error:
            failed += 1
            print(f"\n{error}", file=sys.stderr)
    if options.command == "build":
        readme_table.main(root)
        course_pictures.main(root)
        write_plans(root)
    if options.command == "check" and not options.files:
        wrong = orphans(root)
        failed += len(wrong)
        print(*wrong, sep="\n", end="\n" if wrong else "")
    if options.command == "check" and failed:
        print("Repair: python tools/build_notebooks.py build FILE (or back, if you edited in Lab)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
