"""The content of a file, without parts that keep a library from reading it.

Two things do: an ID3 tag in front of a format that has no tags there, such as WAV, and a size of 0 in an AU header.
FFmpeg passed over both until version 6.
"""

from __future__ import annotations

import io
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from earwitness.audio.chunks import DataChunk, data_chunk

_ID3_BYTES = 10
_ID3_FOOTER = 0x10
_AU_SIZE = slice(8, 12)
_AU_UNKNOWN_SIZE = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a file that is read."""

    path: Path
    """The file."""
    size_bytes: int
    """Of what is read, without the tag."""
    chunk: DataChunk | None
    """What its header states; ``None`` for formats without such a chunk."""
    start: int
    """Bytes of a tag, which are passed over."""
    is_probe: bool
    """Whether only the header is wanted."""
    head: bytes
    """What is read in place of its first bytes; empty for what the file has there."""

    def open(self, stack: ExitStack) -> str | BinaryIO:
        """Return what a library opens: the path, or a view of the file with parts skipped or replaced."""
        if not self.start and not self.head:
            return str(self.path)
        return self.open_at(0, stack)

    def head_bytes(self, n_bytes: int) -> bytes:
        """Return the first bytes of the content."""
        with ExitStack() as stack:
            return self.open_at(0, stack).read(n_bytes)

    def open_at(self, place: int, stack: ExitStack) -> BinaryIO:
        """Return a view of the file from a place on."""
        return stack.enter_context(cast("BinaryIO", _View(self.path, self.start + place, b"" if place else self.head)))


def content_of(path: Path, *, is_probe: bool = False) -> Content:
    """Look at the beginning of a file.

    Raises:
        OSError: When it cannot be read.
    """
    with path.open("rb") as file:
        start = _tag_bytes(file)
    with _View(path, start, b"") as view:
        chunk = data_chunk(cast("BinaryIO", view))
        view.seek(0)
        head = view.read(_AU_SIZE.stop)
    needs_size = head[:4] == b".snd" and not any(head[_AU_SIZE])
    return Content(
        path,
        path.stat().st_size - start,
        chunk,
        start,
        is_probe,
        head[: _AU_SIZE.start] + _AU_UNKNOWN_SIZE if needs_size else b"",
    )


def _tag_bytes(file: BinaryIO) -> int:
    """Return the length of ID3 tags in front of a format for which FFmpeg does not expect one."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(_ID3_BYTES)
        if len(head) < _ID3_BYTES or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
            break
        size = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        start += _ID3_BYTES * (2 if head[5] & _ID3_FOOTER else 1) + size
    has_tags = head[:4] == b"fLaC" or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0) or not any(head)
    return 0 if has_tags else start


class _View(io.RawIOBase):
    """A file from a place on, with other bytes at its beginning."""

    def __init__(self, path: Path, start: int, head: bytes) -> None:
        """Open the file."""
        self._file = path.open("rb")
        self._start, self._head = start, head
        self._size = self._file.seek(0, io.SEEK_END)
        self._file.seek(start)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; one before the beginning, which libraries ask for in damaged files, becomes the beginning."""
        from_place = {io.SEEK_SET: self._start, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}[whence]
        self._file.seek(max(self._start, from_place + offset))
        return self.tell()

    def read(self, size: int = -1) -> bytes:
        """Return the bytes from the place on."""
        at = self.tell()
        data = self._file.read(size)
        return self._head[at : at + len(data)] + data[max(0, len(self._head) - at) :] if at < len(self._head) else data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
