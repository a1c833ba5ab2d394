"""A dataset under a condition is run, recorded, resumed and compared as a dataset of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from earwitness import data
from earwitness.cli import main
from earwitness.errors import UsageError
from earwitness.records import store
from earwitness.records.record import Run
from earwitness.runs.conditions import under

HOLDS = ("plan.py", "reuse.py", "spec.py", "study_plan.py", "cli/conditions.py", "cli/options.py")


def runs(root: Path) -> list[tuple[Path, Run]]:
    return [(path, store.read_run(path)) for path in store.find_records([root / "runs"])]


def test_under_a_condition_name_and_hash_differ_and_the_clips_do_not(three_clips: Path) -> None:
    clean = data.load(three_clips)
    soft, loud = under(clean, "noise:20dB"), under(clean, "noise:0dB")
    assert soft.name == "three[noise:20dB]"
    assert len({clean.sha256, soft.sha256, loud.sha256}) == 3
    assert soft.clips == clean.clips
    assert soft.condition is not None
    assert soft.condition.clean_sha256 == clean.sha256
    assert under(clean, None) is clean
    assert under(clean, "noise:white:20dB") == soft


def test_babble_needs_a_crowd_before_the_first_clip(three_clips: Path) -> None:
    with pytest.raises(UsageError, match="'babble:0dB' needs more than 3 clips with speech"):
        under(data.load(three_clips), "babble:0dB")


def test_two_conditions_and_the_clean_audio_make_three_records(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [
        "run",
        str(three_clips),
        "-m",
        "fake:echo",
        "--condition",
        "pad:1s",
        "--condition",
        "noise:0dB+speed:2",
    ]
    assert main([*arguments, "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["dataset"] for answer in answers] == ["three", "three[pad:1s]", "three[noise:0dB+speed:2]"]
    clean, padded, fast = (store.read_run(tmp_path / answer["record"]) for answer in answers)
    assert clean.dataset.condition is None
    assert padded.dataset.condition is not None
    assert padded.dataset.condition.clean_sha256 == clean.dataset.sha256
    assert padded.dataset.selection.condition == "pad:1s"
    heard = [[r.hypothesis for r in store.read_clips(path)] for path, _ in runs(tmp_path)]
    lengths = sorted(tuple(h.audio_s for h in found) for found in heard)
    assert lengths == [(0.5, 1.0, 1.5), (1.0, 2.0, 3.0), (3.0, 4.0, 5.0)]
    texts = {h.transcript.text for found in heard for h in found if h.transcript}
    assert "heard 5.00 seconds" in texts
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "run.json").read_text())
    for path, _ in runs(tmp_path):
        jsonschema.validate(json.loads(path.read_text()), schema)
    assert fast.dataset.condition is not None
    assert fast.dataset.condition.family == "noise:*dB+speed:2"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        (["--condition", "mulaw", "--no-clean"], ["three[mulaw]"]),
        (["--condition", "mulaw", "--condition", "clean", "--no-clean"], ["three[mulaw]", "three"]),
        (["--condition", "noise:5dB", "--condition", "noise:white:5"], ["three", "three[noise:5dB]"]),
        (["--no-clean"], ["three"]),
    ],
)
def test_the_clean_audio_comes_first_unless_it_is_not_wanted(
    three_clips: Path, more: list[str], names: list[str]
) -> None:
    from earwitness.runs.plan import plan
    from earwitness.runs.spec import RunSpec

    asked = tuple(more[n + 1] for n, word in enumerate(more) if word == "--condition")
    clean = "--no-clean" not in more
    tasks = plan(RunSpec(sources=(str(three_clips),), models=("fake:echo",), conditions=asked, clean=clean))
    assert [task.job.dataset.name for task in tasks] == names


def test_a_condition_that_there_is_not_is_refused_before_the_first_clip(
    tmp_path: Path, three_clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(three_clips), "-m", "fake:echo", "--condition", "reverv:1s"]) == 2
    assert capsys.readouterr().err == "There is no condition 'reverv'. Did you mean 'reverb'?\n"
    assert not (tmp_path / "runs").exists()


def waiting_for(done: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_killed_under_a_condition_and_resumed_the_audio_is_altered_alike(tmp_path: Path, three_clips: Path) -> None:
    model = tmp_path / "m"
    model.mkdir()
    answers = {str(16_000 * n): {"text": f"padded {n}", "sleep_s": 0.4} for n in (3, 4, 5)}
    (model / "script.json").write_text(json.dumps(answers))
    command = [sys.executable, "-m", "earwitness", "run", str(three_clips), "--model", f"fake:{model}"]
    command += ["--condition", "pad:1s", "--no-clean", "--warmup", "0"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=tmp_path, **quiet)
    waiting_for(lambda: bool([f for f in tmp_path.rglob("*.clips.jsonl") if f.read_bytes().count(b"\n") >= 1]))
    process.send_signal(signal.SIGKILL)
    process.wait()
    ((path, run),) = runs(tmp_path)
    assert run.status == "running"
    resume = [sys.executable, "-m", "earwitness", "run", "--resume"]
    done = subprocess.run(resume, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert store.read_run(path).status == "complete"
    texts = [r.hypothesis.transcript.text for r in store.read_clips(path) if r.hypothesis.transcript]
    assert texts == ["padded 3", "padded 4", "padded 5"]


def test_what_can_be_listened_to_is_what_a_model_hears(
    tmp_path: Path, write_wav: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    from earwitness.runs.transcribe import decode

    source, out = write_wav("talk.wav", 2.0), tmp_path / "noisy.wav"
    wanted = ["conditions", "apply", str(source), "--condition", "noise:5dB+mulaw", "--out", str(out)]
    assert main(wanted) == 0
    dataset = under(data.load(source), "noise:5dB+mulaw")
    heard = decode(dataset.clips[0], dataset, tmp_path / "clip.f32")
    samples, rate_hz = soundfile.read(out, dtype="float32")
    assert rate_hz == 16_000
    assert np.array_equal(samples, np.fromfile(heard.path, "<f4"))
    before = out.read_bytes()
    assert main(wanted) == 2
    assert "already exists" in capsys.readouterr().err
    assert main([*wanted, "--force"]) == 0
    assert out.read_bytes() == before
    assert not list(tmp_path.glob(".noisy*"))


def test_conditions_are_listed_and_shown_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conditions", "list", "--json"]) == 0
    kinds = {row["kind"]: row for row in json.loads(capsys.readouterr().out)}
    assert kinds["mulaw"]["here"] == "yes"
    assert kinds["noise"]["variants"] == ["white", "pink"]
    assert main(["conditions", "show", "NOISE:pink:5+mulaw", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["name"], about["severity"], about["version"]) == ("noise:pink:5dB+mulaw", 5.0, "noise 1, mulaw 1")
