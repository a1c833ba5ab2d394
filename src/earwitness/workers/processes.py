"""Ends a process together with everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import Any


def end_session(process: subprocess.Popen[Any]) -> None:
    """Kill a process that was started in a session of its own, and its children, and wait for it."""
    # Not polled: until a dead process is waited for, its number is that of its group, and of nothing else.
    if process.returncode is None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
