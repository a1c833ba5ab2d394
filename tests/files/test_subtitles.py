"""Subtitle files are what a library of others reads back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.files.subtitles import TimedText, srt, vtt

Write = Callable[[Iterable[TimedText]], str]
CUES = st.lists(
    st.tuples(
        st.integers(0, 3_600_000).map(lambda ms: ms / 1000),
        st.integers(1, 7_000).map(lambda ms: ms / 1000),
        st.from_regex(r"[a-z]{1,9}( [a-z]{1,9}){0,3}", fullmatch=True),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize(("form", "write"), [("srt", srt), ("vtt", vtt)])
@given(made=CUES)
def test_another_library_reads_the_same_cues(
    form: str, write: Callable[[Iterable[TimedText]], str], made: list[TimedText]
) -> None:
    cues = sorted((start_s, start_s + length_s, text) for start_s, length_s, text in made)
    read = pysubs2.SSAFile.from_string(write(cues), format_=form)
    found = sorted((line.start, line.end, line.plaintext) for line in read)
    assert found == sorted((round(start * 1000), round(end * 1000), text) for start, end, text in cues)
