"""Speech activity in a run: looked for once, kept in the record and in the cache, and never in the engine's way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import clip, heard

from earwitness.files.fetch import cache_dir
from earwitness.records import store
from earwitness.records.record import Run, SpeechInfo
from earwitness.runs.speech import SpeechDetector, SpeechModel
from earwitness.types import Dataset, Failure, Hypothesis

HOLDS = ("snr.py",)

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "earwitness", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return run


def records(root: Path) -> list[tuple[Path, Run]]:
    return [(path, store.read_run(path)) for path in store.find_records([root / "runs"])]


def fake_model(folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "script.json").write_text(json.dumps({"*": {"text": "Thanks for watching!"}}))
    return f"fake:{folder}"


def test_without_a_model_nothing_is_heard_and_no_file_is_touched(tmp_path: Path) -> None:
    listener = SpeechDetector(SpeechModel(reason="none"), tmp_path / "not there")
    assert listener.hear(clip(), Dataset("d", (), ""), heard("x")) is None
    assert listener.wall_s == 0


def test_audio_that_could_not_be_read_is_not_listened_to(tmp_path: Path) -> None:
    failed = Hypothesis("a", None, Failure("audio", "error", "cut short"), audio_s=1.0)
    listener = SpeechDetector(SpeechModel("m", tmp_path / "not there"), tmp_path / "not there")
    assert listener.hear(clip(), Dataset("d", (), ""), failed) is None


def test_a_run_without_the_model_says_why_and_is_complete(
    cli: Cli, three_clips: Path, tmp_path: Path, cache: Path
) -> None:
    done = cli("run", three_clips, "--model", fake_model(tmp_path / "m"))
    assert done.returncode == 0, done.stderr
    ((path, run),) = records(tmp_path)
    assert run.speech == SpeechInfo(None, "its model is not pulled. Run once with --speech")
    assert all(result.speech is None for result in store.read_clips(path))
    assert not (cache / "speech").exists()


@pytest.mark.real
def test_speech_is_found_once_kept_and_used_by_rescoring(
    cli: Cli, three_clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(cache_dir() / "speech", cache / "speech", ignore=shutil.ignore_patterns("found"))
    monkeypatch.setenv("EARWITNESS_CACHE", str(cache))
    run = ("run", three_clips, "--model", fake_model(tmp_path / "m"), "--speech")
    done = cli(*run)
    assert done.returncode == 0, done.stderr
    ((first, record),) = records(tmp_path)
    assert record.speech.model == "silero-vad 6.2.3"
    assert [result.speech for result in store.read_clips(first)] == [(), (), ()]  # tones
    # Only one that reads what was kept can say this of a tone.
    kept = list((cache / "speech" / "found").rglob("*.json"))
    assert len(kept) == 3
    for path in kept:
        path.write_text("[[0.25, 0.5]]\n")
    done = cli(*run)
    assert done.returncode == 0, done.stderr
    again = next(path for path, _ in records(tmp_path) if path != first)
    assert [result.speech for result in store.read_clips(again)] == [((0.25, 0.5),)] * 3
    done = cli("rescore", first, "--normalizer", "basic")
    assert done.returncode == 0, done.stderr
    made = next(path for path, run in records(tmp_path) if run.parent)
    assert [result.speech for result in store.read_clips(made)] == [(), (), ()]


@pytest.mark.real
def test_findings_are_shown_clip_by_clip_with_their_places(cli: Cli, three_clips: Path, tmp_path: Path) -> None:
    rows = [{**json.loads(line), "text": None} for line in three_clips.read_text().splitlines()]
    unlabelled = three_clips.with_name("unlabelled.jsonl")
    unlabelled.write_text("".join(json.dumps({k: v for k, v in row.items() if v}) + "\n" for row in rows))
    assert cli("run", unlabelled, "--model", fake_model(tmp_path / "m"), "--speech").returncode == 0
    (answer,) = json.loads(cli("analyze", "completeness", "runs", "--json").stdout).values()
    assert answer["counts"] == {"text_without_speech": 3, "ghost_phrase": 3}
    assert [one["end_s"] for one in answer["findings"] if one["kind"] == "ghost_phrase"] == [1.0, 2.0, 3.0]
    assert "ghost_phrase 3" in cli("analyze", "completeness", "runs").stdout


def test_a_wer_above_one_hundred_percent_names_its_cause_in_run_and_compare(
    cli: Cli, three_clips: Path, tmp_path: Path
) -> None:
    for name, text in (("looping", "thank you " * 20), ("good", "three little words")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "script.json").write_text(json.dumps({"*": {"text": text}}))
    done = cli("run", three_clips, "--model", f"fake:{tmp_path / 'looping'}", "--no-speech")
    why = "WER is 2000 % because 114 words were inserted where 6 were said: 114 in 3 clips with a loop"
    assert why in " ".join(done.stdout.split())
    assert cli("run", three_clips, "--model", f"fake:{tmp_path / 'good'}", "--no-speech").returncode == 0
    assert why in " ".join(cli("compare", "runs").stdout.split())
