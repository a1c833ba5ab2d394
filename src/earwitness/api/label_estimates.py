"""What the labels of a plan say of all clips, and whether there are enough, as functions."""

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
    from earwitness.labels.sequence import StopAdvice


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
    from earwitness.labels.overlay import read_labels
    from earwitness.records.select import newest_with_clips

    found = _plan_of(overlay, plan)
    labels = read_labels(Path(overlay)).labels
    return estimate_labels(found, labels, newest_with_clips(paths(runs)), rate=rate, target=target, seed=seed)


def label_stop(
    overlay: RecordSource, *, runs: RecordSources, plan: LabelPlan | RecordSource | None = None
) -> StopAdvice:
    """Say whether you may stop labelling, for a plan whose goal is the difference of two models.

    You may ask after every label: the answer holds over all looks together.

    Args:
        overlay: The file of labels.
        runs: Records of the two models over the clips of the plan, or folders that hold some.
        plan: The plan, or its file; ``None`` for the one beside the overlay.

    Raises:
        UsageError: For a plan with another goal, runs over other clips, a run that is not there, or a scoring with
            compounds, alternatives or sclite's costs; for spans of long clips, runs whose words have no times.
        ComparisonError: When the runs are over different clips, or scored in different ways.
        RecordError: When the labels, the plan or a record cannot be read.
    """
    from earwitness.labels.overlay import read_labels
    from earwitness.labels.sequence import stop_advice
    from earwitness.records.select import newest_with_clips

    found = _plan_of(overlay, plan)
    return stop_advice(found, read_labels(Path(overlay)).labels, newest_with_clips(paths(runs)))


def _plan_of(overlay: RecordSource, plan: LabelPlan | RecordSource | None) -> LabelPlan:
    from earwitness.labels.overlay import plan_path
    from earwitness.labels.plan_file import read_plan

    if plan is None or isinstance(plan, (str, os.PathLike)):
        return read_plan(plan_path(Path(overlay)) if plan is None else Path(plan))
    return plan
