"""Translates NIST's notation inside the texts of trn, stm and ctm into ours: alternatives in braces only.

``b;noun`` is the word ``b`` with a tag, a lone ``@`` is no word, and ``(yes)`` is a word that may be left out. sclite
asks for that with ``-D``; without it the word counts like any other.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"(?<=[^\s;]);[^\s{}]*")
_NOTHING = re.compile(r"(?<!\S)@(?!\S)")
_OPTIONAL = re.compile(r"(?<!\S)\(([^()\s{}]+)\)(?!\S)")
_IGNORED = re.compile(r"ignore_?time_?segment_?in_?scoring", re.IGNORECASE)


def translate(text: str, *, optional: bool = False) -> str:
    """Return a text without tags, lone ``@`` and the brackets of optional words.

    Args:
        text: As it stands in a file.
        optional: Whether a word in brackets may be left out, as with ``sclite -D``.

    >>> translate("b;noun @ (yes) {go / @}")
    'b  yes {go / @}'
    >>> translate("(yes) go", optional=True)
    '{yes / @} go'
    """
    text = _OPTIONAL.sub(r"{\1 / @}" if optional else r"\1", _TAG.sub("", text))
    if "@" not in text:
        return text
    pieces = re.split(r"(\{.*\})", text)  # Inside braces, '@' is an option without words.
    return "".join(piece if piece.startswith("{") else _NOTHING.sub("", piece) for piece in pieces).strip()


def is_ignored(text: str) -> bool:
    """Return whether a reference has the mark that excludes it from scoring.

    >>> is_ignored("<o> IGNORE_TIME_SEGMENT_IN_SCORING"), is_ignored("ignoretimesegmentinscoring"), is_ignored("ignore")
    (True, True, False)
    """
    return _IGNORED.search(text) is not None
