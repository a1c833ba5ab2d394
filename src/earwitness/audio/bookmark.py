"""Keeps a file open where the last span ended, so that the next span continues from there.

A seek in MP3, AAC, Ogg or Matroska does not find the sample that decoding from the beginning does. So spans of these
are decoded from the beginning, and with a bookmark only once for all spans that follow one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from earwitness.audio.open import open_source
from earwitness.audio.source import AudioSource, Block

_Key = tuple[str, int, int, int]


@dataclass(slots=True)
class _Page:
    """An open file, and its last block."""

    key: _Key
    source: AudioSource
    stack: ExitStack
    start: int
    """The place of the block, in frames from the beginning of the file."""
    block: Block
    """What was decoded last, of which a span may have taken a part."""


class Bookmark:
    """Opens files, and keeps the last one open."""

    def __init__(self) -> None:
        """Begin without a file."""
        self._page: _Page | None = None

    @contextmanager
    def open(self, path: str | Path, start_s: float = 0.0) -> Iterator[AudioSource]:
        """Open a file at a place in time, as ``open_source`` does.

        Raises:
            AudioError: As ``open_source``.
        """
        page, self._page = self._page, None
        if page is not None and (page.key != _key(path) or round(start_s * page.source.rate_hz) < page.start):
            page.stack.close()
            page = None
        page = page or _opened(path, start_s)
        try:
            start = round(start_s * page.source.rate_hz)
            yield page.source if page.source.seeks else replace(page.source, blocks=_from(page, start))
        except BaseException:
            page.stack.close()
            raise
        if page.source.seeks:
            page.stack.close()
        else:
            self._page = page

    def close(self) -> None:
        """Close the file."""
        if self._page is not None:
            self._page.stack.close()
            self._page = None


def _key(path: str | Path) -> _Key | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return str(path), status.st_ino, status.st_size, status.st_mtime_ns


def _opened(path: str | Path, start_s: float) -> _Page:
    key = _key(path)
    stack = ExitStack()
    source = stack.enter_context(open_source(path, start_s))
    return _Page(
        key or ("", 0, 0, 0), source, stack, round(start_s * source.rate_hz), np.zeros((0, source.channels), np.float32)
    )


def _from(page: _Page, start: int) -> Iterator[Block]:
    """Yield the blocks after a place, and keep the last one."""
    while True:
        skip = start - page.start
        if skip < len(page.block):
            yield page.block[skip:]
            start = page.start + len(page.block)
        else:
            page.source.skipped.clear()  # damage before the span is not the span's
        block = next(page.source.blocks, None)
        if block is None:
            return
        page.start += len(page.block)
        page.block = block
