"""Shards are parts of equal audio: the same everywhere, none empty, none much longer than its share."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip

from earwitness.data.clips import fingerprint
from earwitness.data.shards import parse, part_of, starts
from earwitness.errors import UsageError
from earwitness.types import Dataset

DURATIONS = st.lists(st.floats(0, 3600, allow_nan=False), min_size=1, max_size=60)


@given(DURATIONS, st.data())
def test_every_clip_is_in_one_part_and_no_part_is_longer_than_its_share_and_a_clip(
    durations: list[float], drawn: st.DataObject
) -> None:
    of = drawn.draw(st.integers(1, len(durations)))
    cuts = starts(durations, of)
    assert cuts[0] == 0
    assert cuts[-1] == len(durations)
    assert all(before < after for before, after in pairwise(cuts))
    share, longest = sum(durations) / of, max(durations)
    for first, end in pairwise(cuts):
        # A millisecond a clip is counted on top, and a half is rounded.
        assert sum(durations[first:end]) <= share + longest + 0.002 * len(durations)


def test_parts_of_a_dataset_know_the_whole_and_take_other_voices_from_it() -> None:
    clips = tuple(replace(clip(f"c{n}"), duration_s=float(n)) for n in range(1, 8))
    whole = Dataset("d", clips, fingerprint(clips))
    parts = [part_of(whole, f"{number}/3") for number in (1, 2, 3)]
    assert tuple(one for part in parts for one in part.clips) == clips
    assert [part.audio_s for part in parts] == [10.0, 11.0, 7.0]
    assert all(part.whole is whole and part.sha256 == fingerprint(part.clips) for part in parts)
    assert part_of(whole, None) is whole


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "-1/3", "1/0", "1/2/3"])
def test_what_is_no_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="such as 3/8"):
        parse(text)


def test_more_parts_than_clips_are_refused() -> None:
    with pytest.raises(UsageError, match="The data have 2 clips, too few for 3 shards"):
        starts([1.0, 1.0], 3)
