"""Promises of tools/build_notebooks.py: same bytes, no half files, nothing lost on the way back."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import build_notebooks
import nbformat
import pytest
import readme_table
from notebooks.back import back
from notebooks.build import recorded_seconds, seconds_to_keep
from notebooks.cells import SECONDS, cell_content, read_source
from notebooks.normalise import normalise
from notebooks.paths import write_atomically

ROOT = Path(__file__).resolve().parents[2]

# Everything that wanders from run to run: addresses, progress bars, the order of stdout and stderr,
# the file name in a warning, a widget's random id, a figure, a traceback.
SOURCE = """\
# %% [markdown]
# # A tiny chapter
# Prose with $x^2$ and
#
# - a list.

# %%
# %matplotlib inline
import sys
import warnings

import ipywidgets
import matplotlib.pyplot as plt


def double(x):
    return 2 * x


# %% nbgrader={"grade": false, "grade_id": "d", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["a", "b"]
print("1/2", end="\\r")
print("2/2")
print("aside", file=sys.stderr)
warnings.warn("careful")
double
# %%
ipywidgets.IntSlider()

# %%
plt.subplots(figsize=(2, 1))
plt.show()

# %% tags=["nbval-ignore-output"]
from tqdm.notebook import tqdm

for step in tqdm(range(3), desc="epoch 1"):
    pass
print("trained")
ipywidgets.IntProgress(2)

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("what you predicted")

# %% tags=["raises-exception"]
double()
"""  # noqa: E501


RELEASED = """\
# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("what you predicted")

# %% nbgrader={"grade": true, "grade_id": "check", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
pass
"""  # noqa: E501


@pytest.fixture(scope="module")
def built_course(tmp_path_factory) -> Path:
    """A course of one chapter, built once."""
    root = tmp_path_factory.mktemp("course")
    (root / "chapters" / "_src").mkdir(parents=True)
    (root / "chapters" / "_src" / "ch01_tiny.py").write_text(SOURCE, encoding="utf-8")
    shutil.copy(ROOT / "nbval_sanitize.cfg", root)
    assert build_notebooks.main(["build"], root) == 0
    return root


@pytest.fixture
def course(built_course, tmp_path) -> Path:
    """A copy of the built course that a test may spoil."""
    return Path(shutil.copytree(built_course, tmp_path / "course"))


def source(course: Path) -> Path:
    return course / "chapters" / "_src" / "ch01_tiny.py"


def notebook(course: Path) -> Path:
    return course / "chapters" / "ch01_tiny.ipynb"


def edit(course: Path, change) -> None:
    """Apply `change` to the notebook, and save it the way an editor does."""
    content = nbformat.read(notebook(course), as_version=4)
    change(content)
    nbformat.write(content, notebook(course))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def code_cells(content) -> list:
    return [cell for cell in content.cells if cell.cell_type == "code"]


# ---------------------------------------------------------------- build


def test_two_builds_write_the_same_bytes(course):
    before = notebook(course).read_bytes()
    assert build_notebooks.main(["build"], course) == 0
    assert notebook(course).read_bytes() == before


def test_stored_outputs_are_what_a_reader_without_a_kernel_needs(course):
    text = notebook(course).read_text(encoding="utf-8")
    content = json.loads(text)
    assert "widget-view" not in text and "widgets" not in content["metadata"]
    assert str(course) not in text and "ipykernel_" not in text
    assert "1/2" not in json.dumps([cell.get("outputs") for cell in content["cells"]])
    assert "image/png" in text
    assert [cell["id"] for cell in content["cells"]] == [f"ch01_tiny-0{i}" for i in range(8)]


def test_progress_bars_are_not_stored_and_what_stands_beside_them_is(course):
    """Only where nbval does not compare: there it would miss them."""
    cell = code_cells(nbformat.read(notebook(course), as_version=4))[4]
    stream, widget = cell.outputs
    assert stream.text == "trained\n"
    assert widget.data["text/plain"] == "IntProgress(value=2)"

    bar = nbformat.v4.new_output(
        "display_data", {"text/plain": "epoch 1:   0%|          | 0/94 [00:00<?, ?it/s]"}
    )
    for tags, kept in ((["nbval-ignore-output"], 0), ([], 1)):
        new = nbformat.v4.new_code_cell("fit()", outputs=[bar.copy()], metadata={"tags": tags})
        built = normalise(nbformat.v4.new_notebook(cells=[new]), course)
        assert len(built.cells[0].outputs) == kept


def test_texts_that_are_not_ours_are_not_stored(course):
    said = nbformat.v4.new_output("stream", name="stdout", text="a sentence of someone\n")
    for tags, kept in ((["nbval-ignore-output", "not-stored"], 0), (["nbval-ignore-output"], 1)):
        new = nbformat.v4.new_code_cell("read()", outputs=[said.copy()], metadata={"tags": tags})
        built = normalise(nbformat.v4.new_notebook(cells=[new]), course)
        assert len(built.cells[0].outputs) == kept


def test_corpora_that_lie_here_are_not_found_by_a_build(course, monkeypatch):
    monkeypatch.setenv("SEQ2SEQ_DATA_DIR", str(course))
    cell = "# %%\nimport os\n\nprint(os.environ.get('SEQ2SEQ_DATA_DIR'))\n"
    source(course).write_text(cell, encoding="utf-8")
    assert build_notebooks.main(["build", str(source(course))], root=course) == 0
    assert nbformat.read(notebook(course), as_version=4).cells[0].outputs[0].text == "None\n"


def test_a_folded_output_begins_with_nothing_that_could_be_seen(course):
    """JupyterLab shows the first line of the first output in place of what it folds."""
    folded = code_cells(nbformat.read(notebook(course), as_version=4))[5]
    blank, answer = folded.outputs
    assert blank.data == {} and answer.text == "what you predicted\n"


def test_a_folded_cell_is_released_folded(tmp_path):
    source = tmp_path / "solutions" / "_src" / "ch11_tiny.py"
    source.parent.mkdir(parents=True)
    source.write_text(RELEASED, encoding="utf-8")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    assert build_notebooks.main(["build"], tmp_path) == 0
    assert build_notebooks.main(["release", str(source)], tmp_path) == 0
    released = tmp_path / "exercises" / "ch11_tiny" / "ch11_tiny.ipynb"
    folded, graded = nbformat.read(released, as_version=4).cells
    assert folded.metadata.tags == ["hide-output"]
    assert folded.metadata.jupyter == {"outputs_hidden": True}
    assert folded.outputs == [] and "locked" in graded.metadata.nbgrader


def test_a_release_without_its_solution_says_what_to_do(tmp_path, capsys):
    for files in ([], ["solutions/_src/ch11_tiny.py"]):
        assert build_notebooks.main(["release", *files], tmp_path) == 1
        assert "holds no notebook: build it, then release it" in capsys.readouterr().err


def test_ids_fit_the_format_for_any_source_name(tmp_path):
    path = tmp_path / "chapters" / "_src" / f"{'very_long.name ' * 6}.py"
    path.parent.mkdir(parents=True)
    path.write_text("# %%\n1\n\n# %%\n2\n", encoding="utf-8")
    ids = [cell.id for cell in read_source(path).cells]
    assert len(set(ids)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", cell_id) for cell_id in ids)


def test_nbval_accepts_a_build_and_rejects_another_output(course):
    def nbval():
        command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env"]
        command += ["--nbval-sanitize-with=nbval_sanitize.cfg", "-p", "no:cacheprovider"]
        return subprocess.run([*command, "chapters"], cwd=course, capture_output=True, text=True)

    assert (good := nbval()).returncode == 0, good.stdout
    replace(notebook(course), "2/2\\n", "3/2\\n")
    replace(notebook(course), "you predicted\\n", "nobody predicted\\n")  # folded, and compared
    assert (bad := nbval()).returncode == 1, bad.stdout
    assert "2 failed" in bad.stdout


def test_a_failing_cell_is_named_and_leaves_the_old_notebook(course, capsys):
    before = notebook(course).read_bytes()
    replace(source(course), "plt.show()", "raise ValueError('no such luck')")
    assert build_notebooks.main(["build"], course) == 1
    message = capsys.readouterr().err
    assert "chapters/_src/ch01_tiny.py: cell 5" in message
    assert "ValueError: no such luck" in message
    assert notebook(course).read_bytes() == before
    assert {p.name for p in notebook(course).parent.iterdir()} == {"ch01_tiny.ipynb", "_src"}


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, "old")

    def no_space(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", no_space)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("cell", "line", "shown"),
    [
        ("import math\n\n\ndef root(x):\n    return math.sqrt(x)\n\n\nroot(-1)", 8, "root(-1)"),
        ("a = 1\nb = = 2", 2, "b = = 2"),
    ],
)
def test_a_failing_cell_is_named_with_the_line_that_failed(course, capsys, cell, line, shown):
    source(course).write_text(f"# %%\n1\n\n# %%\n{cell}\n", encoding="utf-8")
    assert build_notebooks.main(["build"], course) == 1
    message = capsys.readouterr().err
    assert f"cell 2, line {line} failed with " in message
    assert f"\n    {shown}\n" in message


def test_measured_seconds_change_only_when_the_notebook_got_slower_or_faster():
    assert seconds_to_keep(0.2, None) == 1
    assert seconds_to_keep(60.4, None) == 60
    assert seconds_to_keep(71, 60) == 60  # less than a fifth more
    assert seconds_to_keep(73, 60) == 73
    assert seconds_to_keep(20, 73) == 20
    assert seconds_to_keep(22.9, 20) == 20  # less than three seconds more


def test_a_build_keeps_its_seconds_in_the_notebook_and_writes_the_readme(course):
    readme = course / "README.md"
    readme.write_text(f"{readme_table.BEGIN}\n{readme_table.END}\n", encoding="utf-8")
    edit(course, lambda content: content.metadata.pop(SECONDS))
    assert build_notebooks.main(["check"], course) == 0, "one that was never timed is fine"
    assert "| not measured |" in readme_table.table(course)

    assert build_notebooks.main(["build"], course) == 0
    seconds = recorded_seconds(notebook(course))
    assert seconds >= 1
    row = f"| [A tiny chapter](chapters/ch01_tiny.ipynb) | – | {seconds} s |"
    assert row in readme.read_text(encoding="utf-8")
    assert build_notebooks.main(["check"], course) == 0


@pytest.mark.parametrize(
    "text",
    [
        "import os\n\n# %%\n1\n",
        "# %%\n\n# %%\n1\n",
        '# %% tgas=["x"]\n1\n',
        "# %% [raw]\n# x\n",
        '# %% tags=["hide-output"]\n1\n',
        '# %% jupyter={"outputs_hidden": true}\n1\n',
        '# %% tags=["hide-input"] jupyter={"outputs_hidden": true}\n1\n',
    ],
    ids=[
        "text before the first cell",
        "empty cell",
        "unknown setting",
        "raw cell",
        "folded by its tag alone",
        "folded by its setting alone",
        "tag and setting fold different things",
    ],
)
def test_sources_that_would_not_come_back_are_refused(course, text, capsys):
    before = notebook(course).read_bytes()
    source(course).write_text(text, encoding="utf-8")
    assert build_notebooks.main(["build"], course) == 1
    assert "chapters/_src/ch01_tiny.py" in capsys.readouterr().err
    assert notebook(course).read_bytes() == before


# ---------------------------------------------------------------- check


def test_check_passes_after_a_build(course, capsys):
    assert build_notebooks.main(["check"], course) == 0
    assert capsys.readouterr().out == ""


def stale_source(course):
    replace(source(course), "2 * x", "3 * x")


def stale_prose(course):
    replace(source(course), "Prose", "Poetry")


def stale_tag(course):
    replace(source(course), '"a", "b"', '"a"')


def cell_added_to_the_source(course):
    source(course).write_text(SOURCE + "\n# %%\n1\n", encoding="utf-8")


def execution_count_edited(course):
    edit(course, lambda nb: code_cells(nb)[2].update(execution_count=9))


def output_count_edited(course):
    edit(course, lambda nb: code_cells(nb)[2].outputs[0].update(execution_count=9))


def never_run(course):
    edit(course, lambda nb: [c.update(execution_count=None, outputs=[]) for c in code_cells(nb)])


def error_without_tag(course):
    replace(source(course), ' tags=["raises-exception"]', "")
    edit(course, lambda nb: nb.cells[-1].metadata.clear())


def widget_state(course):
    edit(course, lambda nb: nb.metadata.update(widgets={"state": {}}))


def clock(course):
    edit(course, lambda nb: nb.cells[1].metadata.update(execution={"iopub.execute_input": "now"}))


def kernel_name(course):
    edit(course, lambda nb: nb.metadata.kernelspec.update(name="mine"))


def cell_id(course):
    edit(course, lambda nb: nb.cells[1].update(id="mine"))


def notebook_missing(course):
    notebook(course).unlink()


def notebook_without_source(course):
    shutil.copy(notebook(course), course / "chapters" / "ch02_orphan.ipynb")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (stale_source, "cells are not those of its source"),
        (stale_prose, "cells are not those of its source"),
        (stale_tag, "cells are not those of its source"),
        (cell_added_to_the_source, "cells are not those of its source"),
        (execution_count_edited, "not run once from top to bottom"),
        (output_count_edited, "code cell 3 is run 3, its output [9]"),
        (never_run, "not run once from top to bottom"),
        (error_without_tag, "no tag raises-exception"),
        (widget_state, "metadata"),
        (clock, "saved by something else"),
        (kernel_name, "metadata"),
        (cell_id, "ids"),
        (notebook_missing, "not built"),
        (notebook_without_source, "ch02_orphan.ipynb: no source"),
    ],
)
def test_check_goes_red(course, capsys, spoil, says):
    spoil(course)
    assert build_notebooks.main(["check"], course) == 1
    assert says in capsys.readouterr().out


# ---------------------------------------------------------------- back


def test_a_notebook_without_edits_changes_nothing(course):
    assert build_notebooks.main(["back", str(notebook(course))], course) == 0
    assert source(course).read_text(encoding="utf-8") == SOURCE


def test_every_cell_survives_the_way_back_without_its_old_source(course):
    cells = read_source(source(course)).cells
    source(course).unlink()
    assert back(notebook(course))
    again = read_source(source(course)).cells
    assert list(map(cell_content, again)) == list(map(cell_content, cells))
    # Second time round the text itself is a fixed point.
    text = source(course).read_text(encoding="utf-8")
    source(course).unlink()
    back(notebook(course))
    assert source(course).read_text(encoding="utf-8") == text


def test_edits_come_back_and_other_cells_keep_their_text(course):
    def change(content):
        content.cells[0].source = content.cells[0].source.replace("Prose", "Poetry")
        content.cells.insert(
            4, nbformat.v4.new_code_cell("%%time\nx = 1\n\n", metadata={"tags": ["new"]})
        )
        content.cells[5].metadata["scrolled"] = True  # an editor's note, not the author's

    edit(course, change)
    assert build_notebooks.main(["back", str(notebook(course))], course) == 0
    expected = SOURCE.replace("Prose", "Poetry").replace(
        "# %%\nplt", '# %% tags=["new"]\n# %%time\nx = 1\n\n# %%\nplt'
    )
    assert source(course).read_text(encoding="utf-8") == expected


def test_to_open_a_folded_output_is_no_edit(course):
    def read_on(content):
        (folded,) = [c for c in content.cells if "hide-output" in c.metadata.get("tags", [])]
        assert folded.metadata.jupyter == {"outputs_hidden": True}
        folded.metadata.jupyter.outputs_hidden = False
        content.cells[1].metadata["jupyter"] = {"source_hidden": True}  # and another was folded

    edit(course, read_on)
    assert build_notebooks.main(["back", str(notebook(course))], course) == 0
    assert source(course).read_text(encoding="utf-8") == SOURCE


def test_a_deleted_cell_needs_force(course, capsys):
    edit(course, lambda content: content.cells.pop(3))
    assert build_notebooks.main(["back", str(notebook(course))], course) == 1
    assert "ipywidgets.IntSlider()" in capsys.readouterr().err
    assert source(course).read_text(encoding="utf-8") == SOURCE
    assert build_notebooks.main(["back", "--force", str(notebook(course))], course) == 0
    assert source(course).read_text(encoding="utf-8") == SOURCE.replace(
        "# %%\nipywidgets.IntSlider()\n\n", ""
    )


def test_a_source_edited_since_the_build_is_not_overwritten(course, capsys):
    stale_source(course)
    text = source(course).read_text(encoding="utf-8")
    edit(course, lambda content: content.cells[0].update(source="# Another title"))
    assert build_notebooks.main(["back", str(notebook(course))], course) == 1
    assert "was edited after" in capsys.readouterr().err
    assert source(course).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "cell",
    [
        nbformat.v4.new_raw_cell("raw"),
        nbformat.v4.new_markdown_cell("![](attachment:a.png)", attachments={"a.png": {}}),
        nbformat.v4.new_code_cell("text = '''\n# %% not a cell\n'''"),
        nbformat.v4.new_code_cell(""),
    ],
    ids=["raw", "pasted picture", "looks like two cells", "empty"],
)
def test_a_cell_that_a_source_cannot_hold_is_refused(course, cell):
    edit(course, lambda content: content.cells.append(cell))
    assert build_notebooks.main(["back", str(notebook(course))], course) == 1
    assert source(course).read_text(encoding="utf-8") == SOURCE
