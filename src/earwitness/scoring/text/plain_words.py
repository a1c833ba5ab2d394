"""Words for looking things up in lists: fast, in any language, not for counting errors."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+(?:'\w+)*")


def plain_words(text: str) -> list[str]:
    """Return the words of a text, case folded, without punctuation; an apostrophe inside a word stays.

    >>> plain_words("Don’t—forget: the École, www.amara.org!")
    ["don't", 'forget', 'the', 'école', 'www', 'amara', 'org']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
    return _WORD.findall(text.casefold())
