"""Settings that every test shares, and the one place where real corpora are looked for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Tests that a chapter inherits explain a failed assert like tests that stand in a test file.
pytest.register_assert_rewrite("tests.support.grading")

# Set before anything imports torch, and inherited by the kernels and workers that tests start.
# One thread: two threads on a shared core make nn.GRU many times slower.
# The CPU: a machine with a GPU then compares the same numbers; name the device to test another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SEQ2SEQ_DEVICE", "cpu")

# No deadline: a shared core stalls now and then, and a stall is not a counterexample.
settings.register_profile("local", deadline=None)
# In CI the same examples each time, so that a red run can be repeated.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """OMP_NUM_THREADS may have been set to something else outside: torch gets one thread anyway."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """The folder with real corpora that SEQ2SEQ_DATA_DIR names; skips, saying why, without one."""
    name = os.environ.get("SEQ2SEQ_DATA_DIR")
    if not name:
        pytest.skip("SEQ2SEQ_DATA_DIR is not set: it names the folder with the real corpora")
    folder = Path(name)
    if not folder.is_dir():
        pytest.skip(f"SEQ2SEQ_DATA_DIR names {folder}, which is not a folder")
    return folder
