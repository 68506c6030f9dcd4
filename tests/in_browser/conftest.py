"""One JupyterLab and one browser for all that is tried in them."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

from tests.support import browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """What the server serves: copies of the chapters, because JupyterLab saves what it opens."""
    folder = tmp_path_factory.mktemp("notebooks")
    for notebook in (ROOT / "chapters").glob("*.ipynb"):
        shutil.copy(notebook, folder)
    return folder


@pytest.fixture(scope="session")
def lab(folder):
    with browser.jupyter_lab(folder) as lab:
        yield lab


@pytest.fixture(scope="session")
def chromium():
    with browser.chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Where screenshots go."""
    return browser.artifacts_dir(tmp_path_factory.mktemp("screenshots"))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder of plain files that is served on this machine, and its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
