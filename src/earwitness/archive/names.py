"""Names of outputs: one for each recording, and no two that a file system could take for the same."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

_LONGEST_BYTES = 200
"""Of a name without its suffix; most file systems have room for 255."""


def stems(names: Sequence[str], before: Sequence[str | None] = ()) -> list[str]:
    """Return the stem of the outputs of each recording: its path without the suffix, where no other has the same.

    Recordings that differ in nothing but the suffix keep it (``a.wav`` and ``a.mp3`` give ``a.wav`` and ``a.mp3``), and
    any that are still the same to a file system that knows no case, or writes accents otherwise, get a number.

    Args:
        names: Paths of the recordings below the output's folder, with slashes and suffixes.
        before: Stems that they were given in an earlier call, which they keep; ``None`` for a new one.

    >>> stems(["a.wav", "b.wav", "c/a.wav"])
    ['a', 'b', 'c/a']
    >>> stems(["a.wav", "a.mp3", "A.flac", "b.wav", "B.wav"])
    ['a.wav', 'a.mp3', 'A.flac', 'b.wav', 'B.wav~2']
    """
    found: list[str | None] = list(before) or [None] * len(names)
    used = {_folded(stem) for stem in found if stem is not None}
    left = [n for n, stem in enumerate(found) if stem is None]
    short = {n: _cut(_without_suffix(names[n])) for n in left}
    counts = Counter(_folded(stem) for stem in short.values())
    numbers: dict[str, int] = defaultdict(lambda: 1)
    for n in left:
        alone = counts[_folded(short[n])] == 1 and _folded(short[n]) not in used
        stem = base = short[n] if alone else _cut(names[n])
        while _folded(stem) in used:
            numbers[base] += 1
            stem = f"{base}~{numbers[base]}"
        used.add(_folded(stem))
        found[n] = stem
    return [stem for stem in found if stem is not None]


def with_shard(file: str, shard: str | None) -> str:
    """Return the name of a file that each part of an archive has of its own.

    >>> with_shard("transcripts.jsonl", None), with_shard("transcripts.jsonl", "3/8")
    ('transcripts.jsonl', 'transcripts.3-of-8.jsonl')
    """
    if shard is None:
        return file
    path, (number, of) = PurePosixPath(file), shard.split("/")
    return f"{path.stem}.{number}-of-{of}{path.suffix}"


def _without_suffix(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    return folder + slash + (stem if stem.strip(".") else name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _cut(path: str) -> str:
    """Return a path whose last name leaves room for a suffix."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.encode()[:_LONGEST_BYTES].decode(errors="ignore")
