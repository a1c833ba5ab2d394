"""Jobs of scripted models, for tests that run them in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from earwitness import data
from earwitness.engines.catalog import Model
from earwitness.records.record import RunLimits, Selection
from earwitness.runs.drive import Job
from earwitness.types import Settings


def write_script(folder: Path, answers: dict[str, dict[str, Any]]) -> None:
    """Write what the fake engine says, by the number of seconds of a clip; ``*`` for the rest."""
    folder.mkdir(parents=True, exist_ok=True)
    by_samples = {key if key == "*" else str(16_000 * int(key)): value for key, value in answers.items()}
    (folder / "script.json").write_text(json.dumps(by_samples))


def job(folder: Path, manifest: Path, answers: dict[str, dict[str, Any]], **more: Any) -> Job:
    """A job of a scripted model, called after its folder."""
    write_script(folder, answers)
    return Job(
        model=Model(f"fake:{folder.name}", "fake", f"fake/{folder.name}", sources=(f"path:{folder}",)),
        folder=folder,
        weights_sha256="0" * 64,
        dataset=data.load(manifest),
        selection=Selection(str(manifest)),
        settings=more.pop("settings", Settings(threads=2)),
        limits=more.pop("limits", RunLimits(warmup=0)),
        **more,
    )


def quiet(*_: object) -> None:
    """Report nothing."""
