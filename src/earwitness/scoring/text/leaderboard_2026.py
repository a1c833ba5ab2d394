r"""English as the Open ASR Leaderboard normalizes it since the summer of 2026: the rules, without its list of names.

The rules are those of huggingface/open_asr_leaderboard, ``normalizer/normalizer.py`` at revision f83d546 (July 2026):
Whisper's, with these changes.

- Fourteen more fillers go.
- ``'s`` is "is" behind thirteen pronouns and question words only; elsewhere the apostrophe becomes a space.
- ``kinda``, ``sorta``, ``dunno`` and ``cause`` stay, as in openai/whisper.
- Sixteen pairs of words are one word, such as "wi fi" and "p m", before numbers are read.
- ``ok`` and ``kay`` are "okay", ``etcetera`` is "etc".
- Single letters and digits in a row are one word: two or more, or three or more if "a" or "i" is among them.

Its ellipses and initials of revision 0c261bf (``leaderboard.py``) are no rules any more. Its list of some 140 first
names that are taken for each other (Stephen for Steven) changes with its test sets, and is not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from earwitness.scoring.text.whisper import package

REVISION = "f83d546"
FILLERS = (
    *("hmm", "mm", "mhm", "mmm", "uh", "um"),
    *("ah", "aha", "ahh", "ahm", "eh", "ehehe", "em", "hm", "huh", "hum", "mhum", "uhm", "umm", "uhuh"),
)
"""Whisper's six, and the Leaderboard's fourteen."""
COMPOUNDS: Mapping[str, str] = {
    "et cetera": "etc",
    "al right": "alright",
    "all right": "alright",
    "o k": "okay",
    **{
        pair: pair.replace(" ", "")
        for pair in (
            *("how ever", "wi fi", "hi fi", "lo fi", "sci fi", "e mail", "e book", "e commerce", "x ray", "t shirt"),
            *("a m", "p m"),
        )
    },
}
"""Two words, and the one that they become."""
_SPELLINGS = {"ok": "okay", "kay": "okay", "etcetera": "etc"}
_PAIR = re.compile(r"\b(" + "|".join(COMPOUNDS).replace(" ", r"\s+") + r")\b")
_IS = r"\b(it|he|she|what|that|who|here|there|how|when|where|why|this)'s\b"


class Leaderboard2026:
    """A callable from raw text to normalized text.

    >>> Leaderboard2026()("Huh, the dog's with the B.B.C., it's 5 G")
    'the dog s with the bbc it is 5g'
    """

    def __init__(self) -> None:
        """Take the installed package, and change its tables."""
        self._rules: Any = package(adds_rules=False)
        self._rules.ignore_patterns = rf"\b({'|'.join(FILLERS)})\b"
        replacers = {r"'s\b": (_IS, r"\1 is")}
        self._rules.replacers = dict(replacers.get(key, (key, text)) for key, text in self._rules.replacers.items())
        number, spell = self._rules.standardize_numbers, self._rules.standardize_spellings
        spell.mapping = {**spell.mapping, **_SPELLINGS}
        self._rules.standardize_numbers = lambda text: number(compounds(text))
        self._rules.standardize_spellings = lambda text: acronyms(spell(text))

    def __call__(self, text: str) -> str:
        """Return the normalized text."""
        normalized: str = self._rules(text)
        return re.sub(r"\s+", " ", normalized).strip()


def compounds(text: str) -> str:
    """Return a text with the pairs of the table as one word.

    >>> compounds("wi fi at 5 p m")
    'wifi at 5 pm'
    """
    return _PAIR.sub(lambda pair: COMPOUNDS[" ".join(pair[0].split())], text)


def acronyms(text: str) -> str:
    """Return a text with single letters and digits in a row as one word.

    >>> acronyms("b b c and 5 g and i a and u s a")
    'bbc and 5g and i a and usa'
    """
    words: list[str] = []
    for is_single, group in groupby(text.split(), lambda word: len(word) == 1 and word.isalnum()):
        row = list(group)
        least = 3 if {"a", "i"} & set(row) else 2
        words += ["".join(row)] if is_single and len(row) >= least else row
    return " ".join(words)
