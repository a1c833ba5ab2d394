"""Strata that cost nothing: clips that are alike in how far models are apart, language, length and findings.

A stratum is worth something if the errors in it are easier to guess than in the pool. What a label of a clip may still
teach is guessed from what is known: much where models disagree, some where the text is long, little where models agree
on a short text. The pool is split where that lowers the sum over strata of ``N_h S_h``, the clips times the guessed
spread, to which the standard error under Neyman's allocation is proportional (Cochran, *Sampling Techniques*, 1977,
section 5.5). A bad guess costs precision and nothing else: the probabilities stay known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from earwitness.labels.signals import Signals
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.tuning import Indices

MOST_STRATA = 12
LABELS_EACH = 5
"""There is one stratum at most for so many labels."""
_FEWEST_CLIPS = 8
_CUTS = 40
_GAIN = 0.01
"""A split that lowers the sum by a smaller share is not made."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Clips that are not split further, or not yet."""

    places: Indices
    language: str | None = None
    """Of all of them, where the pool has several."""
    names: frozenset[str] = frozenset()
    """By what they were split off."""


def spread(signals: Signals) -> Counts:
    """Return a guess of each clip's squared residual: what its label may teach beyond the proxies; shape (N,).

    It grows with the words between the models, which may be errors of either, and with the length of the clip, because
    models also make errors together. The constants suit the errors of three models on prompts of telephones; others
    cost precision and nothing else.

    >>> signals = Signals(np.array([0.0, 4.0]), np.array([5.0, 5.0]), ("en", "en"), np.array([False, False]))
    >>> spread(signals).round(1).tolist()
    [0.2, 4.2]
    """
    found = 0.5 * signals.distance + 0.125 * signals.distance**2 + 0.02 * signals.words + 0.004 * signals.words**2
    return np.where(signals.odd, 4 * found, found)


def strata_of(signals: Signals, places: Indices, n_labels: int) -> list[tuple[str, Indices]]:
    """Divide clips into strata: the name of each, and its clips in order.

    Args:
        signals: Of all clips of the pool.
        places: The clips to divide.
        n_labels: Labels that are planned; there is a stratum at most for every five.

    >>> distance = np.repeat([0.0, 3.0], 20)
    >>> signals = Signals(distance, np.full(40, 6.0), ("en",) * 40, np.zeros(40, bool))
    >>> [(name, len(places)) for name, places in strata_of(signals, np.arange(40), 20)]
    [('models agree', 20), ('models 3 words apart', 20)]
    """
    most = max(1, min(MOST_STRATA, n_labels // LABELS_EACH))
    value = spread(signals)
    parts = _by_language(signals, places, most)
    while len(parts) < most:
        splits = [_best_split(part, signals, value) for part in parts]
        best = max(range(len(parts)), key=lambda n: splits[n].gain)
        total = sum(_size(value[part.places]) for part in parts)
        if splits[best].gain <= _GAIN * total:
            break
        parts[best : best + 1] = splits[best].parts
    return [(_name(part, signals), part.places) for part in parts]


def _by_language(signals: Signals, places: Indices, most: int) -> list[_Part]:
    """Return a part for each language that has enough clips, and one for the rest."""
    names = np.array(signals.languages)[places]
    found, counts = np.unique(names, return_counts=True)
    common = [str(found[n]) for n in np.argsort(-counts) if counts[n] >= max(_FEWEST_CLIPS, 0.05 * len(places))]
    common = common[: max(1, most // 2)]
    if len(found) == 1 or not common:
        return [_Part(places)]
    parts = [_Part(places[names == name], name or "no language") for name in common]
    rest = places[~np.isin(names, common)]
    return [*parts, _Part(rest, "other languages")] if len(rest) else parts


class _Split(NamedTuple):
    gain: float
    """By how much the sum of clips times spread falls."""
    parts: tuple[_Part, ...]


def _best_split(part: _Part, signals: Signals, value: Counts) -> _Split:
    """Return the split of a part that lowers its clips times spread most; a gain of 0 where there is none."""
    best = _Split(0.0, ())
    whole = _size(value[part.places])
    for name, column in (("odd", signals.odd), ("distance", signals.distance), ("words", signals.words)):
        along = column[part.places].astype(float)
        cut = _best_cut(along, value[part.places])
        if cut is not None and whole - cut[1] > best.gain:
            sides = (along <= cut[0], along > cut[0])
            names = part.names | {name}
            best = _Split(whole - cut[1], tuple(_Part(part.places[side], part.language, names) for side in sides))
    return best


def _best_cut(along: Counts, value: Counts) -> tuple[float, float] | None:
    """Return where to cut, and the sum of clips times spread of both sides; ``None`` where a side is too small."""
    order = np.argsort(along, kind="stable")
    along, sums = along[order], np.concatenate([[0.0], np.cumsum(value[order])])
    ends = np.flatnonzero(np.diff(along)) + 1
    ends = ends[(ends >= _FEWEST_CLIPS) & (ends <= len(along) - _FEWEST_CLIPS)]
    if not len(ends):
        return None
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, min(_CUTS, len(ends))).astype(np.int64))]
    rest = len(along) - ends
    both = np.sqrt(ends * sums[ends]) + np.sqrt(rest * (sums[-1] - sums[ends]))
    least = int(both.argmin())
    return float(along[ends[least] - 1]), float(both[least])


def _size(value: Counts) -> float:
    """Return clips times their root mean square."""
    return float(np.sqrt(len(value) * value.sum()))


def _name(part: _Part, signals: Signals) -> str:
    said = [part.language] if part.language else []
    if "odd" in part.names:
        said.append("with findings" if signals.odd[part.places].all() else "without findings")
    if "distance" in part.names:
        ends = _ends(signals.distance[part.places])
        said.append("models agree" if ends == "0" else f"models {ends} words apart")
    if "words" in part.names or not said:
        said.append(f"{_ends(signals.words[part.places])} words")
    return ", ".join(said)


def _ends(values: Counts) -> str:
    low, high = (f"{end:.1f}".removesuffix(".0") for end in (values.min(), values.max()))
    return low if low == high else f"{low}–{high}"
