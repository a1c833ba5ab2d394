"""Matched pairs: NIST's test for two systems on the same utterances (MAPSSWE).

Gillick and Cox, "Some statistical issues in the comparison of speech recognition algorithms", ICASSP 1989; the segments
are those of NIST's ``sc_stats -t mapsswe`` (SCTK, ``mtchprs.c``). Utterances are cut where both systems have at least
two words right in a row; what lies between is a segment that holds at least one error of either. Errors in different
segments are taken as independent of each other, and with many segments the mean of their differences is normal: ``Z =
mean(d) / (std(d) / sqrt(n))``, with n - 1 under the variance, and p two-sided.

That independence is what recordings with a noisy line or a hard speaker do not have, so this test calls too many
differences on clustered data. It stands here to agree with papers; what decides is ``significance.difference``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from earwitness.counts import are
from earwitness.scoring.stats.passages import passages
from earwitness.scoring.text import normalizer
from earwitness.types import Clip, Hypothesis

_SMALL = 50


class ErrorSegment(NamedTuple):
    """A stretch with errors, between words that both systems have right."""

    errors_a: int
    """Of the first system."""
    errors_b: int
    """Of the second."""


class MatchedPairs(NamedTuple):
    """The outcome of the test."""

    n_segments: int
    """Segments with an error of either system."""
    mean: float | None
    """Errors of the first less those of the second, per segment."""
    z: float | None
    """Standard normal if the systems are alike; 0 when no segment differs from the mean, as in sc_stats."""
    p: float | None
    """Two-sided, uncorrected."""
    reason: str | None
    """Why it is missing, or that the segments are few for a normal approximation."""


def mapsswe(segments: Sequence[tuple[int, int]]) -> MatchedPairs:
    """Test whether two systems differ, from their errors per segment (or per utterance).

    By hand: differences 2, 1, 0, 3 have mean 1.5 and variance 5/3, so Z = 1.5 / sqrt(5/3/4) = 2.324.

    >>> found = mapsswe([(3, 1), (1, 0), (2, 2), (4, 1)])
    >>> round(found.z, 3), round(found.p, 4), found.reason
    (2.324, 0.0201, 'only 4 segments: the normal approximation is rough')
    >>> mapsswe([]).reason
    'it takes two segments with errors, and there are 0'
    """
    if len(segments) < 2:
        return MatchedPairs(
            len(segments), None, None, None, f"it takes two segments with errors, and there {are(len(segments))}"
        )
    d = np.array([a - b for a, b in segments], float)
    mean, deviation = float(d.mean()), float(d.std(ddof=1))
    z = mean / (deviation / len(d) ** 0.5) if deviation else 0.0
    few = f"only {len(d)} segments: the normal approximation is rough" if len(d) < _SMALL else None
    return MatchedPairs(len(d), mean, z, 2 * (1 - NormalDist().cdf(abs(z))), few)


def error_segments(
    reference: Sequence[str], hypothesis_a: Sequence[str], hypothesis_b: Sequence[str], *, good: int = 2
) -> list[ErrorSegment]:
    """Cut one utterance into segments, each with at least one error.

    Args:
        reference: Normalized words.
        hypothesis_a: Of the first system.
        hypothesis_b: Of the second.
        good: Words in a row that both must have right, with nothing inserted between them, to end a segment.

    >>> error_segments("a b c d e f".split(), "a x c d e f".split(), "a b c d e".split())
    [ErrorSegment(errors_a=1, errors_b=0), ErrorSegment(errors_a=0, errors_b=1)]
    >>> error_segments("a b c d".split(), "x b c y".split(), "a b c d".split(), good=3)
    [ErrorSegment(errors_a=2, errors_b=0)]
    """
    cut = passages(reference, (hypothesis_a, hypothesis_b), good=good)
    return [ErrorSegment(*passage.errors) for passage in cut if any(passage.errors)]


def mapsswe_of_texts(triples: Iterable[tuple[Clip, Hypothesis, Hypothesis]], norm: str) -> MatchedPairs:
    """Test two systems on the texts of the same clips, which are aligned again; unlabelled clips are skipped."""
    rules = normalizer(norm)
    segments: list[ErrorSegment] = []
    for clip, *both in triples:
        if clip.reference is not None:
            texts = (hypothesis.transcript.text if hypothesis.transcript else "" for hypothesis in both)
            a, b = (rules.words(text, clip.language) for text in texts)
            segments += error_segments(rules.words(clip.reference, clip.language), a, b)
    return mapsswe(segments)
