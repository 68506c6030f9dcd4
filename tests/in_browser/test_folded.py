"""Predict, then see: in JupyterLab a folded output stays closed until it is clicked."""

import shutil

import build_notebooks
import pytest

from tests.support import browser

WHY = browser.missing()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(WHY is not None, reason=str(WHY)),
]

SOURCE = """\
# %% [markdown]
# **Predict** the sum.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("the sum is", 40 + 2)

# %%
print("nothing to", "predict")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
# guards the number above
assert 40 + 2 == 42, "a guard"
"""


@pytest.fixture(scope="module", autouse=True)
def built(folder, tmp_path_factory):
    """A course of one chapter, built as chapters are; its notebook lies where the server looks."""
    root = tmp_path_factory.mktemp("course")
    (root / "chapters" / "_src").mkdir(parents=True)
    (root / "chapters" / "_src" / "ch11_toy.py").write_text(SOURCE, encoding="utf-8")
    assert build_notebooks.main(["build"], root) == 0
    shutil.copy(root / "chapters" / "ch11_toy.ipynb", folder)


def test_an_answer_is_folded_and_opens_by_a_click(lab, chromium, shots):
    from playwright.sync_api import expect

    notebook = lab.open(chromium, "ch11_toy.ipynb")
    cells = notebook.page.locator(".jp-Notebook .jp-CodeCell")
    answer, other, guard = (cells.nth(number) for number in range(3))
    output = answer.locator(".jp-OutputArea-output").filter(has_text="the sum is 42")
    closed = answer.locator(".jp-OutputPlaceholder")

    expect(other.get_by_text("nothing to predict")).to_be_visible()
    expect(closed).to_be_visible()
    expect(closed).to_have_text("")  # JupyterLab would show the first line of what it folds
    expect(output).to_have_count(0)
    expect(guard.locator(".jp-InputPlaceholder")).to_be_visible()
    expect(guard.get_by_text("a guard")).to_have_count(0)
    notebook.screenshot(shots / "folded.png")

    closed.click()
    expect(output).to_be_visible()
    expect(closed).to_have_count(0)
    notebook.screenshot(shots / "unfolded.png")
    assert notebook.errors() == []
    notebook.close()


def test_to_run_the_answer_opens_it(lab, chromium):
    from playwright.sync_api import expect

    notebook = lab.open(chromium, "ch11_toy.ipynb")
    cells = notebook.page.locator(".jp-Notebook .jp-CodeCell")
    expect(cells.first.locator(".jp-OutputPlaceholder")).to_be_visible()
    notebook.run_all()
    expect(cells.first.locator(".jp-OutputArea-output")).to_have_text("the sum is 42\n")
    expect(cells.nth(2).locator(".jp-InputPlaceholder")).to_be_visible()
    assert notebook.errors() == []
    notebook.close()
