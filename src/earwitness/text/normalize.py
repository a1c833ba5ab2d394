"""Normalizers: what counts as the same word.

``whisper-english`` is the English normalizer of Radford et al. 2022, appendix C: case, punctuation, contractions,
spelling variants, and numbers in digits. ``basic`` serves any language: Unicode NFKC, lower case, punctuation and
symbols away, bracketed remarks away; letters and their marks stay, accents of Latin letters and the vowel signs of
Indic, Thai and Arabic scripts alike. ``none`` splits at white space. ``auto`` takes ``whisper-english`` for clips in
English and ``basic`` for all others, unknown languages included. ``leaderboard`` is the Open ASR Leaderboard's English
(``leaderboard.py``), and ``basic`` for clips in another language. A name that ends in ``.toml`` is a file of a user's
own rules (``rules.py``).

Chinese languages, Japanese, Thai, Lao, Khmer and Burmese are written without spaces between words
(``languages.has_spaces``). Under every normalizer but ``none`` their words are their letters (grapheme clusters), as in
the same appendix, so their WER is a rate of letters.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from earwitness.errors import UsageError
from earwitness.languages import has_spaces, primary
from earwitness.text import rules
from earwitness.text.leaderboard import REVISION, Leaderboard
from earwitness.text.rules import Rules

NAMES = ("auto", "whisper-english", "leaderboard", "basic", "none")
_PACKAGE = "whisper-normalizer"


@dataclass(frozen=True, slots=True)
class Normalizer:
    """A way from raw text to words."""

    name: str
    """One of ``NAMES``, or a user's rules as text: it says all that there is to say."""
    signature: str
    """Name and version; two scores with unequal ones are not compared."""
    rules: Rules | None = None
    """A user's own, around the base that they name."""

    def words(self, text: str, language: str | None = None) -> list[str]:
        """Return the words of a raw text.

        Args:
            text: As the engine, or the manifest, has it.
            language: BCP 47 tag of the clip, if known.

        >>> normalizer("whisper-english").words("Mr. Brown doesn't owe $20.")
        ['mister', 'brown', 'does', 'not', 'owe', '$20']
        >>> normalizer("basic").words("Où est l'hôtel?")
        ['où', 'est', 'l', 'hôtel']
        >>> normalizer("auto").words("你好。", "zh")
        ['你', '好']
        >>> normalizer("none").words("Well, well.")
        ['Well,', 'well.']
        """
        if self.rules is not None:
            return self.rules.replaced(normalizer(self.rules.base).words(self.rules.raw(text), language))
        if self.name == "none":
            return text.split()
        if not has_spaces(language):
            return _letters()(text).split()
        if self.name == "whisper-english" or (self.name == "auto" and primary(language) == "en"):
            return _english()(text).split()
        if self.name == "leaderboard" and primary(language) in ("en", None):
            return _leaderboard()(text).split()
        return _basic()(text).split()


def normalizer(name: str) -> Normalizer:
    """Return a normalizer by name, or that of a file of rules.

    Raises:
        UsageError: For an unknown name, the nearest is suggested; or for rules that cannot be read.

    >>> normalizer("leaderboard").words("The U.S. of A...", "en")
    ['the', 'us', 'of', 'a']
    """
    return _named(rules.read(Path(name)).name if name.endswith(rules.SUFFIX) else name)


@cache
def _named(name: str) -> Normalizer:
    package = version(_PACKAGE)
    if name.startswith(rules.PREFIX):
        own = rules.parse(name)
        if own.base.endswith(rules.SUFFIX) or own.base.startswith(rules.PREFIX):
            raise UsageError(
                f"Rules cannot have rules as their base, as here {own.base[:40]!r}. Write them into one file."
            )
        return Normalizer(own.name, f"rules-{own.sha256[:12]}({normalizer(own.base).signature})", own)
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"There is no normalizer {name!r}.{hint} There are: {', '.join(NAMES)}, or a file of rules.")
    signatures = {
        "auto": f"auto(en=whisper-english@{package},*=basic@{package})",
        "leaderboard": f"leaderboard-{REVISION}@{package}",
        "none": "none",
    }
    return Normalizer(name, signatures.get(name, f"{name}@{package}"))


def joined(words: list[str], language: str | None) -> str:
    """Return the text whose characters are compared: words with one space between, letters with none."""
    return (" " if has_spaces(language) else "").join(words)


@cache
def _english() -> Callable[[str], str]:
    from earwitness.text.fast_english import english

    return english()


@cache
def _leaderboard() -> Callable[[str], str]:
    return Leaderboard()


@cache
def _basic() -> Callable[[str], str]:
    from whisper_normalizer.basic import BasicTextNormalizer

    made: Callable[[str], str] = BasicTextNormalizer(preserve_marks=True)
    return made


@cache
def _letters() -> Callable[[str], str]:
    from whisper_normalizer.basic import BasicTextNormalizer

    made: Callable[[str], str] = BasicTextNormalizer(preserve_marks=True, split_letters=True)
    return made
