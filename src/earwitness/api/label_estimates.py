"""What the labels of a plan say of all clips, as a function."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource, RecordSources, paths
from earwitness.labels.estimate import LabelEstimates as LabelEstimates
from earwitness.labels.pool import Rate
from earwitness.types import Target

if TYPE_CHECKING:
    from earwitness.labels.plan import LabelPlan


def label_estimates(
    overlay: RecordSource,
    *,
    runs: RecordSources,
    plan: LabelPlan | RecordSource | None = None,
    rate: Rate = "wer",
    target: Target = "this pool",
    seed: int = 0,
) -> LabelEstimates:
    """Estimate the error rate of each run, and the difference of every two, from the labels of a plan.

    ``compare`` shows the same; here are the details as well: how much the proxies help, which strata have no error,
    and which clips hold labels back.

    Args:
        overlay: The file of labels.
        runs: Records over the clips of the plan, or folders that hold some.
        plan: The plan, or its file; ``None`` for the one beside the overlay.
        rate: ``wer`` or ``cer``.
        target: ``this pool``: these very clips; ``recordings like these``: other recordings of the same kind.
        seed: Of folds and rounds.

    Raises:
        UsageError: When the runs are over other clips than the plan, or for another target.
        ComparisonError: When the runs are over different clips, or scored in different ways.
        RecordError: When the labels, the plan or a record cannot be read.
    """
    from earwitness.labels.estimate import estimate_labels
    from earwitness.labels.overlay import plan_path, read_labels
    from earwitness.labels.plan_file import read_plan
    from earwitness.records.select import newest_with_clips

    path = Path(overlay)
    if plan is None or isinstance(plan, (str, os.PathLike)):
        plan = read_plan(plan_path(path) if plan is None else Path(plan))
    labels = read_labels(path).labels
    return estimate_labels(plan, labels, newest_with_clips(paths(runs)), rate=rate, target=target, seed=seed)
