"""tools/mutate.py finds what it breaks, and the tests that must notice, by the mirrored layout."""

import mutate
import pytest


@pytest.mark.parametrize("module", mutate.modules())
def test_a_module_has_tests_and_can_be_broken(module):
    assert mutate.tests_of(module).exists()
    first, second, *_ = mutate.mutants_of(module)
    assert first.key != second.key and first.source != second.source


def test_packages_are_taken_apart_and_tested_as_one(tmp_path, monkeypatch):
    for name in ("search/__init__", "search/beam", "search/greedy", "masks"):
        file = tmp_path / "seq2seq_lib" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n", encoding="utf-8")
    tests = tmp_path / "tests" / "library"
    (tests / "search").mkdir(parents=True)
    (tests / "test_masks.py").touch()
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    monkeypatch.setattr(mutate, "BROKEN", ("search", "masks"))
    assert mutate.modules() == ["search.beam", "search.greedy", "masks"]
    assert mutate.tests_of("search.beam") == tests / "search"
    assert mutate.tests_of("masks") == tests / "test_masks.py"
    assert [mutant.key for mutant in mutate.mutants_of("search.beam")] == [": 1 -> 2"]
    with pytest.raises(SystemExit, match="cells has no tests"):
        mutate.tests_of("cells")
