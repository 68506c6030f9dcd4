"""A check is quiet, leaves nothing behind, and outlives whatever the answer does."""

import contextlib
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from seq2seq_lib.course.judging import engine, progress_file, sandbox, settings
from seq2seq_lib.course.judging.probes import fresh_generator
from tests.course.judging.stubs import recursive
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides, edits_input
from tests.support.toy_course.ch01_toy.ex3_weighted_mean import weighted_mean, weighted_sum

DIVIDES, MEAN = TOY.find("1.2"), TOY.find("1.3")
LOG = logging.getLogger("learner")


def noisy(numbers, limit):
    print("debug", numbers)
    print("to stderr", file=sys.stderr)
    warnings.warn("careful", UserWarning, stacklevel=1)
    LOG.warning("logged")
    nn.GRU(3, 4, dropout=0.1)  # warns by itself
    return divides(numbers, limit)


@pytest.mark.parametrize("strict", [False, True])
def test_noise_costs_nothing(strict, monkeypatch, capfd):
    handler = logging.StreamHandler(sys.__stderr__)  # holds the real stderr, as notebooks' do
    LOG.addHandler(handler)
    try:
        if strict:
            monkeypatch.setenv(engine.GRADING, "validate")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            TOY.check("1.2", noisy)
            filters = list(warnings.filters)
            shows = warnings.showwarning
            TOY.check("1.2", noisy)
            assert warnings.filters == filters and warnings.showwarning is shows
    finally:
        LOG.removeHandler(handler)
    printed = capfd.readouterr()
    assert printed.out.count(": correct") == 2
    assert "debug" not in printed.out and not printed.err
    assert logging.root.manager.disable == logging.NOTSET


def writes_below(numbers, limit):
    os.write(2, b"native\n")
    print("past the redirection", file=sys.__stderr__)
    subprocess.run([sys.executable, "-c", "import os; os.write(2, b'child')"], check=True)
    return divides(numbers, limit)


def test_what_is_written_past_python_costs_nothing(grading, capfd):
    assert TOY.grade("1.2", writes_below) is None
    os.write(2, b"afterwards")
    printed = capfd.readouterr()
    assert ": correct" in printed.out and printed.err == "afterwards"


def test_a_program_without_a_console_can_check_as_well(monkeypatch, capsys):
    def closed(handle):
        raise OSError(f"{handle} is closed")

    monkeypatch.setattr(sandbox.os, "dup", closed)
    TOY.check("1.2", divides)
    assert ": correct" in capsys.readouterr().out


def test_the_streams_are_put_back_after_an_error(capsys):
    before = sys.stdout, sys.stderr
    TOY.check("1.2", recursive)
    assert (sys.stdout, sys.stderr) == before


# ---------------------------------------------------------------- random numbers, gradients


def seed_all(seed):
    # the old global generator of numpy is meant here: learners use it
    torch.manual_seed(seed), random.seed(seed), np.random.seed(seed)  # noqa: NPY002


def draw_all():
    return torch.rand(3).tolist(), random.random(), np.random.rand()  # noqa: NPY002


def reseeds(values, weights):
    seed_all(99), draw_all()
    return weighted_mean(values, weights)


def test_random_numbers_outside_do_not_notice_a_check():
    seed_all(5)
    expected = draw_all()
    seed_all(5)
    for answer in (weighted_mean, reseeds, weighted_sum):
        engine.judge(MEAN, answer)
    assert draw_all() == expected


def test_probes_are_drawn_from_a_generator_of_the_check_s_own():
    torch.manual_seed(5)
    one = torch.rand(3, generator=fresh_generator())
    torch.manual_seed(5)
    assert not torch.equal(one, torch.rand(3, generator=fresh_generator()))
    first, second = (fresh_generator(3).initial_seed() for _ in range(2))
    assert first == second == 3


def test_gradients_are_on_in_a_notebook_that_switched_them_off():
    with torch.no_grad():
        assert engine.judge(MEAN, weighted_mean)[1].state == "correct"
        assert not torch.is_grad_enabled()


# ---------------------------------------------------------------- arguments


def test_a_changed_argument_is_named_and_the_next_probe_is_not_spoilt():
    shown, finding = engine.judge(DIVIDES, edits_input)
    assert finding.name == "argument_changed"
    assert "changed its argument numbers:" in " ".join(shown.text.split())


def test_every_call_gets_copies():
    seen = []

    def keeps(numbers, limit):
        seen.append((numbers, numbers.tolist()))
        return divides(numbers.fill_(1), limit)

    assert engine.judge(DIVIDES, keeps)[1].name == "argument_changed"
    assert max(max(values) for _, values in seen) > 1
    assert all((numbers == 1).all() for numbers, _ in seen)


def test_writes_into_lists_tuples_and_dicts_are_seen():
    def writes(a, b, c):
        a[0].add_(1)
        b[1]["x"].append(3)

    args = {"a": [torch.ones(2)], "b": (1, {"x": [2]}), "c": {"y": torch.ones(1)}}
    run = sandbox.run(writes, args)
    assert run.error is None and run.changed == ("a", "b")
    assert args["b"] == (1, {"x": [2]}) and args["a"][0].tolist() == [1.0, 1.0]


def test_nan_is_equal_to_nan():
    one = torch.tensor([1.0, float("nan")])
    assert sandbox.unchanged(one, one.clone())
    assert not sandbox.unchanged(one, torch.tensor([1.0, 2.0]))
    assert not sandbox.unchanged(one, one.double())
    assert not sandbox.unchanged(one, one[None])


# ---------------------------------------------------------------- settings of the process


def everything_off(*args):
    """What a check once left behind, all of it at once."""
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.set_grad_enabled(False)
    torch.set_float32_matmul_precision("medium")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.autograd.set_detect_anomaly(True, check_nan=False)
    sys.setrecursionlimit(sys.getrecursionlimit() + 7)
    os.chdir(os.sep)
    os.environ["LEARNER"] = "was here"
    os.environ.pop(progress_file.VARIABLE, None)
    warnings.filterwarnings("ignore")
    np.seterr(all="raise")
    plt.figure()
    torch.arange = torch.sum = functional.softmax = torch.Tensor.sum = lambda *args: None
    torch.Tensor.__mul__ = torch.Tensor.__reversed__ = lambda *args: None


def state_of_the_process():
    return {
        "dtype": torch.get_default_dtype(),
        "device": settings.default_device(),
        "threads": torch.get_num_threads(),
        "grad": torch.is_grad_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "anomaly": (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        "recursion": sys.getrecursionlimit(),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "filters": list(warnings.filters),
        "numpy": np.geterr(),
        "figures": plt.get_fignums(),
        "functions": (torch.arange, torch.sum, functional.softmax),
        "methods": (torch.Tensor.sum, torch.Tensor.__mul__, torch.Tensor.__reversed__),
    }


def test_settings_and_functions_that_an_answer_changes_are_put_back():
    mine = plt.figure()
    before = state_of_the_process()
    for exercise in TOY.exercises():
        engine.judge(exercise, everything_off)
    after = state_of_the_process()
    assert {key for key in before if before[key] != after[key]} == set()
    plt.close(mine)


def test_one_call_s_settings_do_not_reach_the_next_call_nor_the_slow_loop():
    seen = []

    def answer(values, weights):
        seen.append((torch.get_default_dtype(), torch.is_grad_enabled(), torch.sum))
        mean = weighted_mean(values, weights)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.sum = torch.Tensor.sum = lambda *args: torch.tensor(0.0)
        return mean

    assert engine.judge(MEAN, answer)[1].state == "correct"
    assert len(seen) > 3 and len(set(seen)) == 1


def test_a_check_works_where_torch_forgot_its_default_device(monkeypatch):
    def fails():  # so does torch 2.6 after set_default_device(None), which a check calls, too
        raise AttributeError("'NoneType' object has no attribute 'device'")

    monkeypatch.setattr(torch, "get_default_device", fails)
    assert engine.judge(DIVIDES, divides)[1].state == "correct"


def test_a_notebook_s_own_settings_are_its_own():
    torch.set_default_dtype(torch.float64)
    try:
        assert engine.judge(DIVIDES, divides)[1].state == "correct"
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


# ---------------------------------------------------------------- what would end the kernel


def exits(*args):
    sys.exit("bye")


class LearnersOwn(BaseException):
    """A learner may raise anything."""


def raises_anything(*args):
    raise LearnersOwn("from below")


@pytest.mark.parametrize(
    ("answer", "shows", "asks"),
    [
        (exits, "SystemExit: bye (in exits, line", "Which line ends the whole program"),
        (raises_anything, "LearnersOwn: from below", "What does each name in that line hold"),
    ],
)
def test_an_exit_ends_the_call_and_not_the_kernel(answer, shows, asks, capsys, monkeypatch):
    TOY.check("1.2", answer)
    TOY.check("1.3", answer)
    text = " ".join(capsys.readouterr().out.split())
    assert text.count(shows) == 2 and text.count(asks) == 2
    assert "I fed: numbers = [6, 1, 4], limit = 4" in text  # as after any error
    monkeypatch.setenv(engine.GRADING, "autograde")
    with pytest.raises(AssertionError, match="stops with an error"):
        TOY.grade("1.2", answer)


def test_an_exit_that_only_a_law_finds_is_told(capsys):
    def answer(values, weights):
        return sys.exit() if len(values) == 1 else weighted_mean(values, weights)

    TOY.check("1.3", answer)
    assert "SystemExit" in capsys.readouterr().out


def endless(numbers, limit):
    while True:
        time.sleep(0.001)


@contextlib.contextmanager
def stop_pressed():
    """As the stop button does: an interrupt for the main thread, once, a little later."""
    # a shell's background jobs are started with interrupts ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to oneself is another thing there")
@pytest.mark.parametrize("id", ["1.2", "1.4"])
def test_the_stop_button_ends_a_check_with_a_message(id, capsys):
    endless_test = lambda mean: endless(1, 2)  # noqa: E731  a test that never ends
    with stop_pressed():
        TOY.check(id, endless if id == "1.2" else endless_test)
    text = capsys.readouterr().out
    assert "it stops with an error" in text and "was still at work when it was stopped" in text
    assert "(in endless, line" in text and len(text.splitlines()) < 8
    TOY.check("1.2", divides)  # the kernel lives
    assert ": correct" in capsys.readouterr().out


SETUP = """
import time
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides

def endless(numbers, limit):
    print("started", flush=True)
    open(STARTED, "w").close()
    while True:
        time.sleep(0.001)
"""


def test_the_stop_button_of_a_notebook_shows_a_message_and_the_kernel_lives(tmp_path):
    kernels = pytest.importorskip("jupyter_client.manager", reason="the test extra is needed")
    started = tmp_path / "started"
    manager, client = kernels.start_new_kernel(kernel_name="python3")
    try:

        def run(code, while_it_runs=None):
            """The outputs of a cell."""
            messages = []
            asked = client.execute(code)
            if while_it_runs:
                while_it_runs()
            while True:
                message = client.get_iopub_msg(timeout=60)
                if message["parent_header"].get("msg_id") != asked:
                    continue
                if message["content"].get("execution_state") == "idle":
                    return messages
                if message["msg_type"] in ("error", "display_data", "stream"):
                    messages.append((message["msg_type"], message["content"]))

        def stop():
            deadline = time.monotonic() + 60
            while not started.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            manager.interrupt_kernel()

        assert run(f"STARTED = {str(started)!r}\n{SETUP}") == []
        ((kind, shown),) = run('TOY.check("1.2", endless)', stop)
        assert kind == "display_data"
        assert "was still at work when it was stopped" in shown["data"]["text/plain"]
        assert len(shown["data"]["text/plain"].splitlines()) < 8
        ((kind, shown),) = run('TOY.check("1.2", divides)')
        assert kind == "display_data" and ": correct" in shown["data"]["text/plain"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
