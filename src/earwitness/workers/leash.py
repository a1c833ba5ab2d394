"""Runs a command that must not outlive its parent: ``python leash.py COMMAND...``, with the standard library only.

It is started with a pipe as its standard input, in a session of its own. When the pipe ends, because the asker closed
it or was killed, the command and all that it started are ended. The exit code is the command's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command given as arguments and return its exit code."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_the_pipe, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_the_pipe(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    process.kill()


if __name__ == "__main__":
    sys.exit(main())
