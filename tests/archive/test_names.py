"""No two recordings share an output, on any file system."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from earwitness.archive.names import stems

NAMES = st.lists(
    st.text("aAbé/.", min_size=1, max_size=6).map(lambda name: f"x{name}.wav".replace("//", "/")), max_size=12
)


@given(NAMES)
def test_stems_differ_even_where_case_and_accents_do_not_count(names: list[str]) -> None:
    folded = [unicodedata.normalize("NFC", stem).casefold() for stem in stems(names)]
    assert len(set(folded)) == len(names)


@given(NAMES, st.lists(st.sampled_from(["a.wav", "b.mp3", "a.flac"]), max_size=3))
def test_a_recording_keeps_its_stem_when_others_come(names: list[str], more: list[str]) -> None:
    first = stems(names)
    assert stems([*names, *more], [*first, *([None] * len(more))])[: len(names)] == first


def test_a_very_long_name_leaves_room_for_a_suffix() -> None:
    (stem,) = stems([f"folder/{'ü' * 120}.wav"])
    assert len(stem.rpartition("/")[2].encode()) <= 200
