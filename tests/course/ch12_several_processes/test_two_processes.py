"""Two processes find what the chapter says, and where there can be none it says so."""

import pytest

from seq2seq_lib.course.ch12_several_processes import two_processes


@pytest.mark.skipif(bool(two_processes.hindrance()), reason="no gloo, or Windows")
def test_what_is_shown_without_gloo_is_what_two_processes_find():
    rows = two_processes.run(seed=0)
    assert list(rows) == list(two_processes.MEASURED)
    for name, row in rows.items():
        assert row == pytest.approx(two_processes.MEASURED[name], abs=6e-4)
    assert rows[two_processes.OURS][0] < 1e-12 and rows["DDP, R L_r / N"][0] < 1e-12


def test_without_gloo_one_line_comes_before_the_numbers(monkeypatch, capsys):
    monkeypatch.setattr("torch.distributed.is_gloo_available", lambda: False)
    assert two_processes.run() == two_processes.MEASURED
    assert capsys.readouterr().out == (
        "This PyTorch comes without gloo. These numbers were measured once, on Linux:\n"
    )


def test_processes_that_fail_are_quoted(monkeypatch):
    if two_processes.hindrance():
        pytest.skip("no gloo, or Windows")
    monkeypatch.setattr(two_processes.sys, "executable", "false")
    with pytest.raises(RuntimeError, match="two processes failed"):
        two_processes.run()
