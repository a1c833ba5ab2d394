"""The audio of clips on a node: where the driver has it, if a shared disk shows it there, or a copy by its sha256."""

from __future__ import annotations

import os
from pathlib import Path

from earwitness.files.atomic import write_errors
from earwitness.files.fetch import cache_dir, sha256_of

CHUNK_BYTES = 90_000
"""Of a file on its way. Ray passes less than 100 kB with the call itself, and more through its object store."""
MOST_BYTES = 20_000_000_000
"""Of all copies on a node; the ones that were used longest ago go first."""


class AudioCache:
    """Files by their sha256.

    Args:
        folder: Of the copies; ``None`` for the one in the cache of Earwitness.
        most_bytes: Of all copies.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        """Look for nothing yet."""
        self._folder = folder or cache_dir() / "cluster" / "audio"
        self._most_bytes = most_bytes
        self._known: dict[str, tuple[Path, int, int]] = {}

    def find(self, path: str, sha256: str) -> Path | None:
        """Return a file with this content: the one at the path, or a copy; ``None`` if there is neither.

        Args:
            path: Where the driver has it.
            sha256: Of its bytes, which are read once and again after a change.
        """
        for place in (Path(path), self._copy(path, sha256)):
            try:
                status = place.stat()
            except OSError:
                continue
            state = (place, status.st_size, status.st_mtime_ns)
            if self._known.get(sha256) != state and sha256_of(place) != sha256:
                continue
            self._known[sha256] = state
            if place.parent.parent == self._folder:
                os.utime(place, ns=(int(1e9 * _now_s()), status.st_mtime_ns))
            return place
        return None

    def take(self, path: str, sha256: str, offset: int, chunk: bytes, *, last: bool) -> bool:
        """Write a piece of a file, and return whether the file is whole; one with another hash is removed.

        Args:
            path: Where the driver has it; its suffix stays.
            sha256: Of the whole file.
            offset: Of the piece.
            chunk: The piece; they come in order.
            last: Whether it is the last one.

        Raises:
            FileError: When it cannot be written; the pieces so far are then removed.
        """
        target = self._copy(path, sha256)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        with write_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("r+b" if offset else "wb") as file:
                    file.seek(offset)
                    file.write(chunk)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            if not last:
                return False
            if sha256_of(part) != sha256:
                part.unlink()
                return False
            part.replace(target)
            self._forget_oldest(target)
        return True

    def _copy(self, path: str, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}{Path(path).suffix}"

    def _forget_oldest(self, newest: Path) -> None:
        files = [(file.stat().st_atime_ns, file.stat().st_size, file) for file in self._folder.glob("*/*")]
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files, key=lambda each: each[0]):
            if total <= self._most_bytes:
                return
            if file != newest:
                file.unlink(missing_ok=True)
                total -= size


def _now_s() -> float:
    import time

    return time.time()
