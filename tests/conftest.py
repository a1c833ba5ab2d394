"""What tests share: a cache of their own, sound files, and small datasets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from tests.installed import engine_python

from earwitness.scoring import ScoringOptions, score_clip
from earwitness.types import Clip, ClipScore, Dataset, Hypothesis, Transcript
from earwitness.workers.environments import variables_for

ROOT = Path(__file__).parents[1]
RATE_HZ = 16_000
# Programs for the interpreters of engines, whose packages are not here.
collect_ignore_glob = ["real/probes/*.py"]
SLOW = (
    "api/test_calls.py", "cli", "data/test_bundle.py", "docs", "engines/test_command.py",
    "engines/test_openai_api.py", "engines/test_presets.py", "examples", "labels/page/test_app.py",
    "labels/page/test_run.py", "reports", "runs", "scoring/stats/test_bootstrap_t.py", "server/test_api.py",
    "server/test_door.py", "server/test_hostile_clients.py", "workers",
)  # fmt: skip
"""Where tests start processes one after the other, or simulate: too much for a minute."""


# No test depends on speed, nor does how quickly examples are made.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
# Tests read whole sentences, whatever the width of the screen that they run on.
os.environ.pop("COLUMNS", None)
# A shell has what it starts in the background ignore Ctrl-C, and processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = [Path(__file__).parent / name for name in SLOW]
    for item in items:
        if any(item.path.is_relative_to(path) for path in slow):
            item.add_marker(pytest.mark.slow)
        # Hundreds of examples take half as long again when lines are counted, and reach few lines that others do not.
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)


def tone(seconds: float, rate_hz: int = RATE_HZ, channels: int = 1, hz: float = 440.0) -> np.ndarray:
    """A sine of amplitude 0.3, shape (n, channels), each channel half as loud as the one before."""
    wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.stack([wave / 2**n for n in range(channels)], axis=1).astype(np.float32)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def write_wav(tmp_path: Path) -> Callable[..., Path]:
    """Writes a wav file of so many seconds of tone into the test's folder."""
    import soundfile

    def write(name: str, seconds: float = 1.0, rate_hz: int = RATE_HZ, channels: int = 1) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(seconds, rate_hz, channels), rate_hz)
        return path

    return write


@pytest.fixture
def three_clips(tmp_path: Path, write_wav: Callable[..., Path]) -> Path:
    """A manifest of three clips of 1, 2 and 3 seconds with references."""
    rows = []
    for seconds, text in ((1, "one"), (2, "two words"), (3, "three little words")):
        write_wav(f"{seconds}.wav", seconds)
        row: dict[str, Any] = {"audio_filepath": f"{seconds}.wav", "text": text, "lang": "en", "id": f"clip{seconds}"}
        rows.append(row)
    manifest = tmp_path / "three.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest


@pytest.fixture(scope="session")
def in_engine() -> Callable[..., Any]:
    """Runs a program of tests/real/probes with the interpreter of an engine; skips where there is none."""
    root = Path(__file__).parent

    def run(engine: str, probe: str, *arguments: str) -> Any:
        python = engine_python(engine)
        environment = {**variables_for(python), "HF_HUB_OFFLINE": "1"}
        command = [str(python), str(root / "real" / "probes" / probe), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


def clip(id_: str = "a", reference: str | None = "hello", recording: str = "", **more: Any) -> Clip:
    """A clip that has no audio, for scoring."""
    return Clip(id_, "", "", 0.0, 1.0, reference, more.pop("language", "en"), recording=recording or id_, **more)


def heard(text: str, clip_id: str = "a", **more: Any) -> Hypothesis:
    """A hypothesis with a text."""
    return Hypothesis(clip_id, Transcript(text), None, audio_s=more.pop("audio_s", 1.0), **more)


def score_of(reference: str, text: str, language: str, options: ScoringOptions) -> ClipScore:
    """What a text scores against a reference."""
    return score_clip(clip("a", reference, language=language), heard(text), options)


def empty_dataset() -> Dataset:
    """A dataset without clips."""
    return Dataset("none", (), "")
