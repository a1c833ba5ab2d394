"""The library's own loading, hearing and generation, on a tiny checkpoint with random weights.

liquid-audio needs a Python of its own and 6 GB: without it, these tests are skipped and say so.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.installed import engine_python

from earwitness.types import Settings
from earwitness.workers.environments import variables_for

pytestmark = [pytest.mark.real, pytest.mark.engines]
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python of an environment that has liquid-audio."""
    return engine_python("lfm2.5-audio")


@pytest.fixture(scope="session")
def environment(python: Path) -> dict[str, str]:
    """The variables of a worker there; one thread, so no waiting on the machine's other work."""
    return {**variables_for(python), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lfm2")


@pytest.fixture(scope="session")
def found(folder: Path, python: Path, environment: dict[str, str]) -> Any:
    """What the probe saw, in one process: importing the library takes seconds."""
    command = [str(python), str(HERE / "probe_lfm2.py"), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_it_loads_on_the_cpu_for_inference_with_every_setting_said(found: Any) -> None:
    assert found["device"] == "cpu"
    assert found["training"] == [False, False]
    assert found["in_force"].keys() >= Settings.__dataclass_fields__.keys()
    assert found["in_force"]["precision"] in ("float32", "bfloat16")
    assert (found["in_force"]["chunk_s"], found["in_force"]["threads"]) == (30.0, 1)
    assert found["precisions"] == {name: name for name in ("float32", "bfloat16", "float16")}


def test_every_length_has_a_text_and_all_of_it_was_heard(found: Any) -> None:
    lengths = found["lengths"]
    assert lengths["0"]["text"] == ""
    assert all(lengths[seconds]["text"] for seconds in ("0.1", "3", "70"))
    assert {s: round(told["covered_s"], 3) for s, told in lengths.items()} == {"0": 0, "0.1": 0.1, "3": 3, "70": 70}


def test_special_tokens_are_no_text(found: Any) -> None:
    # Random weights write "<|" by chance, and a whole name by none.
    assert not any(re.search(r"<\|\w+\|>", told["text"]) for told in found["lengths"].values())


def test_the_same_sound_gives_the_same_text_whatever_its_type_or_layout(found: Any) -> None:
    text = found["lengths"]["3"]["text"]
    assert found["again"]["text"] == text
    assert found["layouts"] == {"float64": text, "stereo": text, "int16": text}
    assert all(found["rates"])


def test_the_text_is_that_of_a_plain_call_of_the_library(found: Any) -> None:
    if found["in_force"]["precision"] != "float32":
        pytest.skip(
            "there is no processor here that chooses float32, as the plain call does: run it on one without AMX"
        )
    assert found["plain"] == found["lengths"]["3"]["text"]


def test_generation_that_reaches_its_limit_is_remarked_with_its_place(found: Any) -> None:
    """The tiny model never ends its turn."""
    assert found["lengths"]["3"]["remarks"] == ["token_limit"]
    remarks = found["lengths"]["70"]["remarks"]
    assert len(remarks) >= 3
    assert remarks[0] == "token_limit at 0.0-24.2 s"
    assert remarks[-1].endswith("-70.0 s")


def test_a_turn_that_ends_has_no_remark_and_one_that_goes_on_in_sound_has(found: Any) -> None:
    assert found["says_end"] == {"text": "", "remarks": [], "covered_s": 3.0}
    assert found["says_audio"] == {"text": "", "remarks": ["audio_reply"], "covered_s": 3.0}


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (
            "missing",
            r"EngineError: The checkpoint in .* lacks \d+ tensors \(lfm\.layers\.1\.\S+, .*, …\) of the \d+ that",
        ),
        ("one missing", "lacks 1 tensor (conformer.layers.0.conv.batch_norm.running_mean) of the"),
        ("shape", r"EngineError: The checkpoint in .* does not load: .*size mismatch for audio_adapter"),
        ("int8", "SettingsError: Precision 'int8' is not available"),
        ("cuda", "UnsupportedDeviceError: Device 'cuda' is not available: torch"),
        ("mps", "UnsupportedDeviceError: Device 'mps' is not available: torch"),
        ("no folder", "EngineError: Folder .* has no 'config.json'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(found: Any, case: str, sentence: str) -> None:
    message = found["refused"][case]
    if not message:
        pytest.skip(f"there is no machine without {case} here: run it on one")
    pattern = sentence if ".*" in sentence else re.escape(sentence)
    assert re.search(pattern, message), message
    assert "\n" not in message


def test_a_worker_transcribes_with_it(found: Any, folder: Path, python: Path, environment: dict[str, str]) -> None:
    samples = np.random.default_rng(0).standard_normal(16_000).astype("<f4") / 10
    samples.tofile(folder / "clip.f32")
    load = {"op": "load", "engine": "lfm2.5-audio", "model": "lfm2.5-audio:tiny", "folder": str(folder / "tiny"),
            "device": "cpu", "settings": {"threads": 1, "chunk_s": 12.0}}  # fmt: skip
    clip = {"op": "transcribe", "audio": str(folder / "clip.f32"), "samples": 16_000, "sample_rate_hz": 16_000,
            "language": "en"}  # fmt: skip
    lines = "".join(json.dumps(request) + "\n" for request in (load, clip, {"op": "close"}))
    child = subprocess.Popen(
        [str(python), "-m", "earwitness.workers.child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        child.stdin.write(lines)
        child.stdin.flush()
        loaded, heard, closed = (json.loads(child.stdout.readline()) for _ in range(3))
    assert child.wait(timeout=60) == 0
    assert loaded["event"] == "loaded", loaded
    assert loaded["in_force"]["chunk_s"] == 12.0
    assert loaded["packages"]["liquid-audio"]
    assert heard["event"] == "transcript", heard
    assert heard["transcript"]["text"]
    assert heard["peak_device_bytes"] is None
    assert closed == {"event": "closed"}
