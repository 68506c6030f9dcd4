"""The laws aimed at other people's code: right code holds, each known bug is named by its cause.

What each line says is written in ``benchmarks/laws_on_others.py``. Code that is not installed (the
extra ``peers``; JoeyNMT and d2l without their dependencies) is skipped.
"""

import pytest

from benchmarks import laws_on_others

# what other people's code warns of is theirs
pytestmark = pytest.mark.filterwarnings("default")


def test_the_command_prints_what_is_here_and_names_what_is_not(monkeypatch, capsys):
    def absent():
        raise ImportError("No module named 'somebody'")

    peers = {"torch": laws_on_others.of_torch, "somebody": absent}
    monkeypatch.setattr(laws_on_others, "PEERS", peers)
    laws_on_others.main()
    printed = capsys.readouterr().out
    assert "| nn.CrossEntropyLoss, empty batch | 3 | BROKEN | yes | yes |" in printed
    assert "2 verdicts, 0 of them wrong" in printed
    assert "left out, not installed: somebody: No module named 'somebody'" in printed


@pytest.mark.parametrize("peer", laws_on_others.PEERS)
def test_every_verdict_is_true_and_every_hint_leads_to_the_cause(peer):
    try:
        lines = list(laws_on_others.PEERS[peer]())
    except ImportError as error:
        pytest.skip(f"{peer} is not installed: {error}. Install the extra `peers`.")
    wrong = []
    for line in lines:
        verdict = line.judge()
        if (verdict.status == "HOLDS") != line.right or line.hint not in verdict.look_at:
            wrong.append(f"{line.name}, {line.law}, should hold: {line.right}\n{verdict}")
    assert lines and not wrong, "\n\n".join(wrong)
