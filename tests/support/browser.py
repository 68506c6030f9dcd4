"""A notebook in a real JupyterLab in a real Chromium: what the browser tests share.

    with jupyter_lab(folder) as lab, chromium() as browser:
        notebook = lab.open(browser, "chapter.ipynb")
        notebook.run_all()
        panel = notebook.panel()
        panel.button("right", group="mask").click()
        panel.shows(EXPLORER.picture("right"))
        assert notebook.errors() == []

The server has configuration folders of its own, so a reader's settings neither help nor suffer.
Nothing sleeps: each step waits for what it needs to see. Needs the extra `browser` and a Chromium;
`missing()` says what is not there. Playwright's own `playwright install` is not needed.
"""

import contextlib
import html
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60_000  # milliseconds: a shared core may stall; a defect shows as a wrong state
EXECUTE = "async ([name, options]) => { await window.jupyterapp.commands.execute(name, options) }"
TOKEN = "browser-test"
# No sandbox, because root in a container may not make one; the pages come from this machine alone.
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ERRORS = (
    ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr'], "
    ".jp-RenderedText[data-mime-type='application/vnd.jupyter.error'], "
    ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
)
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # all cells are there, also those out of sight
    "notebook-extension/tracker": {"windowingMode": "none"},
}
WATCH = """() => {
  const title = () => document.querySelector('.s2s-picture svg > title')?.textContent;
  window.seen = [];
  let last = title();
  new MutationObserver(() => {
    const now = title();
    if (now && now !== last) window.seen.push(last = now);
  }).observe(document.querySelector('.s2s-picture'), { childList: true });
}"""
IDLE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return panel?.sessionContext?.session?.kernel?.status === 'idle';
}"""


def missing() -> str | None:
    """What the browser tests lack on this machine, or None."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return 'playwright is not installed: pip install -e ".[browser]"'
    if executable() is None:
        return f"no Chromium: none of {', '.join(NAMES)} is on the path, nor does CHROMIUM name one"
    return None


def executable() -> str | None:
    """The browser: what the variable CHROMIUM names, else the first of the usual names."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    """A notebook of code cells, without outputs."""
    import nbformat

    new = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[new(cell.strip(), id=f"cell-{number}") for number, cell in enumerate(cells)]
    )
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


def artifacts_dir(default: Path) -> Path:
    """Where screenshots are kept: the folder that ARTIFACTS_DIR names, else the test's own."""
    folder = Path(os.environ.get("ARTIFACTS_DIR") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser, closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def jupyter_lab(root: Path, words: Sequence[str] | None = None) -> Iterator["Lab"]:
    """A JupyterLab of its own that serves the folder ``root``, stopped at the end.

    With ``words``, arguments of ``jupyter lab``, it is started in ``root`` by them instead.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        for name, settings in SETTINGS.items():
            file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(exist_ok=True, parents=True)
            file.write_text(json.dumps(settings))
        command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
        command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
        command += [f"--IdentityProvider.token={TOKEN}"]
        command += [f"--ServerApp.root_dir={root}"] if words is None else words
        command += ["--expose-app-in-browser", "--LabApp.news_url=None"]
        command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        with open(home / "log", "w+b") as log:
            server = subprocess.Popen(
                command,
                cwd=root,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            lab = Lab(f"http://127.0.0.1:{port}")
            try:
                lab.wait(server, home / "log")
                yield lab
            finally:
                server.terminate()  # it stops its kernels
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "NBGRADER_WORK": "nbgrader",
    }
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    own = {variable: str(home / folder) for variable, folder in folders.items()}
    return {**os.environ, **own, "PYTHONPATH": path, "NO_PROXY": "127.0.0.1"}


@dataclass(frozen=True)
class Lab:
    """A running server."""

    url: str

    def wait(self, server: subprocess.Popen, log: Path) -> None:
        """Until it answers; its log if it never does."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end and server.poll() is None:
            try:
                with opener.open(f"{self.url}/api?token={TOKEN}", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")

    def open(
        self,
        browser: Any,
        name: str,
        *,
        dark: bool = False,
        run: bool = True,
        width: int = 1400,
        still: bool = False,
    ) -> "Notebook":
        """A notebook in a page of its own, and its kernel ready if it is to be run.

        ``still`` is for a reader who asked the system for less motion.
        """
        page = browser.new_page(
            viewport={"width": width, "height": 900}, reduced_motion="reduce" if still else None
        )
        page.set_default_timeout(PATIENCE)
        notebook = Notebook(page)
        page.on("pageerror", lambda error: notebook.page_errors.append(str(error)))
        page.goto(f"{self.url}/doc/tree/{name}?token={TOKEN}")
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.content?.widgets")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        notebook.set_theme(dark)  # each time, because the server remembers the last one
        if run:
            page.wait_for_function(IDLE)
        return notebook


@dataclass
class Notebook:
    """An open notebook."""

    page: Any
    page_errors: list[str] = field(default_factory=list)

    def set_theme(self, dark: bool) -> None:
        """JupyterLab's light or dark theme."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self._execute("apputils:change-theme", {"theme": theme})
        light = str(not dark).lower()
        self.page.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")

    def run_all(self) -> None:
        """Run every cell and wait for the last one."""
        self._execute("notebook:run-all-cells")

    def errors(self) -> list[str]:
        """Errors of the page, and outputs of cells that are errors or warnings."""
        return self.page_errors + self.page.locator(ERRORS).all_inner_texts()

    def panel(self) -> "Panel":
        """The explorer on the page; there is one."""
        return Panel(self.page)

    def screenshot(self, path: Path, locator: Any = None) -> None:
        """The page as it is, scrolled to ``locator``."""
        if locator is not None:
            locator.scroll_into_view_if_needed()
        self.page.screenshot(path=str(path))

    def close(self) -> None:
        """Close the page; the kernel goes with the server."""
        self.page.close()

    def _execute(self, command: str, options: dict | None = None) -> None:
        self.page.evaluate(EXECUTE, [command, options or {}])


@dataclass(frozen=True)
class Panel:
    """An explorer's panel on any page, used as a reader does: by what is written on it."""

    page: Any
    place: Any = None  # what the panel stands in, where a page has several

    @property
    def root(self) -> Any:
        return (self.place or self.page).locator(".s2s-panel")

    @property
    def picture(self) -> Any:
        return self.root.locator(".s2s-picture svg[role=img]")

    def button(self, name: str, group: str | None = None) -> Any:
        """A button by its name; in a group, where the name stands on several."""
        within = self.root.get_by_role("group", name=group, exact=True) if group else self.root
        return within.get_by_role("button", name=name, exact=True)

    def slider(self, name: str) -> Any:
        return self.root.get_by_role("slider", name=name, exact=True)

    def number(self, name: str) -> Any:
        return self.root.get_by_role("spinbutton", name=name, exact=True)

    def field(self, name: str) -> Any:
        return self.root.get_by_role("textbox", name=name, exact=True)

    def verdict(self) -> str:
        return self.root.locator(".s2s-verdict").inner_text()

    def shows(self, svg: str) -> None:
        """Wait until the picture is this one, by its title and its text alternative."""
        from playwright.sync_api import expect

        title, description = (
            html.unescape(re.search(f"<{tag}>(.*?)</{tag}>", svg, re.DOTALL)[1])
            for tag in ("title", "desc")
        )
        expect(self.picture.locator("> title")).to_have_text(title, timeout=PATIENCE)
        expect(self.picture.locator("> desc")).to_have_text(description, timeout=PATIENCE)

    def tab_to(self, what: Any) -> None:
        """Press Tab until this element has the focus."""
        for _ in range(60):
            if what.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never came to {what}")

    def titles_while(self, act) -> list[str]:
        """The titles of the pictures that are seen, one after the other, while something is done.

        ``act`` does it and waits until it is over.
        """
        self.page.evaluate(WATCH)
        act()
        return self.page.evaluate("window.seen")
