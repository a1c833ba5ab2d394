"""Whether ASF (WMA, WMV) and Matroska (WebM) state how long they play.

For a file that was written to a pipe, FFmpeg guesses the length from the size and the bit rate, and its answer does not
say whether it read the length or guessed it.

Sources: Advanced Systems Format (ASF) Specification, revision 01.20.03, sections 3.1 and 3.2; RFC 8794 (EBML), section
4; RFC 9559 (Matroska), section 5.1.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_FIRST_OBJECT = 30
_ASF_IS_BROADCAST = 1
_SEGMENT, _INFO, _DURATION = bytes.fromhex("18538067"), bytes.fromhex("1549a966"), bytes.fromhex("4489")
HEAD_BYTES = 1 << 16
"""Within which both formats put their headers."""


def asf_s(head: bytes) -> float | None:
    """Return the length that the header of an ASF file states, in seconds; ``None`` for one that was live.

    Args:
        head: The first ``HEAD_BYTES`` of the file.
    """
    at = _ASF_FIRST_OBJECT
    while head[:16] == _ASF_HEADER and at + 104 <= len(head):
        if head[at : at + 16] == _ASF_FILE_PROPERTIES:
            plays_100ns, _, preroll_ms, flags = struct.unpack_from("<QQQI", head, at + 64)
            length_s = plays_100ns / 1e7 - preroll_ms / 1e3
            return None if flags & _ASF_IS_BROADCAST or length_s <= 0 else float(length_s)
        at += max(24, int.from_bytes(head[at + 16 : at + 24], "little"))
    return None


def has_matroska_duration(head: bytes) -> bool:
    """Return whether the header of a Matroska file states a length.

    Args:
        head: The first ``HEAD_BYTES`` of the file.
    """
    segment = next((place for name, place in _elements(head, range(len(head))) if name == _SEGMENT), range(0))
    info = next((place for name, place in _elements(head, segment) if name == _INFO), range(0))
    return any(name == _DURATION for name, _ in _elements(head, info))


def _elements(head: bytes, places: range) -> Iterator[tuple[bytes, range]]:
    """Yield the name and the place of each element's content, as far as they are known."""
    at = places.start
    while at < places.stop:
        content = at + _length(head[at])
        name = head[at:content]
        if content >= len(head):
            return
        start = content + _length(head[content])
        size = int.from_bytes(head[content:start], "big") & ((1 << 7 * (start - content)) - 1)
        at = start + size
        yield name, range(start, min(at, len(head)))


def _length(first: int) -> int:
    """Return how many bytes a number takes, by its first one."""
    return 9 - first.bit_length()
