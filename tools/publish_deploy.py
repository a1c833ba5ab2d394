"""Write the alert rules and the dashboard into deploy/; --check only says whether they are up to date."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

from published import publish  # type: ignore[import-not-found]

from earwitness.deployment.dashboard import dashboard

FOLDER = Path(__file__).resolve().parents[1] / "deploy"


def main() -> int:
    """Write or compare; 1 when a file on disk is not what the code says."""
    rules = files("earwitness.deployment") / "templates" / "prometheus" / "alerts.yml"
    made = {
        "prometheus/alerts.yml": rules.read_text(encoding="utf-8"),
        "grafana/dashboards/earwitness.json": json.dumps(dashboard(), indent=1) + "\n",
    }
    return int(publish(FOLDER, made))


if __name__ == "__main__":
    sys.exit(main())
