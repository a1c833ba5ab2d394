"""How a rate from few labels varies over recordings like those of the pool: the bootstrap of the whole procedure.

In every round, recordings are drawn with replacement, each with its clips and the labels that they have. The strata are
counted again, so a round weighs its labels by its own ``N_h / n_h``, and the rate is estimated anew. What varies from
round to round is then both which recordings there are and which of their clips were labelled. The slopes of the proxies
stay those of the folds.
"""

from __future__ import annotations

import numpy as np

from earwitness.scoring.stats.clusters import Counts, draws
from earwitness.scoring.stats.survey_fit import RateFit, SurveyLabels, SurveyPool
from earwitness.scoring.stats.tuning import Indices

_ROUNDS = 1000
_CELLS = 4_000_000


def recordings_error(pool: SurveyPool, labels: SurveyLabels, fit: RateFit, *, seed: int) -> float:
    """Return the standard error of a rate over recordings like those of the pool.

    Args:
        pool: All clips.
        labels: Labelled clips.
        fit: Of them.
        seed: Of the rounds.
    """
    sums = _sums(pool, labels, fit)
    n_recordings = len(sums)
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // n_recordings)
    rates = [
        _rates(np.tensordot(draws(n_recordings, min(step, _ROUNDS - start), rng), sums, axes=1))
        for start in range(0, _ROUNDS, step)
    ]
    found = np.concatenate(rates)
    found = found[np.isfinite(found)]
    # Drawing from K recordings shows the variety of K - 1.
    return float(found.std() * (n_recordings / max(1, n_recordings - 1)) ** 0.5) if len(found) > 1 else 0.0


def _sums(pool: SurveyPool, labels: SurveyLabels, fit: RateFit) -> Counts:
    """Return sums by recording and stratum, shape (K, H, 6): clips, labels, guesses and residuals of both totals."""
    n_strata, n_recordings = len(fit.draw.sizes), int(pool.recordings.max()) + 1
    cells = pool.recordings * n_strata + pool.strata
    error_slopes, word_slopes = fit.error_slopes.mean(), fit.word_slopes.mean()
    counted = (fit.draw.sizes > 0)[pool.strata].astype(float)
    errors = labels.errors - error_slopes * pool.proxy_errors[labels.places]
    words = labels.words - word_slopes * pool.proxy_words[labels.places]

    def by_cell(values: Counts, places: Indices) -> Counts:
        return np.bincount(places, values, n_recordings * n_strata).astype(float)

    there = cells[labels.places]
    columns = (
        by_cell(counted, cells),
        by_cell(np.ones(len(there)), there),
        by_cell(counted * error_slopes * pool.proxy_errors, cells),
        by_cell(np.where(counted > 0, word_slopes, 1.0) * pool.proxy_words, cells),
        by_cell(errors, there),
        by_cell(words, there),
    )
    return np.stack(columns, axis=1).reshape(n_recordings, n_strata, len(columns))


def _rates(sums: Counts) -> Counts:
    """Return the rate of each round, NaN without words; a stratum without a label gets the residuals of the others."""
    clips, n, guess_e, guess_n, left_e, left_n = np.moveaxis(sums, 2, 0)
    some = n > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(some, clips / np.maximum(n, 1), 0.0)
        bare = np.where(some, 0.0, clips).sum(axis=1)
        reached = np.where(some, clips, 0.0).sum(axis=1)
        more = 1 + np.where(reached > 0, bare / reached, 0.0)
        errors = guess_e.sum(axis=1) + more * (weight * left_e).sum(axis=1)
        words = guess_n.sum(axis=1) + more * (weight * left_n).sum(axis=1)
        rates: Counts = errors / words
    return rates
