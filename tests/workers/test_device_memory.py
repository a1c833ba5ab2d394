"""Device memory is the driver's count for the worker and its children, at its highest; no driver, no number."""

from __future__ import annotations

import os
import sys
import time
import types
from typing import Any

import pytest

from earwitness.workers.device_memory import INTERVAL_S, watch


class Driver:
    """A stand-in for NVML with two cards: one process of ours, one of somebody else, memory that rises and falls."""

    NVMLError = RuntimeError

    def __init__(self, held: list[int | None]) -> None:
        self.held, self.asked = held, 0

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVML's own names
        return 2

    def nvmlDeviceGetHandleByIndex(self, n: int) -> int:  # noqa: N802
        return n

    def nvmlDeviceGetComputeRunningProcesses(self, card: int) -> list[Any]:  # noqa: N802
        mine = self.held[min(self.asked, len(self.held) - 1)]
        self.asked += card
        return [
            types.SimpleNamespace(pid=os.getpid(), usedGpuMemory=mine),
            types.SimpleNamespace(pid=1, usedGpuMemory=10**12),
        ]


def test_the_peak_is_kept_and_other_processes_do_not_count() -> None:
    driver = Driver([100, 400, 200])
    with watch(os.getpid(), driver) as seen:
        ends_at = time.monotonic() + 120
        while driver.asked < 3:
            assert time.monotonic() < ends_at
            time.sleep(INTERVAL_S)
    assert seen.bytes == 800  # 400 on each of two cards


def test_a_driver_that_may_not_tell_gives_no_number() -> None:
    with watch(os.getpid(), Driver([None])) as seen:
        pass
    assert seen.bytes is None


def test_without_the_driver_s_library_there_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with watch(os.getpid()) as seen:
        pass
    assert seen.bytes is None
