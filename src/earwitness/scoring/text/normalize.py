"""Normalizers by name: which words count as the same, and whose rules they use.

Ours are ``english`` (``english.py``) for English, ``multilingual`` (``multilingual.py``) for any language, and
``auto``, which takes ``english`` for clips in English and ``multilingual`` for all others, unknown languages included.

Others', kept to the letter so that numbers can be held against theirs:

- ``whisper-english``: the package whisper-normalizer, after Radford et al. 2022, appendix C;
- ``whisper-english-openai``: openai/whisper, whose contractions are four fewer (``whisper.py``);
- ``basic``: the same package's rules for any language, with marks kept;
- ``whisper``: ``whisper-english`` for clips in English and ``basic`` for all others, the default before our own rules;
- ``leaderboard`` and ``leaderboard-f83d546``: the Open ASR Leaderboard's English at two revisions, and ``basic`` for
  clips in another language.

``lower`` puts texts in lower case and splits at white space, for punctuation that is to count. ``none`` splits at white
space. A name that ends in ``.toml`` is a file of a user's own rules (``rules.py``).

Chinese languages, Japanese, Thai, Lao, Khmer and Burmese are written without spaces between words
(``languages.has_spaces``). Under every normalizer but ``lower`` and ``none`` their words are their letters (grapheme
clusters), those of foreign words among them included, as in the same appendix; so their WER is a rate of letters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from earwitness.errors import UsageError
from earwitness.files.nearest import did_you_mean
from earwitness.languages import has_spaces, primary
from earwitness.scoring.text import english, leaderboard, leaderboard_2026, multilingual, rules, whisper
from earwitness.scoring.text.characters import lower_case
from earwitness.scoring.text.rules import Rules

_LEADERBOARD_2026 = f"leaderboard-{leaderboard_2026.REVISION}"
NAMES = (
    "auto",
    "english",
    "multilingual",
    "whisper",
    "whisper-english",
    "whisper-english-openai",
    "leaderboard",
    _LEADERBOARD_2026,
    "basic",
    "lower",
    "none",
)
_PACKAGE = "whisper-normalizer"
_MOST_DIGITS = 4300
"""Of ``sys.int_info.default_max_str_digits``."""


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

        >>> normalizer("english").words("Mr. Brown doesn't owe $20.")
        ['mister', 'brown', 'does', 'not', 'owe', '20', 'dollars']
        >>> normalizer("whisper-english").words("Mr. Brown doesn't owe $20.")
        ['mister', 'brown', 'does', 'not', 'owe', '$20']
        >>> normalizer("multilingual").words("Où est l'hôtel?")
        ['où', 'est', 'l', 'hôtel']
        >>> normalizer("auto").words("你好。", "zh")
        ['你', '好']
        >>> normalizer("none").words("Well, well.")
        ['Well,', 'well.']
        >>> normalizer("lower").words("Well, WELL.")
        ['well,', 'well.']
        """
        return self._words(text, language, letters=True)

    def spaced_words(self, text: str, language: str | None = None) -> list[str]:
        """Return what stands between spaces of a text, normalized, also in a language without spaces between words.

        >>> normalizer("auto").spaced_words("我喜欢 Machine Learning。", "zh")
        ['我喜欢', 'machine', 'learning']
        """
        return self._words(text, language, letters=False)

    def _words(self, text: str, language: str | None, *, letters: bool) -> list[str]:
        if self.rules is not None:
            base = normalizer(self.rules.base)
            return self.rules.replaced(base._words(self.rules.raw(text), language, letters=letters))
        if self.name == "lower":
            return lower_case(text, primary(language) or "").split()
        return text.split() if self.name == "none" else _by_name(self.name, language, letters=letters)(text)


def _by_name(name: str, tag: str | None, *, letters: bool) -> Callable[[str], list[str]]:
    """Return the rules of a name for a language; with ``letters``, one without spaces is split into its letters."""
    is_ours, spaced, language = name in ("auto", "english", "multilingual"), has_spaces(tag), primary(tag) or ""
    split = letters and not spaced
    any_language = partial(multilingual.multilingual, language=language, letters=split)
    if not spaced or name in ("basic", "multilingual"):
        return any_language if is_ours else _package(letters=split)
    if name == "english" or (name == "auto" and language == "en"):
        return english.english
    if name == "auto":
        return any_language
    if language == "en" or name.startswith("whisper-") or (language == "" and name.startswith("leaderboard")):
        return _english(name)
    return _package(letters=False)


def normalizer(name: str) -> Normalizer:
    """Return a normalizer by name, or from a file of rules.

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
        hint = did_you_mean(name, NAMES)
        raise UsageError(f"There is no normalizer {name!r}.{hint} There are: {', '.join(NAMES)}, or a file of rules.")
    ours, any_language = f"english-{english.VERSION}@{package}", f"multilingual@{multilingual.VERSION}"
    signatures = {
        "auto": f"auto(en={ours},*={any_language})",
        "english": ours,
        "multilingual": any_language,
        "whisper": f"auto(en=whisper-english@{package},*=basic@{package})",
        "leaderboard": f"leaderboard-{leaderboard.REVISION}@{package}",
        "lower": "lower@1",
        "none": "none",
    }
    return Normalizer(name, signatures.get(name, f"{name}@{package}"))


def join_words(words: list[str], language: str | None) -> str:
    """Return the text whose characters are compared: words with one space between, letters with none."""
    return (" " if has_spaces(language) else "").join(words)


@cache
def _english(name: str) -> Callable[[str], list[str]]:
    """Return somebody else's rules for English."""
    from earwitness.scoring.text import fast_english

    makers: dict[str, Callable[[], Callable[[str], str]]] = {
        "whisper": fast_english.english,
        "whisper-english": fast_english.english,
        "whisper-english-openai": whisper.openai,
        "leaderboard": leaderboard.Leaderboard,
        _LEADERBOARD_2026: leaderboard_2026.Leaderboard2026,
    }
    return _split(makers[name]())


@cache
def _package(letters: bool) -> Callable[[str], list[str]]:
    """Return the package's rules for any language."""
    from whisper_normalizer.basic import BasicTextNormalizer

    return _split(BasicTextNormalizer(preserve_marks=True, split_letters=letters))


def _split(normalize: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Return a normalizer for words from foreign rules.

    The package fails at numbers of more digits than Python turns into integers, as a model writes them that repeats
    itself. A text with one is cut in the middle, until there is none.
    """

    def words(text: str) -> list[str]:
        try:
            return normalize(text).split()
        except (AssertionError, ValueError):
            if len(text) <= _MOST_DIGITS:
                raise
        space = text.find(" ", len(text) // 2)
        middle = len(text) // 2 if space < 0 else space
        return words(text[:middle]) + words(text[middle:])

    return words
