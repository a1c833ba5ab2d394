"""Splits English text into tokens: one piece between spaces at a time, without its neighbours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from earwitness.scoring.text.english_words import (
    ABBREVIATIONS,
    BEFORE_NAME,
    CONTRACTIONS,
    DECADES,
    ENDINGS,
    FILLERS,
    FRACTIONS,
    HAD_BEFORE,
    HAS_BEFORE,
    IS_AFTER,
    LATIN,
    LEAST_LETTERS,
    MONTHS,
    ORDINALS,
    PAIRS_OF_LETTERS,
    RESPELL,
    SCALE_ORDINALS,
    SCALES,
    SMALL_ORDINALS,
    TITLES,
    UNDER_HUNDRED,
)

TokenKind = Literal[
    "word", "month", "is", "would", "pause", "no.", "numeral", "separated", "spoken", "letter", "sign", "fraction",
    "clock", "name", "perfect", "start",
]  # fmt: skip
LONGEST = 15
"""Digits of a number that is reckoned with; longer ones are only digits."""
CUES = frozenset({"numeral", "separated", "spoken", "letter", "sign", "fraction", "clock", "name", "perfect"})
"""Kinds whose reading depends on the neighbours."""
SIMPLE = frozenset({"word", "month", "is", "would", "pause"})
"""Kinds that are what they are."""
STARTS = frozenset({"a", "i", "oh", "double", "triple", "point"})
"""Words that are part of a number, or of a row of letters, only before one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, a sign or a pause."""

    text: str
    """In lower case, as it is looked up: ``tenth``, ``20``, ``$``."""
    kind: TokenKind
    """What it is."""
    plain: str
    """What becomes of it where no rule about neighbours applies: ``10th``, ``20``, nothing."""


_PATTERN = re.compile(
    r"""
      (?P<address>[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{1,63}|(?:[a-z0-9-]{1,63}\.){1,8}(?:com|org|net|edu|gov|info|io|uk|de|eu)\b)
    | (?P<time>(?<![\d:.])\d{1,2}:[0-5]\d(?::[0-5]\d)?(?![\d:]))
    | (?P<decade>(?<![\d.,])\d{2,4}'?s\b)
    | (?P<ordinal>(?<![\d.])\d{1,3}(?:,?\d{3})*(?:st|nd|rd|th)\b)
    | (?P<fraction>(?<![\d/.,])\d{1,2}/\d{1,2}(?![\d/]))
    | (?P<separated>(?<!\d)\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d))
    | (?P<numeral>(?:(?<![\w.])\.)?\d+(?:\.\d+)*)
    | (?P<letters>(?<![^\W\d_])(?:(?:[a-z]\.){2,}'?s\b|(?:[a-z]\.)+[a-z](?![^\W\d_])\.?))
    | (?P<short>'(?:cause|em|tis|twas|n)\b'?)
    | (?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)
    | (?P<minus>(?<![\w.)])-(?=[.$£€]?\d))
    | (?P<range>(?<=\d)–(?=[.$£€]?\d))
    | (?P<sign>[$£€¢¥₹₩₽₪%°#&@+=×÷])
    | (?P<pause>[,;:.!?—])
    """,
    re.VERBOSE,
)
_TITLE = re.compile(r"\W*([A-Z][A-Za-z]*)\.\W*")
_CAPITAL_MONTH = re.compile(r"\W*(May|MAY|March|MARCH)\W*")
_NUMBER_SIGN = re.compile(r"\W*[Nn]o\.")
_TELEPHONE = re.compile(r"(?:1\.)?\d{3}\.\d{3}\.\d{4}")
_FILLER = re.compile(FILLERS)
_WRITTEN = (
    (re.compile(r"\bkm/h\b"), "kmh"),
    (re.compile(r"\bph\.d\b\.?"), "phd"),
)
"""Forms that the signs in them would take apart."""
_HOURS = 12
_APOSTROPHES = 4
"""In one word at most, as in y'all'd've; a row of more is no short form."""


def lex(piece: str) -> Iterator[Token]:
    """Yield the tokens of a piece of text without spaces.

    >>> [token.text for token in lex("$2.50,")]
    ['$', '2.50', ',']
    >>> [token.plain for token in lex("they're")]
    ['they', 'are']
    """
    title = _TITLE.fullmatch(piece)
    if title and title[1].lower() in TITLES:
        yield _word(TITLES[title[1].lower()])
        return
    if month := _CAPITAL_MONTH.fullmatch(piece):
        yield Token(month[1].lower(), "month", month[1].lower())
        return
    if _NUMBER_SIGN.fullmatch(piece):
        yield Token("no.", "no.", "no")
        return
    text = _letters(piece.lower()).replace("−", "-")
    for pattern, form in _WRITTEN:
        text = pattern.sub(form, text)
    for match in _PATTERN.finditer(text):
        yield from _tokens(match.lastgroup or "", match[0])


def _letters(text: str) -> str:
    """Return a text without accents, as English is written with and without them."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(LATIN))
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def _tokens(group: str, text: str) -> Iterator[Token]:
    reader = _READERS.get(group)
    if reader is not None:
        yield from reader(text)
    else:
        yield Token(text, "pause", "")


def _numeral(text: str) -> Iterator[Token]:
    """3.5 keeps its point; 617.555.1234 is a telephone number, whose points nobody says."""
    digits = text.replace(".", "") if _TELEPHONE.fullmatch(text) else text
    yield Token(digits, "numeral", digits)


def _separated(text: str) -> Iterator[Token]:
    digits = text.replace(",", "")
    yield Token(digits, "separated", digits)


def _ordinal(digits: str) -> str:
    return ordinal(int(digits)) if len(digits) <= LONGEST else digits + "th"


def _address(text: str) -> Iterator[Token]:
    """me@example.com is read me at example dot com."""
    spelt = text.replace("@", " at ").replace(".", " dot ").replace("-", " ").replace("_", " ")
    for piece in spelt.split():
        yield from lex(piece)


def _time(text: str) -> Iterator[Token]:
    """10:30 is ten thirty, 10:05 ten oh five, and 10:00 ten o'clock; 22:00 is twenty-two hundred."""
    hour, minute, *seconds = text.split(":")
    yield Token(hour, "numeral", hour)
    if minute == "00" and not seconds and int(hour) <= _HOURS:
        yield Token(":00", "clock", "oclock")
        return
    for part in (minute, *seconds):
        yield Token(part, "numeral", part)


def _fraction(text: str) -> Iterator[Token]:
    """1/2 is one half, 3/4 three quarters; 9/11 and 24/7 are two numbers."""
    part, whole = text.split("/")
    if int(whole) in FRACTIONS and 0 < int(part) < int(whole):
        yield Token(text, "fraction", "")
        return
    for number in (part, whole):
        yield Token(number, "numeral", number)


def _words(text: str) -> Iterator[Token]:
    if "'" not in text or text in CONTRACTIONS:
        for word in CONTRACTIONS.get(text, text).split():
            yield _word(word)
        return
    is_short_form = text.count("'") <= _APOSTROPHES
    for ending, full in ENDINGS.items():
        if is_short_form and text.endswith(ending) and text != ending:
            yield from _words(text.removesuffix(ending))
            yield Token(full, "would" if ending == "'d" else "word", full)
            return
    stem = text.removesuffix("'s")
    if stem != text and stem in IS_AFTER:
        yield _word(stem)
        yield Token("is", "is", "is")
        return
    yield _word(text.replace("'", ""))


def _word(text: str) -> Token:
    """Return the token of a word in lower case, without apostrophes."""
    if text in UNDER_HUNDRED or text in SCALES or text == "hundred":
        plain = "one" if text == "one" else text
        return Token(text, "spoken", plain)
    if text in BEFORE_NAME:
        return Token(text, "name", text)
    if len(text) == 1 and text not in "ai":
        return Token(text, "letter", text)
    if text in STARTS:
        return Token(text, "start", text)
    kind: TokenKind = "perfect" if text in HAS_BEFORE | HAD_BEFORE else "month" if text in MONTHS else "word"
    return Token(text, kind, spell(text))


_READERS: dict[str, Callable[[str], Iterable[Token]]] = {
    "word": _words,
    "short": _words,
    "numeral": _numeral,
    "separated": _separated,
    "ordinal": lambda text: [Token(text, "word", _ordinal(re.sub(r"\D", "", text)))],
    "decade": lambda text: [Token(text, "word", text.replace("'", ""))],
    "fraction": _fraction,
    "time": _time,
    "letters": lambda text: map(_word, acronym(re.sub("[^a-z]", "", text))),
    "minus": lambda _: [_word("minus")],
    "range": lambda _: [_word("to")],
    "address": _address,
    "sign": lambda text: [Token(text, "sign", "")],
}


@cache
def _american() -> dict[str, str]:
    from whisper_normalizer.english import EnglishSpellingNormalizer

    table: dict[str, str] = EnglishSpellingNormalizer().mapping
    return {**table, **RESPELL}


def spell(word: str) -> str:
    """Return a word as it is written after normalizing, in American spelling; nothing for a filler.

    >>> spell("colour"), spell("tenth"), spell("nineties"), spell("etc"), spell("uhh")
    ('color', '10th', '90s', 'et cetera', '')
    """
    if _FILLER.fullmatch(word):
        return ""
    if word in ABBREVIATIONS:
        return ABBREVIATIONS[word]
    if word in ORDINALS or word in SCALE_ORDINALS:
        return ordinal(ORDINALS[word] if word in ORDINALS else SCALE_ORDINALS[word])
    if word in DECADES and word != "tens":
        return f"{DECADES[word]}s"
    return _american().get(word, word)


def acronym(letters: str) -> list[str]:
    """Return letters in a row as one word if they are one, else as letters.

    >>> acronym("usa"), acronym("pm"), acronym("jk"), acronym("smith")
    (['usa'], ['pm'], ['j', 'k'], ['smith'])
    """
    return [letters] if len(letters) >= LEAST_LETTERS or letters in PAIRS_OF_LETTERS else list(letters)


def ordinal(number: int) -> str:
    """Return an ordinal: a word below ten, digits from there on.

    >>> ordinal(2), ordinal(11), ordinal(22)
    ('second', '11th', '22nd')
    """
    if number < len(SMALL_ORDINALS):
        return SMALL_ORDINALS[number]
    teen = number // 10 % 10 == 1
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
