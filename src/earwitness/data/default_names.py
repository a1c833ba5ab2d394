"""Default names of datasets and clips."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from earwitness.data.rows import DataRow

_GENERIC = frozenset(["manifest", "metadata", "cuts"])


def dataset_name(path: Path) -> str:
    """Return the name of a dataset: its folder's, or its file's without suffixes.

    ``manifest``, ``metadata`` and ``cuts`` say nothing: such a file is called after the folder that it lies in.

    >>> [dataset_name(Path(p)) for p in ("calls/manifest.jsonl", "calls/june.csv", "calls/cuts.jsonl.gz")]
    ['calls', 'june', 'calls']
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - a link keeps its own name
    if path.is_dir():
        return path.name or "data"
    stem = path.with_suffix("").stem if path.suffix == ".gz" else path.stem
    return path.parent.name or stem if stem in _GENERIC else stem


def clip_id(row: DataRow) -> str:
    """Return a row's id: the stated one, or its file's name with the channel, and the start where it is only a part."""
    if row.id:
        return row.id
    channel = "" if row.channel is None else f"-ch{row.channel}"
    start = f"@{row.start_s:g}" if row.start_s else ""
    return f"{row.name}{channel}{start}"


def with_distinct_names(rows: Sequence[DataRow]) -> list[DataRow]:
    """Return the rows with names that no two files share: folders are added in front, and the suffix if that is all.

    Manifests may name ``/one/a.wav`` and ``/two/a.wav``, which both lie outside their folder and are called ``a``.
    """
    files: dict[str, dict[Path, None]] = {}
    for row in rows:
        files.setdefault(row.name, {})[row.audio] = None
    longer: dict[Path, str] = {}
    for shared in files.values():
        if len(shared) > 1:
            longer |= _longer(list(shared))
    return [replace(row, name=longer[row.audio]) if row.audio in longer else row for row in rows]


def _longer(files: Sequence[Path]) -> dict[Path, str]:
    deepest = max(len(file.parts) for file in files)
    for names in _candidates(files, deepest):
        if len(set(names)) == len(files):
            return dict(zip(files, names, strict=True))
    return {}


def _candidates(files: Sequence[Path], deepest: int) -> Iterable[list[str]]:
    stems = [file.with_suffix("") for file in files]
    for paths in (stems, list(files)):
        for depth in range(1, deepest + 1):
            yield ["/".join(path.parts[-depth:]).replace("//", "/") for path in paths]
