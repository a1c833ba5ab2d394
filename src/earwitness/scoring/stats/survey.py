"""An error rate of a pool of clips of which a person has labelled a few: survey sampling.

The pool has N clips in strata. Of the N_h clips of a stratum, n_h were drawn at random and labelled. Errors e and
reference words n are known for these alone; two *proxies* are known for all: f, a guess of the errors (such as the
distance to the consensus of other models), and g, a guess of the words (such as the length of the consensus). The
difference estimator takes the guesses for the whole pool and corrects them by what the labels show (Cochran, *Sampling
Techniques*, 1977; Särndal, Swensson and Wretman, *Model Assisted Survey Sampling*, 1992):

    E = sum over the pool of  lambda f   +  sum over the labels of  (e - lambda f) N_h / n_h
    N = the same with n, mu and g           rate = E / N

It is right on average whatever the proxy is worth; a good one makes it precise. ``lambda`` and ``mu`` come from the
labels of *other* folds (``tuning.py``), because a proxy that is tuned on the labels that it corrects looks better than
it is. The variance is that of the residuals d = (e - lambda f) - rate (n - mu g) (Cochran, section 6.13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earwitness.counts import are, quantity
from earwitness.errors import UsageError
from earwitness.scoring.stats.clusters import FEWEST, Counts
from earwitness.scoring.stats.survey_fit import SurveyLabels, SurveyPool, fit_rate, proxy_correlation, random_labels
from earwitness.scoring.stats.survey_interval import half_width, total_variance
from earwitness.scoring.stats.survey_rounds import recordings_error
from earwitness.scoring.stats.tuning import Indices
from earwitness.types import Target

__all__ = ["SurveyEstimate", "SurveyLabels", "SurveyPool", "estimate_rate"]
FEWEST_LABELS = 10
"""With fewer labels in all there is no interval."""
FEWEST_IN_STRATUM = 2
"""With fewer labels in a stratum, nothing is known of how its clips vary."""


@dataclass(frozen=True, slots=True)
class SurveyEstimate:
    """An error rate, or a difference of two, from few labels."""

    value: float | None
    """A ratio; ``None`` with ``reason``."""
    ci95: tuple[float, float] | None
    """95 % interval; ``None`` with ``reason``."""
    reason: str | None
    """Why the value or the interval is missing."""
    target: Target
    """What the number is about."""
    n_pool: int
    """Clips of the pool."""
    n_labels: int
    """Labelled clips."""
    n_effective: float | None = None
    """Labels that plain random labelling would need for the same standard error; ``None`` without an interval."""
    correlation: float | None = None
    """Of errors and proxy, over the pool, in -1..1; ``None`` where either does not vary."""
    half_width_alone: float | None = None
    """Half the width of the interval that as many labels of clips drawn at random would give, without strata and
    proxies; ``None`` without an interval."""


def estimate_rate(
    pool: SurveyPool,
    labels: SurveyLabels,
    *,
    target: Target = "this pool",
    lowest: float = -np.inf,
    seed: int = 0,
) -> SurveyEstimate:
    """Return an error rate of the pool, or of recordings like those of the pool, from the labelled clips.

    Args:
        pool: All clips.
        labels: Labelled clips: in every stratum a random sample of its clips.
        target: ``this pool`` or ``recordings like these``.
        lowest: The interval does not reach below it: 0 for a rate, -infinity for a difference.
        seed: Of the folds, and of the rounds over recordings.

    Raises:
        UsageError: For another target.

    >>> n = np.arange(200)
    >>> pool = SurveyPool(n % 2, np.zeros(200), np.full(200, 10.0), n)
    >>> labels = SurveyLabels(n[:40], (n[:40] % 4 == 0) * 2.0, np.full(40, 10.0))
    >>> found = estimate_rate(pool, labels, lowest=0.0)
    >>> found.value, [round(end, 3) for end in found.ci95]
    (0.05, [0.028, 0.072])
    """
    if target not in ("this pool", "recordings like these"):
        raise UsageError(f"There is no estimate for {target!r} from few labels. Choose 'this pool'.")
    fit = fit_rate(pool, labels, seed)
    size = (target, len(pool.strata), len(labels.places))
    if isinstance(fit, str):
        return SurveyEstimate(None, None, fit, *size)
    variance, degrees = total_variance(fit.residuals, fit.draw)
    few = _too_few(fit.draw.labels, fit.draw.sizes)
    if few is None and target == "recordings like these":
        few = _too_few_recordings(pool.recordings[labels.places])
    if few is not None:
        return SurveyEstimate(fit.rate, None, few, *size)
    alone = random_labels(pool, labels, fit, whole=target == "this pool")
    error = float(np.sqrt(variance)) / fit.words
    if target == "recordings like these":
        # Other clips vary at least as much as these do by themselves; recordings may add to it.
        others = alone.error(len(pool.strata))
        error = max(float(np.hypot(error, others)), recordings_error(pool, labels, fit, seed=seed))
    if not error > 0:
        same = "no interval: all labelled clips show the same, so they cannot say how much clips vary"
        return SurveyEstimate(fit.rate, None, same, *size)
    half = half_width(error, degrees)
    return SurveyEstimate(
        fit.rate,
        (max(lowest, fit.rate - half), fit.rate + half),
        None,
        *size,
        n_effective=alone.labels_for(error),
        correlation=proxy_correlation(pool, labels, fit),
        half_width_alone=half_width(alone.error(len(labels.places)), len(labels.places) - 1),
    )


def _too_few(n: Counts, sizes: Counts) -> str | None:
    if n.sum() < FEWEST_LABELS:
        return f"no interval: it takes at least {FEWEST_LABELS} labels, and there {are(int(n.sum()))}"
    thin = int(np.count_nonzero(n < np.minimum(FEWEST_IN_STRATUM, sizes)))
    if thin:
        return f"no interval: {quantity(thin, 'stratum', 'strata')} of the plan needs one more label"
    return None


def _too_few_recordings(recordings: Indices) -> str | None:
    n_recordings = len(np.unique(recordings))
    if n_recordings < FEWEST:
        return f"no interval: it takes labels in at least {FEWEST} recordings, and there {are(n_recordings)}"
    return None
