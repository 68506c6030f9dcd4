"""README's and the Makefile's way into JupyterLab: chapter 0, and exercises in reach."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support import browser

ROOT = Path(__file__).resolve().parents[2]
WHY = browser.missing()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(WHY is not None, reason=str(WHY)),
]
COMMAND = re.compile(r"jupyter lab ((?:--\S+|\S+/\S+) ?)+")


@pytest.mark.parametrize("place", ["README.md", "Makefile"])
def test_the_command_opens_chapter_0_and_the_exercises_are_in_reach(chromium, place):
    (command,) = {found[0] for found in COMMAND.finditer((ROOT / place).read_text("utf-8"))}
    words = shlex.split(command.removeprefix("jupyter lab"))
    with browser.jupyter_lab(ROOT, words) as lab:
        page = chromium.new_page()
        page.goto(f"{lab.url}/?token={browser.TOKEN}")
        page.get_by_role("heading", level=1, name="0. Start here").wait_for()
        assert page.url.endswith("/lab/tree/chapters/ch00_start_here.ipynb")
        page.goto(f"{lab.url}/lab/tree/exercises/ch04_padding_masks/ch04_padding_masks.ipynb")
        title = page.get_by_role("heading", level=1, name=re.compile("masks")).first
        title.wait_for()  # chapters link to it as ../exercises/
        assert page.get_by_text("Could not find path").count() == 0
        page.close()
