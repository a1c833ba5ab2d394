"""The texts of several runs side by side, clip by clip, and whose witnesses they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from earwitness.engines.families import family_of, lineage_of
from earwitness.records.record import ClipResult
from earwitness.records.select import RunWithClips
from earwitness.scoring.findings.clip_texts import ClipTexts, clip_texts


def texts_of_runs(runs: Sequence[RunWithClips]) -> list[ClipTexts]:
    """Return the normalized texts of every clip, in the order of the first run that has it.

    Args:
        runs: Over the same data, scored in the same way, with distinct labels.
    """
    lines: dict[str, dict[str, ClipResult]] = {}
    for run in runs:
        for result in run.results:
            lines.setdefault(result.clip.id, {})[run.label] = result
    normalizer = runs[0].run.scoring.normalizer if runs else "auto"
    return [_texts(by_label, normalizer) for by_label in lines.values()]


def _texts(by_label: Mapping[str, ClipResult], normalizer: str) -> ClipTexts:
    clip = next(iter(by_label.values())).clip
    return clip_texts(clip, {label: result.hypothesis for label, result in by_label.items()}, normalizer)


def families_of(runs: Sequence[RunWithClips]) -> dict[str, str]:
    """Return the family of each run's weights, by label: runs of one family are one witness.

    Args:
        runs: With distinct labels.
    """
    return {run.label: family_of(run.run.model.weights_id) for run in runs}


def lineages_of(runs: Sequence[RunWithClips]) -> dict[str, str]:
    """Return the lineage of each family: families of one lineage make some of the same errors.

    Args:
        runs: With distinct labels.
    """
    return {family_of(run.run.model.weights_id): lineage_of(run.run.model.weights_id) for run in runs}
