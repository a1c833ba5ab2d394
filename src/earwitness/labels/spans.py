"""Long recordings in spans of 8 to 25 s, cut at pauses, so that a person can label a part of one.

A model ran over the whole recording. Its text of a span is the words whose times lie in the span; a word on a cut
belongs to the side where its middle is. Where words have no times, the text of a span is the stretch of the transcript,
around the span's place, that is nearest to the label. That choice is made in the model's favour: words that it put in
at the edges of the span are not counted, so the error rate is a little too low. Times of segments say only where to
look: spread evenly over a segment, words end up on the wrong side of cuts, which counts errors that nobody made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np

from earwitness.errors import UsageError
from earwitness.labels.label import Label
from earwitness.labels.span_id import parent_id, span_id, span_place
from earwitness.records.record import ClipResult
from earwitness.records.rescore import score_result
from earwitness.records.select import RunWithClips
from earwitness.scoring.align.word_times import anchors
from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.text import normalizer
from earwitness.types import Clip, Transcript

LONG_S = 30.0
"""Longer clips are labelled in spans."""
LEAST_S, MOST_S = 8.0, 25.0
_GRACE_S = 0.05
_ROUNDING_S = 0.006
_NOTHING: Mapping[str, Label] = MappingProxyType({})
_AROUND_S = 10.0
"""How far beside its place a span's words are looked for, where the transcript has no times."""
SpanPlace = tuple[float, float]
SpanSource = Literal["times", "alignment"]


def cut_places(duration_s: float, speech: Sequence[SpanPlace]) -> tuple[SpanPlace, ...]:
    """Return from and to of spans that fill a recording, in seconds from its beginning.

    Each cut is in the middle of the longest pause that lies 8 to 25 s after the cut before it; where nobody pauses, it
    is at 25 s. Cuts are at whole hundredths of a second, so that the id of a span says where it lies. The last span may
    be shorter than 8 s.

    Args:
        duration_s: Of the recording.
        speech: Where somebody speaks, in order; empty for unknown.

    >>> cut_places(40.0, [(0.0, 12.0), (13.0, 30.0), (30.2, 40.0)])
    ((0.0, 12.5), (12.5, 30.1), (30.1, 40.0))
    """
    pauses = [(after[0] - before[1], round((before[1] + after[0]) / 2, 2)) for before, after in pairwise(speech)]
    cuts = [0.0]
    while duration_s - cuts[-1] > MOST_S:
        here = cuts[-1]
        within = [(length_s, middle) for length_s, middle in pauses if LEAST_S <= middle - here <= MOST_S]
        cuts.append(max(within)[1] if within else round(here + MOST_S, 2))
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
    return tuple(_span(clip, place) for place in cut_places(clip.duration_s, speech))


def _span(clip: Clip, place: SpanPlace) -> Clip:
    """Return a span as a clip; an end within the rounding of the clip's end is the clip's end."""
    start_s, end_s = place
    if abs(end_s - clip.duration_s) < _ROUNDING_S:
        end_s = clip.duration_s
    return replace(
        clip,
        id=span_id(clip.id, start_s, end_s),
        start_s=clip.start_s + start_s,
        duration_s=end_s - start_s,
        reference=None,
        recording=clip.recording or clip.id,
        duration_kind="manifest",
    )


def named_spans(clips: Iterable[Clip], ids: Iterable[str]) -> dict[str, tuple[Clip, ...]]:
    """Return the spans that ids name, by their clip and in the order of time; other ids are passed over.

    Args:
        clips: Whole ones.
        ids: Of clips and of spans, such as those of a plan.

    >>> call = Clip("call", "/call.wav", "", 0.0, 40.0, None)
    >>> [one.id for one in named_spans([call], ["call@25.00-40.00", "call@0.00-25.00", "other"])["call"]]
    ['call@0.00-25.00', 'call@25.00-40.00']
    """
    known = {clip.id: clip for clip in clips}
    places: dict[str, list[SpanPlace]] = defaultdict(list)
    for one in ids:
        place = None if one in known else span_place(one)
        if place is not None and parent_id(one) in known:
            places[str(parent_id(one))].append(place)
    return {
        clip_id: tuple(_span(known[clip_id], place) for place in sorted(found)) for clip_id, found in places.items()
    }


def span_results(result: ClipResult, spans: Sequence[Clip], scoring: ScoringInfo) -> list[ClipResult]:
    """Return what a model wrote over a whole clip, span by span, scored against the spans' references.

    Args:
        result: Of the whole clip.
        spans: Of it, with references where they have labels.
        scoring: Of the run.

    A failed clip failed in each of its spans.
    """
    text = _placed_words(result, scoring)
    rows = []
    for span in spans:
        place = _open_ended(result.clip, span)
        whole = replace(result.hypothesis, clip_id=span.id, audio_s=span.duration_s)
        if text is not None and whole.transcript is not None:
            words = " ".join(_words_of(text, span, place, scoring))
            whole = replace(whole, transcript=Transcript(words, language=whole.transcript.language))
        rows.append(score_result(span, whole, scoring))
    return rows


def _open_ended(clip: Clip, span: Clip) -> SpanPlace:
    """Return where a span is in its clip; at the clip's ends without a limit, as times may lie beside the audio."""
    start_s = span.start_s - clip.start_s
    end_s = start_s + span.duration_s
    return (
        start_s if start_s > _ROUNDING_S else -np.inf,
        end_s if end_s < clip.duration_s - _ROUNDING_S else np.inf,
    )


def in_spans(
    runs: Sequence[RunWithClips], order: Iterable[str] = (), labels: Mapping[str, Label] = _NOTHING
) -> list[RunWithClips]:
    """Return runs whose long clips are in spans; the same spans in every run.

    Args:
        runs: Over one dataset, by whole clips.
        order: Ids of a plan: its spans are those of their clips, and get the references of labels with the same id.
        labels: By clip or span. Where the plan has no spans of a clip, labelled spans stay as they are, and the rest of
            the clip is cut at the pauses that the first run knows.
    """
    spans = named_spans([result.clip for result in runs[0].results], order)
    spans = {clip_id: tuple(_with_reference(span, labels) for span in found) for clip_id, found in spans.items()}
    placed: dict[str, list[Label]] = defaultdict(list)
    for label in labels.values():
        placed[parent_id(label.clip_id) or ""].append(label)
    for result in runs[0].results:
        clip = result.clip
        if clip.id not in spans and clip.id in placed:
            spans[clip.id] = _with_labels(clip, spans_of(clip, result.speech or ()), placed[clip.id])
    return [replace(run, results=tuple(_cut(run, spans))) for run in runs] if spans else list(runs)


def _with_reference(span: Clip, labels: Mapping[str, Label]) -> Clip:
    label = labels.get(span.id)
    return span if label is None else replace(span, reference=label.reference)


def _cut(run: RunWithClips, spans: Mapping[str, Sequence[Clip]]) -> Iterator[ClipResult]:
    for result in run.results:
        parts = spans.get(result.clip.id)
        if parts is None:
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


@dataclass(frozen=True, slots=True)
class _PlacedWords:
    """What a model wrote over a whole clip."""

    words: list[str]
    """Normalized."""
    middles: np.ndarray[tuple[int], np.dtype[np.float64]]
    """Of each word, in seconds from the clip's beginning."""
    have_times: bool
    """Whether the model said when each word is; else the middles are a guess."""


def require_word_times(runs: Sequence[RunWithClips], order: Iterable[str]) -> None:
    """Refuse runs whose words have no times, where a plan has spans of long clips.

    Only with times do the words of a span not depend on its label, which the difference of two models rests on: it
    takes the edits between their texts of a span as a limit.

    Args:
        runs: By whole clips.
        order: Ids of the plan.

    Raises:
        UsageError: For the first such run.
    """
    for clip_id in named_spans([result.clip for result in runs[0].results], order):
        for run in runs:
            result = next(one for one in run.results if one.clip.id == clip_id)
            words = _placed_words(result, run.run.scoring)
            if words is not None and not words.have_times:
                raise UsageError(
                    f"The difference of two models over long recordings takes times of words, and {run.label!r} has "
                    f"none for {clip_id!r}. Run it with --set timestamps=word, or plan for the goal wer."
                )


def _placed_words(result: ClipResult, scoring: ScoringInfo) -> _PlacedWords | None:
    whole = result.hypothesis
    if whole.transcript is None:
        return None
    norm = normalizer(scoring.normalizer)
    words = norm.words(whole.transcript.text, result.clip.language)
    found = anchors(whole.transcript, words, norm, result.clip.language, whole.audio_s)
    return _PlacedWords(words, _middles(found.points, len(words)), found.source == "words")


def _words_of(text: _PlacedWords, span: Clip, place: SpanPlace, scoring: ScoringInfo) -> list[str]:
    """Return the words of a span: those whose middle is in it, or the stretch that is nearest to its label."""
    if text.have_times or span.reference is None:
        start, end = np.searchsorted(text.middles, place).tolist()
        return text.words[start:end]
    start, end = np.searchsorted(text.middles, [place[0] - _AROUND_S, place[1] + _AROUND_S]).tolist()
    window = text.words[start:end]
    start, end = nearest_stretch(normalizer(scoring.normalizer).words(span.reference, span.language), window)
    return window[start:end]


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
