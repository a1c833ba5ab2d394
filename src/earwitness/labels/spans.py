"""Long recordings in spans of 8 to 25 s, cut at pauses, so that a person can label a part of one.

A model ran over the whole recording. Its text of a span is the words whose times lie in the span; a word on a cut
belongs to the side where its middle is. Where words have no times, the text of a span is the stretch of the transcript,
around the span's place, that is nearest to the label. That choice is made in the model's favour: words that it put in
at the edges of the span are not counted, so the error rate is a little too low. Times of segments say only where to
look: spread evenly over a segment, words end up on the wrong side of cuts, which counts errors that nobody made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np

from earwitness.labels.label import Label
from earwitness.labels.span_id import parent_id, span_id
from earwitness.records.record import ClipResult
from earwitness.records.rescore import score_result
from earwitness.records.select import RunWithClips
from earwitness.scoring.align.word_times import anchors
from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.text import normalizer
from earwitness.types import Clip, Hypothesis, Transcript

LONG_S = 30.0
"""Longer clips are labelled in spans."""
LEAST_S, MOST_S = 8.0, 25.0
_GRACE_S = 0.05
_NOTHING: Mapping[str, Label] = MappingProxyType({})
_AROUND_S = 10.0
"""How far beside its place a span's words are looked for, where the transcript has no times."""
SpanPlace = tuple[float, float]
SpanSource = Literal["times", "alignment"]


def cut_places(duration_s: float, speech: Sequence[SpanPlace]) -> tuple[SpanPlace, ...]:
    """Return from and to of spans that fill a recording, in seconds from its beginning.

    Each cut is in the middle of the longest pause that lies 8 to 25 s after the cut before it; where nobody pauses, it
    is at 25 s. The last span may be shorter than 8 s.

    Args:
        duration_s: Of the recording.
        speech: Where somebody speaks, in order; empty for unknown.

    >>> cut_places(40.0, [(0.0, 12.0), (13.0, 30.0), (30.2, 40.0)])
    ((0.0, 12.5), (12.5, 30.1), (30.1, 40.0))
    """
    pauses = [(before[1], after[0]) for before, after in pairwise(speech)]
    cuts = [0.0]
    while duration_s - cuts[-1] > MOST_S:
        here = cuts[-1]
        within = [
            (end - start, (start + end) / 2) for start, end in pauses if LEAST_S <= (start + end) / 2 - here <= MOST_S
        ]
        cuts.append(max(within)[1] if within else here + MOST_S)
    return tuple(zip(cuts, [*cuts[1:], duration_s], strict=True))


def spans_of(clip: Clip, speech: Sequence[SpanPlace] = ()) -> tuple[Clip, ...]:
    """Return the spans of a clip as clips without references; a clip of up to 30 s is its own span.

    Args:
        clip: With its place in the file.
        speech: Where somebody speaks, from the clip's beginning.

    >>> from earwitness.types import Clip
    >>> [one.id for one in spans_of(Clip("call", "/call.wav", "", 0.0, 40.0, None))]
    ['call@0.00-25.00', 'call@25.00-40.00']
    """
    if clip.duration_s <= LONG_S:
        return (clip,)
    return tuple(
        replace(
            clip,
            id=span_id(clip.id, start_s, end_s),
            start_s=clip.start_s + start_s,
            duration_s=end_s - start_s,
            reference=None,
            recording=clip.recording or clip.id,
            duration_kind="manifest",
        )
        for start_s, end_s in cut_places(clip.duration_s, speech)
    )


def span_results(result: ClipResult, spans: Sequence[Clip], scoring: ScoringInfo) -> list[ClipResult]:
    """Return what a model wrote over a whole clip, span by span, scored against the spans' references.

    Args:
        result: Of the whole clip.
        spans: Of it, with references where they have labels.
        scoring: Of the run.

    A failed clip failed in each of its spans.
    """
    rows = []
    for span in spans:
        offset_s = span.start_s - result.clip.start_s
        hypothesis = _hypothesis(result, span, (offset_s, offset_s + span.duration_s), scoring)
        rows.append(score_result(span, hypothesis, scoring))
    return rows


def in_spans(runs: Sequence[RunWithClips], labels: Mapping[str, Label] = _NOTHING) -> list[RunWithClips]:
    """Return runs whose long clips are in spans; the same spans in every run, from the speech of the first.

    Args:
        runs: Over one dataset.
        labels: By clip or span. Labelled spans stay as they are; others give way where they overlap.
    """
    spans: dict[str, tuple[Clip, ...]] = {}
    for result in runs[0].results:
        placed = [label for label in labels.values() if parent_id(label.clip_id) == result.clip.id]
        spans[result.clip.id] = _with_labels(result.clip, spans_of(result.clip, result.speech or ()), placed)
    return [replace(run, results=tuple(_cut(run, spans))) for run in runs]


def _cut(run: RunWithClips, spans: Mapping[str, Sequence[Clip]]) -> Iterator[ClipResult]:
    for result in run.results:
        parts = spans[result.clip.id]
        if len(parts) == 1 and parts[0].id == result.clip.id:
            yield result
        else:
            yield from span_results(result, parts, run.run.scoring)


def _with_labels(clip: Clip, spans: Sequence[Clip], labels: Sequence[Label]) -> tuple[Clip, ...]:
    own = [
        replace(clip, id=one.clip_id, start_s=one.start_s, duration_s=one.duration_s, reference=one.reference,
                recording=clip.recording or clip.id, duration_kind="manifest")
        for one in labels
    ]  # fmt: skip
    ends = [(one.start_s, one.start_s + one.duration_s) for one in own]
    free = [
        span
        for span in spans
        if all(
            span.start_s >= end - _GRACE_S or span.start_s + span.duration_s <= start + _GRACE_S for start, end in ends
        )
    ]
    return tuple(sorted([*own, *free], key=lambda one: one.start_s))


def span_source(transcript: Transcript, language: str | None, audio_s: float, scoring: ScoringInfo) -> SpanSource:
    """Return what the text of a labelled span rests on: times of words, or an alignment with the label.

    Args:
        transcript: Of the whole clip.
        language: Of the clip.
        audio_s: Length of the clip.
        scoring: Of the run.
    """
    norm = normalizer(scoring.normalizer)
    found = anchors(transcript, norm.words(transcript.text, language), norm, language, audio_s)
    return "times" if found.source == "words" else "alignment"


def _hypothesis(result: ClipResult, span: Clip, place: SpanPlace, scoring: ScoringInfo) -> Hypothesis:
    whole = result.hypothesis
    if whole.transcript is None:
        return replace(whole, clip_id=span.id, audio_s=span.duration_s)
    norm = normalizer(scoring.normalizer)
    words = norm.words(whole.transcript.text, span.language)
    found = anchors(whole.transcript, words, norm, span.language, whole.audio_s)
    middles = _middles(found.points, len(words))
    if found.source != "words" and span.reference is not None:
        near = np.flatnonzero((middles >= place[0] - _AROUND_S) & (middles < place[1] + _AROUND_S))
        window = words[near[0] : near[-1] + 1] if len(near) else []
        start, end = nearest_stretch(norm.words(span.reference, span.language), window)
        chosen = window[start:end]
    else:
        chosen = [word for word, at_s in zip(words, middles, strict=True) if place[0] <= at_s < place[1]]
    text = Transcript(" ".join(chosen), language=whole.transcript.language)
    return replace(whole, clip_id=span.id, transcript=text, audio_s=span.duration_s)


def _middles(points: Sequence[tuple[int, float]], n_words: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the middle of each word in seconds, between the fixed points that are around it."""
    numbers = np.arange(n_words) + 0.5
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = np.interp(
        numbers, [number for number, _ in points], [at_s for _, at_s in points]
    )
    return found


def nearest_stretch(label: Sequence[str], words: Sequence[str]) -> tuple[int, int]:
    """Return from and to of the stretch of words that is fewest edits from a label (Sellers 1980).

    What lies before and after the stretch costs nothing. Of equal stretches, the first end and the latest start.

    >>> nearest_stretch(["call", "me"], ["please", "call", "me", "back"])
    (1, 3)
    >>> nearest_stretch([], ["a"])
    (0, 0)
    """
    costs = [0] * (len(words) + 1)
    starts = list(range(len(words) + 1))
    for row, said in enumerate(label, start=1):
        before, begun = costs, starts
        costs, starts = [row], [0]
        for n, word in enumerate(words, start=1):
            options = (
                (before[n - 1] + (word != said), -begun[n - 1]),
                (before[n] + 1, -begun[n]),
                (costs[n - 1] + 1, -starts[n - 1]),
            )
            cost, start = min(options)
            costs.append(cost)
            starts.append(-start)
    end = min(range(len(words) + 1), key=lambda n: costs[n]) if label else 0
    return starts[end], end
