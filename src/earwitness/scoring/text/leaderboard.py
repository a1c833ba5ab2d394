"""English as the Open ASR Leaderboard normalizes it: Whisper's rules, with initials joined and fewer contractions.

The rules are those of huggingface/open_asr_leaderboard, ``normalizer/normalizer.py`` at revision 0c261bf, in its order:
lower case; dots of an ellipsis away; remarks in brackets and fillers away; then letters with dots between them become
one word (``U.S.`` is ``us``; its patterns for ``u. s.`` end so that they hardly ever fit); then Whisper's own rules, of
whose contractions it has all but four (``kinda``, ``sorta``, ``dunno``, ``cause``). The table of spellings and the
number rules are those of the package whisper-normalizer. Later revisions of the Leaderboard have lists of acronyms,
names and compounds on top, which are not here: ``docs/metrics.md`` says why.

A text without brackets, ellipses and single letters before a dot meets none of what is new, and goes the fast way.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from earwitness.scoring.text.fast_english import FastEnglish, is_known
from earwitness.scoring.text.whisper import package

REVISION = "0c261bf"
_ALSO = re.compile(r"[<\[(]|\.\.\.|\b[a-z]\.")
_ELLIPSIS_LAST = re.compile(r"\.{3,}\s*$")
_ELLIPSIS = re.compile(r"\s*\.{3,}\s*")
_REMARKS = (re.compile(r"[<\[][^>\]]*[>\]]"), re.compile(r"\(([^)]+?)\)"))
_BEFORE_APOSTROPHE = re.compile(r"\s+'")
_LETTER = "([a-z])"


def _initials() -> list[tuple[re.Pattern[str], str]]:
    """Return patterns of dotted letters and what becomes of them: plurals first, then from four letters down to two."""

    def letters(n: int, between: str, end: str) -> str:
        return rf"\b{between.join([_LETTER] * n)}{end}\b"

    def joined(n: int) -> str:
        return "".join(rf"\{place}" for place in range(1, n + 1))

    found = [(letters(3, r"\.", r"\.s"), joined(3) + "s")]
    found += [(letters(n, r"\.", r"\.?"), joined(n)) for n in (4, 3, 2)]
    found += [(letters(n, r"\.\s+", r"\."), joined(n)) for n in (4, 3, 2)]
    found += [(letters(3, r"\.", r"\.'s"), joined(3) + "s")]
    return [(re.compile(pattern), text) for pattern, text in found]


class Leaderboard:
    """A callable from raw text to normalized text.

    >>> Leaderboard()("The U.S. won't, uh, pay twenty dollars... kinda")
    'the us will not pay $20 kinda'
    """

    def __init__(self) -> None:
        """Take the installed package."""
        whisper = package(adds_rules=False)
        self._fast: Callable[[str], str] = FastEnglish(whisper) if is_known(whisper) else whisper
        self._rest = package(adds_rules=False)
        self._fillers = re.compile(self._rest.ignore_patterns)
        # What is a filler only after letters were joined stays: "u.h." is no "uh".
        self._rest.ignore_patterns = r"(?!)"
        self._initials = _initials()

    def __call__(self, text: str) -> str:
        """Return the normalized text."""
        lowered = text.lower()
        return self._whole(lowered) if _ALSO.search(lowered) else self._fast(text)

    def _whole(self, text: str) -> str:
        text = _ELLIPSIS.sub(" ", _ELLIPSIS_LAST.sub("", text))
        for remark in _REMARKS:
            text = remark.sub("", text)
        text = _BEFORE_APOSTROPHE.sub("'", self._fillers.sub("", text))
        for pattern, joined in self._initials:
            text = pattern.sub(joined, text)
        normalized: str = self._rest(text)
        return normalized
