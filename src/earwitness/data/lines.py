"""Text files as their lines: UTF-8, UTF-16 with a byte order mark, or either of them packed with gzip.

A line ends with LF, CR LF or CR, and with nothing else: U+2028, U+0085, VT and FF are characters of a text.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from earwitness.errors import ManifestError
from earwitness.files.atomic import is_pipe_or_device

GZIP = b"\x1f\x8b"
PACKED = frozenset([".bz2", ".xz", ".lzma", ".zst", ".lz4", ".br", ".z", ".7z", ".rar", ".tar", ".tgz"])
"""Suffixes of files that would have to be unpacked first, and are not."""
_LINE_END = re.compile(r"\r\n|\r|\n")
# UTF-32's mark begins with that of UTF-16, so it is looked for first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path) -> str:
    """Return the contents of a text file, with its line ends and without a byte order mark.

    A file that begins as gzip does is unpacked, whatever its name.

    Raises:
        ManifestError: When the file cannot be read, is a pipe or a device (which may never end), is broken gzip, or is
            not UTF-8; the message names the line where there is one.
    """
    try:
        if is_pipe_or_device(path):
            raise ManifestError(
                f"{str(path)!r} is a pipe or a device, not a file. Save its text to a file, and give that."
            )
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from None
    if content.startswith(GZIP):
        content = _unpacked(path, content)
    mark, encoding = next(((m, name) for m, name in _MARKS if content.startswith(m)), (b"", "utf-8"))
    content = content[len(mark) :]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            f"{path}:{line} is not {encoding.upper()}: it has the byte 0x{content[error.start]:02X}. Save the file as "
            "UTF-8, or convert it, such as: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW-FILE"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ManifestError(
            f"{path}:{line} has a zero byte: the file is not text, or it is UTF-16 without a byte order mark. "
            "Save it as UTF-8."
        )
    return text


def manifest_text(path: Path) -> str:
    """Return the text of a file that must not be empty.

    Raises:
        ManifestError: As ``read_text`` does, and when there is nothing in it.
    """
    text = read_text(path)
    if not text.strip():
        raise ManifestError(f"{str(path)!r} is empty. Copy it again.")
    return text


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank.

    Raises:
        ManifestError: As ``read_text`` does.
    """
    yield from number_lines(read_text(path))


def number_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield number and text of each line of a text that is not blank.

    >>> list(number_lines("a\u2028b\r\n\r\nc"))
    [(1, 'a\u2028b'), (3, 'c')]
    """
    for number, line in enumerate(split(text), start=1):
        if line.strip():
            yield number, line


def split(text: str) -> list[str]:
    """Return the lines of a text, blank ones too, without their ends."""
    return _LINE_END.split(text)


def _unpacked(path: Path, content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ManifestError(f"{str(path)!r} is broken gzip: {error}. Copy it again, or pack it again.") from None
