"""The composite action of this repository, its steps run by a shell as GitHub would run them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.examples.test_workflows import around, prepared, sh, study, write_better_baseline

__all__ = ["around", "prepared", "study"]
ROOT = Path(__file__).parents[2]


def action() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return document


def steps(**inputs: str) -> list[tuple[str, dict[str, str]]]:
    """What each step runs and its variables, where its inputs have these values."""
    document = action()
    assert set(inputs) <= set(document["inputs"])
    values = {f"inputs.{name}": inputs.get(name, row["default"]) for name, row in document["inputs"].items()}
    values["github.action_path"] = str(ROOT)
    rows = []
    for step in document["runs"]["steps"]:
        if step.get("if") == "inputs.models != ''" and not values["inputs.models"]:
            continue
        variables = {
            name: re.sub(r"\$\{\{ (.+?) \}\}", lambda match: values[match[1]], text)
            for name, text in step["env"].items()
        }
        rows.append((step["run"], variables))
    return rows


def run_steps(study: Path, around: dict[str, str], tmp_path: Path, **inputs: str) -> tuple[int, str, str]:
    """Run the steps after the install; return the exit code, the outputs and the summary."""
    outputs, summary = tmp_path / "outputs", tmp_path / "summary.md"
    files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"}
    for path in (outputs, summary):
        path.write_text("", "utf-8")
    code = 0
    for command, variables in steps(**inputs)[1:]:
        code = sh(command, study.parent, {**around, **files, **variables}).returncode
    return code, outputs.read_text("utf-8"), summary.read_text("utf-8")


@pytest.mark.real
def test_the_action_passes_fails_and_tells_an_error_apart(study: Path, around: dict[str, str], tmp_path: Path) -> None:
    chosen = {"folder": study.name, "models": "fake:echo fake:chat"}
    code, outputs, summary = run_steps(study, around, tmp_path, **chosen)
    assert (code, outputs) == (0, "verdict=pass\n")
    assert "The gate is open" in summary
    write_better_baseline(study)
    code, outputs, summary = run_steps(study, around, tmp_path, **chosen)
    assert (code, outputs) == (1, "verdict=fail\n")
    assert "The gate is shut" in summary
    code, outputs, _ = run_steps(study, around, tmp_path, **chosen, baseline="none.json")
    assert (code, outputs) == (2, "verdict=error\n")


@pytest.mark.real
@pytest.mark.long
def test_the_action_installs_the_package_that_it_stands_beside(around: dict[str, str], tmp_path: Path) -> None:
    command, variables = steps(extras="")[0]
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    fresh = {**around, "PATH": f"{tmp_path / 'venv' / 'bin'}:{around['PATH']}", "PIP_NO_INDEX": "0"}
    assert sh("python -m pip install --quiet hatchling hatch-vcs", tmp_path, fresh).returncode == 0
    alone = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "false"}
    done = sh(command, tmp_path, {**fresh, **variables, **alone})
    assert done.returncode == 0, done.stderr
    (package,) = (tmp_path / "venv").glob("lib/*/site-packages/earwitness")
    assert (package / "cli").is_dir()


@pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="there is no shellcheck here: apt-get install shellcheck"
)
def test_the_scripts_of_the_action_are_clean_under_shellcheck() -> None:
    for command, _ in steps(models="one"):
        done = subprocess.run(["shellcheck", "-s", "sh", "-"], input=command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
