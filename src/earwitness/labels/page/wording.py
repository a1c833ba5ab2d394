"""Checks what people type: texts with ``{a / b}``, and names."""

from __future__ import annotations

from earwitness.errors import ScoringError, UsageError
from earwitness.labels.label import LabelVerdict
from earwitness.scoring.align.alternatives import parse

_LONGEST_NAME = 100
_LONGEST_TEXT = 500_000


def clean_text(text: str | None, verdict: LabelVerdict) -> str | None:
    r"""Return a text as a label keeps it: as it was typed, on one line; ``None`` for a verdict that has no text.

    Args:
        text: What was typed.
        verdict: What the label says of the clip.

    >>> clean_text(" so {i want to /  i wanna} go\n", "text")
    'so {i want to / i wanna} go'
    >>> clean_text("whatever", "not speech") is None
    True

    Raises:
        UsageError: For no text where there must be one, or for braces that do not match.
    """
    if verdict not in ("text", "several speakers"):
        return None
    words = " ".join((text or "").split())
    if not words:
        if verdict == "several speakers":
            return None
        raise UsageError('The text is empty. Write what was said, or say "not speech" or "unintelligible".')
    if len(words) > _LONGEST_TEXT:
        raise UsageError(f"The text has {len(words):,} characters; a label takes up to {_LONGEST_TEXT:,}.")
    require_braces(words)
    return words


def require_braces(text: str) -> None:
    """Refuse a text whose ``{a / b}`` has no end or no beginning.

    >>> require_braces("so {i want to / i wanna} go")
    >>> require_braces("so {i want to / i wanna go")
    Traceback (most recent call last):
    earwitness.errors.UsageError: The braces of {a / b} do not match: one is missing or too many. Correct the text.

    Raises:
        UsageError: For such a text.
    """
    try:
        parse(text)
    except ScoringError:
        raise UsageError("The braces of {a / b} do not match: one is missing or too many. Correct the text.") from None


def require_author(author: str) -> None:
    """Refuse a name that no label can have.

    Raises:
        UsageError: For an empty or a long name, or one with control characters.
    """
    name = author.strip()
    if not name:
        raise UsageError("Write your name: each label says who made it.")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A name has up to {_LONGEST_NAME} letters on one line.")
