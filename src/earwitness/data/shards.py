"""Cuts a dataset into parts of equal audio, one for each machine, in the same way everywhere.

A part is a stretch of consecutive clips. Cuts lie where the audio so far passes I/N of all audio, each clip counted in
whole milliseconds: the same clips give the same parts on every machine, no part is longer than an equal share and its
longest clip, and the records of the parts joined in their order are the record of the whole. Clips of a recording may
fall into two parts: statistics are made of the merged record, where they are together again.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from earwitness.counts import quantity
from earwitness.data.clips import fingerprint
from earwitness.errors import UsageError
from earwitness.types import Dataset


def parse(text: str) -> tuple[int, int]:
    """Return which part, and of how many.

    >>> parse("3/8")
    (3, 8)

    Raises:
        UsageError: For anything else, or a part that there is not.
    """
    fit = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    number, of = (int(fit[1]), int(fit[2])) if fit else (0, 0)
    if not 1 <= number <= of:
        raise UsageError(f"{text!r} is not a shard. Write I/N with I from 1 to N, such as 3/8.")
    return number, of


def starts(durations_s: Sequence[float], of: int) -> list[int]:
    """Return the index of the first clip of each part, and behind them the number of clips. No part is empty.

    >>> starts([1.0, 1.0, 1.0, 1.0, 4.0], 2)
    [0, 4, 5]

    Raises:
        UsageError: When there are fewer clips than parts.
    """
    n_clips = len(durations_s)
    if n_clips < of:
        raise UsageError(f"The data have {quantity(n_clips, 'clip')}, too few for {of} shards. Use at most {n_clips}.")
    # Whole milliseconds: sums of fractions would depend on their order. One more each, so that no clip weighs nothing.
    weights_ms = [round(1000 * duration_s) + 1 for duration_s in durations_s]
    ends_ms = list(accumulate(weights_ms))
    # In half milliseconds times `of`, so that the middle of a clip and the share of a part are both whole.
    middles = [of * (2 * end - weight) for end, weight in zip(ends_ms, weights_ms, strict=True)]
    cuts = [bisect_left(middles, 2 * part * ends_ms[-1]) for part in range(of)] + [n_clips]
    for part in range(1, of):
        cuts[part] = max(cuts[part], cuts[part - 1] + 1)
    for part in range(of - 1, 0, -1):
        cuts[part] = min(cuts[part], cuts[part + 1] - 1)
    return cuts


def part_of(dataset: Dataset, text: str | None) -> Dataset:
    """Return one part of a dataset, such as ``3/8``; the dataset itself for ``None``.

    Raises:
        UsageError: When there is no such part.
    """
    if text is None:
        return dataset
    number, of = parse(text)
    first, end = starts([clip.duration_s for clip in dataset.clips], of)[number - 1 : number + 1]
    clips = dataset.clips[first:end]
    return replace(dataset, clips=clips, sha256=fingerprint(clips), whole=dataset)
