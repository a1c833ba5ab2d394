"""Ranks models: tests every pair on the same clips, gives ranks with ties, and estimates the audio to break a tie.

Counts are taken as they stand in the records. How the tests work, and why ties have ranges of ranks, is told in
``scoring/significance.py`` and ``scoring/ranks.py``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from earwitness.records.record import ClipResult
from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.metrics.text_blocks import text_blocks, why_no_blocks
from earwitness.scoring.stats.clusters import FEWEST, Amounts, ClusterBy, Counts, cluster_of
from earwitness.scoring.stats.power import AudioPlan, separate
from earwitness.scoring.stats.ranks import PairVerdict, Ranks, rank_label, ranks
from earwitness.scoring.stats.significance import ALPHA, Difference, difference, holm
from earwitness.scoring.stats.within_recording import difference_within
from earwitness.types import Clip, Hypothesis, Target

__all__ = ["AudioPlan", "PairTest", "Ranking", "rank", "shared_counts", "shared_texts"]
_ROUNDS = 4000


@dataclass(frozen=True, slots=True)
class PairTest:
    """Two runs over the same clips; the first has the lower WER, or the same."""

    first: str
    """Label of one run."""
    second: str
    """Label of the other."""
    difference: Difference
    """WER of the second less that of the first, with its uncorrected tests."""
    p: float | None
    """Of the permutation, corrected by Holm for the number of pairs; ``None`` with ``difference.reason``."""
    told_apart: bool
    """Whether the difference is called, at 5 % over all pairs."""
    plan: AudioPlan | None
    """What it would take to tell them apart; ``None`` when they are."""

    @property
    def comparable(self) -> bool:
        """Whether there are enough recordings for a test; without a test, two runs neither differ nor tie."""
        return self.difference.p is not None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Runs over the same clips, ranked."""

    ranks: Mapping[str, Ranks]
    """By label, lowest WER first: the ranks that the tests leave open."""
    pairs: tuple[PairTest, ...]
    """Every pair, in the same order."""

    @property
    def target(self) -> Target | None:
        """What the ranks are about; ``None`` for a single run."""
        return self.pairs[0].difference.target if self.pairs else None

    @property
    def why_none(self) -> str | None:
        """Why there is no rank, in one sentence, if no pair can be tested; ``None`` if one can, or for a single run."""
        if not self.pairs or any(pair.comparable for pair in self.pairs):
            return None
        reasons = dict.fromkeys(pair.difference.reason or "" for pair in self.pairs)
        return f"Not ranked: their error rates cannot be compared: {'; '.join(reasons)}"


def rank(
    runs: Mapping[str, Sequence[ClipResult]],
    *,
    by: ClusterBy = "recording",
    seed: int = 0,
    scoring: ScoringInfo | None = None,
) -> Ranking:
    """Rank runs over the same clips.

    With four recordings and more, the ranks are those on recordings like these. With fewer, recordings say nothing of
    others like them; the ranks are then those on these recordings, by blocks within them.

    Args:
        runs: Clip results by label, under the same scoring; clips without a reference, or not in all, are passed over.
        by: What clips are summed by.
        seed: Of the tests.
        scoring: How the texts were scored, to cut them into blocks where recordings are few; ``None`` for not doing so.
    """
    counts, lengths, clusters, audio_s = shared_counts(runs, by)
    order = sorted(counts, key=lambda label: (counts[label].sum(), label))
    places = list(combinations(range(len(order)), 2))
    alpha = ALPHA / max(1, len(places))
    if scoring is not None and len(set(clusters)) < FEWEST and why_no_blocks(scoring) is None:
        blocks = text_blocks(shared_texts(runs, order), scoring, by=by, n_pairs=len(places))
        tested = [difference_within(blocks, b, a, audio_s=audio_s, seed=seed) for a, b in places]
        plans = partial(
            _plan, dict(zip(order, blocks.errors, strict=False)), blocks.lengths, range(len(blocks.lengths))
        )
    else:
        tested = [
            difference(counts[order[b]], counts[order[a]], lengths, clusters, rounds=_ROUNDS, seed=seed)
            for a, b in places
        ]
        plans = partial(_plan, counts, lengths, clusters)
    corrected = holm([test.p for test in tested])
    pairs = []
    for (a, b), test, p in zip(places, tested, corrected, strict=True):
        apart = rank_label(test.value, p)
        plan = None if apart else plans(order[b], order[a], audio_s=audio_s, alpha=alpha)
        pairs.append(PairTest(order[a], order[b], test, p, apart, plan))
    verdicts = [
        PairVerdict(a, b, None if test.value is None else -test.value, p)
        for (a, b), test, p in zip(places, tested, corrected, strict=True)
    ]
    return Ranking(dict(zip(order, ranks(len(order), verdicts), strict=True)), tuple(pairs))


def _plan(
    counts: Mapping[str, Counts],
    lengths: Amounts,
    clusters: Sequence[Hashable],
    worse: str,
    better: str,
    *,
    audio_s: float,
    alpha: float,
) -> AudioPlan:
    return separate(counts[worse], counts[better], lengths, clusters, audio_s=audio_s, alpha=alpha)


def shared_texts(runs: Mapping[str, Sequence[ClipResult]], order: Sequence[str]) -> list[list[tuple[Clip, Hypothesis]]]:
    """Return the labelled clips that every run has, with the texts of each run, in the order of the labels."""
    by_id = {label: {result.clip.id: result for result in runs[label]} for label in order}
    first = runs[order[0]] if order else ()
    kept = [
        result.clip.id
        for result in first
        if result.score.words is not None and all(result.clip.id in found for found in by_id.values())
    ]
    return [[(by_id[label][key].clip, by_id[label][key].hypothesis) for key in kept] for label in order]


def shared_counts(
    runs: Mapping[str, Sequence[ClipResult]], by: ClusterBy = "recording"
) -> tuple[dict[str, Counts], list[int], list[str], float]:
    """Return what every run has: errors by label, reference lengths and clusters, all by clip, and seconds of audio."""
    labelled = {
        label: {r.clip.id: (r, r.score.words) for r in results if r.score.words is not None}
        for label, results in runs.items()
    }
    first = next(iter(labelled.values()), {})
    kept = [key for key in first if all(key in results for results in labelled.values())]
    counts = {
        label: np.array([words.errors for _, words in (results[key] for key in kept)], dtype=float)
        for label, results in labelled.items()
    }
    lengths = [first[key][1].length for key in kept]
    clips = [first[key][0].clip for key in kept]
    return counts, lengths, [cluster_of(clip, by) for clip in clips], sum(clip.duration_s for clip in clips)
