"""The entity error rate: how many e-mail addresses, telephone numbers, dates and the like were not transcribed right.

An entity is found by rule in the reference (``text/entities.py``). It is right if its letters and digits stand without
a gap where the alignment of the whole clip has it; a wrong, missing or added word makes it wrong, and so does one more
digit beside a number. What does not change its value is no error: both texts are normalized with ``auto``, whatever the
record's normalizer, and spaces inside an entity do not count. Entities that a model invents are not counted: WER has
their words.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from earwitness.languages import primary
from earwitness.scoring.align.spans import AlignedSpan, quick_spans
from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.scoring.stats.clusters import cluster_of, sum_by_cluster
from earwitness.scoring.stats.exact_intervals import independent, share_interval
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.entities import (
    KINDS,
    VERSION,
    EntityPlace,
    entity_kinds,
    spoken_entities,
    squeezed,
    without_overlaps,
    written_entities,
)
from earwitness.types import Clip, Hypothesis, Score

NORMALIZER = "auto"
_DIGITS = ("phone", "digits")
"""Kinds that a digit more makes wrong."""


@dataclass(frozen=True, slots=True)
class EntityResult:
    """One entity of a reference, and what a model wrote for it."""

    clip: str
    """Id of the clip."""
    kind: str
    """Such as ``email``."""
    reference: str
    """Its normalized words."""
    hypothesis: str
    """The words that are aligned with it, and if it is wrong, those inserted beside it; empty where it is left out."""
    is_right: bool
    """Whether all of its words are right."""


@dataclass(frozen=True, slots=True)
class EntityReport:
    """The entities of one model's texts."""

    score: Score
    """Of all kinds together."""
    by_kind: Mapping[str, Score]
    """By kind, those that occur in a reference."""
    counts: Mapping[str, tuple[int, int]]
    """By kind: how many are wrong, and how many there are."""
    kinds: Mapping[str, tuple[str, ...]]
    """By language of the clips: the kinds that were searched for; ``unknown`` where none is stated."""
    entities: tuple[EntityResult, ...]
    """Each one, in the order of the clips."""


def entity_report(pairs: Iterable[tuple[Clip, Hypothesis]]) -> EntityReport:
    """Return the entity error rate of one model's texts, by kind and in all.

    Args:
        pairs: Clips and what the model made of them; clips without a reference are left out, a failed clip is empty.

    >>> from earwitness.types import Transcript
    >>> clip = Clip("c", "", "", 0.0, 2.0, "call 555-1234 by March 3rd", "en")
    >>> heard = Hypothesis("c", Transcript("call five five five one two three four by March first"), None, audio_s=2.0)
    >>> report = entity_report([(clip, heard)])
    >>> report.score.value, dict(report.counts)
    (0.5, {'date': (1, 1), 'phone': (0, 1)})
    >>> [(one.reference, one.hypothesis) for one in report.entities if not one.is_right]
    [('march third', 'march first')]
    """
    labelled = [pair for pair in pairs if pair[0].reference is not None]
    clips = [clip for clip, _ in labelled]
    results = [clip_entities(clip, _text(hypothesis)) for clip, hypothesis in labelled]
    by_kind = {kind: [[one for one in of_clip if one.kind == kind] for of_clip in results] for kind in KINDS}
    present = {kind: of_clips for kind, of_clips in by_kind.items() if any(of_clips)}
    return EntityReport(
        score=_score("entity_error_rate", clips, results),
        by_kind={kind: _score(f"{kind}_error_rate", clips, of_clips) for kind, of_clips in present.items()},
        counts={kind: _counts([*chain.from_iterable(of_clips)]) for kind, of_clips in present.items()},
        kinds={primary(clip.language) or "unknown": entity_kinds(clip.language) for clip in clips},
        entities=tuple(chain.from_iterable(results)),
    )


def _text(hypothesis: Hypothesis) -> str:
    return hypothesis.transcript.text if hypothesis.transcript else ""


def clip_entities(clip: Clip, text: str) -> list[EntityResult]:
    """Return each entity of a clip's reference, with what a transcript has in its place; none without a reference."""
    if clip.reference is None:
        return []
    words = normalizer(NORMALIZER).words
    said, heard = words(clip.reference, clip.language), words(text, clip.language)
    places = entity_places(clip.reference, said, clip.language)
    if not places:
        return []
    alignment = quick_spans(said, heard)
    results = []
    for place in places:
        reference = said[place.start : place.end]
        right, hypothesis = _aligned(reference, place, heard, alignment)
        results.append(EntityResult(clip.id, place.kind, " ".join(reference), " ".join(hypothesis), right))
    return results


def entity_places(reference: str, words: Sequence[str], language: str | None) -> list[EntityPlace]:
    """Return the entities of a reference, in its normalized words.

    >>> text = "Code AB12CD, or jane@example.com."
    >>> words = normalizer("auto").words(text, "en")
    >>> [(place.kind, " ".join(words[place.start : place.end])) for place in entity_places(text, words, "en")]
    [('code', 'ab 12 cd'), ('email', 'jane at example dot com')]
    """
    places = [
        found
        for place in written_entities(reference, language)
        if (found := _in_words(reference, place, words, language)) is not None
    ]
    if primary(language) == "en":
        places += spoken_entities(words)
    return without_overlaps(places)


def _in_words(text: str, place: EntityPlace, words: Sequence[str], language: str | None) -> EntityPlace | None:
    """Return a place of a raw text in its normalized words; ``None`` where normalizing leaves nothing of it.

    The text in three parts, each normalized by itself, has nearly the words of the whole; an alignment does the rest.
    """
    normalize = normalizer(NORMALIZER).words
    before, inside, after = (
        normalize(part, language) for part in (text[: place.start], text[place.start : place.end], text[place.end :])
    )
    start, end = len(before), len(before) + len(inside)
    alignment = quick_spans([*before, *inside, *after], words)
    first, last = _across(alignment, start, end)
    return EntityPlace(place.kind, first, last) if first < last else None


def _across(alignment: Sequence[AlignedSpan], start: int, end: int) -> tuple[int, int]:
    """Return what is aligned with a stretch of the first text, in words of the second, insertions inside included."""
    pairs: list[int] = []
    for span in alignment:
        if span.kind in ("equal", "replace"):
            low, high = max(start, span.reference[0]), min(end, span.reference[1])
            pairs += [place - span.reference[0] + span.hypothesis[0] for place in range(low, high)]
    return (min(pairs), max(pairs) + 1) if pairs else (0, 0)


def _aligned(
    reference: Sequence[str], place: EntityPlace, words: Sequence[str], alignment: Sequence[AlignedSpan]
) -> tuple[bool, Sequence[str]]:
    first, last = _across(alignment, place.start, place.end)
    # Words that the alignment inserts beside an entity may be a part of it, as in 555 1234 for 5551234.
    before = sum(last_ - first_ for first_, last_ in _inserted(alignment, place.start))
    after = sum(last_ - first_ for first_, last_ in _inserted(alignment, place.end))
    if first == last:
        inserted = _inserted(alignment, place.end)
        first = last = inserted[0][0] if inserted else 0
        before = 0
    region = words[first - before : last + after]
    window = _window(region, squeezed(reference, place.kind), place.kind)
    return (False, region) if window is None else (True, region[slice(*window)])


def _window(words: Sequence[str], value: str, kind: str) -> tuple[int, int] | None:
    """Return from where to where words have a value; ``None`` if nowhere, or if another digit stands beside it."""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            text = squeezed(words[start:end], kind)
            if len(text) > len(value):
                break
            beside = (*words[max(0, start - 1) : start], *words[end : end + 1])
            if text == value and not (kind in _DIGITS and any(word.isdecimal() for word in beside)):
                return start, end
    return None


def _inserted(alignment: Sequence[AlignedSpan], place: int) -> list[tuple[int, int]]:
    return [span.hypothesis for span in alignment if span.kind == "insert" and span.reference[0] == place]


def _counts(entities: Sequence[EntityResult]) -> tuple[int, int]:
    return sum(not one.is_right for one in entities), len(entities)


def _score(metric: str, clips: Sequence[Clip], results: Sequence[Sequence[EntityResult]]) -> Score:
    """Return a rate with its interval by recording; without enough variation, the interval is Clopper and Pearson's."""
    counted = [_counts(of_clip) for of_clip in results]
    wrong, of = [count[0] for count in counted], [count[1] for count in counted]
    value, ci95 = None, None
    reason: str | None = "no reference has an entity of these kinds" if clips else "no clip has a reference"
    if sum(of):
        keys: list[Hashable] = [cluster_of(clip) for clip in clips]
        value, reason = sum(wrong) / sum(of), None
        bootstrap, _ = rate_interval(wrong, of, keys)
        (blocks,) = sum_by_cluster(keys, of)
        exact = share_interval(value, independent([int(n) for n in blocks]))
        ci95 = (bootstrap[0], min(1.0, bootstrap[1])) if bootstrap else exact
    signature = f"{metric}|norm:{normalizer(NORMALIZER).signature}|rules:{VERSION}|spaces:ignored|v:1"
    return Score(metric, value, "ratio", signature, len(clips), ci95=ci95, reason=reason)
