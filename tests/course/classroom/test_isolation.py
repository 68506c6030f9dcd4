"""What a submission may reach while it runs, and how one cell costs no other."""

import os
import socket
from pathlib import Path

import nbformat
import pytest
from classroom.execute import Noticed, execute
from classroom.isolation import Limits, Run, can_cut_off

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def ran(sources, run):
    """What each cell printed, or the text of its error."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    noticed = Noticed()
    execute(nb, run, noticed)
    said = ["".join(o.get("text") or o.get("evalue", "") for o in c.outputs) for c in nb.cells]
    return [text.strip() for text in said], noticed.lines


@pytest.mark.skipif(not can_cut_off(), reason="this system has no unshare, or does not allow it")
def test_nothing_but_its_own_folder_is_in_reach(tmp_path):
    secret, grades = tmp_path / "others", tmp_path / "gradebook.db"
    secret.mkdir()
    (secret / "answer.txt").write_text("42")
    grades.write_text("points")
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    tries = [
        f"print(open({str(grades)!r}).read() or 'empty')",
        f"open({str(grades)!r}, 'w').write('all')\nopen({str(grades)!r}).read()",
        f"import os; print(os.listdir({str(secret)!r}))",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"open({str(Path(__file__))!r}, 'a')",
        f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)",
        "print(len([p for p in os.listdir('/proc') if p.isdigit()]) < 5, os.environ.get('SECRET'))",
        f"print(os.system('umount {secret} 2> /dev/null') != 0, os.listdir({str(secret)!r}))",
        "open('mine', 'w').write('x'); print(os.listdir('.'))",
    ]
    try:
        os.environ["NBGRADER_WORK"] = str(tmp_path)
        said, _ = ran(tries, Run("4", hidden=(secret, grades)))
    finally:
        del os.environ["NBGRADER_WORK"]
        server.close()
    assert said[0] == "empty" and grades.read_text() == "points"
    assert said[2] == "[]" and said[7] == "True []"
    assert "Read-only file system" in said[3] and "Read-only file system" in said[4]
    assert "unreachable" in said[5] or "refused" in said[5]
    assert said[6] == "True None"
    assert "mine" in said[8]


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_cell_that_ends_its_kernel_costs_itself_alone(cut_off, tmp_path):
    if cut_off and not can_cut_off():
        pytest.skip("this system has no unshare, or does not allow it")
    cells = [
        "x = 1",
        "import os\nos._exit(3)",
        "x += 1\nprint(x)",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "while True: pass",
        "bytearray(60 * 2**30)",
        "exit()",
        "print('the end', x)",
    ]
    limits = Limits(cell_seconds=3)
    said, noticed = ran(cells, Run("4", limits, cut_off=cut_off))
    assert said[0] == "" and said[2] == "2" and said[7] == "the end 2"
    assert "ended the program" in said[1]
    assert "ran for more than 3 seconds" in said[3] and "ran for more than 3 seconds" in said[4]
    assert len(noticed) == 2 and "left out: 'import os'" in noticed[0]


def test_the_time_of_a_notebook_is_limited():
    limits = Limits(cell_seconds=30, total_seconds=1)
    said, noticed = ran(["import time; time.sleep(9)", "print(1)"], Run("4", limits))
    assert "time of 1 seconds was over" in said[1]
    assert "the notebook's time was over" in noticed
