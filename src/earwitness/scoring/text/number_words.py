"""Numbers in words: the wordings of a number that is written in digits, in the languages that num2words knows.

Outside English no normalizer here turns number words into digits, since ``un`` is an article and ``una`` may be one o'
clock. Instead a number in digits counts as equal to each of its wordings, where it stands beside one in an alignment
(``metrics/variants.py``). A wording that nobody uses does no harm there: no transcript has it.

The words are those of the package num2words, in each of its countries, and what it leaves out is added by the rules
below: genders, short forms, spellings of other countries, the cases of Russian.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise

from earwitness.errors import UsageError
from earwitness.languages import has_spaces, primary

VERSION = 1
_LONGEST = 15
"""Digits of the longest number that is a number; longer ones are read digit by digit alone."""
_COUNTRIES: Mapping[str, tuple[str, ...]] = {"fr": ("fr", "fr_BE", "fr_CH"), "pt": ("pt", "pt_BR")}
_CASES = ("n", "g", "d", "a", "i", "p")
# Each rule is tried on each wording, and those that the earlier rules made: what it matches, and what may stand there.
_RULES: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ca": ((r"\bu$", ("un", "una")), (r"\bdos$", ("dues",))),
    "de": (
        (r"eins$", ("ein", "eine", "einen", "einem", "einer", "eines")),
        (r"^ein(?=hundert|tausend)", ("",)),
        (r"(?<=tausend)ein(?=hundert)", ("",)),
        (r"zwei$", ("zwo",)),
        (r"ß", ("ss",)),
    ),
    "es": (
        (r"\bveintiuno$", ("veintiún", "veintiuna")),
        (r"\buno$", ("un", "una")),
        (r"(?<=cient)os|(?<=quinient)os", ("as",)),
    ),
    "fr": (
        (r"\bun$", ("une",)),
        (r"(?<=cent)s\b|(?<=vingt)s\b", ("",)),
        (r"(?<=deux cent)$|(?<=trois cent)$|(?<=quatre cent)$|(?<=cinq cent)$", ("s",)),
        (r"\bquatre-vingt$", ("quatre-vingts",)),
    ),
    "it": (
        (r"(?<=[a-z])uno$", ("un", "una")),
        (r"^uno$", ("un", "una")),
        (r"tré$", ("tre", "trè")),
        (r"(?<=cento|mille)(?=.)", (" ", " e ")),
        (r"mila(?=.)", ("mila ",)),
    ),
    "nl": ((r"één", ("een",)), (r"(?<=honderd|duizend)(?=.)", (" ",))),
    "pt": (
        (r"\bum$", ("uma",)),
        (r"\bdois$", ("duas",)),
        (r"(?<=[tzh]ent)os\b", ("as",)),
        (r"dezasseis", ("dezesseis",)),
        (r"dezassete", ("dezessete",)),
        (r"dezanove", ("dezenove",)),
        (r"catorze", ("quatorze",)),
    ),
    "ru": ((r"^одна (?=тысяча)", ("",)), (r"ё", ("е",))),
    "uk": (
        (r"\bодин$", ("одна", "одне")),
        (r"\bдва$", ("дві",)),
        (r"^одна (?=тисяча)", ("",)),
    ),
}
_OFTEN_WITHOUT_ACCENTS = ("ca", "es", "fr", "it", "pt")
"""Languages whose transcripts often leave accents out, as in "veintiseis"."""
_DECIMAL_SIGNS: Mapping[str, tuple[str, ...]] = {
    "ca": ("coma",),
    "de": ("Komma",),
    "es": ("coma", "punto", "con"),
    "fr": ("virgule",),
    "it": ("virgola",),
    "nl": ("komma",),
    "pl": ("przecinek",),
    "pt": ("vírgula",),
}
_ORDINAL = re.compile(
    r"(\d{1,4})(?:er|ère|ere|re|e|ème|eme|nd|nde|o|a|os|as|ro|ra|do|da|to|ta|mo|ma|no|na|vo|va|te|й|я|е)"
)


def has_number_words(language: str | None) -> bool:
    """Return whether there are number words for a language: num2words knows it, and it has spaces between words.

    >>> [has_number_words(tag) for tag in ("es-MX", "fr", "ja", "xh", None)]
    [True, True, False, False, False]

    Raises:
        UsageError: When num2words is not installed.
    """
    return bool(_codes(primary(language) or "")) and has_spaces(language)


def number_words(digits: str, language: str) -> tuple[str, ...]:
    """Return the wordings of a number, most usual first; none for what is no number, or in an unknown language.

    Args:
        digits: Digits alone, or with the ending of an ordinal, as in ``1er``.
        language: Primary language subtag.

    >>> number_words("21", "es")
    ('veintiuno', 'veintiún', 'veintiuna', 'veintiun', 'dos uno')
    >>> number_words("80", "fr")
    ('quatre-vingts', 'quatre-vingt', 'huitante', 'huit zéro')
    >>> number_words("007", "it"), number_words("1er", "fr"), number_words("b12", "it")
    (('zero zero sette',), ('premier', 'première'), ())

    Raises:
        UsageError: When num2words is not installed.
    """
    ordinal = _ORDINAL.fullmatch(digits)
    codes = _codes(language)
    if not codes or not (ordinal or (digits.isascii() and digits.isdecimal())):
        return ()
    if ordinal:
        return _ordinals(int(ordinal[1]), language)
    readings = [] if digits[0] == "0" and len(digits) > 1 else [*_cardinals(int(digits), language)]
    if len(digits) > 1:
        readings += _by_groups(digits, language, 1)
    if len(digits) > 2 and len(digits) % 2 == 0:
        readings += _by_groups(digits, language, 2)
    return tuple(dict.fromkeys(readings))


def decimal_words(whole: str, part: str, language: str) -> tuple[str, ...]:
    """Return the wordings of a decimal number, such as ``3`` and ``5`` for 3,5.

    >>> decimal_words("3", "5", "fr")
    ('trois virgule cinq',)
    >>> decimal_words("3", "05", "es")[0]
    'tres coma cero cinco'

    Raises:
        UsageError: When num2words is not installed.
    """
    signs = _DECIMAL_SIGNS.get(language, ())
    wholes, parts = number_words(whole, language)[:1], number_words(part, language)
    return tuple(f"{a} {sign} {b}" for sign in signs for a in wholes for b in parts)


def joined_numbers(words: list[str]) -> Iterator[tuple[int, int, str]]:
    """Find numbers whose thousands stand apart, as 1.500 and 1 500 do after normalizing: from, to, and the digits.

    >>> list(joined_numbers("1 500 y 12 7 040 300".split()))
    [(0, 2, '1500'), (4, 6, '7040'), (4, 7, '7040300')]
    """
    for start, word in enumerate(words):
        if re.fullmatch(r"[1-9]\d{0,2}", word):
            end = start + 1
            while end < len(words) and re.fullmatch(r"\d{3}", words[end]):
                end += 1
                yield start, end, "".join(words[start:end])


def decimals(words: list[str]) -> Iterator[tuple[int, str, str]]:
    """Find two numbers in a row, as 3,5 is after normalizing: where, and both.

    >>> list(decimals("3 5 o 12".split()))
    [(0, '3', '5')]
    """
    for start, (whole, part) in enumerate(pairwise(words)):
        if whole.isdecimal() and part.isdecimal() and len(part) <= 3:
            yield start, whole, part


def package_version() -> str:
    """Return the version of num2words.

    Raises:
        UsageError: When num2words is not installed.
    """
    try:
        return version("num2words")
    except PackageNotFoundError:
        raise UsageError(
            "Numbers in words need the package num2words. Install it: pip install 'earwitness[numbers]'"
        ) from None


@cache
def _codes(language: str) -> tuple[str, ...]:
    package_version()
    from num2words import CONVERTER_CLASSES

    return tuple(code for code in _COUNTRIES.get(language, (language,)) if code in CONVERTER_CLASSES)


@cache
def _cardinals(number: int, language: str) -> tuple[str, ...]:
    if len(str(number)) > _LONGEST:
        return ()
    readings = [_spelled(number, code, "cardinal") for code in _codes(language)]
    if 1100 <= number < 2100:
        readings += [_spelled(number, code, "year") for code in _codes(language)[:1]]
    if language == "ru":
        readings += _declensions(number)
    return tuple(_with_rules([one for one in readings if one], language))


def _ordinals(number: int, language: str) -> tuple[str, ...]:
    words = [word for code in _codes(language) if (word := _spelled(number, code, "ordinal"))]
    if language in ("es", "it", "pt"):
        words += [re.sub("o$", ending, word) for word in words for ending in ("a", "os", "as", "")]
    if language == "fr" and number == 1:
        words = ["premier", "première"]
    return tuple(dict.fromkeys(words))


def _spelled(number: int, code: str, kind: str) -> str:
    """Return num2words' wording, or nothing where it has none; its converters fail in many ways."""
    from num2words import num2words

    try:
        return str(num2words(number, lang=code, to=kind)).replace(",", "")
    except (NotImplementedError, ValueError, KeyError, IndexError, TypeError, OverflowError, AttributeError):
        return ""


def _declensions(number: int) -> list[str]:
    from num2words import CONVERTER_CLASSES

    converter = CONVERTER_CLASSES["ru"]
    return [converter.to_cardinal(number, case=case, gender=gender) for case in _CASES for gender in "mfn"]


def _with_rules(readings: list[str], language: str) -> list[str]:
    for pattern, instead in _RULES.get(language, ()):
        readings = [
            reading
            for one in readings
            for reading in (one, *(re.sub(pattern, other, one) for other in instead if re.search(pattern, one)))
        ]
    if language in _OFTEN_WITHOUT_ACCENTS:
        readings += [_without_accents(reading) for reading in readings]
    return list(dict.fromkeys(readings))


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _by_groups(digits: str, language: str, size: int) -> list[str]:
    """Return a number read by one or two digits at a time, as those of telephones and years are."""
    groups = [digits[place : place + size] for place in range(0, len(digits), size)]
    read = [_group(group, language) for group in groups]
    return [" ".join(read)] if all(read) else []


def _group(digits: str, language: str) -> str:
    zeros = len(digits) - len(digits.lstrip("0")) if len(digits) > 1 else 0
    parts = [_cardinals(0, language)[:1]] * zeros
    parts += [_cardinals(int(digits[zeros:]), language)[:1]] if digits[zeros:] else []
    return " ".join(part[0] for part in parts) if all(parts) else ""
