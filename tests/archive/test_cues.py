"""Subtitles can be read, hold every word, and never cut one; another library reads them alike."""

from __future__ import annotations

from itertools import pairwise

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.archive.cues import CueLayout, cues, times_of
from earwitness.archive.formats import ArchiveText, srt, vtt
from earwitness.types import Segment, Transcript

HOLDS = ("formats.py",)
LAYOUT = CueLayout(line_chars=20, lines=2, least_s=1.0, most_s=5.0)
WORDS = st.lists(st.text("abcdefghij.,?", min_size=1, max_size=12), min_size=1, max_size=60)


def timed(words: list[str], gaps: list[float]) -> Transcript:
    found, now_s = [], 0.0
    for word, gap_s in zip(words, gaps, strict=True):
        found.append(Segment(now_s + gap_s, now_s + gap_s + 0.3, f" {word}"))
        now_s += gap_s + 0.3
    return Transcript(" ".join(words), (), tuple(found))


@given(WORDS, st.data())
def test_every_word_is_there_whole_in_order_and_in_lines_that_fit(words: list[str], data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.floats(0.0, 3.0), min_size=len(words), max_size=len(words)))
    found = cues(timed(words, gaps), 500.0, LAYOUT)
    assert " ".join(cue.text for cue in found).split() == words
    for cue in found:
        assert len(cue.lines) <= LAYOUT.lines
        assert all(len(line) <= LAYOUT.line_chars for line in cue.lines)
        assert cue.start_s < cue.end_s
        assert len(cue.text.split()) == 1 or cue.end_s - cue.start_s <= LAYOUT.most_s + 0.001
    for before, after in pairwise(found):
        assert before.end_s <= after.start_s


@given(WORDS)
def test_pysubs2_reads_what_we_write(words: list[str]) -> None:
    text = ArchiveText("a.wav", 30.0, timed(words, [0.5] * len(words)))
    made = cues(text.transcript or Transcript(""), 30.0, LAYOUT)
    for written, kind in ((srt(text, LAYOUT), "srt"), (vtt(text, LAYOUT), "vtt")):
        read = pysubs2.SSAFile.from_string(written, format_=kind)
        assert [(e.start, e.end) for e in read] == [(round(c.start_s * 1000), round(c.end_s * 1000)) for c in made]
        assert [e.plaintext.split() for e in read] == [c.text.split() for c in made]


def test_times_are_those_of_words_else_of_segments_else_spread() -> None:
    segments = (Segment(2.0, 4.0, "one two"), Segment(6.0, 8.0, "three four"))
    bare = Transcript("one two three four")
    assert times_of(bare) == "spread"
    assert [cue.start_s for cue in cues(bare, 8.0, CueLayout(line_chars=7, lines=1))] == [
        0.0,
        pytest.approx(3.2, 0.1),
        5.867,
    ]
    by_segment = cues(Transcript(bare.text, segments), 9.0, LAYOUT)
    assert [(cue.start_s, cue.end_s, cue.text) for cue in by_segment] == [
        (2.0, 4.0, "one two"),
        (6.0, 8.0, "three four"),
    ]


def test_a_long_word_has_a_line_of_its_own_and_scripts_without_spaces_are_cut_between_letters() -> None:
    found = cues(Transcript("an incomprehensibility here"), 9.0, CueLayout(line_chars=8, lines=1))
    assert [cue.lines for cue in found] == [("an",), ("incomprehensibility",), ("here",)]
    text = "明日は雨が降るかもしれませんから傘を持って行ってください。"
    found = cues(Transcript(text), 9.0, CueLayout(line_chars=8, lines=1))
    assert "".join(cue.text for cue in found) == text
    assert max(len(cue.text) for cue in found) <= 9  # a full stop does not begin a line


def test_a_short_cue_stays_to_be_read_where_there_is_room() -> None:
    words = (Segment(1.0, 1.2, " Yes."), Segment(6.0, 6.2, " No."), Segment(7.2, 7.3, " Well."))
    found = cues(Transcript("Yes. No. Well.", (), words), 20.0, CueLayout(least_s=1.5))
    assert [(cue.start_s, cue.end_s) for cue in found] == [(1.0, 2.5), (6.0, 7.2), (7.2, 8.7)]


def test_text_that_looks_like_markup_or_a_time_breaks_no_file() -> None:
    text = ArchiveText("a.wav", 3.0, Transcript("<b> & one --> two"))
    (event,) = pysubs2.SSAFile.from_string(srt(text, CueLayout()), format_="srt")
    assert event.end == 3000
    assert "&lt;b&gt; &amp;" in vtt(text, CueLayout())
    assert "-->" not in vtt(text, CueLayout()).splitlines()[3]
