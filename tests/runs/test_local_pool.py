"""The pool of this machine: every clip once, whatever happens to a worker."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.runs.jobs import write_script

from earwitness.engines.catalog import Model
from earwitness.records.record import RunLimits
from earwitness.runs.local_pool import LocalPool
from earwitness.runs.pool import ClipPool, PoolResult, PoolSpec
from earwitness.types import Clip, Settings
from earwitness.workers.supervisor import GivenUpError

HOLDS = ("pieces.py", "pool.py")


def spec(folder: Path, answers: dict[str, dict[str, object]], **more: object) -> PoolSpec:
    write_script(folder, answers)
    model = Model(f"fake:{folder.name}", "fake", "fake/x", sources=(f"path:{folder}",))
    return PoolSpec(model, folder, None, settings=Settings(threads=1), **more)  # type: ignore[arg-type]


def clip(folder: Path, seconds: int, name: str = "") -> Clip:
    path = folder / f"{name or seconds}.wav"
    soundfile.write(path, np.zeros(16_000 * seconds, np.float32), 16_000)
    return Clip(path.stem, str(path), "", 0.0, float(seconds), None, duration_kind="stated")


def texts(results: Iterator[PoolResult]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for result in results:
        hypothesis = result.hypothesis
        assert hypothesis.clip_id not in found
        found[hypothesis.clip_id] = hypothesis.transcript.text if hypothesis.transcript else None
    return found


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_every_clip_has_one_result_and_a_slow_one_holds_up_no_other(tmp_path: Path, scratch: Path) -> None:
    made = spec(tmp_path / "m", {"1": {"text": "slow", "sleep_s": 1.0}, "*": {"text": "quick"}})
    clips = [clip(tmp_path, 1, "first"), *(clip(tmp_path, 2, f"c{n}") for n in range(8))]
    pool: ClipPool = LocalPool(made, scratch, workers=2)
    with pool:
        found = texts(pool.transcribe(clips))
        assert list(found)[-1] == "first"
        assert found == {"first": "slow"} | {f"c{n}": "quick" for n in range(8)}
        assert texts(pool.transcribe([])) == {}
        assert texts(pool.transcribe(clips[:1])) == {"first": "slow"}
        assert pool.info is not None
        assert pool.info.device == "cpu"
    assert list(scratch.iterdir()) == []


def test_clips_are_taken_as_results_come_and_never_all_at_once(tmp_path: Path, scratch: Path) -> None:
    one, taken = clip(tmp_path, 1), []

    def endless() -> Iterator[Clip]:
        for number in count():
            taken.append(number)
            yield Clip(str(number), one.audio_path, "", 0.0, 1.0, None)

    with LocalPool(spec(tmp_path / "m", {"*": {"text": "x"}}), scratch, workers=1) as pool:
        results = pool.transcribe(endless())
        for _ in range(20):
            next(results)
    assert len(taken) < 40


def test_a_clip_that_kills_its_worker_or_cannot_be_read_fails_alone(tmp_path: Path, scratch: Path) -> None:
    made = spec(tmp_path / "m", {"1": {"model": "crash"}, "2": {"model": "error"}, "*": {"text": "x"}})
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    clips = [clip(tmp_path, 1), clip(tmp_path, 2), Clip("broken", str(broken), "", 0.0, 0.0, None), clip(tmp_path, 3)]
    with LocalPool(made, scratch, workers=1) as pool:
        results = {r.hypothesis.clip_id: r.hypothesis for r in pool.transcribe(clips)}
    stages = {key: h.failure and (h.failure.stage, h.failure.kind) for key, h in results.items()}
    assert stages == {
        "1": ("transcribe", "crash"),
        "2": ("transcribe", "error"),
        "broken": ("audio", "error"),
        "3": None,
    }


def test_a_model_that_does_not_load_is_an_error_and_not_a_result(tmp_path: Path, scratch: Path) -> None:
    made = spec(tmp_path / "m", {})
    (tmp_path / "m" / "script.json").unlink()
    with LocalPool(made, scratch, workers=2) as pool, pytest.raises(GivenUpError, match="needs a script"):
        list(pool.transcribe([clip(tmp_path, 1)]))


def test_workers_that_die_one_after_the_other_are_an_error_after_their_results(tmp_path: Path, scratch: Path) -> None:
    made = spec(tmp_path / "m", {"*": {"model": "crash"}}, limits=RunLimits(warmup=0, max_deaths=2))
    clips = [clip(tmp_path, 1, f"c{n}") for n in range(6)]
    seen = []
    with LocalPool(made, scratch, workers=1) as pool, pytest.raises(GivenUpError, match="2 workers died"):
        seen += list(pool.transcribe(clips))
    assert len(seen) <= 2
