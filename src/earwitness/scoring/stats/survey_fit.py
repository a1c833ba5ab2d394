"""The point estimate of a labelled pool, its residuals, and what labels alone would give.

``survey.py`` has the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.tuning import FOLDS, Draw, Indices, deal_folds, slope, total


@dataclass(frozen=True, slots=True)
class SurveyPool:
    """What is known of all clips of a pool before anybody labels one; arrays have one entry a clip, shape (N,)."""

    strata: Indices
    """Number of the clip's stratum, from 0."""
    proxy_errors: Counts
    """A guess of the clip's errors, or of the difference of two models' errors; zeros for no guess."""
    proxy_words: Counts
    """A guess of the clip's reference words; zeros for no guess."""
    recordings: Indices
    """Number of the clip's recording, from 0."""
    certain: frozenset[int] = frozenset()
    """Strata that need no label: the errors of their clips are 0 by design, as where two models wrote the same text.
    Their words are guessed: the proxy's, times the words that labels show per word of the proxy."""


@dataclass(frozen=True, slots=True)
class SurveyLabels:
    """What a person found in the labelled clips; arrays have one entry a label, shape (n,)."""

    places: Indices
    """The clip's place in the pool; each once."""
    errors: Counts
    """Errors of a model, or errors of one less those of another; 0 for a clip that does not count."""
    words: Counts
    """Reference words; 0 for a clip that does not count."""


class RateFit(NamedTuple):
    """A rate, and what its variance comes from."""

    rate: float
    """Errors per reference word."""
    words: float
    """Reference words of the pool, estimated."""
    residuals: Counts
    """Of the errors less rate times those of the words; one a label."""
    draw: Draw
    """The labelled clips."""
    error_slopes: Counts
    """lambda of each fold."""
    word_slopes: Counts
    """mu of each fold."""


class RandomLabels(NamedTuple):
    """What labels of clips drawn at random would give, without strata and proxies."""

    spread: float
    """Standard deviation of a clip's errors less its words times the rate, over the pool."""
    n_pool: int
    """Clips of the pool."""
    words: float
    """Reference words of the pool."""
    whole: bool
    """Whether nothing is left to learn once all clips of the pool are labelled."""

    def error(self, n_labels: float) -> float:
        """Return the standard error of a rate from so many labels."""
        left = 1 / n_labels - (1 / self.n_pool if self.whole else 0.0)
        return float(self.n_pool * self.spread * np.sqrt(max(0.0, left)) / self.words)

    def labels_for(self, error: float) -> float | None:
        """Return how many labels have that standard error; ``None`` where clips do not vary."""
        if not self.spread > 0:
            return None
        left = (error * self.words / (self.n_pool * self.spread)) ** 2
        return 1 / (left + (1 / self.n_pool if self.whole else 0.0))


def fit_rate(pool: SurveyPool, labels: SurveyLabels, seed: int) -> RateFit | str:
    """Return the estimated rate of the pool, or the reason why there is none.

    Args:
        pool: All clips.
        labels: Labelled clips; none in a stratum that is certain.
        seed: Of the folds.
    """
    # A stratum that is certain may have no clip, and be the last one.
    sizes = np.bincount(pool.strata, minlength=max(pool.certain, default=-1) + 1).astype(float)
    sizes[[*pool.certain]] = 0.0
    strata = pool.strata[labels.places]
    draw = Draw(strata, deal_folds(strata, np.random.default_rng(seed)), sizes)
    missing = int(np.count_nonzero((draw.labels < 1) & (sizes > 0)))
    if missing:
        verb = "has" if missing == 1 else "have"
        return f"{missing} of the {np.count_nonzero(sizes)} strata of the plan {verb} no label yet"
    error_slopes, word_slopes = _slopes(pool, labels, draw)
    errors, errors_left = _total(pool, labels.errors, pool.proxy_errors, error_slopes, labels.places, draw)
    words, words_left = _total(pool, labels.words, pool.proxy_words, word_slopes, labels.places, draw)
    words += _certain_words(pool, labels, draw)
    if not words > 0:
        return "the labelled clips have no reference words"
    rate = errors / words
    return RateFit(rate, words, errors_left - rate * words_left, draw, error_slopes, word_slopes)


def label_weights(draw: Draw) -> Counts:
    """Return how many clips of the pool each label stands for; shape (n,)."""
    return (draw.sizes / np.maximum(draw.labels, 1))[draw.strata]


def _slopes(pool: SurveyPool, labels: SurveyLabels, draw: Draw) -> tuple[Counts, Counts]:
    """Return lambda and mu of each fold, from the labels outside of it."""
    proxy_errors, proxy_words = pool.proxy_errors[labels.places], pool.proxy_words[labels.places]
    error_slopes, word_slopes = np.zeros(FOLDS), np.zeros(FOLDS)
    for fold in range(FOLDS):
        out = draw.folds != fold
        strata, errors, words = draw.strata[out], labels.errors[out], labels.words[out]
        weights = (draw.sizes / np.maximum(np.bincount(strata, minlength=len(draw.sizes)), 1))[strata]
        rate = float(weights @ errors) / max(float(weights @ words), 1.0)
        word_slopes[fold] = slope(words, proxy_words[out], strata, draw.sizes)
        linear = errors - rate * (words - word_slopes[fold] * proxy_words[out])
        error_slopes[fold] = slope(linear, proxy_errors[out], strata, draw.sizes)
    return error_slopes, word_slopes


def _total(
    pool: SurveyPool, y: Counts, proxy: Counts, slopes: Counts, places: Indices, draw: Draw
) -> tuple[float, Counts]:
    sums = np.bincount(pool.strata, proxy, len(draw.sizes)).astype(float)
    by_stratum, residuals = total(y, proxy[places], sums, slopes, draw)
    return float(by_stratum[draw.sizes > 0].sum()), residuals


def _certain_words(pool: SurveyPool, labels: SurveyLabels, draw: Draw) -> float:
    """Return a guess of the reference words in strata that need no label."""
    certain = np.isin(pool.strata, [*pool.certain])
    if not certain.any():
        return 0.0
    weights = label_weights(draw)
    guessed = float(weights @ pool.proxy_words[labels.places])
    per_word = float(weights @ labels.words) / guessed if guessed > 0 else 0.0
    return per_word * float(pool.proxy_words[certain].sum())


def random_labels(pool: SurveyPool, labels: SurveyLabels, fit: RateFit, *, whole: bool) -> RandomLabels:
    """Return what labels of clips drawn at random would give, as far as the present labels show.

    Args:
        pool: All clips.
        labels: Labelled clips.
        fit: Of them.
        whole: Whether the pool is all that is asked about.
    """
    n_pool = len(pool.strata)
    weights = label_weights(fit.draw)
    linear = labels.errors - fit.rate * labels.words
    # Clips of certain strata have no errors; their words are guessed.
    rest = -fit.rate * pool.proxy_words[np.isin(pool.strata, [*pool.certain])]
    mean = (float(weights @ linear) + float(rest.sum())) / n_pool
    square = (float(weights @ linear**2) + float(rest @ rest)) / n_pool
    return RandomLabels(max(0.0, square - mean**2) ** 0.5, n_pool, fit.words, whole)


def proxy_correlation(pool: SurveyPool, labels: SurveyLabels, fit: RateFit) -> float | None:
    """Return the correlation over the pool of errors less rate times words with the same of the proxies, in -1..1.

    ``None`` where either does not vary.
    """
    weights = label_weights(fit.draw)
    y = labels.errors - fit.rate * labels.words
    guess = pool.proxy_errors[labels.places] - fit.rate * pool.proxy_words[labels.places]
    y = y - np.average(y, weights=weights)
    guess = guess - np.average(guess, weights=weights)
    size = float(weights @ y**2) * float(weights @ guess**2)
    return float(weights @ (y * guess)) / size**0.5 if size > 0 else None
