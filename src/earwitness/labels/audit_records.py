"""The runs with which a dataset can be audited: of the same clips, whatever references they were scored against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from earwitness.errors import ComparisonError
from earwitness.records.record import ClipResult, Run
from earwitness.records.rescore import score_result
from earwitness.records.select import RunWithClips, labels_of, newest, refuse_unequal_signatures
from earwitness.records.store import read_clips
from earwitness.types import Clip, Dataset

_MOST_CLIPS = 0.9
"""Share of the dataset's clips that a run over an older version of it must have."""


def runs_over(dataset: Dataset, records: Sequence[Path], left_out: list[str] | None = None) -> list[RunWithClips]:
    """Return the newest runs over the clips of a dataset, in its order, scored against its present references.

    A run over an older version counts if its clips have the same ids and audio: corrected references need no new
    transcription. Runs under a condition, such as noise, do not count.

    Args:
        dataset: As it is now.
        records: Paths of records.
        left_out: Gets a sentence for each run of the dataset that is not returned.

    Raises:
        ComparisonError: When there is no such run, or runs were scored in different ways.
        RecordError: For a record that cannot be read.
    """
    found = [
        (path, run) for path, run in newest(records, [] if left_out is None else left_out) if _may_fit(dataset, run)
    ]
    clips = {clip.id: clip for clip in dataset.clips}
    fitting = [(path, run, results) for path, run in found if (results := _results(path, run, clips, dataset))]
    if not fitting:
        raise ComparisonError(
            f"No complete run is over the clips of {dataset.name!r}. Run a model on it: "
            f"earwitness run {dataset.source or dataset.name} --model MODEL"
        )
    refuse_unequal_signatures([(path, run) for path, run, _ in fitting])
    labels = labels_of([run for _, run, _ in fitting])
    return [
        RunWithClips(path, run, results, label) for label, (path, run, results) in zip(labels, fitting, strict=True)
    ]


def _may_fit(dataset: Dataset, run: Run) -> bool:
    return run.dataset.condition is None and run.dataset.n_clips >= _MOST_CLIPS * len(dataset.clips)


def _results(path: Path, run: Run, clips: dict[str, Clip], dataset: Dataset) -> tuple[ClipResult, ...]:
    lines = {result.clip.id: result for result in read_clips(path)}
    if run.dataset.sha256 == dataset.sha256:
        return tuple(lines[clip.id] for clip in dataset.clips if clip.id in lines)
    kept = [
        _against(lines[clip.id], clip, run)
        for clip in clips.values()
        if clip.id in lines and _is_same_audio(lines[clip.id].clip, clip)
    ]
    return tuple(kept) if kept and len(kept) >= _MOST_CLIPS * len(clips) else ()


def _is_same_audio(first: Clip, second: Clip) -> bool:
    places = [(clip.audio_sha256, clip.start_s, clip.channel) for clip in (first, second)]
    return bool(first.audio_sha256) and places[0] == places[1]


def _against(result: ClipResult, clip: Clip, run: Run) -> ClipResult:
    """Return a line with the dataset's present clip, scored again only if its reference or language changed."""
    same = (result.clip.reference, result.clip.language) == (clip.reference, clip.language)
    if same:
        return replace(result, clip=clip)
    return score_result(clip, result.hypothesis, run.scoring, result.speech)
