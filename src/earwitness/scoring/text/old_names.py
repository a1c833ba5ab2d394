"""Names of normalizers in records of earlier versions, which may mean other rules today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from earwitness.scoring.text import rules

_AUTO_WAS_WHISPER = "auto(en=whisper-english@"
"""In a signature, the rules that were called ``auto`` before Earwitness had rules of its own, and ``whisper`` since."""


def current_name(name: str, signatures: Iterable[str]) -> str:
    """Return the name that a record's normalizer has today.

    Args:
        name: As the record has it.
        signatures: Of the record's scores, which say what rules the name stood for; none for a run that was killed.

    >>> was = "wer|norm:auto(en=whisper-english@0.1.15,*=basic@0.1.15)|align:levenshtein"
    >>> current_name("auto", [was]), current_name("auto", []), current_name("basic", [was])
    ('whisper', 'auto', 'basic')
    """
    if not any(_AUTO_WAS_WHISPER in signature for signature in signatures):
        return name
    if name == "auto":
        return "whisper"
    if name.startswith(rules.PREFIX):
        own = rules.parse(name)
        return replace(own, base="whisper").name if own.base == "auto" else name
    return name
