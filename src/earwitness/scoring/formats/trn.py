"""sclite's trn: one transcript per line, with its id in round brackets at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from earwitness.errors import ScoringError

_LINE = re.compile(r"^(.*?)\s*\(([^()]*)\)\s*$")
_UNREADABLE = re.compile(r"[\s()]")


def looks_like(lines: Iterable[str]) -> bool:
    """Return whether every line ends with an id in brackets, as trn needs."""
    return all(_LINE.match(line) for line in lines)


def read(name: str, lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield place, id and text of each line that is not blank; a line that begins with ``;;`` is a comment.

    >>> list(read("ref.trn", [";; said by one", "hello there (spk-1)"]))
    [('ref.trn:2', 'spk-1', 'hello there')]

    Raises:
        ScoringError: For a line without an id.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ScoringError(f"{name}:{number} does not end with an id in brackets, as trn needs. Correct the line.")
        yield f"{name}:{number}", match[2], match[1]


def line_of(id_: str, text: str) -> str:
    """Return a line; white space and brackets in the id, which sclite cannot read, become ``_``.

    >>> line_of("line 1", "hello there")
    'hello there (line_1)'
    """
    return f"{text} ({_UNREADABLE.sub('_', id_)})"
