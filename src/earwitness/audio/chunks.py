"""Reads the header of an uncompressed container: where the sound begins, and how many bytes it should have.

WAV (RIFF, RF64, BW64), AIFF, Wave64, CAF and AU write the size of their sound before the sound. A program that writes
to a pipe cannot know it and leaves a placeholder; a copy that broke off leaves a size that is larger than the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Placeholders lie at the ends of what 31 and 32 bits hold, less a header (SoX: 0x7FFFF000 in WAV, 0x7F000008 in AIFF).
_NEAR = 1 << 16
_LIMITS = (0x7F000000, 0x7FFFFFFF, 0xFFFFFFFF)
_LARGEST = 1 << 62
_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_MOST_CHUNKS = 10_000


@dataclass(frozen=True, slots=True)
class DataChunk:
    """The part of a file that holds its sound."""

    stated_bytes: int | None
    """Its size as the header states it; ``None`` for a placeholder."""
    room_bytes: int
    """What the file holds from the beginning of the sound to its own end."""

    @property
    def is_whole(self) -> bool:
        """True when the file holds all that its header states."""
        return self.stated_bytes is not None and self.stated_bytes <= self.room_bytes


def data_chunk(file: BinaryIO) -> DataChunk | None:
    """Return the chunk that holds a file's sound; ``None`` for other files, and where no such chunk can be found."""
    size = file.seek(0, 2)
    file.seek(0)
    try:
        place = _place(file, file.read(16))
    except struct.error:
        return None
    if place is None or place[0] > size:
        return None
    start, stated = place
    room = size - start
    return DataChunk(None if _is_placeholder(stated, room) else stated, room)


def _is_placeholder(size_bytes: int, room: int) -> bool:
    if size_bytes <= room:
        return size_bytes <= 0 < room
    return size_bytes >= _LARGEST or any(abs(size_bytes - limit) < _NEAR for limit in _LIMITS)


def _place(file: BinaryIO, head: bytes) -> tuple[int, int] | None:
    """Return where the sound begins, and the size stated."""
    kind, form = head[:4], head[8:12]
    if kind in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE":
        return _in_riff(file)
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _in_aiff(file)
    if kind == b"caff":
        return _in_caf(file)
    if kind == b".snd":
        return _in_au(file, head)
    if head == _W64_RIFF:
        return _first_chunk(_chunks(file, "<16sq", 40, 8, counts_itself=True), b"data")
    return None


def _in_riff(file: BinaryIO) -> tuple[int, int] | None:
    wide = None
    for name, at, size in _chunks(file, "<4sI", 12, 2):
        if name == b"ds64":
            file.seek(at + 8)
            (wide,) = struct.unpack("<q", file.read(8))
        if name == b"data":
            return at, wide if size == 0xFFFFFFFF and wide is not None else size
    return None


def _in_aiff(file: BinaryIO) -> tuple[int, int] | None:
    chunk = _first_chunk(_chunks(file, ">4sI", 12, 2), b"SSND")
    if chunk is None:
        return None
    at, size = chunk
    # The sound is behind an offset and a block size.
    return at + 8, size - 8 if size else 0


def _in_caf(file: BinaryIO) -> tuple[int, int] | None:
    chunk = _first_chunk(_chunks(file, ">4sq", 8, 1), b"data")
    if chunk is None:
        return None
    at, size = chunk
    # The sound is behind a count of edits.
    return at + 4, size - 4 if size > 0 else 0


def _in_au(file: BinaryIO, head: bytes) -> tuple[int, int]:
    start, size = struct.unpack(">II", head[4:12])
    file.seek(0, 2)
    # FFmpeg plays an AU file to its end, whatever its size says: a smaller one states nothing.
    return start, 0 if size < file.tell() - start else size


def _first_chunk(chunks: Iterator[tuple[bytes, int, int]], kind: bytes) -> tuple[int, int] | None:
    """Return the place and the size of the first chunk whose name begins so."""
    return next(((at, size) for name, at, size in chunks if name.startswith(kind)), None)


def _chunks(
    file: BinaryIO, header: str, start: int, alignment: int, *, counts_itself: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's name, the place of its content, and the size stated."""
    length = struct.calcsize(header)
    at = start
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        name, size = struct.unpack(header, file.read(length))
        content = size - length if counts_itself else size
        yield name, at + length, content
        if content < 0:
            return
        at += length + content
        at += -at % alignment
