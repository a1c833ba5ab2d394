"""Estimates how much more audio would separate two systems, or bring an interval to a target width.

More audio is taken to mean more recordings *like these*: as long, as hard, as varied. Minutes of the recordings that
are there already help little, because what varies is the recordings. The standard error of a rate, or of a difference
of rates, then shrinks with the square root of the number of recordings K:

- two systems are told apart with probability ``power`` when ``|D| = (t(1 - alpha / 2) + t(power)) * se * sqrt(K /
  K')``;
- an interval has the width ``w`` when ``w = 2 t(0.975) * se * sqrt(K / K')``,

with quantiles of Student's t at K' - 1 degrees of freedom (Cohen 1988; for clusters Donner and Klar 2000). The answer
is only as good as the difference that was seen: the range gives it for both ends of that difference's interval. When
the interval holds 0, the systems may be equal, no amount of audio would then do, and the range is open.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from earwitness.counts import are
from earwitness.scoring.stats.bootstrap_t import MANY, ratio_interval, resample_rates, standard_error
from earwitness.scoring.stats.clusters import FEWEST, Amounts, Counts, sum_by_cluster
from earwitness.scoring.stats.significance import ALPHA, least_p

POWER = 0.8
_MOST = 100_000_000


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """How much audio is needed; minutes are totals, including the existing audio."""

    goal: float
    """The difference to be told from 0, or the width to be reached; a ratio."""
    minutes_now: float
    """Audio that is there."""
    minutes_needed: float | None
    """Audio that it takes in all; ``None`` with ``reason``."""
    minutes_low: float | None
    """If the truth is at the favourable end of its interval."""
    minutes_high: float | None
    """If it is at the other end; ``None`` when no amount would do there."""
    n_clusters: int
    """Recordings that are there."""
    n_needed: int | None
    """Recordings that it takes in all."""
    reason: str | None
    """Why it cannot be told."""

    @property
    def minutes_more(self) -> float | None:
        """Audio to add; 0 if there is enough."""
        return None if self.minutes_needed is None else max(0.0, self.minutes_needed - self.minutes_now)


def separate(
    errors_a: Amounts,
    errors_b: Amounts,
    lengths: Amounts,
    clusters: Sequence[Hashable],
    *,
    audio_s: float,
    alpha: float = ALPHA,
    power: float = POWER,
    seed: int = 0,
) -> AudioPlan:
    """Return how much audio separates two systems, if they differ as much as measured.

    Args:
        errors_a: Per clip, of the first system.
        errors_b: Per clip, of the second.
        lengths: Reference length per clip.
        clusters: What each clip belongs to.
        audio_s: Seconds of all clips.
        alpha: Two-sided level; divide it by the number of pairs when there are several.
        power: Chance of calling the difference.
        seed: Of the bootstrap behind the range.

    >>> a, b = [3, 0, 2, 1, 2, 3, 1, 0] * 2, [1, 1, 2, 0, 1, 1, 1, 2] * 2
    >>> plan = separate(a, b, [10] * 16, range(16), audio_s=960.0)
    >>> round(plan.goal, 4), plan.minutes_now, plan.n_needed, plan.minutes_high is None
    (0.0375, 16.0, 106, True)
    """
    d, n = sum_by_cluster(clusters, np.asarray(errors_a, float) - np.asarray(errors_b, float), lengths)
    refused = _refused(d, n, audio_s)
    if refused is not None:
        return refused
    value, error = standard_error(d, n)
    if value == 0:
        return _untold(
            0.0, len(d), audio_s, "they made the same number of errors, so there is no difference to plan for"
        )
    if not error > 0:
        return _untold(value, len(d), audio_s, "every recording shows the same difference, so its spread is unknown")
    t_for = _quantiles(1 - alpha / 2, power)
    fewest = next(k for k in range(FEWEST, 200) if least_p(k) <= alpha)

    def clusters_for(effect: float) -> int | None:
        return _clusters_needed(lambda k: t_for(k) * error * (len(d) / k) ** 0.5 <= abs(effect), fewest)

    interval = ratio_interval(d, n, seed=seed)
    near = far = None
    if interval is not None:
        far = max(map(abs, interval))
        near = min(map(abs, interval)) if interval[0] * interval[1] > 0 else 0.0
    return _plan(
        value, audio_s, len(d), clusters_for(value), clusters_for(far or value), clusters_for(near) if near else None
    )


def narrow(
    errors: Amounts,
    lengths: Amounts,
    clusters: Sequence[Hashable],
    *,
    audio_s: float,
    width: float,
    seed: int = 0,
) -> AudioPlan:
    """Return how much audio brings the 95 % interval of a rate to a width.

    Args:
        errors: Per clip.
        lengths: Reference length per clip.
        clusters: What each clip belongs to.
        audio_s: Seconds of all clips.
        width: Upper end less lower end, a ratio.
        seed: Of the bootstrap behind the range, which is that of the standard error.

    >>> plan = narrow([3, 0, 2, 1, 2, 3, 1, 0] * 2, [10] * 16, range(16), audio_s=960.0, width=0.05)
    >>> plan.n_needed, round(plan.minutes_more)
    (85, 69)
    """
    e, n = sum_by_cluster(clusters, errors, lengths)
    refused = _refused(e, n, audio_s, goal=width)
    if refused is not None:
        return refused
    _, error = standard_error(e, n)
    if not error > 0:
        return _untold(width, len(e), audio_s, "every recording has the same rate, so its spread is unknown")
    t_for = _quantiles(0.975)

    def clusters_for(spread: float) -> int | None:
        return _clusters_needed(lambda k: 2 * t_for(k) * spread * (len(e) / k) ** 0.5 <= width, FEWEST)

    if len(e) < MANY:
        low, high = np.quantile(resample_rates(e, n, rounds=2000, seed=seed)[1], [0.025, 0.975])
    else:
        low = high = error
    return _plan(width, audio_s, len(e), clusters_for(error), clusters_for(float(low)), clusters_for(float(high)))


def _refused(counts: Counts, lengths: Counts, audio_s: float, goal: float = 0.0) -> AudioPlan | None:
    if not lengths.sum():
        return _untold(goal, len(counts), audio_s, "the references have no words")
    if len(counts) < FEWEST:
        few = f"it takes at least {FEWEST} recordings to see how they vary, and there {are(len(counts))}"
        return _untold(goal, len(counts), audio_s, few)
    return None


def _untold(goal: float, n_clusters: int, audio_s: float, reason: str) -> AudioPlan:
    return AudioPlan(goal, audio_s / 60, None, None, None, n_clusters, None, reason)


def _plan(
    goal: float, audio_s: float, have: int, n_clusters: int | None, low: int | None, high: int | None
) -> AudioPlan:
    each = audio_s / 60 / have
    minutes = [None if k is None else k * each for k in (n_clusters, low, high)]
    reason = None if n_clusters is not None else "it would take more than a hundred million recordings"
    return AudioPlan(goal, audio_s / 60, minutes[0], minutes[1], minutes[2], have, n_clusters, reason)


def _clusters_needed(enough: Callable[[int], bool], fewest: int) -> int | None:
    """The least number of clusters that is enough, by doubling and halving."""
    high = fewest
    while not enough(high):
        high *= 2
        if high > _MOST:
            return None
    low = fewest - 1 if high == fewest else high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _quantiles(*probabilities: float) -> Callable[[int], float]:
    """Return the sum of the quantiles of Student's t for a number of clusters."""
    return lambda n_clusters: sum(student(probability, n_clusters - 1) for probability in probabilities)


def student(probability: float, df: float) -> float:
    """Return a quantile of Student's t (Abramowitz and Stegun 1964, 26.7.5); good to 1 % from three degrees on.

    >>> round(student(0.975, 5), 2), round(student(0.975, 30), 3)
    (2.57, 2.042)
    """
    z = NormalDist().inv_cdf(probability)
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + g1 / df + g2 / df**2 + g3 / df**3 + g4 / df**4
