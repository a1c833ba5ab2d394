r"""A user's own rules, from a TOML file, before and after a normalizer's.

    base = "whisper-english"          # or another normalizer; "auto" when left out

    [[before]]                        # on the raw text, in order; Python's regular expressions
    pattern = '(?i)\bdr\.? smith\b'
    with = "doctor smith"

    [words]                           # on what the base left, longest first; "" drops a word
    "wifi" = "wi fi"
    "you know" = ""

A record keeps the rules themselves and not the name of their file, so it can be scored again anywhere: the name of such
a normalizer is ``rules:`` and the rules as JSON, and its signature has their hash.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earwitness.errors import UsageError

PREFIX = "rules:"
SUFFIX = ".toml"
_KEYS = ("base", "before", "words")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that a user adds to a base."""

    base: str
    """Name of a normalizer."""
    before: tuple[tuple[re.Pattern[str], str], ...]
    """Patterns and what takes their place, on the raw text."""
    words: Mapping[str, str]
    """Words, or several with a space between, and what takes their place after the base."""

    def raw(self, text: str) -> str:
        """Return a raw text as the base gets it."""
        for pattern, instead in self.before:
            text = pattern.sub(instead, text)
        return text

    def replaced(self, words: list[str]) -> list[str]:
        """Return normalized words with those of the table replaced; where several fit, the longest.

        >>> Rules("none", (), {"you know": "", "wifi": "wi fi"}).replaced("you know the wifi you".split())
        ['the', 'wi', 'fi', 'you']
        """
        longest = max((key.count(" ") + 1 for key in self.words), default=0)
        found: list[str] = []
        here = 0
        while here < len(words):
            sizes = range(min(longest, len(words) - here), 0, -1)
            size = next((n for n in sizes if " ".join(words[here : here + n]) in self.words), 0)
            found += self.words[" ".join(words[here : here + size])].split() if size else [words[here]]
            here += size or 1
        return found

    @property
    def sha256(self) -> str:
        """Of the rules themselves."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def name(self) -> str:
        """The rules as the name of a normalizer: ``parse(rules.name) == rules``."""
        before = [{"pattern": pattern.pattern, "with": instead} for pattern, instead in self.before]
        table = {"base": self.base, "before": before, "words": dict(self.words)}
        return PREFIX + json.dumps(table, ensure_ascii=False, sort_keys=True)


def read(path: Path) -> Rules:
    """Read rules from a TOML file.

    Raises:
        UsageError: When it cannot be read, or for the first thing in it that is no rule.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"There is no file of rules {str(path)!r}. Write one: docs/metrics.md shows how.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"Rules {str(path)!r} are not TOML: {error}.") from None
    return _made(table, str(path))


def parse(name: str) -> Rules:
    """Return the rules that a normalizer's name holds.

    Raises:
        UsageError: When it holds none.

    >>> rules = parse('rules:{"words": {"ok": "okay"}}')
    >>> rules.base, dict(rules.words), parse(rules.name) == rules
    ('auto', {'ok': 'okay'}, True)
    """
    try:
        table = json.loads(name.removeprefix(PREFIX))
    except ValueError as error:
        raise UsageError(f"Rules {name[:40]!r} are not JSON: {error}.") from None
    return _made(table if isinstance(table, dict) else {"": table}, name[:40])


def _made(table: Mapping[str, Any], where: str) -> Rules:
    unknown = next((key for key in table if key not in _KEYS), None)
    if unknown is not None:
        raise UsageError(f"Rules {where!r} have an unknown key {unknown!r}. There are: {', '.join(_KEYS)}.")
    base, before, words = table.get("base", "auto"), table.get("before", []), table.get("words", {})
    if not isinstance(base, str):
        raise UsageError(f"'base' of rules {where!r} is {base!r}. Name a normalizer, such as \"basic\".")
    if not isinstance(words, dict) or not all(isinstance(text, str) and key.strip() for key, text in words.items()):
        raise UsageError(f'\'words\' of rules {where!r} is not a table of texts. Write: "wifi" = "wi fi"')
    spaced = {" ".join(key.split()): text for key, text in words.items()}
    return Rules(base, tuple(_pattern(one, where) for one in before), dict(sorted(spaced.items())))


def _pattern(one: Any, where: str) -> tuple[re.Pattern[str], str]:
    if not isinstance(one, dict) or one.keys() != {"pattern", "with"} or not all(map(_is_text, one.values())):
        raise UsageError(f"Rules {where!r} have {one!r} in 'before'. Each needs a text 'pattern' and a text 'with'.")
    try:
        pattern = re.compile(one["pattern"])
        pattern.sub(one["with"], "")  # refuses groups that there are not
    except (re.error, IndexError) as error:
        raise UsageError(
            f"Rules {where!r}: {one['pattern']!r} with {one['with']!r} is not a valid pattern: {error}."
        ) from None
    return pattern, one["with"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
