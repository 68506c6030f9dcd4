"""A check does not wait for ever: after some seconds it stops what it runs, and says so.

``SEQ2SEQ_CHECK_SECONDS`` sets the seconds for a whole check; 0 sets no limit. They are seconds of
the processor, so that a busy machine costs nobody an answer; by the clock it may take ``PATIENCE``
times as long. What stops is Python's code, the learner's or ours; one call into compiled code is
first waited for.
"""

import _thread
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from time import monotonic, process_time

VARIABLE = "SEQ2SEQ_CHECK_SECONDS"
SECONDS = 20.0  # a check takes 0.01 to 2 s on a slow core
PATIENCE = 4  # by the clock: for what sleeps, or for a processor that others use
AGAIN = 0.5  # code that catches every exception is told once more after so long


class OutOfTime(BaseException):
    """The time of a check is over. No Exception, so that ``except Exception`` does not hold it."""


def seconds() -> float:
    """What one check may take.

    Raises:
        ValueError: the variable holds no number.
    """
    text = os.environ.get(VARIABLE, "").strip()
    try:
        return float(text) if text else SECONDS
    except ValueError:
        raise ValueError(f"{VARIABLE} must be a number of seconds, but it is {text!r}.") from None


@contextlib.contextmanager
def within(limit: float) -> Iterator[None]:
    """Raise OutOfTime inside after ``limit`` seconds; the outermost one counts.

    Only the main thread can be interrupted; in another one there is no limit.
    """
    busy = getattr(_running, "here", False)
    if limit <= 0 or busy or threading.current_thread() is not threading.main_thread():
        yield
        return
    _running.here = True
    try:
        with _alarm(limit) if hasattr(signal, "setitimer") else _interrupt(limit):
            yield
    finally:
        _running.here = False


_running = threading.local()


def _clock(limit: float) -> Callable[[], bool]:
    """Started now: whether the time is over."""
    began, used = monotonic(), process_time()

    def over() -> bool:
        return process_time() - used >= limit or monotonic() - began >= PATIENCE * limit

    return over


@contextlib.contextmanager
def _alarm(limit: float) -> Iterator[None]:
    over = _clock(limit)

    def stop(number: int, frame: object) -> None:
        if over():
            raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _interrupt(limit: float) -> Iterator[None]:
    """Without timers (Windows): as if the stop button were pressed, once."""
    over, done, stopped = _clock(limit), threading.Event(), threading.Event()

    def wait() -> None:
        while not done.wait(min(limit, AGAIN)):
            if over():
                stopped.set()
                _thread.interrupt_main()
                return

    threading.Thread(target=wait, daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        if stopped.is_set():
            raise OutOfTime from None
        raise
    finally:
        done.set()
