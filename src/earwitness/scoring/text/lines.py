"""Lines and fields of text files, at line ends and blanks alone.

``str.splitlines`` and ``str.split`` also part a text at characters that may stand inside of it, such as U+2028, U+0085
or a no-break space.
"""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

from earwitness.errors import ScoringError

_BLANKS = re.compile(r"[ \t]+")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(path: Path, encoding: str | None = None) -> list[str]:
    r"""Return the lines of a file, without their ends: ``\n`` or ``\r\n``, and ``\r`` where a file has no ``\n``.

    Args:
        path: The file.
        encoding: Of the file; without one, UTF-16 if the file begins with its byte order mark, else UTF-8.

    Raises:
        ScoringError: When it cannot be read, or is not of the encoding.
    """
    content = read_content(path, "Check the path.", "Name a file of transcripts.")
    name = encoding or ("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    try:
        text = content.decode(name).removeprefix("\ufeff")
    except LookupError:
        raise ScoringError(f"There is no encoding {name!r}. Name one such as utf-8, gb18030 or cp1252.") from None
    except UnicodeDecodeError as error:
        shown = encoding or "UTF-8"
        raise ScoringError(
            f"{str(path)!r} is not {shown} (byte {error.start}). State its encoding: --encoding gb18030, for example."
        ) from None
    return split_lines(text)


def read_content(path: Path, if_absent: str, if_folder: str) -> bytes:
    """Return the bytes of a file that a person named; a pipe is read to its end, as ``<(COMMAND)`` in a shell is.

    Args:
        path: The file.
        if_absent: What to do where there is none, as a sentence.
        if_folder: What to do where it is a folder, as a sentence.

    Raises:
        ScoringError: When it cannot be read, or is a device, which may never end.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            raise ScoringError(f"{str(path)!r} is a device or a socket. Name a file or a pipe.")
        return path.read_bytes()
    except FileNotFoundError:
        raise ScoringError(f"There is no file {str(path)!r}. {if_absent}") from None
    except IsADirectoryError:
        raise ScoringError(f"{str(path)!r} is a folder. {if_folder}") from None
    except OSError as error:
        raise ScoringError(f"Cannot read {str(path)!r}: {error.strerror}.") from None


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text as ``read_lines`` does.

    >>> split_lines("a\u2028b\r\nc\n"), split_lines("a\rb\r")
    (['a\u2028b', 'c'], ['a', 'b'])
    """
    end = "\n" if "\n" in text else "\r"
    lines = text.split(end)
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def split_fields(line: str, most: int = 0) -> list[str]:
    r"""Return what stands between blanks and tabs, the last of so many fields with all that follows.

    >>> split_fields(" a  b\tc\u00a0d e", 3)
    ['a', 'b', 'c\xa0d e']
    """
    text = line.strip(" \t")
    return _BLANKS.split(text, maxsplit=max(0, most - 1)) if text else []
