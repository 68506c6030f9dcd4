"""The laws aimed at other people's code: right code holds, each known bug is named by its cause.

What each line says is written in ``benchmarks/laws_on_others.py``. Code that is not installed (the
extra ``peers``; JoeyNMT without its dependencies) is skipped.
"""

import pytest

from benchmarks import laws_on_others

# what other people's code warns of is theirs
pytestmark = pytest.mark.filterwarnings("default")


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
