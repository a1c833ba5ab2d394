"""The workflow files run, as far as a shell can take them: every step that is a command, in a fresh folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples" / "pipeline"
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def machine(home: Path) -> dict[str, str]:
    """The variables of one with Earwitness on its path and nothing pulled: models are scripted."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EARWITNESS_CACHE": str(home / "cache"),
        "PIP_NO_INDEX": "1",
        "HOME": str(home),
    }


@pytest.fixture
def around(tmp_path: Path) -> dict[str, str]:
    return machine(tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that has what the page tells to put into it."""
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copy2(EXAMPLES / "measure.sh", folder)
    for command in ("earwitness init", "earwitness run", "earwitness gate runs --baseline baseline.json --update"):
        done = sh(command, folder, machine(folder))
        assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / "runs")
    write_slow_baseline(folder)
    return folder


@pytest.fixture
def study(tmp_path: Path, prepared: Path) -> Path:
    """The same, checked out."""
    return Path(shutil.copytree(prepared, tmp_path / "study"))


def sh(command: str, folder: Path, around: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-ec", command], cwd=folder, env=around, capture_output=True, text=True, timeout=120)


def steps_of_github() -> tuple[list[str], dict[str, str]]:
    workflow = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    return [step["run"] for step in job["steps"] if "run" in step], workflow["env"]


def steps_of_gitlab() -> tuple[list[str], dict[str, str]]:
    (job,) = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text("utf-8")).values()
    return [*job["before_script"], *job["script"]], job["variables"]


def cron_lines() -> list[tuple[str, str]]:
    """Times and commands of the crontab; assignments and comments passed over."""
    found = []
    for line in (EXAMPLES / "crontab").read_text("utf-8").splitlines():
        if line and not line.startswith("#") and not re.match(r"\w+=", line):
            *times, command = line.split(None, 5)
            found.append((" ".join(times), command))
    return found


def run_all(steps: list[str], variables: dict[str, str], folder: Path, around: dict[str, str]) -> Any:
    done = None
    for step in steps:
        done = sh(step, folder, {**around, **variables, "MODELS": "fake:echo fake:chat"})
        assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"
    return done


def write_slow_baseline(study: Path) -> None:
    """Let no run be slower than the baseline, however busy the machine is: it is the steps that are held here."""
    baseline = json.loads((study / "baseline.json").read_text("utf-8"))
    for entry in baseline["entries"]:
        for name, seconds in entry["pace"].items():
            if name in ("rtf", "latency_p95_s") and seconds is not None:
                entry["pace"][name] = 1000 * seconds
    (study / "baseline.json").write_text(json.dumps(baseline))


def write_better_baseline(study: Path) -> None:
    """Take the deletions out of the baseline, so that the same runs are worse than it."""
    better = json.loads((study / "baseline.json").read_text("utf-8"))
    for entry in better["entries"]:
        for clip in entry["clips"].values():
            edits = clip["edits"]
            clip["edits"] = {"hits": edits["hits"] + edits["deletions"], "substitutions": edits["substitutions"]}
    (study / "baseline.json").write_text(json.dumps(better))


@pytest.mark.real
def test_the_steps_for_github_measure_and_judge(study: Path, around: dict[str, str], tmp_path: Path) -> None:
    steps, variables = steps_of_github()
    summary = tmp_path / "summary.md"
    around |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    run_all(steps, variables, study, around)
    assert "The gate is open" in summary.read_text("utf-8")
    assert ET.parse(study / "gate.xml").getroot().get("failures") == "0"
    write_better_baseline(study)
    done = sh("./measure.sh", study, around)
    assert done.returncode == 1
    assert "::error title=fake%3Aecho on sample::WER" in done.stdout


@pytest.mark.real
def test_the_steps_for_gitlab_measure_and_judge(study: Path, around: dict[str, str]) -> None:
    steps, variables = steps_of_gitlab()
    run_all(steps, {**variables, "EARWITNESS_CACHE": around["EARWITNESS_CACHE"]}, study, around)
    assert ET.parse(study / "gate.xml").getroot().get("failures") == "0"


@pytest.mark.real
def test_the_line_for_cron_measures_in_the_folder_of_the_study(study: Path, around: dict[str, str]) -> None:
    ((times, command),) = cron_lines()
    for field, (least, most) in zip(times.split(), RANGES, strict=True):
        assert field == "*" or least <= int(field) <= most
    assert "%" not in command, "cron takes it for the end of a line"
    assert study == Path(around["HOME"]) / "study"
    done = sh(command, Path(around["HOME"]), around)
    assert (done.returncode, done.stdout) == (0, "")
    assert "passed: fake:echo on sample" in (study / "measure.log").read_text("utf-8")
    (study / "baseline.json").unlink()
    assert "There is no baseline 'baseline.json'" in sh(command, Path(around["HOME"]), around).stdout


@pytest.mark.skipif(shutil.which("crontab") is None, reason="there is no crontab here: apt-get install cron")
def test_crontab_takes_the_file_and_would_refuse_a_wrong_one(tmp_path: Path) -> None:
    def checked(path: Path) -> int:
        return subprocess.run(["crontab", "-n", path], capture_output=True).returncode

    wrong = tmp_path / "crontab"
    wrong.write_text((EXAMPLES / "crontab").read_text("utf-8").replace("15 3 ", "15 25 "))
    assert (checked(EXAMPLES / "crontab"), checked(wrong)) == (0, 1)


def test_every_example_says_what_goes_where_and_can_be_run() -> None:
    for name in ("github-actions.yml", "gitlab-ci.yml", "crontab"):
        text = (EXAMPLES / name).read_text("utf-8")
        assert "measure.sh" in text
        assert text.startswith("# ")
    assert os.access(EXAMPLES / "measure.sh", os.X_OK)
