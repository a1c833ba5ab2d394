"""Texts that are fuzzed: each normalizer with any text, user's rules, and language tags."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.fuzz.target import Target

from earwitness.errors import UsageError

LANGUAGES = ("en", "tr", "uk", "haw", "fa", "hi", "ml", "ja", "th", None)
"""One of each kind of language: each has rules of its own."""
IDEMPOTENT = ("auto", "english", "multilingual", "none")
"""Normalizers that leave their own output as it is. The rules of others do not: theirs are kept to the letter."""
SENTENCES = """Dr. Brown doesn't owe $2.50, he's paid twenty-one dollars on July 4, 2026 at 10:30 a.m.!
the u s a, C O two, 1/2, 2½ hours, 50 %, 20mm, -5°C, the '90s, one hundred and five, double oh seven
м'який oʻzbek Hawaiʻi İSTANBUL (laughs) 【拍手】「はい」 می‌خواهم നന്‍ क्‍ष สวัสดี 你好 e\u0301 \u200f\u00ad x²
"""
TAGS = "en_US.UTF-8\ncmn-Hans-CN\nEnglish\nnan-tw\nMandarin Chinese\niw\nfil\nde-x-private\nzh-min-nan\nund\nsr@latin\n"


def _lines(path: Path) -> list[str]:
    return path.read_bytes().decode("utf-8", "surrogateescape").split("\n")


def _words(name: str, path: Path) -> None:
    """Every text has words, and words that are normalized stay as they are."""
    from earwitness.scoring.text.normalize import normalizer

    rules = normalizer(name)
    for number, text in enumerate(_lines(path)):
        for language in ("en", LANGUAGES[(number + len(text)) % len(LANGUAGES)]):
            words = rules.words(text, language)
            assert all(word and not word.isspace() for word in words), (text, language, words)
            if name in IDEMPOTENT:
                again = rules.words(" ".join(words), language)
                assert again == words, (text, language, words, again)


def _rules(path: Path) -> None:
    from earwitness.scoring.text.normalize import normalizer

    rules = normalizer(str(path))
    for language in LANGUAGES:
        rules.words(SENTENCES, language)


def _tags(path: Path) -> None:
    """A tag is refused in a sentence, or its canonical form is its own canonical form."""
    from earwitness.languages import canonical, has_spaces, is_among, primary

    for tag in _lines(path):
        primary(tag), has_spaces(tag)
        try:
            known = canonical(tag)
        except UsageError:
            continue
        assert canonical(known) == known, (tag, known, canonical(known))
        assert primary(known) == primary(tag), (tag, known)
        assert is_among(tag, [tag]), tag


def texts() -> dict[str, Target]:
    """Return a target for each normalizer, for rules and for tags."""
    from earwitness.scoring.text.normalize import NAMES

    content = SENTENCES.encode()
    toml = b"base = 'english'\n[[before]]\npattern = '(?i)\\bwi-?fi\\b'\nwith = 'wifi'\n[words]\n'okay' = 'ok'\n"
    return {
        **{f"normalizer {name}": Target("a.txt", content, partial(_words, name)) for name in NAMES},
        "user's rules": Target("r.toml", toml, _rules),
        "language tags": Target("tags.txt", TAGS.encode(), _tags),
    }
