"""Write the published JSON Schemas into docs/schema/; with --check, only say whether they are up to date."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from published import publish  # type: ignore[import-not-found]

from earwitness.decision.baseline import baseline_schema
from earwitness.decision.decision_file import decision_schema
from earwitness.labels.overlay import label_schema
from earwitness.labels.plan_file import plan_schema
from earwitness.records.store import clips_schema, run_schema

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schema"


def main() -> int:
    """Write or compare; 1 when a schema on disk is not the one in the code."""
    schemas = {
        "run.json": run_schema(),
        "clip-result.json": clips_schema(),
        "baseline.json": baseline_schema(),
        "decision.json": decision_schema(),
        "label.json": label_schema(),
        "label-plan.json": plan_schema(),
    }
    return int(publish(FOLDER, {n: json.dumps(s, indent=1, ensure_ascii=False) + "\n" for n, s in schemas.items()}))


if __name__ == "__main__":
    sys.exit(main())
