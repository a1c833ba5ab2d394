"""A label plan as a file: written in one step, read with a check against its schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from earwitness.errors import UsageError
from earwitness.files.atomic import write_text
from earwitness.files.schema import read_document, schema_of, to_json
from earwitness.labels.plan import SCHEMA_VERSION, LabelPlan
from earwitness.labels.pool import LabelPool


def write_plan(path: Path, plan: LabelPlan) -> None:
    """Write a plan; readers see the old one or the new one, never half of one.

    Raises:
        FileError: When it cannot be written.
    """
    write_text(path, to_json(plan))


def read_plan(path: Path) -> LabelPlan:
    """Read a plan.

    Raises:
        RecordError: When it is not there, not JSON, from a newer Earwitness, or does not fit the schema.
    """
    return read_document(
        LabelPlan,
        path,
        SCHEMA_VERSION,
        what="a label plan",
        missing="label plan",
        remedy="Make one: earwitness label DATA --runs RUNS --plan --out FILE",
    )


def refuse_other_pool(plan: LabelPlan, pool: LabelPool) -> None:
    """Refuse a plan that was made for other clips.

    Raises:
        UsageError: When the clips of the pool are not those of the plan.
    """
    if plan.pool_sha256 != pool.sha256:
        raise UsageError(
            f"The plan is for other clips (sha256 {plan.pool_sha256[:12]}, the data have {pool.sha256[:12]}). "
            "Make a new plan, or name the data of the plan."
        )


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of a label plan."""
    return schema_of(LabelPlan, "Earwitness label plan")
