"""Beam search beside other libraries': all end each sentence at the same step."""

import pytest
import torch

from benchmarks import search_peers

# what other people's code warns of is theirs
pytestmark = pytest.mark.filterwarnings("default")


def test_all_searches_end_when_the_clock_says():
    cpu = torch.device("cpu")
    _, searches, missing = search_peers.make(cpu)
    if missing:
        pytest.skip(f"not installed: {missing}. Install the extra `peers`.")
    rows = search_peers.rows(cpu, quick=True)  # compares the lengths of all outputs
    assert len(rows) == (2 * 2 + 1) * len(search_peers.PEERS) and len(searches) == 3
