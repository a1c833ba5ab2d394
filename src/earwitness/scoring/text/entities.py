"""Finds entities by rule: e-mail addresses, telephone numbers, dates, times, amounts of money, codes, rows of digits.

Two searches. What is *written* as an entity, such as jane@example.com or AB12CD, is searched in the raw text, in any
language where the form holds. What is *spoken*, such as "jane dot doe at example dot com", is searched in English, in
the words that the normalizer ``english`` leaves: there numbers are digits, ``$23.05`` and ``twenty three dollars and
five cents`` are the same words, and one grammar holds for both.

Rules miss some entities and take some phrases for one ("look at example dot com" is refused, others may not be). A name
of a person or a place has no form: use key terms for those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from earwitness.languages import primary

VERSION = 1
KINDS = ("email", "date", "money", "time", "phone", "code", "digits")
"""Where two overlap, the first of this order is taken, then the longer."""
ANY_LANGUAGE = ("email", "digits")
"""Kinds whose written form is the same in every language."""


class EntityPlace(NamedTuple):
    """An entity and where it is: from and to, in characters of a raw text or in words."""

    kind: str
    """One of ``KINDS``."""
    start: int
    """The first character or word."""
    end: int
    """Behind the last."""


_TLD = "com|org|net|edu|gov|info|biz|io|ai|app|dev|co|uk|us|ca|au|nz|ie|de|fr|es|it|eu"
_MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
_ORDINAL = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth"
    r"|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth|[1-3]?\d(?:st|nd|rd|th)"
)
_YEAR = r"(?:1[89]|20)\d\d"
_N = r"(?:\d+(?:\.\d+)?|zero|one)"
_COIN = "dollars?|cents?|euros?|pounds?|pence|penny|bucks|yen|rupees?|pesos?|francs?"
_SIGN = "dot|dash|hyphen|underscore|plus"
_LETTER = (
    "[a-z]|alpha|alfa|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa"
    "|quebec|romeo|sierra|tango|uniform|victor|whiskey|x-?ray|yankee|zulu"
)
_NO_ADDRESS = "us|me|him|her|them|it|look|find|visit|online|available|site|website|page|is|are|was|be|and|or|out|more"
_EMAIL = (
    rf"(?:[a-z0-9] )*(?:\S+ (?:{_SIGN}) )*(?!(?:{_NO_ADDRESS}) )\S+ at "
    rf"(?:(?!at )\S+ ){{1,4}}?dot (?:{_TLD})(?: dot (?:{_TLD}))?"
)
_SPOKEN: Mapping[str, tuple[str, ...]] = {
    "email": (_EMAIL,),
    "phone": (r"(?:plus )?\d{7,15}(?<!0000)",),
    "date": (
        rf"(?:{_MONTH}) (?:the )?(?:{_ORDINAL})(?: {_YEAR})?",
        rf"(?:{_ORDINAL}) (?:day )?(?:of )?(?:{_MONTH})(?: {_YEAR})?",
        rf"(?!may )(?:{_MONTH}) [1-3]?\d(?: {_YEAR})?",
        rf"[1-3]?\d (?:{_MONTH})(?: {_YEAR})?",
        rf"(?:{_MONTH}) {_YEAR}",
    ),
    "time": (
        r"(?:\d{1,4}|one)(?: \d\d)? (?:am|pm|oclock)",
        r"(?:half|quarter|\d{1,2} minutes?) (?:past|to|before|after) (?:\d{1,2}|one)",
        r"(?<=at )(?:noon|midnight)",
    ),
    "money": (
        rf"{_N}(?: (?:hundred|thousand|million|billion|trillion))? (?:{_COIN})(?: {_N} (?:cents?|pence))?",
        r"(?:a|one) dollar \d\d",
    ),
    "code": (rf"(?:(?:{_LETTER}|\d+|one|zero|oh) ){{2,}}(?:{_LETTER}|\d+|one|zero|oh)",),
    "digits": (rf"(?!{_YEAR}\b)\d{{4,}}(?<!00)",),
}  # fmt: skip
_WRITTEN: Mapping[str, str] = {
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "date": r"\d{1,2}/\d{1,2}/(?:\d{4}|\d\d)\b|\d{4}-\d\d-\d\d",
    "time": r"\d{1,2}:\d\d(?::\d\d)?(?!\d)",
    "code": r"(?=[A-Z-]*\d)(?=[\d-]*[A-Z])[A-Z0-9]{2,}(?:-?[A-Z0-9]+)*",
    "digits": rf"\+?(?!{_YEAR}\b(?![ .-]?\d))\d(?:[ .()-]{{0,2}}\d){{3,}}",
}
_SPOKEN_RULES = [(kind, re.compile(rf"(?<!\S)(?:{rule})(?!\S)")) for kind, rules in _SPOKEN.items() for rule in rules]
_WRITTEN_RULES = {kind: re.compile(rf"(?<![\w@]){rule}(?!\w)") for kind, rule in _WRITTEN.items()}
_FEWEST_IN_CODE = 4
_ORDINALS = {word: str(place) for place, word in enumerate(_ORDINAL.split("|")[:20], start=1)} | {"thirtieth": "30"}


def entity_kinds(language: str | None) -> tuple[str, ...]:
    """Return the kinds whose rules hold in a language; all of them in English only.

    >>> entity_kinds("en-US") == KINDS, entity_kinds("fr"), entity_kinds(None)
    (True, ('email', 'digits'), ('email', 'digits'))
    """
    return KINDS if primary(language) == "en" else ANY_LANGUAGE


def written_entities(text: str, language: str | None) -> list[EntityPlace]:
    """Find entities by their written form in a raw text, in characters.

    >>> text = "Write to jane.doe@example.com by 3/4/2024, code AB12CD."
    >>> [(place.kind, text[place.start : place.end]) for place in written_entities(text, "en")]
    [('email', 'jane.doe@example.com'), ('date', '3/4/2024'), ('code', 'AB12CD')]
    >>> [place.kind for place in written_entities(text, "fr")]
    ['email']
    """
    kinds = [kind for kind in entity_kinds(language) if kind in _WRITTEN_RULES]
    is_english = primary(language) == "en"
    found = [
        EntityPlace(kind, *match.span())
        for kind in kinds
        # English has digits in words as well, and so its own rule for them.
        if not (is_english and kind == "digits")
        for match in _WRITTEN_RULES[kind].finditer(text)
        if kind != "code" or len(match[0].replace("-", "")) >= _FEWEST_IN_CODE
        if kind != "digits" or _is_row(match[0])
    ]
    return without_overlaps(found)


def _is_row(text: str) -> bool:
    """Return whether digits are a row, such as a telephone number, and not an amount with its thousands apart."""
    digits = re.sub(r"\D", "", text)
    return digits == text or (len(digits) >= 7 and re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", text) is None)


def spoken_entities(words: Sequence[str]) -> list[EntityPlace]:
    """Find entities in words of the normalizer ``english``.

    >>> words = "call jane at 5551234 or jane dot doe at example dot com before march third".split()
    >>> [(place.kind, " ".join(words[place.start : place.end])) for place in spoken_entities(words)]
    [('phone', '5551234'), ('email', 'jane dot doe at example dot com'), ('date', 'march third')]
    """
    text = " ".join(words)
    starts = {0: 0}
    for place, word in enumerate(words):
        starts[max(starts) + len(word) + 1] = place + 1
    found = [
        EntityPlace(kind, starts[match.start()], starts[match.end() + 1])
        for kind, rule in _SPOKEN_RULES
        for match in rule.finditer(text)
        if kind != "code" or _is_code(match[0].split())
    ]
    return without_overlaps(found)


def _is_code(words: Sequence[str]) -> bool:
    """Return whether a row of letters and digits has both, or four letters, so that it is no phrase such as "a 10"."""
    letters = [word for word in words if re.fullmatch(_LETTER, word)]
    enough = 2 if len(letters) < len(words) else _FEWEST_IN_CODE
    long_enough = len(squeezed(words, "code")) >= _FEWEST_IN_CODE
    return long_enough and len(letters) >= enough and set(letters) - {"a", "i", "o"} != set()


def squeezed(words: Sequence[str], kind: str) -> str:
    """Return what two texts of one entity have in common: its letters and digits without spaces.

    In a code, a word of a spelling alphabet is a letter; in a date, an ordinal is its number.

    >>> squeezed(["555", "1234"], "phone"), squeezed("delta lima 456".split(), "code")
    ('5551234', 'dl456')
    >>> squeezed("march 23rd".split(), "date"), squeezed("march third".split(), "date")
    ('march23', 'march3')
    """
    if kind == "date":
        words = [_ORDINALS.get(word, re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", word)) for word in words]
    if kind == "code":
        digits = {"one": "1", "zero": "0", "oh": "0"}
        words = [digits.get(w, w[0] if len(w) > 3 and re.fullmatch(_LETTER, w) else w) for w in words]
    return "".join(words)


def without_overlaps(places: Sequence[EntityPlace]) -> list[EntityPlace]:
    """Return the places that do not overlap one of a kind that goes first, in the order of the text.

    >>> without_overlaps([EntityPlace("phone", 0, 2), EntityPlace("date", 1, 3), EntityPlace("code", 3, 4)])
    [EntityPlace(kind='date', start=1, end=3), EntityPlace(kind='code', start=3, end=4)]
    """
    kept: list[EntityPlace] = []
    for place in sorted(places, key=lambda one: (KINDS.index(one.kind), one.start - one.end, one.start)):
        if all(place.end <= other.start or other.end <= place.start for other in kept):
            kept.append(place)
    return sorted(kept, key=lambda one: one.start)
