"""Makes a dataset under a condition: another name and hash, the same clips and references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from earwitness.data.clips import sha256_under
from earwitness.types import Clip, Dataset


def names(names: Sequence[str], *, clean: bool) -> tuple[str | None, ...]:
    """Return the requested conditions by canonical name, each once; ``None`` is the unaltered audio.

    Args:
        names: As typed.
        clean: Whether the audio as it is comes first, asked for or not.

    Raises:
        UsageError: For one that there is not.

    >>> names(["noise:10", "noise:white:10dB"], clean=True), names([], clean=False)
    ((None, 'noise:10dB'), (None,))
    """
    from earwitness.audio.conditions import CLEAN, parse

    wanted = [parse(text).name for text in names]
    first: list[str | None] = [None] if clean or not names else []
    return tuple(dict.fromkeys([*first, *(None if name == CLEAN else name for name in wanted)]))


def under(dataset: Dataset, name: str | None) -> Dataset:
    """Return a dataset under a condition; the dataset itself for ``None``.

    The hash follows from the clean one, the condition's name and the version of what makes it.

    Raises:
        UsageError: When there is no such condition, or it cannot be had here or with this dataset.
    """
    from earwitness.audio.conditions import describe, parse, require

    if name is None:
        return dataset
    condition = parse(name)
    require(condition, (dataset.whole or dataset).clips)
    found = describe(condition, dataset.sha256)
    return replace(
        dataset, name=f"{dataset.name}[{found.name}]", sha256=sha256_under(found, dataset.sha256), condition=found
    )


def put_under(name: str, clip: Clip, others: Sequence[Clip], path: Path) -> int:
    """Apply a condition to the decoded audio of a clip in place, and return its new number of samples.

    Raises:
        AudioError: When there is nothing to make babble of.
    """
    from earwitness.audio.alter import alter_file
    from earwitness.audio.conditions import parse
    from earwitness.audio.track import Scene

    return alter_file(path, parse(name), Scene(clip.id, clip.reference != "", others))
