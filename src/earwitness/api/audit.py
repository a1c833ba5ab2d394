"""``earwitness audit`` as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource, RecordSources, paths
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.data import DataProblem
    from earwitness.labels.audit import Audit
    from earwitness.records.select import RunWithClips
    from earwitness.types import Dataset

AuditProgress = Callable[[int, int], None]


def audit(
    data: RecordSource,
    runs: RecordSources = "runs",
    *,
    columns: Mapping[str, str] | None = None,
    overlay: RecordSource | None = None,
    order: RecordSource | None = None,
    progress: AuditProgress | None = None,
) -> Audit:
    """Return the references of a dataset that are probably wrong, and what the ranking would be without them.

    Nothing is transcribed: the texts of finished runs are compared with the dataset's present references.

    Args:
        data: A corpus, a manifest, a folder, or a dataset of a bundle.
        runs: Records, or folders that hold some; those over other data are passed over.
        columns: Which column of a table, or key of JSON lines, has what, such as ``{"text": "Wording"}``.
        overlay: File of labels for corrected error rates; ``None`` for the one that belongs to ``data``.
        order: Where to write the order in which to check clips, as a label plan; ``None`` writes nothing.
        progress: Called with how many clips are done, of how many.

    Raises:
        DataNotFoundError: When there is no such dataset.
        ComparisonError: When no run is over it, or runs were scored in different ways.
        RecordError: For a record or an overlay that cannot be read.
        UsageError: When no clip has a reference.
        FileError: When the plan cannot be written.
    """
    from earwitness.engines.families import shared_lineages
    from earwitness.labels.apply import usable_labels
    from earwitness.labels.audit import audit_runs
    from earwitness.labels.audit_plan import audit_plan
    from earwitness.labels.overlay import overlay_path, read_labels
    from earwitness.labels.plan_file import write_plan

    dataset, found = _runs(data, runs, columns)
    if not any(clip.reference for clip in dataset.clips):
        raise UsageError(
            f"The dataset {dataset.name!r} itself has no references, and an audit checks those. "
            f"For an error rate from labels, run: earwitness label {data}"
        )
    labels = read_labels(Path(overlay) if overlay is not None else overlay_path(str(data))).labels
    usable = usable_labels(dataset.clips, labels).labels if labels else {}
    result = audit_runs(
        found,
        dataset.name,
        references={clip_id: label.reference for clip_id, label in usable.items()},
        remarks=shared_lineages(run.run.model.weights_id for run in found),
        progress=progress,
    )
    if order is not None:
        write_plan(Path(order), audit_plan(result.order, dataset.clips, [run.label for run in found]))
    return result


def reference_problems(
    data: RecordSource, runs: RecordSources, *, columns: Mapping[str, str] | None = None
) -> list[DataProblem]:
    """Return the problem of references that do not belong to their audio, if runs show it.

    Args:
        data: As for ``audit``.
        runs: As for ``audit``.
        columns: As for ``audit``.

    Raises:
        ComparisonError: When no run is over the dataset.
        RecordError: For a record that cannot be read.
    """
    from earwitness.data import DataProblem
    from earwitness.records.run_texts import families_of, texts_of_runs
    from earwitness.scoring.findings.reference_mismatch import reference_mismatch

    dataset, found = _runs(data, runs, columns)
    mismatch = reference_mismatch(texts_of_runs(found), families_of(found))
    return [] if mismatch is None else [DataProblem("error", str(data), None, mismatch.sentence(dataset.name))]


def _runs(
    data: RecordSource, runs: RecordSources, columns: Mapping[str, str] | None
) -> tuple[Dataset, list[RunWithClips]]:
    from earwitness import data as room
    from earwitness.labels.audit_records import runs_over

    dataset = room.load(str(data), columns=columns)
    return dataset, runs_over(dataset, paths(runs))
