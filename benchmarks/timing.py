"""Seconds that can be compared: side by side, in turns, medians of several.

A ratio of two times that were measured one after the other says how busy the machine was. Here the
candidates take turns, A B A B, and a ratio is the median over the turns of A / B.
"""

import contextlib
import ctypes
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.profiler import profile

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or the profiler prints when it starts and stops


def keep_memory() -> None:
    """Have freed memory stay with this process, where the C library is glibc; elsewhere nothing.

    By its own rules glibc gives large blocks back to the system, or keeps them, as they happen to
    lie. Getting a block anew can take as long as filling it, and says nothing about what is timed.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # from malloc.h
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_MMAP_MAX, 0)


def synchronize(device: torch.device) -> None:
    """Wait until an accelerator has done what it was given; a CPU always has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def clock(device: torch.device) -> float:
    """Seconds. On one CPU thread those of this process, so that what others run counts little."""
    synchronize(device)
    if device.type == "cpu" and torch.get_num_threads() == 1:
        return time.process_time()
    return time.perf_counter()


@dataclass(frozen=True)
class Times:
    """Seconds a call, one number a turn, of each candidate."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """How many times as long ``name`` takes: the median over the turns."""
        pairs = zip(self.seconds[name], self.seconds[to], strict=True)
        return statistics.median(a / b for a, b in pairs)


def side_by_side(
    candidates: Mapping[str, Callable[[], object]],
    device: torch.device,
    *,
    turns: int = 15,
    at_least: float = 0.02,
) -> Times:
    """Time functions in turns.

    Args:
        candidates: functions without arguments; each is called once first, to warm up.
        turns: how often each is measured.
        at_least: seconds a measurement; a faster function is called several times in each.
    """
    calls = {}
    for name, function in candidates.items():
        function()
        start = clock(device)
        function()
        calls[name] = max(1, round(at_least / max(1e-6, clock(device) - start)))
    seconds = {name: [] for name in candidates}
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()  # as timeit does: a collection would be charged to whoever is running
    try:
        for _ in range(turns):
            for name, function in candidates.items():
                start = clock(device)
                for _ in range(calls[name]):
                    function()
                seconds[name].append((clock(device) - start) / calls[name])
    finally:
        if collecting:
            gc.enable()
    return Times(seconds)


def peak_bytes(function: Callable[[], object], device: torch.device) -> int:
    """The most memory that a call holds at once on the device, beyond what was there before it."""
    function()
    with profile(profile_memory=True) as profiler:
        function()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    events = [event for event in events if event["name"] == "[memory]"]
    on_cpu, held, peak = device.type == "cpu", 0, 0
    for event in sorted(events, key=lambda event: event["ts"]):
        if (event["args"]["Device Type"] == 0) == on_cpu:
            held += event["args"]["Bytes"]  # below 0 when memory is given back
            peak = max(peak, held)
    return peak
