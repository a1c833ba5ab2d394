"""Texts of unknown origin as Markdown, and tables of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

# An interval is no link unless one of these follows, and inside of a word _ marks nothing: both stay readable.
_MARKS = re.compile(r"\[-?[\d.]+, -?[\d.]+\](?![(\[:])|[\\`*\[\]]|(?<!\w)_|_(?!\w)")


def safe(text: str) -> str:
    r"""Return a text of unknown origin as Markdown that says just that, on one line.

    >>> print(safe("<img src=x> *a* [b](c) [1.0, 4.5] x86_64"))
    &lt;img src=x> \*a\* \[b\](c) [1.0, 4.5] x86_64
    """
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return _MARKS.sub(lambda mark: mark[0] if len(mark[0]) > 1 else f"\\{mark[0]}", plain)


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of plain texts; the first column is set left, the others right."""
    rule = "|---" + "|--:" * (len(header) - 1) + "|"
    lines = (" | ".join(safe(cell).replace("|", "\\|") for cell in row) for row in (header, *rows))
    first, *rest = (f"| {line} |" for line in lines)
    return "\n".join([first, rule, *rest, ""])
