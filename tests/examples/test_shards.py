"""The scripts that run shards: as they are shipped, with real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.records.same import content
from tests.runs.test_run import script

from earwitness.records import store

EXAMPLES = Path(__file__).parents[2] / "examples" / "shards"
SCRIPTS = sorted(EXAMPLES.glob("*.sh"))


def sh(folder: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    around = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **variables}
    return subprocess.run([*map(str, command)], cwd=folder, env=around, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("there is no shellcheck here: apt-get install shellcheck")
    done = subprocess.run(["shellcheck", str(path)], capture_output=True, text=True)
    assert done.stdout == ""


def test_processes_side_by_side_give_the_record_of_one(tmp_path: Path, three_clips: Path) -> None:
    model = script(tmp_path / "m", _1={"text": "one"}, other={"text": "two words"})
    done = sh(tmp_path, EXAMPLES / "parallel.sh", "3", three_clips, "--model", model)
    assert done.returncode == 0, done.stderr
    assert "merged: " in done.stdout
    assert sh(tmp_path, "earwitness", "run", three_clips, "--model", model, "--out", "alone").returncode == 0
    (alone,) = store.find_records([tmp_path / "alone"])
    records = store.find_records([tmp_path / "runs"])
    (merged,) = [path for path in records if store.read_run(path).machines]
    assert len(records) == 4
    assert content(merged) == content(alone)


def test_tasks_of_an_array_run_their_shard_and_go_on_with_it_when_slurm_starts_them_again(
    tmp_path: Path, three_clips: Path
) -> None:
    model = script(tmp_path / "m", other={"text": "one"})
    arguments = (EXAMPLES / "slurm.sh", three_clips, "--model", model, "--out", "runs")
    array = {"SLURM_ARRAY_TASK_COUNT": "2"}
    assert sh(tmp_path, *arguments, SLURM_ARRAY_TASK_ID="1", **array).returncode == 0
    # Stopped before it began, and after it was done.
    for shard in ("2", "1"):
        done = sh(tmp_path, *arguments, SLURM_ARRAY_TASK_ID=shard, SLURM_RESTART_COUNT="1", **array)
        assert done.returncode == 0, done.stderr
    records = [store.read_run(path) for path in store.find_records([tmp_path / "runs"])]
    assert sorted(run.dataset.selection.shard or "" for run in records) == ["1/2", "2/2"]
    assert sh(tmp_path, "earwitness", "merge", "runs").returncode == 0
    refused = sh(tmp_path, *arguments)
    assert "Submit this with sbatch --array" in refused.stderr
