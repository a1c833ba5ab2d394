"""``earwitness label --plan`` as a function: which clips to label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earwitness.api.data import read_data
from earwitness.api.records import RecordSource, RecordSources, paths, several
from earwitness.errors import UsageError
from earwitness.labels.plan import GOALS, LabelGoal, LabelPlan
from earwitness.labels.span_id import unit_noun as unit_noun

if TYPE_CHECKING:
    from earwitness.labels.pool import LabelPool
    from earwitness.records.select import RunWithClips
    from earwitness.types import Dataset


def label_plan(
    data: RecordSource | Dataset,
    *,
    runs: RecordSources = (),
    labels: int = 60,
    goal: str = "wer",
    models: str | Iterable[str] = (),
    limit: float | None = None,
    seed: int = 0,
    out: RecordSource | None = None,
) -> LabelPlan:
    """Plan which clips of a dataset to label, so that few labels give narrow intervals.

    Clips that have a reference need no label. Of clips of over 30 s without one, a person labels spans of 8 to 25 s,
    which are cut at pauses; their ids say where they lie, as in ``call@8.00-21.35``. Of long clips that cannot be
    decoded, a stratum has the names, and nobody is asked to label them. Without runs, the plan is a random
    sample by language and length.

    Args:
        data: As for ``read_data``, or a dataset.
        runs: Records over these clips, or folders that hold some; they need no references.
        labels: How many labels to plan; the order goes on after them.
        goal: ``wer`` of each model, ``difference`` of two, or ``gate``: a limit on the WER, which has the
            plan of ``wer``.
        models: Labels of the runs that count, such as model ids; empty for all. A difference takes two.
        limit: Of a gate: the WER, a ratio.
        seed: The same seed over the same clips and runs gives the same plan.
        out: Where to write the plan as JSON; ``None`` writes nothing.

    Raises:
        UsageError: For a goal that there is not, options that do not go together, or a difference over long
            recordings by runs whose words have no times.
        DataError: When the data cannot be read.
        ComparisonError: When the runs are over other clips, or scored in different ways.
        FileError: When the plan cannot be written.

    >>> label_plan("sample", labels=6)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    earwitness.errors.UsageError: There is nothing to label: each of ... clips has a reference.
    """
    from earwitness.labels.plan import plan_labels
    from earwitness.labels.plan_file import write_plan
    from earwitness.labels.spans import require_word_times
    from earwitness.records.select import newest_with_clips
    from earwitness.types import Dataset

    dataset = data if isinstance(data, Dataset) else read_data(data)
    sources = several(runs)
    found = newest_with_clips(paths(sources)) if sources else []
    pool = pool_to_label(dataset, found)
    if goal == "difference" and found:
        require_word_times(found, [unit.id for unit in pool.clips])
    chosen = tuple([models] if isinstance(models, str) else models)
    plan = plan_labels(pool, labels, goal=goal_of(goal), models=chosen, limit=limit, seed=seed)
    if out is not None:
        write_plan(Path(out), plan)
    return plan


def pool_to_label(dataset: Dataset, runs: Sequence[RunWithClips]) -> LabelPool:
    """Return the clips of a dataset, long ones in spans, with the texts of runs over the whole clips.

    Args:
        dataset: Whose clips are to be labelled.
        runs: Over its clips, whole.
    """
    from earwitness.labels.pool import pool_of
    from earwitness.labels.spans import in_spans
    from earwitness.labels.units import units_of

    found = units_of(dataset.clips, runs)
    cut = in_spans(runs, [unit.id for unit in found.units]) if runs else ()
    return pool_of(found.units, cut, found.undecodable)


def goal_of(name: str) -> LabelGoal:
    """Return the goal of that name.

    Raises:
        UsageError: When there is none.
    """
    for goal in GOALS:
        if goal == name:
            return goal
    raise UsageError(f"There is no goal {name!r}. Choose {', '.join(GOALS[:-1])} or {GOALS[-1]}.")


def plain_plan(plan: LabelPlan) -> dict[str, Any]:
    """Return a plan as values for JSON, with the planned clips only; the file of the plan has the order of all."""
    from earwitness.files.schema import plain

    values: dict[str, Any] = plain(plan)
    for key in ("order", "stratum_of"):
        del values[key]
    for stratum, value in zip(plan.strata, values["strata"], strict=True):
        value["probability"] = stratum.probability
    values["clips"] = [
        {"id": clip_id, "stratum": plan.strata[n].name}
        for clip_id, n in zip(plan.clips, plan.stratum_of[: plan.n_labels], strict=True)
    ]
    return values
