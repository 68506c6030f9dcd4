"""Search and training beside other libraries': all do the same work."""

import pytest
import torch

from benchmarks import memory_peers, search_peers

# what other people's code warns of is theirs
pytestmark = pytest.mark.filterwarnings("default")


def test_all_searches_end_when_the_clock_says():
    cpu = torch.device("cpu")
    _, searches, missing = search_peers.make(cpu)
    if missing:
        pytest.skip(f"not installed: {missing}. Install the extra `peers`.")
    rows = search_peers.rows(cpu, quick=True)  # compares the lengths of all outputs
    # two settings, two widths, each with its limit; and the memory
    assert len(rows) == (2 * 2 * 2 + 1) * len(search_peers.PEERS) and len(searches) == 3


def test_all_libraries_are_measured_in_processes_of_their_own():
    """Each compares what it trained on and how long its outputs are; see the module."""
    rows = memory_peers.rows(torch.device("cpu"), quick=True)
    if rows[0].skipped:
        pytest.skip(rows[0].measured)
    assert len(rows) == len(memory_peers.TASKS) * (1 + len(search_peers.PEERS))
    assert all(float(row.measured.split()[0]) > 0 for row in rows)
