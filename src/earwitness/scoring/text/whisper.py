"""Whisper's English rules, as the package whisper-normalizer has them, and as openai/whisper has them.

The package adds four contractions to those of openai/whisper, ``whisper/normalizers/english.py``: ``kinda``, ``sorta``,
``dunno`` and ``cause``, so that to it "the root cause" is "the root because".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ADDED = ("kinda", "sorta", "dunno", "cause")
"""Contractions of the package that openai/whisper does not have."""


def package(*, adds_rules: bool = True) -> Any:
    """Return a normalizer of the installed package, with or without its own contractions."""
    from whisper_normalizer.english import EnglishTextNormalizer

    normalizer = EnglishTextNormalizer()
    if not adds_rules:
        for word in ADDED:
            normalizer.replacers.pop(rf"\b{word}\b", None)
    return normalizer


def openai() -> Callable[[str], str]:
    """Return the rules of openai/whisper.

    >>> openai()("the root cause, kinda")
    'the root cause kinda'
    """
    from earwitness.scoring.text.fast_english import FastEnglish, is_known

    own = package(adds_rules=False)
    rules: Callable[[str], str] = FastEnglish(own) if is_known(own) else own
    return rules
