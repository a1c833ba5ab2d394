"""The order in which to check clips after an audit, and corrected error rates from the labels so far.

Labelling only suspects is one-sided: every correction lowers the error rates, most for the models that voted. So the
order takes turns between the suspects and all other clips. Within each of these two strata it is random, by a hash of
the clip's id, so that however far somebody came, the labelled clips of a stratum are a simple random sample of it with
a known probability.

The corrected rate is the difference estimator of survey sampling (Cochran 1977; Särndal, Swensson and Wretman 1992):
what the dataset's own references say of all clips, plus the weighted corrections of the labelled ones. It is about this
pool of clips, not about recordings like these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Literal

import numpy as np
import numpy.typing as npt

from earwitness.counts import percentage, quantity

AuditStratum = Literal["suspect", "other"]
STRATA: tuple[AuditStratum, ...] = ("suspect", "other")
_Floats = npt.NDArray[np.float64]
_LEAST = 2
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
    strata: dict[str, list[str]] = {name: [draw.clip_id for draw in order if draw.stratum == name] for name in STRATA}
    samples = {name: _leading(clips, corrected) for name, clips in strata.items()}
    n_labels: dict[str, int] = {name: len(sample) for name, sample in samples.items()}
    reason = _too_few(strata, n_labels)
    if reason is not None:
        return CorrectedRate(None, None, n_labels, reason)
    changes = {name: _changes(sample, counts, corrected) for name, sample in samples.items()}
    totals = np.sum([counts[draw.clip_id] for draw in order], axis=0, dtype=float)
    for name, change in changes.items():
        totals += len(strata[name]) * change.sum(axis=0) / max(1, len(change))
    if totals[1] <= 0:
        return CorrectedRate(None, None, n_labels, "the corrected references have no words")
    rate = float(totals[0] / totals[1])
    variance = sum(_variance(each[:, 0] - rate * each[:, 1], len(strata[name])) for name, each in changes.items())
    half = _quantile(sum(n_labels.values())) * float(np.sqrt(variance)) / float(totals[1])
    ci95 = None if sum(n_labels.values()) == len(order) else (max(0.0, rate - half), rate + half)
    return CorrectedRate(rate, ci95, n_labels, _caveat(changes["other"], len(strata["other"])))


def _changes(sample: Sequence[str], counts: Mapping[str, _Pair], corrected: Mapping[str, _Pair]) -> _Floats:
    """Return what labels change in errors and in words, shape (clips, 2)."""
    return np.array([np.subtract(corrected[clip], counts[clip]) for clip in sample], float).reshape(-1, 2)


def _leading(clips: Sequence[str], labelled: Mapping[str, _Pair]) -> list[str]:
    sample: list[str] = []
    for clip in clips:
        if clip not in labelled:
            break
        sample.append(clip)
    return sample


def _too_few(strata: Mapping[str, Sequence[str]], n_labels: Mapping[str, int]) -> str | None:
    for name, clips in strata.items():
        least = min(_LEAST, len(clips))
        if n_labels[name] < least:
            missing = quantity(least - n_labels[name], f"more {name}")
            return f"no corrected rate: label {missing} at the beginning of the order"
    return None


def _variance(residuals: _Floats, size: int) -> float:
    n = len(residuals)
    if n < _LEAST or n == size:
        return 0.0
    return float(size**2 * (1 - n / size) * residuals.var(ddof=1) / n)


def _quantile(n: int) -> float:
    """Return Student's t at 97.5 %, by Cornish and Fisher's expansion."""
    df, z = max(n - len(STRATA), 1), 1.959964
    return z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)


def _caveat(changes: _Floats, size: int) -> str | None:
    """Return what an interval without width does not show: clips that no label has met."""
    n = len(changes)
    if n in (size, 0) or changes.any():
        return None
    most = 1 - 0.05 ** (1 / n)
    return f"none of {n} labelled others changed; up to {percentage(most)} of the others may still be wrong"
