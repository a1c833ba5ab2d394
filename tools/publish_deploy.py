"""Write the alert rules and the dashboard into deploy/; --check only says whether they are up to date."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

from earwitness.serve.dashboard import dashboard

FOLDER = Path(__file__).resolve().parents[1] / "deploy"


def main() -> int:
    """Write or compare; 1 when a file on disk is not what the code says."""
    rules = files("earwitness.serve") / "deployment" / "prometheus" / "alerts.yml"
    made = {
        "prometheus/alerts.yml": rules.read_text(encoding="utf-8"),
        "grafana/dashboards/earwitness.json": json.dumps(dashboard(), indent=1) + "\n",
    }
    stale = []
    for name, text in made.items():
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
