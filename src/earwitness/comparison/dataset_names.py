"""Distinct names for several datasets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from earwitness.records.record import DatasetInfo

_DIGITS = 8


def dataset_names(datasets: Iterable[DatasetInfo]) -> dict[str, str]:
    """Return the name of each dataset by its sha256; names that occur twice are made longer.

    The end of the path that it came from is added, as long as it takes to tell them apart, or the beginning of the
    sha256 where the paths do not.

    Args:
        datasets: In any order; the same one may come again.
    """
    alike: dict[str, dict[str, DatasetInfo]] = defaultdict(dict)
    for data in datasets:
        alike[data.name].setdefault(data.sha256, data)
    names = {}
    for name, found in alike.items():
        if len(found) == 1:
            names[next(iter(found))] = name
            continue
        ends = distinct_ends([data.selection.source for data in found.values()])
        for (sha256, _), end in zip(found.items(), ends, strict=True):
            names[sha256] = f"{name} ({end})" if end else f"{name} (sha256 {sha256[:_DIGITS]})"
    return names


def distinct_ends(paths: Sequence[str]) -> list[str]:
    """Return the shortest ends of paths that are all different; empty texts where paths are equal.

    >>> distinct_ends(["/data/en/calls.jsonl", "/data/es/calls.jsonl"])
    ['en/calls.jsonl', 'es/calls.jsonl']
    >>> distinct_ends(["calls", "calls"])
    ['', '']
    """
    parts = [PurePath(path).parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        ends = ["/".join(part[-length:]) for part in parts]
        if len(set(ends)) == len(ends):
            return ends
    return [""] * len(paths)
