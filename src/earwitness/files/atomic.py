"""Writes files in one step, and turns the system's errors about them into sentences."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earwitness.errors import EarwitnessError, FileError
from earwitness.files.remote import is_address

RESUME = "earwitness run --resume"
"""The command that continues a run whose record could not be written."""


def is_pipe_or_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, from which reading may wait or go on for ever."""
    return path.exists() and not (path.is_file() or path.is_dir())


@contextmanager
def write_errors(path: Path, *, then: str = "") -> Iterator[None]:
    """Raise FileError in place of the system's errors.

    Args:
        path: What is written.
        then: The command to give once there is space again; empty for the one that failed.

    Raises:
        FileError: For any error of the system in the block, and before it for a path that was an address.
    """
    require_here(path)
    try:
        yield
    except EarwitnessError:
        raise
    except OSError as error:
        again = f"then run: {then}" if then else "then try again"
        why = {
            errno.ENOSPC: f"the disk is full. Free some space, {again}",
            errno.EDQUOT: f"the disk quota is used up. Free some space, {again}",
            errno.EROFS: "the file system is read-only. Choose another place",
            errno.EACCES: "permission denied. Choose another place",
        }.get(error.errno or 0, f"{error.strerror or error}. Choose another place")
        raise FileError(f"Cannot write {str(path)!r}: {why}.") from error


def require_here(path: Path) -> None:
    """Refuse what ``Path`` makes of an address: ``s3://calls/out`` would be a folder ``s3:`` here.

    Raises:
        FileError: For such a path.
    """
    for above in path.parents:
        if is_address(f"{above.name}//") and not above.exists():
            raise FileError(
                f"{str(path)!r} is at an address ({above.name}//...). Earwitness writes to this machine only: name a "
                "folder here, and copy the files afterwards."
            )


@contextmanager
def atomic_write(path: Path, *, then: str = "") -> Iterator[Path]:
    """Give a temporary path beside a file, which replaces the file at the end, or is removed after an error.

    Args:
        path: The file; its folder is made.
        then: As for ``write_errors``.

    Raises:
        FileError: When it cannot be written; what was there before still is.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with write_errors(path, then=then):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, then: str = "") -> None:
    """Write a whole file in one step: readers see the old content or the new, never half of one.

    Args:
        path: The file.
        content: All of it.
        then: As for ``write_errors``.

    Raises:
        FileError: When it cannot be written; what was there before still is.
    """
    with atomic_write(path, then=then) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str, *, then: str = "") -> None:
    """Write a whole text file, in UTF-8, as ``write_bytes`` does.

    Raises:
        FileError: When it cannot be written; what was there before still is.
    """
    write_bytes(path, text.encode(), then=then)
