"""Kaldi's ``text``: one utterance per line, with its id first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from earwitness.scoring.text.lines import split_fields

_LIKE_AN_ID = re.compile(r"\S*[\d_-]\S*")


def read(name: str, lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield place, id and text of each line that is not blank.

    >>> list(read("text", ["utt1 good morning", "utt2"]))
    [('text:1', 'utt1', 'good morning'), ('text:2', 'utt2', '')]
    """
    for number, line in enumerate(lines, start=1):
        fields = split_fields(line, 2)
        if fields:
            yield f"{name}:{number}", fields[0], fields[1] if len(fields) > 1 else ""


def sniff(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[Literal["kaldi", "plain"], str | None]:
    """Return whether two files of plain lines are Kaldi's, and a note on the assumption.

    The first words are ids when, on both sides, no two are equal and each holds a digit, a hyphen or an underscore, and
    at least half of the reference's are on both sides. First words without such signs are taken for words, with a
    note when they are unique and the same on both sides.

    >>> sniff(["utt1 a b", "utt2 c"], ["utt2 c", "utt1 a x"])[0]
    'kaldi'
    >>> sniff(["so it goes", "that is it"], ["so it went", "that was it"])[0]
    'plain'
    """
    first, second = _first_words(reference), _first_words(hypothesis)
    ours, theirs = set(first), set(second)
    if len(ours) < max(2, len(first)) or len(theirs) < len(second) or 2 * len(ours & theirs) < len(ours):
        return "plain", None
    if all(map(_LIKE_AN_ID.fullmatch, first + second)):
        return "kaldi", (
            "The first words of all lines are unique and look like ids: the files are read as Kaldi's text and paired "
            "by id. With --format plain they are words."
        )
    if ours == theirs:
        return "plain", (
            "The first words of all lines are unique and the same in both files, and count as words. If they are ids, "
            "use --format kaldi."
        )
    return "plain", None


def _first_words(lines: Sequence[str]) -> list[str]:
    return [fields[0] for line in lines if (fields := split_fields(line, 2))]
