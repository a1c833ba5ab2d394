"""The memory of NVIDIA GPUs that a process holds, as the driver (NVML) reports it for any engine.

The driver knows no peak per process, so it is asked again and again while the work goes on; a peak shorter than the
interval may be missed. A library's own count leaves out the CUDA context and what other libraries hold; this does not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

INTERVAL_S = 0.05


class PeakMemory:
    """The most memory that a process has held on all NVIDIA GPUs together, seen at an interval.

    Args:
        pid: The process; its children count too.
        nvml: The module ``pynvml``, or a stand-in.
    """

    def __init__(self, pid: int, nvml: Any) -> None:
        """Take the process; nothing is asked yet."""
        self.bytes: int | None = None
        self._pid, self._nvml = pid, nvml

    def look(self) -> None:
        """Query the driver once."""
        import psutil

        pids = {self._pid}
        with suppress(psutil.NoSuchProcess):
            pids |= {child.pid for child in psutil.Process(self._pid).children(recursive=True)}
        held = [
            process.usedGpuMemory
            for n in range(self._nvml.nvmlDeviceGetCount())
            for process in self._nvml.nvmlDeviceGetComputeRunningProcesses(self._nvml.nvmlDeviceGetHandleByIndex(n))
            # The driver says None where it may not tell, as in some containers.
            if process.pid in pids and process.usedGpuMemory is not None
        ]
        if held:
            self.bytes = max(self.bytes or 0, sum(held))


@contextmanager
def watch(pid: int, nvml: Any = None) -> Iterator[PeakMemory]:
    """Watch a process as long as the context lasts; without NVML, ``bytes`` stays ``None``.

    Args:
        pid: The process.
        nvml: A stand-in for tests; ``None`` for the package nvidia-ml-py, where it and a driver are here.
    """
    nvml = _started() if nvml is None else nvml
    peak = PeakMemory(pid, nvml)
    if nvml is None:
        yield peak
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(INTERVAL_S):
            with suppress(nvml.NVMLError):
                peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
        with suppress(nvml.NVMLError):
            peak.look()


def _started() -> Any:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
