"""The units of the mixed error rate: characters of some scripts, words of all others.

Text that changes between scripts, such as 我想要 a cup of coffee, has no good unit: by words, a Chinese sentence is one
word or a segmenter's opinion; by characters, an English word counts as often as it has letters. So each script has its
own unit within one text. These scripts count by character: Han, Hiragana, Katakana, Bopomofo and Hangul (syllables),
Thai, Lao, Khmer and Myanmar. Which script a character has is Unicode's property Script_Extensions, in which ー is
Katakana and 々 is Han. A mark after such a character is a unit of its own, as in the character error rate.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

SCRIPTS = ("Han", "Hiragana", "Katakana", "Bopomofo", "Hangul", "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts that count by character, by their names in Unicode."""


@cache
def _by_character(character: str) -> bool:
    import regex

    return regex.match("[" + "".join(rf"\p{{scx={script}}}" for script in SCRIPTS) + "]", character) is not None


def counts_by_character(text: str) -> bool:
    """Return whether a text has a letter of a script that counts by character.

    >>> counts_by_character("我想要 coffee"), counts_by_character("один coffee, “please”")
    (True, False)
    """
    return not text.isascii() and any(_by_character(c) for c in text if unicodedata.category(c)[0] == "L")


def mixed_units(words: Iterable[str]) -> list[str]:
    """Return the units of a text: its words, in which each character of ``SCRIPTS`` stands alone.

    Args:
        words: Normalized words, split at spaces alone (``Normalizer.spaced_words``).

    >>> mixed_units(["我想要", "a", "cup", "of", "コーヒー"])
    ['我', '想', '要', 'a', 'cup', 'of', 'コ', 'ー', 'ヒ', 'ー']
    >>> mixed_units(["wifi密码2024年"])
    ['wifi', '密', '码', '2024', '年']
    """
    units: list[str] = []
    for word in words:
        if word.isascii():
            units.append(word)
        else:
            units += _split(word)
    return units


def _split(word: str) -> list[str]:
    units: list[str] = []
    run, alone = "", False
    for character in word:
        # A mark belongs to what is before it, whatever script Unicode gives it.
        is_mark = unicodedata.category(character)[0] == "M"
        alone = alone if is_mark and (run or alone) else _by_character(character)
        if alone:
            units += [run, character] if run else [character]
            run = ""
        else:
            run += character
    return [*units, run] if run else units
