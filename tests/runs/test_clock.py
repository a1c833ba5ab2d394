"""The clock against an engine that sleeps for a known time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from earwitness.types import Settings
from earwitness.workers.worker import Worker


def test_the_clock_of_the_worker_holds_the_work_and_lies_within_the_time_of_the_caller(tmp_path: Path) -> None:
    sleeps_s = (0.05, 0.1, 0.2)
    answers = {str(16_000 * n): {"text": "slept", "sleep_s": sleep_s} for n, sleep_s in enumerate(sleeps_s, start=1)}
    (tmp_path / "script.json").write_text(json.dumps(answers))
    audio = tmp_path / "audio.f32"
    np.zeros(16_000 * len(sleeps_s), np.float32).tofile(audio)
    with Worker("fake", f"fake:{tmp_path}", tmp_path, "cpu", Settings(threads=1)) as worker:
        for seconds, sleep_s in enumerate(sleeps_s, start=1):
            began_s = time.perf_counter()
            wall_s = worker.transcribe(audio, 16_000 * seconds, 16_000, "en", budget_s=120).wall_s
            assert sleep_s <= wall_s <= time.perf_counter() - began_s


@pytest.mark.real  # it depends on a clock, and is not run beside others
@pytest.mark.parametrize("sleep_s", [0.5, 0.8])
def test_the_clock_shows_a_known_time_to_2_percent(tmp_path: Path, sleep_s: float) -> None:
    (tmp_path / "script.json").write_text(json.dumps({"*": {"text": "slept", "sleep_s": sleep_s}}))
    audio = tmp_path / "audio.f32"
    np.zeros(16_000, np.float32).tofile(audio)
    with Worker("fake", f"fake:{tmp_path}", tmp_path, "cpu", Settings(threads=1)) as worker:
        walls = [worker.transcribe(audio, 16_000, 16_000, "en", budget_s=120).wall_s for _ in range(8)]
    # A busy machine wakes a sleeper late; it never wakes one early. The least late of them shows the clock itself.
    assert min(walls) >= sleep_s
    assert min(walls) == pytest.approx(sleep_s, rel=0.02)
