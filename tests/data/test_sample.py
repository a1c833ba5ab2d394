"""The built-in sample is what its manifest and its README say it is."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

import earwitness

HOLDS = ("corpora.py",)

SAMPLE = Path(earwitness.__file__).parent / "data" / "sample"
SCRIPT = Path(__file__).parents[2] / "tools" / "make_sample.py"
CONDITIONS = ["clean", "noise-10dB", "telephone", "fast", "names-numbers", "long", "silence", "tone"]
MARGINS_S = 0.3
ROWS: list[dict[str, Any]] = [json.loads(line) for line in (SAMPLE / "manifest.jsonl").read_text("utf-8").splitlines()]
ROW = {row["id"]: row for row in ROWS}


def heard(clip_id: str) -> tuple[npt.NDArray[np.float64], int]:
    samples, rate_hz = soundfile.read(SAMPLE / ROW[clip_id]["audio_filepath"], dtype="float64")
    return samples, rate_hz


def level_dbfs(samples: npt.NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def test_ids_are_unique_and_conditions_are_all_there_in_order() -> None:
    assert len(ROW) == len(ROWS)
    assert 18 <= len(ROWS) <= 25
    assert list(dict.fromkeys(row["condition"] for row in ROWS)) == CONDITIONS


def test_folder_is_small_and_every_audio_file_is_listed() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) <= 3_000_000
    assert {path.name for path in SAMPLE.glob("*.flac")} == {row["audio_filepath"] for row in ROWS}


def test_durations_are_those_of_the_headers_and_add_up_to_three_minutes() -> None:
    for row in ROWS:
        info = soundfile.info(SAMPLE / row["audio_filepath"])
        assert row["duration"] == info.frames / info.samplerate
        assert (info.channels, info.samplerate) == (1, 8_000 if row["condition"] == "telephone" else 16_000)
    assert 150 <= sum(row["duration"] for row in ROWS) <= 210
    assert 60 <= ROW["long"]["duration"] <= 75


def test_references_are_empty_exactly_where_nobody_speaks() -> None:
    for row in ROWS:
        assert row["kind"] == (row["condition"] if row["condition"] in ("silence", "tone") else "speech")
        assert bool(row["text"].strip()) == (row["kind"] == "speech") == ("voice" in row)


def test_corpus_says_that_the_speech_is_synthetic_and_under_which_terms() -> None:
    corpus = json.loads((SAMPLE / "corpus.json").read_text("utf-8"))
    assert corpus["name"] == "sample"
    assert corpus["synthetic"] is True
    assert corpus["license"] == "CC0-1.0"
    assert corpus["generator"]["packages"]["flite"]
    assert "synthetic" in (SAMPLE / "README.md").read_text("utf-8")


def test_speech_is_at_one_level_and_nothing_clips() -> None:
    for row in ROWS:
        samples, _ = heard(row["id"])
        expected = -60.0 if row["kind"] == "silence" else -26.0
        assert level_dbfs(samples) == pytest.approx(expected, abs=0.3), row["id"]
        assert np.abs(samples).max() < 0.9, row["id"]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_noise_is_10_db_under_the_same_speech(number: int) -> None:
    (clean, _), (noisy, _) = heard(f"clean-{number}"), heard(f"noise-10dB-{number}")
    speech = clean * (noisy @ clean) / (clean @ clean)
    assert level_dbfs(speech) - level_dbfs(noisy - speech) == pytest.approx(10.0, abs=0.3)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_telephone_holds_only_its_band(number: int) -> None:
    samples, rate_hz = heard(f"telephone-{number}")
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    outside = power[(hz < 290) | (hz > 3410)].sum() / power.sum()
    assert outside < 0.001  # what mu-law's own distortion leaves there


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_fast_is_the_same_sentence_at_about_one_and_a_half_times_the_rate(number: int) -> None:
    clean, fast = ROW[f"clean-{number}"], ROW[f"fast-{number}"]
    assert (clean["text"], clean["voice"], clean["recording"]) == (fast["text"], fast["voice"], fast["recording"])
    assert 1.4 <= (clean["duration"] - MARGINS_S) / (fast["duration"] - MARGINS_S) <= 1.6


@pytest.mark.real
def test_script_makes_the_same_sample_again(tmp_path: Path) -> None:
    made = subprocess.run([sys.executable, SCRIPT, "--out", tmp_path], capture_output=True, text=True)
    if made.returncode == 2:
        pytest.skip(f"there is no synthesiser here: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    then, now = (json.loads((folder / "corpus.json").read_text("utf-8")) for folder in (SAMPLE, tmp_path))
    differing = [key for key, value in then["generator"].items() if now["generator"][key] != value]
    if differing:
        pytest.skip(f"there are no such versions of {', '.join(differing)} here: install {then['generator']}")
    assert then == now
    assert (tmp_path / "manifest.jsonl").read_bytes() == (SAMPLE / "manifest.jsonl").read_bytes()
    for row in ROWS:
        assert sound_sha256(tmp_path / row["audio_filepath"]) == sound_sha256(SAMPLE / row["audio_filepath"]), row["id"]


def sound_sha256(path: Path) -> str:
    """Of the samples: a FLAC encoder may pack the same ones otherwise on another processor."""
    return hashlib.sha256(soundfile.read(path, dtype="int16")[0].tobytes()).hexdigest()
