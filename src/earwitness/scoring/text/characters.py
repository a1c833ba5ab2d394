"""One table of characters that look alike, are invisible, or enclose a remark.

Everything here is done before words are looked at, and in this order:

1. Look-alikes become one character: apostrophes, and the letters that keyboards and old encodings confuse.
2. Invisible characters go, except joiners that carry meaning.
3. Unicode NFKC: full-width forms, ligatures and composed letters have one form.
4. Remarks in brackets go; quotes and titles in brackets stay.
5. Lower case, as the language has it. Digits of every script become 0 to 9.

Not folded, since a reader takes them for different letters: Arabic alef and ya variants and short vowels, Russian ё
and е, German ß and ss, accents, traditional and simplified Chinese.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

APOSTROPHES = "'’‘‛ʼʻʽʹ՚＇´`′ꞌ"
"""Characters that stand for an apostrophe: typographic quotes, modifier letters, accents and the prime."""
APOSTROPHE_LETTER = "ʼ"
"""U+02BC MODIFIER LETTER APOSTROPHE, a letter to Unicode, so that no later rule takes it for punctuation."""
INSIDE_WORDS = frozenset({"be", "br", "gn", "ha", "mt", "nv", "om", "qu", "so", "sw", "uk", "uz", "yua"})
"""Languages whose spelling has an apostrophe between letters: Ukrainian м'який, Uzbek oʻ, Breton c'h."""
AROUND_WORDS = frozenset({"haw", "sm", "to", "ty"})
"""Languages in which it is a consonant and may begin a word: the ʻokina of Hawaiian, Samoan, Tongan and Tahitian."""
_LETTERED = INSIDE_WORDS | AROUND_WORDS
JOINER_LANGUAGES = frozenset({"ckb", "fa", "ku", "ps", "sd", "ug", "ur"})
"""Languages in Arabic script that write U+200C between letters of one word (Persian می‌خواهم)."""
CASE_TR = frozenset({"az", "crh", "gag", "tr"})
"""Languages with a dotted and a dotless i: I is the capital of ı, and İ of i (Unicode SpecialCasing.txt)."""

_PERSIAN = {"ك": "ک", "ي": "ی", "ى": "ی"}
LETTERS: Mapping[str, Mapping[str, str]] = {
    "fa": _PERSIAN,
    "ur": _PERSIAN,
    "ckb": _PERSIAN,
    "ro": {"ş": "ș", "Ş": "Ș", "ţ": "ț", "Ţ": "Ț"},
    "ml": {"ണ്‍": "ൺ", "ന്‍": "ൻ", "ര്‍": "ർ", "ല്‍": "ൽ", "ള്‍": "ൾ", "ക്‍": "ൿ"},
    "bn": {"ত্‍": "ৎ"},
    "as": {"ত্‍": "ৎ"},
}
"""Letters that were typed as another: Arabic kaf and ya in Persian and Urdu, the cedilla in Romanian, a chillu of
Malayalam and a khanda ta of Bengali as letter, virama and joiner (the Unicode Standard, chapter 12)."""

REMARKS = ("()", "[]", "<>", "【】", "〔〕", "〖〗", "〘〙", "〚〛", "⟨⟩", "⟦⟧", "⦅⦆")
"""Brackets around what was not said: coughs, laughter, a speaker's name. 【】 and 〔〕 enclose sound and speakers in
Chinese and Japanese captions; full-width forms of ( ), [ ] and < > are the same as these."""
QUOTES = ("「」", "『』", "《》", "〈〉", "«»", "‹›", "“”", "„“", "{}")
"""Brackets around what was said: quotations, and titles of books and films, which are read aloud."""

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_NOT_SEEN = (
    "\u034f\u0640\u115f\u1160\u3164\uffa0"  # grapheme joiner, tatweel, Hangul fillers
    "\u17b4\u17b5\u180b\u180c\u180d\u180f"  # inherent vowels of Khmer, Mongolian variation selectors
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))  # variation selectors
)
_SEEN_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
_MARKS = {"™": " ", "℠": " ", "®": " ", "©": " ", "№": " # "}
"""Signs that NFKC would turn into letters, and so into a word that nobody said."""
_REMARK = re.compile("|".join(rf"\{a}[^\{a}\{b}]*\{b}" for a, b in map(tuple, REMARKS)))
_OPENING = re.compile("[" + "".join(re.escape(pair[0]) for pair in REMARKS) + "]")
_NUMBER = re.compile(r"\([\d\s+/.-]*\d[\d\s+/.-]*\)")
_DEEPEST = 4
"""Brackets inside of brackets that are read."""
_DOTTED = "i\u0307"


class _Fixed(dict[int, str | None]):
    """What becomes of a character in any language, worked out when it is first met."""

    def __missing__(self, number: int) -> str | None:
        self[number] = _instead(chr(number))
        return self[number]


def _instead(c: str) -> str | None:
    if c in APOSTROPHES:
        return "'"
    category = unicodedata.category(c)
    if category == "Me" or c in _NOT_SEEN or (category == "Cc" and not c.isspace()):
        return None
    if category == "Cf" and c not in (_ZWNJ, _ZWJ):
        return " " if c in _SEEN_FORMATS else None
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if unicodedata.decomposition(c).startswith("<fraction>"):
        return " " + unicodedata.normalize("NFKC", c).replace("\u2044", "/") + " "
    return _MARKS.get(c, c)


_FIXED = _Fixed()


def unify(text: str, language: str = "") -> str:
    r"""Return a text without invisible characters, and with one character for all that look alike.

    Args:
        text: Any text.
        language: Primary language subtag; empty when unknown.

    >>> unify("don’t \u200fwait", "en")
    "don't wait"
    >>> unify("м’який", "uk") == unify("м'який", "uk") == "мʼякий"
    True
    """
    if text.isascii() and text.isprintable() and language not in _LETTERED:
        return text.replace("`", "'")
    for typed, letter in LETTERS.get(language, {}).items():
        text = text.replace(typed, letter)
    text = text.translate(_FIXED)
    if _ZWNJ in text or _ZWJ in text:
        text = _joined(text, language)
    text = unicodedata.normalize("NFKC", text)
    if "'" in text and language in _LETTERED:
        text = _lettered(text, begins=language in AROUND_WORDS)
    return text


def _joined(text: str, language: str) -> str:
    """Keep joiners where they change the reading: behind a virama, and in languages that separate with them.

    These are the contexts of RFC 5892, appendix A.1 and A.2.
    """
    kept = []
    for place, c in enumerate(text):
        before = text[place - 1 : place]
        if c in (_ZWNJ, _ZWJ):
            after_virama = before != "" and unicodedata.combining(before) == 9
            between = c == _ZWNJ and language in JOINER_LANGUAGES and (before + text[place + 1 : place + 2]).isalpha()
            if not (after_virama or (between and place + 1 < len(text))):
                continue
        kept.append(c)
    return "".join(kept)


def _lettered(text: str, *, begins: bool) -> str:
    """Return the text with apostrophes as letters where they are: between letters, or also before one."""
    inside = r"(?<=[^\W\d_])'(?=[^\W\d_])"
    return re.sub(rf"{inside}|(?<![\w'])'(?=[^\W\d_])(?![^']*\w'(?!\w))" if begins else inside, APOSTROPHE_LETTER, text)


def without_remarks(text: str) -> str:
    """Return a text without what stands in brackets for remarks; a number, as in (617), is text.

    >>> without_remarks("[laughs] call (617) 555 <unk> 【拍手】「はい」").split()
    ['call', '(617)', '555', '「はい」']
    """
    if not _OPENING.search(text):
        return text
    for _ in range(_DEEPEST):
        text = _REMARK.sub(lambda remark: remark[0] if _NUMBER.fullmatch(remark[0]) else " ", text)
    return text


def lower_case(text: str, language: str = "") -> str:
    """Return a text in lower case, as the language has it, with one form of the Greek sigma.

    >>> lower_case("İSTANBUL ILIK", "tr"), lower_case("İSTANBUL", "en"), lower_case("ΟΔΟΣ", "el")
    ('istanbul ılık', 'istanbul', 'οδοσ')
    """
    if text.isascii() and language not in CASE_TR:
        return text.lower()
    if language in CASE_TR:
        text = text.replace("I", "ı").replace("İ", "i")
    text = text.lower().replace("ς", "σ")
    return text if language == "lt" else text.replace(_DOTTED, "i")
