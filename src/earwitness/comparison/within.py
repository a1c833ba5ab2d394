"""Gives error rates an interval of *these recordings*, where there are too few of them for one of others like them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from earwitness.records.record import ClipResult, Run
from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.metrics.text_blocks import TextUnit, fewest, text_blocks, why_no_blocks
from earwitness.scoring.stats.bootstrap_t import Interval
from earwitness.scoring.stats.clusters import FEWEST, ClusterBy, cluster_of
from earwitness.scoring.stats.power import AudioPlan, narrow
from earwitness.scoring.stats.within_recording import rate_within
from earwitness.types import Score

_UNITS: dict[str, TextUnit] = {"wer": "words", "cer": "letters"}


def with_targets(run: Run, results: Sequence[ClipResult]) -> Run:
    """Return a run whose WER and CER say what their intervals are about.

    With fewer than four recordings the interval is that of these recordings, from their texts; without one, ``reason``
    says how long the recordings would have to be.

    Args:
        run: The run.
        results: Its clips.
    """
    return replace(run, scores=tuple(_with_target(score, run.scoring, results) for score in run.scores))


def _with_target(score: Score, scoring: ScoringInfo, results: Sequence[ClipResult]) -> Score:
    unit = _UNITS.get(score.metric)
    if unit is None or score.value is None:
        return score
    labelled = [result for result in results if result.score.words is not None]
    if score.ci95 is not None or len({cluster_of(result.clip) for result in labelled}) >= FEWEST:
        return replace(score, target="recordings like these")
    found = interval_within(labelled, scoring, unit)
    return replace(score, ci95=found.ci95, reason=found.reason, target="these recordings")


def interval_within(results: Sequence[ClipResult], scoring: ScoringInfo, unit: TextUnit = "words") -> Interval:
    """Return the interval of an error rate of these recordings.

    Args:
        results: Clips of a run.
        scoring: How they were scored.
        unit: ``letters`` for CER.
    """
    refused = why_no_blocks(scoring)
    if refused is not None:
        return Interval(None, f"no interval: {refused}")
    blocks = text_blocks([[(result.clip, result.hypothesis) for result in results]], scoring, unit=unit)
    audio_s = sum(result.clip.duration_s for result in results)
    return rate_within(blocks, audio_s=audio_s, fewest=fewest(unit))


def within_plan(
    results: Sequence[ClipResult], scoring: ScoringInfo, width: float, *, by: ClusterBy = "recording"
) -> AudioPlan:
    """Return how much more of these recordings brings the interval of WER to a width.

    Args:
        results: Clips of a run.
        scoring: How they were scored.
        width: Wished width; a ratio.
        by: What a recording is.
    """
    labelled = [result for result in results if result.score.words is not None]
    blocks = text_blocks([[(result.clip, result.hypothesis) for result in labelled]], scoring, by=by)
    audio_s = sum(result.clip.duration_s for result in labelled)
    return narrow(blocks.errors[0], blocks.lengths, range(len(blocks.lengths)), audio_s=audio_s, width=width)
