"""The order in which to check clips after an audit, and corrected error rates from the labels so far.

Labelling only suspects is one-sided: every correction lowers the error rates, most for the models that voted. So the
order takes turns between the suspects and all other clips. Within each of these two strata it is random, by a hash of
the clip's id, so that however far somebody came, the labelled clips of a stratum are a simple random sample of it with
a known probability.

The corrected rate is that of ``scoring/stats/survey.py``, with the dataset's own references as the guess: what these
say of all clips, plus the weighted corrections of the labelled ones. It is about this pool of clips, not about
recordings like these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile, zip_longest
from typing import Literal

import numpy as np

from earwitness.counts import percentage, quantity
from earwitness.scoring.stats.survey import FEWEST_IN_STRATUM, SurveyEstimate, SurveyLabels, SurveyPool, estimate_rate
from earwitness.scoring.stats.survey_interval import clean_limit

AuditStratum = Literal["suspect", "other"]
STRATA: tuple[AuditStratum, ...] = ("suspect", "other")
_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """A clip in the order in which to check references."""

    clip_id: str
    """The clip."""
    stratum: AuditStratum
    """Whether the audit suspects it."""
    probability: float
    """Chance that a clip of its stratum is among those up to here; 1 for the last of a stratum."""


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """An error rate with corrected references."""

    value: float | None
    """The rate on true references of this pool; ``None`` with ``reason``."""
    ci95: tuple[float, float] | None
    """Its interval; ``None`` with ``reason``, or when every clip is labelled."""
    n_labels: Mapping[str, int]
    """Labels used, by stratum."""
    reason: str | None = None
    """Why something is missing, or what the interval does not show."""


def audit_order(clip_ids: Collection[str], suspects: Collection[str]) -> list[AuditDraw]:
    """Return all clips in turns, one suspect and one other, each stratum in a random order that is always the same.

    Args:
        clip_ids: Of every labelled clip.
        suspects: Of the suspects.

    >>> order = audit_order(["a", "b", "c", "d"], ["b"])
    >>> [(draw.stratum, draw.probability) for draw in order][:2]
    [('suspect', 1.0), ('other', 0.3333333333333333)]
    """
    chosen = frozenset(suspects)
    strata: dict[AuditStratum, list[str]] = {
        "suspect": _shuffled(clip for clip in clip_ids if clip in chosen),
        "other": _shuffled(clip for clip in clip_ids if clip not in chosen),
    }
    rows = [
        [AuditDraw(clip, stratum, (n + 1) / len(clips)) for n, clip in enumerate(clips)]
        for stratum, clips in strata.items()
    ]
    return [draw for pair in zip_longest(*rows) for draw in pair if draw is not None]


def _shuffled(clip_ids: Iterable[str]) -> list[str]:
    return sorted(set(clip_ids), key=lambda clip: (sha256(clip.encode()).digest(), clip))


def corrected_rate(
    order: Sequence[AuditDraw], counts: Mapping[str, _Pair], corrected: Mapping[str, _Pair]
) -> CorrectedRate:
    """Estimate an error rate on true references.

    Args:
        order: Every clip, as ``audit_order`` gives them.
        counts: Errors and reference words of each clip, under the dataset's own references.
        corrected: The same under the labels, for labelled clips.

    Only the labelled clips at the beginning of each stratum's order count: what was labelled out of turn has no known
    probability.

    >>> order = audit_order("abcdefgh", "ab")
    >>> counts = dict.fromkeys("abcdefgh", (1, 10)) | {"a": (10, 10), "b": (9, 10)}
    >>> found = corrected_rate(order, counts, dict.fromkeys("abcdefgh", (1, 10)))
    >>> found.value, found.ci95, dict(found.n_labels)
    (0.1, None, {'suspect': 2, 'other': 6})
    """
    strata = {name: [draw.clip_id for draw in order if draw.stratum == name] for name in STRATA}
    samples = {name: _leading(clips, corrected) for name, clips in strata.items()}
    n_labels: dict[str, int] = {name: len(sample) for name, sample in samples.items()}
    reason = _too_few(strata, n_labels)
    if reason is not None:
        return CorrectedRate(None, None, n_labels, reason)
    found = _estimate(order, [clip for name in STRATA for clip in samples[name]], counts, corrected)
    if found.value is None:
        return CorrectedRate(None, None, n_labels, "the corrected references have no words")
    if sum(n_labels.values()) == len(order):
        return CorrectedRate(found.value, None, n_labels)
    changed = any(counts[clip] != corrected[clip] for clip in samples["other"])
    caveat = None if changed else _caveat(n_labels["other"], len(strata["other"]))
    return CorrectedRate(found.value, found.ci95, n_labels, caveat or found.reason)


def _estimate(
    order: Sequence[AuditDraw], labelled: Sequence[str], counts: Mapping[str, _Pair], corrected: Mapping[str, _Pair]
) -> SurveyEstimate:
    stated = np.array([counts[draw.clip_id] for draw in order], float).reshape(-1, 2)
    right = np.array([corrected[clip] for clip in labelled], float).reshape(-1, 2)
    place_of = {draw.clip_id: place for place, draw in enumerate(order)}
    strata = np.array([STRATA.index(draw.stratum) for draw in order], np.int64)
    # The rate is of this pool alone, so it does not matter which clips share a recording.
    pool = SurveyPool(strata, stated[:, 0], stated[:, 1], np.arange(len(order)))
    places = np.array([place_of[clip] for clip in labelled], np.int64)
    return estimate_rate(pool, SurveyLabels(places, right[:, 0], right[:, 1]), lowest=0.0)


def _leading(clips: Sequence[str], labelled: Mapping[str, _Pair]) -> list[str]:
    return list(takewhile(labelled.__contains__, clips))


def _too_few(strata: Mapping[AuditStratum, Sequence[str]], n_labels: Mapping[str, int]) -> str | None:
    for name, clips in strata.items():
        least = min(FEWEST_IN_STRATUM, len(clips))
        if n_labels[name] < least:
            missing = quantity(least - n_labels[name], f"more {name}")
            return f"no corrected rate: label {missing} at the beginning of the order"
    return None


def _caveat(n: int, size: int) -> str | None:
    """Return what labels that change nothing do not show: clips that no label has met."""
    if n in (size, 0):
        return None
    return f"none of {n} labelled others changed; up to {percentage(clean_limit(n))} of the others may still be wrong"
