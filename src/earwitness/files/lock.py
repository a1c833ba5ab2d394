"""A lock on an open file, so that several threads and processes write one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exclusive(descriptor: int) -> Iterator[None]:
    """Hold the lock of an open file; others who ask for it wait. The system frees it when a process dies.

    The lock is advisory: it holds back only those who ask for it. Each holder opens the file itself, since threads
    that share one descriptor share its lock.

    Args:
        descriptor: Of a file that is open for writing.

    Raises:
        OSError: On a file system without locks.
    """
    _lock(descriptor)
    try:
        yield
    finally:
        _unlock(descriptor)


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
