"""Looks at FLAC without decoding it: whether the length that its header states is the file's."""

from __future__ import annotations

import mmap
from pathlib import Path

MARK = b"fLaC\0\0\0\x22"
"""The mark of a FLAC file, and the head of the block that always follows it."""
_TOTAL_AT, _HEADER_BYTES = 18, 42
_WINDOW_BYTES = 1 << 16
_WINDOWS = 16
_FRAME_BYTES = 16
_BLOCK_SIZES = {1: 192, **{n: 576 << n - 2 for n in range(2, 6)}, **{n: 256 << n - 8 for n in range(8, 16)}}


def is_alone(path: Path, *, thorough: bool) -> bool:
    """Return whether a file is one FLAC stream with none joined behind it.

    Args:
        path: The file.
        thorough: Read all of it. Else only its end and 16 places are looked at: the last frame must end at the length
            that the header states, and the numbers of frames must rise. Only a second stream of the same length that
            takes less than a sixteenth of the file escapes that.
    """
    with path.open("rb") as file:
        if file.read(4) != MARK[:4]:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if thorough or len(content) <= 2 * _WINDOWS * _WINDOW_BYTES:
                return content.find(MARK, 4) < 0
            return _rises_to_its_end(content)


def starts(path: Path) -> list[int]:
    """Return where the streams of a file begin; nothing for a file that does not begin with one."""
    places: list[int] = []
    with path.open("rb") as file:
        if file.read(4) != MARK[:4]:
            return places
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.find(MARK)
            while at >= 0:
                places.append(at)
                at = content.find(MARK, at + 4)
    return places


def _rises_to_its_end(content: mmap.mmap) -> bool:
    total = int.from_bytes(content[_TOTAL_AT + 3 : _TOTAL_AT + 8], "big") & (1 << 36) - 1
    size = int.from_bytes(content[8:10], "big")
    step = len(content) // _WINDOWS
    starts = [_first(content, _HEADER_BYTES + n * step, size) for n in range(_WINDOWS)]
    last = _last(content, size)
    places = [start for start in starts if start is not None]
    return last == total and all(a < b for a, b in zip(places, [*places[1:], total], strict=True))


def _first(content: mmap.mmap, at: int, size: int) -> int | None:
    """Return the first sample of the first frame behind a place."""
    window = content[at : at + _WINDOW_BYTES]
    for n in _marks(window):
        frame = _frame(window[n : n + _FRAME_BYTES], size)
        if frame is not None:
            return frame[0]
    return None


def _last(content: mmap.mmap, size: int) -> int | None:
    """Return the sample at which the last frame ends."""
    window = content[-_WINDOW_BYTES:]
    for n in reversed(list(_marks(window))):
        frame = _frame(window[n : n + _FRAME_BYTES], size)
        if frame is not None:
            return sum(frame)
    return None


def _marks(window: bytes) -> list[int]:
    return [n for n in range(len(window) - 1) if window[n] == 0xFF and window[n + 1] in (0xF8, 0xF9)]


def _frame(head: bytes, size: int) -> tuple[int, int] | None:
    """Return a frame's first sample and its number of samples; ``None`` for bytes that are no head of a frame.

    Source: RFC 9639, section 9.1.
    """
    if len(head) < _FRAME_BYTES or head[3] & 1:
        return None
    at, number = _number(head)
    code, rate = head[2] >> 4, head[2] & 15
    samples = _BLOCK_SIZES.get(code, 0)
    if code in (6, 7):
        samples = int.from_bytes(head[at : at + code - 5], "big") + 1
        at += code - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if not samples or _crc8(head[:at]) != head[at]:
        return None
    return (number if head[1] & 1 else number * size), samples


def _number(head: bytes) -> tuple[int, int]:
    """Return where the coded number ends, and the number, which is written as UTF-8 writes a character."""
    first = head[4]
    extra = max(0, 8 - (~first & 0xFF).bit_length() - 1)
    number = first & (0x7F >> extra if extra else 0x7F)
    for byte in head[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    return 5 + extra, number


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc
