"""Wordings that count as equal: numbers in digits or in words, and a user's own spellings.

The reference is not rewritten. Where one of its wordings has an equal that shares a word with the hypothesis, the
alignment may take that one instead, and does so only if fewer words are wrong then and no more characters. So equal
wordings can lower an error count and never raise one. A model's text stays what it is.

The length of the reference is that of the wording taken, as with ``{a / b}``: of ``treinta y uno`` heard as ``31``, one
word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from earwitness.errors import UsageError
from earwitness.languages import primary
from earwitness.scoring.align.alternatives import Swap, ToWords, nearest_wording
from earwitness.scoring.align.edits import Method
from earwitness.scoring.text.lines import read_lines
from earwitness.scoring.text.number_words import (
    VERSION,
    decimal_words,
    decimals,
    has_number_words,
    joined_numbers,
    number_words,
    package_version,
)

Spellings = tuple[tuple[str, ...], ...]
"""Groups of wordings that are equal, raw, such as ``(("colour", "color"),)``."""
_PREFIX = "spellings:"
EqualWordings = Sequence[tuple[str, ...]]
"""Wordings that are equal, each as normalized words."""


def spellings_of(text: str) -> Spellings:
    """Return the spellings of a file, or of what ``spellings_text`` made of them; none for an empty text.

    >>> spellings_of(spellings_text((("colour", "color"),)))
    (('colour', 'color'),)

    Raises:
        ScoringError: When the file cannot be read.
        UsageError: For a line with fewer than two wordings, or a file without any.
    """
    if not text.startswith(_PREFIX):
        return _read_file(Path(text)) if text else ()
    try:
        return tuple(tuple(map(str, group)) for group in json.loads(text.removeprefix(_PREFIX)))
    except (ValueError, TypeError) as error:
        raise UsageError(f"Spellings {text[:40]!r} are not JSON: {error}. Name a file of spellings.") from None


def spellings_text(spellings: Spellings) -> str:
    """Return spellings as one text, which needs no file.

    >>> spellings_text((("colour", "color"),)), spellings_text(())
    ('spellings:[["colour", "color"]]', '')
    """
    return _PREFIX + json.dumps(spellings, ensure_ascii=False) if spellings else ""


def spelling_signature(spellings: Spellings) -> str:
    """Return what a recipe says of spellings: a hash, which does not depend on the order of lines.

    >>> spelling_signature((("a", "b"), ("c", "d"))) == spelling_signature((("d", "c"), ("a", "b")))
    True
    """
    content = json.dumps(sorted(sorted(group) for group in spellings), ensure_ascii=False)
    return f"|spellings:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def number_signature() -> str:
    """Return what a recipe says of numbers: the version of num2words, whose words they are, and of our own rules.

    Raises:
        UsageError: When num2words is not installed.
    """
    return f"|numbers:{VERSION}@{package_version()}"


def _read_file(path: Path) -> Spellings:
    groups = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        wordings = tuple(dict.fromkeys(" ".join(part.split()) for part in line.split(" / ")))
        if len(wordings) < 2 or not all(wordings):
            raise UsageError(f"Line {number} of {str(path)!r} does not have two wordings. Write: colour / color")
        groups.append(wordings)
    if not groups:
        raise UsageError(f"{str(path)!r} has no spellings. Write a line such as: colour / color")
    return tuple(groups)


def spelling_groups(spellings: Spellings, words: ToWords) -> list[EqualWordings]:
    """Return a user's spellings as normalized words; a wording of which nothing is left is left out.

    >>> spelling_groups((("e-mail", "email"), ("...", "dots")), lambda text: text.replace("-", " ").strip(".").split())
    [[('e', 'mail'), ('email',)], [('dots',)]]
    """
    return [list(dict.fromkeys(tuple(made) for text in group if (made := words(text)))) for group in spellings]


def number_groups(texts: Iterable[Sequence[str]], language: str | None, words: ToWords) -> list[EqualWordings]:
    """Return the numbers in digits of some normalized texts, each with its wordings; none in an unknown language.

    >>> groups = number_groups([["son", "31"], ["1", "500"]], "es", str.split)
    >>> groups[0][:2]
    [('31',), ('treinta', 'y', 'uno')]
    >>> [group[:3] for group in groups if ("1500",) in group]
    [[('1', '500'), ('1500',), ('mil', 'quinientos')]]

    Raises:
        UsageError: When num2words is not installed.
    """
    if not has_number_words(language):
        return []
    code = primary(language) or ""
    groups: dict[tuple[str, ...], EqualWordings] = {}
    for text in texts:
        for spelled, readings in _numbers(list(text), code):
            if spelled not in groups:
                groups[spelled] = list(dict.fromkeys((spelled, *readings(words))))
    return [group for group in groups.values() if len(group) > 1]


Readings = Callable[[ToWords], list[tuple[str, ...]]]
"""Gives the normalized wordings of a number."""


def _numbers(text: list[str], code: str) -> Iterator[tuple[tuple[str, ...], Readings]]:
    for word in text:
        if word[0].isdecimal():
            yield (word,), partial(_read, (), partial(number_words, word, code))
    for start, end, digits in joined_numbers(text):
        yield tuple(text[start:end]), partial(_read, (digits,), partial(number_words, digits, code))
    for start, whole, part in decimals(text):
        yield tuple(text[start : start + 2]), partial(_read, (), partial(decimal_words, whole, part, code))


def _read(first: tuple[str, ...], spell: Callable[[], tuple[str, ...]], words: ToWords) -> list[tuple[str, ...]]:
    return [*([first] if first else []), *(tuple(words(reading)) for reading in spell())]


def swaps(reference: Sequence[str], hypothesis: Collection[str], groups: Iterable[EqualWordings]) -> list[Swap]:
    """Return where a wording stands in the reference, with each of its equals that shares a word with the hypothesis.

    >>> swaps("the colour red".split(), {"color"}, [[("colour",), ("color",), ("hue",)]])
    [Swap(start=1, end=2, words=('color',))]
    """
    at: dict[str, list[int]] = {}
    for place, word in enumerate(reference):
        at.setdefault(word, []).append(place)
    known = set(hypothesis)
    return list(
        dict.fromkeys(
            Swap(start, start + len(wording), other)
            for group in groups
            for wording in group
            for start in at.get(wording[0], ())
            if tuple(reference[start : start + len(wording)]) == wording
            for other in group
            if other != wording and not known.isdisjoint(other)
        )
    )


def equal_wording(
    reference: Sequence[str],
    hypothesis: Sequence[str],
    groups: Iterable[EqualWordings],
    counts: Callable[[Sequence[str]], tuple[int, int]],
    method: Method = "levenshtein",
) -> list[str]:
    """Return the reference, or an equal of it with fewer wrong words and no more wrong characters.

    Args:
        reference: Normalized words.
        hypothesis: Normalized words.
        groups: Wordings that are equal.
        counts: Gives the wrong words and the wrong characters of the hypothesis against a reference.
        method: Of the alignment.

    >>> from earwitness.scoring.align.edits import align, align_letters
    >>> heard = "la una y 31".split()
    >>> def counts(said):
    ...     return align(said, heard).errors, align_letters(" ".join(said), " ".join(heard)).errors
    >>> equal_wording("la una y treinta y uno".split(), heard, [[("31",), ("treinta", "y", "uno")]], counts)
    ['la', 'una', 'y', '31']
    """
    plain = list(reference)
    possible = swaps(reference, hypothesis, groups) if plain != list(hypothesis) else []
    if not possible:
        return plain
    other = nearest_wording(plain, possible, hypothesis, method)
    (words, letters), (fewer, no_more) = counts(plain), counts(other)
    return other if fewer < words and no_more <= letters else plain
