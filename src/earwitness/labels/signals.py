"""What says before any label how much a clip may teach: the distance between models, length, language, findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earwitness.labels.pool import LabelPool, distance, proxies
from earwitness.scoring.stats.clusters import Counts

_WORDS_A_SECOND = 2.5
"""Of speech, for clips that no model transcribed."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of each clip before a label; arrays have one entry a clip, shape (N,)."""

    distance: Counts
    """Words between what models wrote, a mean; zeros without two families of models."""
    words: Counts
    """A guess of the words that were said."""
    languages: tuple[str, ...]
    """Language of the clip; empty when unknown."""
    odd: npt.NDArray[np.bool_]
    """Whether a text of a model has a finding."""
    has_runs: bool = True
    """Whether models were run: without, ``distance`` and ``odd`` say nothing."""


def signals_of(pool: LabelPool, models: Sequence[str], goal: str = "wer") -> Signals:
    """Return the signals of each clip.

    Args:
        pool: All clips.
        models: Labels of the models that count: for a difference two, whose distance to each other counts; else the
            mean of their distances to the consensus of other families.
        goal: One of ``plan.GOALS``.

    Without runs the length is guessed from the clip's duration.
    """
    languages = tuple(clip.language or "" for clip in pool.clips)
    chosen = [place for place, label in enumerate(pool.labels) if label in models]
    if not chosen:
        words = np.array([round(_WORDS_A_SECOND * clip.duration_s) for clip in pool.clips], float)
        return Signals(np.zeros(len(words)), words, languages, np.zeros(len(words), bool), has_runs=False)
    odd = np.any([pool.models[place].odd for place in chosen], axis=0)
    guesses = [proxies(pool, place) for place in chosen]
    words = np.mean([guess[1] for guess in guesses], axis=0)
    if goal == "difference":
        apart = gaps(pool, *chosen).astype(float)
    else:
        apart = np.mean([guess[0] for guess in guesses], axis=0)
    return Signals(apart, words, languages, odd)


def gaps(pool: LabelPool, first: int, second: int) -> npt.NDArray[np.int64]:
    """Return the edits between the texts of two models, by clip; shape (N,).

    Edits are a metric, so the errors of the two models against any reference differ by no more than this.
    """
    count = distance(pool)
    texts = zip(pool.models[first].words, pool.models[second].words, strict=True)
    return np.array([count(place, one, other) for place, (one, other) in enumerate(texts)], np.int64)
