"""Claims: who is at work on which clip, so that nobody else gets it. They are in a file, for servers that share labels.

A claim ends with its label, or two minutes after the page that held it was last open.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from earwitness.files.atomic import write_errors
from earwitness.files.lock import exclusive

LEASE_S = 120.0
"""Seconds that a claim lasts without a sign of its page."""


class ClaimTable:
    """The claims in force at one moment: for each clip, who holds it."""

    def __init__(self, until: dict[str, tuple[str, float]], now_s: float) -> None:
        """Leave out the claims that have ended."""
        self._until = {clip_id: claim for clip_id, claim in until.items() if claim[1] > now_s}
        self._now_s = now_s
        self.is_changed = len(self._until) != len(until)
        """Whether the file differs from this."""

    def holder(self, clip_id: str) -> str | None:
        """Return who holds a clip."""
        claim = self._until.get(clip_id)
        return None if claim is None else claim[0]

    def clips_of(self, holder: str) -> list[str]:
        """Return the clips of a holder."""
        return [clip_id for clip_id, claim in self._until.items() if claim[0] == holder]

    def take(self, clip_id: str, holder: str) -> None:
        """Give a clip to a holder from now on, and take the others of that holder away."""
        for other in self.clips_of(holder):
            del self._until[other]
        self._until[clip_id] = (holder, self._now_s + LEASE_S)
        self.is_changed = True

    def release(self, clip_id: str) -> None:
        """End a claim, if there is one."""
        self.is_changed |= self._until.pop(clip_id, None) is not None

    def to_json(self) -> str:
        """Return what the file holds."""
        return json.dumps(self._until)


class Claims:
    """The claims beside an overlay.

    Args:
        overlay: The file of labels.
        clock: Seconds since 1970, the same for all servers.
    """

    def __init__(self, overlay: Path, clock: Callable[[], float] = time.time) -> None:
        """Read nothing yet."""
        self._path = overlay.with_name(f".{overlay.name}.claims")
        self._clock = clock

    @contextmanager
    def locked(self) -> Iterator[ClaimTable]:
        """Give the claims for reading and changing; other threads and servers wait until the end.

        Raises:
            FileError: When the file cannot be written.
        """
        with write_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with exclusive(descriptor):
                table = ClaimTable(_read(descriptor), self._clock())
                yield table
                if table.is_changed:
                    with write_errors(self._path):
                        os.ftruncate(descriptor, 0)
                        os.lseek(descriptor, 0, os.SEEK_SET)
                        os.write(descriptor, table.to_json().encode())
        finally:
            os.close(descriptor)


def _read(descriptor: int) -> dict[str, tuple[str, float]]:
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = b"".join(iter(lambda: os.read(descriptor, 1 << 16), b""))
    try:
        return {str(clip_id): (str(claim[0]), float(claim[1])) for clip_id, claim in json.loads(content).items()}
    except (ValueError, TypeError, AttributeError, LookupError):  # empty, or cut short by a kill: nobody's work is lost
        return {}
