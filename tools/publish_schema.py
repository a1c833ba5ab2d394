"""Write the published JSON Schemas into docs/schema/; with --check, only say whether they are up to date."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from earwitness.compare.baseline import baseline_schema
from earwitness.compare.decision_file import decision_schema
from earwitness.runs.store import clips_schema, run_schema

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schema"


def main() -> int:
    """Write or compare; 1 when a schema on disk is not the one in the code."""
    stale = []
    for name, schema in (
        ("run.json", run_schema()),
        ("clip-result.json", clips_schema()),
        ("baseline.json", baseline_schema()),
        ("decision.json", decision_schema()),
    ):
        text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    print(f"{', '.join(stale) or 'nothing'} was not up to date")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
