"""Our rules for any language: the table of characters, then letters and digits are words and all other signs are not.

Letters keep their marks: accents of Latin letters, and the vowel signs of Indic, Thai, Arabic and Hebrew scripts.
Numbers stay as they are written, since nothing here knows what a number is called in a language.
"""

from __future__ import annotations

import unicodedata

from earwitness.scoring.text.characters import lower_case, unify, without_remarks

VERSION = "1"


class _Letters(dict[int, str]):
    """Punctuation and symbols as spaces, everything else as it is."""

    def __missing__(self, number: int) -> str:
        c = chr(number)
        self[number] = " " if unicodedata.category(c)[0] in "PS" else c
        return self[number]


_LETTERS = _Letters()


def multilingual(text: str, language: str = "", *, letters: bool = False) -> list[str]:
    """Return the words of a text in any language.

    Args:
        text: As the engine, or the manifest, has it.
        language: Primary language subtag; empty when unknown.
        letters: Whether every letter is a word, as in languages without spaces between words (Radford et al. 2022,
            appendix C).

    >>> multilingual("¿Dónde está el señor? (risas)", "es")
    ['dónde', 'está', 'el', 'señor']
    >>> multilingual("（笑）そう", "ja", letters=True)
    ['そ', 'う']
    """
    clean = lower_case(without_remarks(unify(text, language)), language)
    clean = unicodedata.normalize("NFKC", clean).translate(_LETTERS)
    if not letters:
        return clean.split()
    import regex

    # Word by word: a mark without a letter would be taken together with the space before it.
    return [letter for word in clean.split() for letter in regex.findall(r"\X", word)]
