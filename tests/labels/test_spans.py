"""Long recordings are labelled in spans: the spans fill them, and every word of a transcript is in one span."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.labels.spans import cut_places, nearest_stretch, span_results, span_source, spans_of
from earwitness.records.rescore import score_result
from earwitness.scoring import ScoringInfo
from earwitness.scoring.align.edits import align
from earwitness.types import Clip, Failure, Hypothesis, Segment, Transcript

HOW = ScoringInfo("basic")
CALL = Clip("call", "/call.wav", "f" * 64, 5.0, 60.0, None, "en", recording="call")
SPEECH = tuple((float(n), n + 0.8) for n in range(60))
WORDS = tuple(f"w{n}" for n in range(60))
TIMES = tuple(Segment(float(n), n + 0.8, word) for n, word in enumerate(WORDS))


@given(
    duration_s=st.floats(0.5, 400), marks=st.lists(st.floats(0, 400), max_size=80).map(lambda marks: sorted(set(marks)))
)
def test_spans_fill_a_recording_and_keep_their_lengths(duration_s: float, marks: list[float]) -> None:
    speech = [(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False) if b <= duration_s]
    places = cut_places(duration_s, speech)
    assert places[0][0] == 0.0
    assert places[-1][1] == duration_s
    assert all(left[1] == right[0] for left, right in pairwise(places))
    assert all(end - start <= 25.0 + 1e-9 for start, end in places)
    assert all(end - start >= 8.0 - 1e-9 for start, end in places[:-1])


def test_a_cut_is_in_the_longest_pause() -> None:
    assert cut_places(40.0, [(0.0, 10.0), (10.2, 20.0), (21.0, 40.0)]) == ((0.0, 20.5), (20.5, 40.0))


def test_a_short_clip_is_its_own_span_and_a_long_one_has_spans_in_its_file() -> None:
    short = replace(CALL, duration_s=30.0)
    assert spans_of(short) == (short,)
    spans = spans_of(CALL, SPEECH)
    assert spans[0].start_s == 5.0
    assert spans[-1].start_s + spans[-1].duration_s == pytest.approx(65.0)
    assert {span.recording for span in spans} == {"call"}
    assert spans[0].id.startswith("call@0.00-")


def whole(transcript: Transcript | None) -> Hypothesis:
    failure = None if transcript else Failure("transcribe", "error", "it failed")
    return Hypothesis("call", transcript, failure, 60.0, 0.1, 1.0 if transcript else None)


@pytest.mark.parametrize(
    "transcript",
    [
        Transcript(" ".join(WORDS), words=TIMES),
        Transcript(" ".join(WORDS), (Segment(0.0, 60.0, " ".join(WORDS)),)),
        Transcript(" ".join(WORDS)),
    ],
)
def test_every_word_is_in_exactly_one_span(transcript: Transcript) -> None:
    result = score_result(CALL, whole(transcript), HOW)
    rows = span_results(result, spans_of(CALL, SPEECH), HOW)
    texts = [row.hypothesis.transcript.text for row in rows if row.hypothesis.transcript]
    assert " ".join(texts).split() == list(WORDS)


def test_the_words_of_a_span_are_scored_against_its_label() -> None:
    spans = spans_of(CALL, SPEECH)
    first = replace(spans[0], reference="w0 w1 other")
    (row,) = span_results(score_result(CALL, whole(Transcript(" ".join(WORDS), words=TIMES)), HOW), [first], HOW)
    assert row.hypothesis.transcript is not None
    n_words = len(row.hypothesis.transcript.text.split())
    assert row.score.words == align(["w0", "w1", "other"], list(WORDS[:n_words]))


def test_without_times_the_nearest_stretch_is_taken_in_the_models_favour() -> None:
    transcript = Transcript(" ".join(WORDS))
    span = replace(spans_of(CALL, SPEECH)[1], reference="w30 w31 w32")
    assert span_source(transcript, "en", 60.0, HOW) == "alignment"
    assert span_source(replace(transcript, words=TIMES), "en", 60.0, HOW) == "times"
    (row,) = span_results(score_result(CALL, whole(transcript), HOW), [span], HOW)
    assert row.hypothesis.transcript == Transcript("w30 w31 w32")
    assert row.score.words is not None
    assert row.score.words.errors == 0


def test_a_failed_clip_failed_in_each_span() -> None:
    rows = span_results(score_result(CALL, whole(None), HOW), spans_of(CALL, SPEECH), HOW)
    assert all(row.score.failed for row in rows)


@given(label=st.lists(st.sampled_from("abc"), max_size=5), words=st.lists(st.sampled_from("abc"), max_size=7))
def test_no_other_stretch_is_nearer(label: list[str], words: list[str]) -> None:
    start, end = nearest_stretch(label, words)
    best = min(align(label, words[a:b]).errors for a in range(len(words) + 1) for b in range(a, len(words) + 1))
    assert 0 <= start <= end <= len(words)
    assert align(label, words[start:end]).errors == best
