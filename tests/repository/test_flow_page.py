"""docs/flow.md says what the code does: its calls, shapes and frames are counted again."""

import flow_page
import pytest
import torch

from seq2seq_lib.training import step


@pytest.fixture(scope="module")
def parts():
    return flow_page.sections()


def test_the_page_is_in_step_with_the_code(parts):
    page = flow_page.PAGE.read_text(encoding="utf-8")
    assert page == flow_page.with_sections(page, parts), "run python tools/flow_page.py"


def test_the_path_is_short_and_begins_and_ends_where_the_page_says():
    stack = flow_page.update().stack
    assert (stack[0], stack[-1]) == ("fit", "_cross_entropy") and len(stack) <= 6


def test_one_more_function_on_the_way_is_counted(monkeypatch):
    before, right = len(flow_page.update().stack), step.sequence_loss
    code = "def detour(*args, **options):\n    return right(*args, **options)"
    made = {"right": right}
    exec(compile(code, str(flow_page.LIBRARY / "detour.py"), "exec"), made)
    monkeypatch.setattr(step, "sequence_loss", made["detour"])
    assert len(flow_page.update().stack) == before + 1


def test_sizes_are_told_apart():
    sizes = [*flow_page.SIZES.values(), flow_page.BEAMS * flow_page.SIZES["B"], 1]
    assert len(set(sizes)) == len(sizes)
    assert flow_page.shown(torch.zeros(4, 11)) == "[B, V]" and flow_page.shown(torch.ones(97)) == ""
