"""Speech made small is the same speech: as long, at the same place, and far smaller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from earwitness import data
from earwitness.audio import decode
from earwitness.audio.opus import BITS_PER_S, webm
from earwitness.types import Audio


@pytest.fixture(scope="module")
def speech() -> Audio:
    return decode(next(clip for clip in data.load("sample").clips if clip.id == "clean-1").audio_path)


def heard(path: Path, audio: Audio, bits_per_s: int = BITS_PER_S) -> np.ndarray:
    path.write_bytes(webm(audio, bits_per_s))
    return decode(path, rate_hz=audio.sample_rate_hz).samples


def test_what_comes_back_is_as_long_and_nothing_is_moved(tmp_path: Path, speech: Audio) -> None:
    samples = np.tile(speech.samples, 1 + 25 * 16_000 // len(speech.samples))  # several pieces, the last one cut
    there = heard(tmp_path / "a.webm", Audio(samples, 16_000), 64_000)
    assert abs(len(there) - len(samples)) <= 16_000 * 0.02, "one frame of Opus"
    n = min(len(there), len(samples)) - 800
    alike = {lag: np.corrcoef(there[400 + lag : n + lag], samples[400:n])[0, 1] for lag in range(-400, 401, 8)}
    assert max(alike, key=lambda lag: alike[lag]) == 0
    assert alike[0] > 0.8


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_a_file_is_near_the_size_that_was_asked_for(tmp_path: Path, rate_hz: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * rate_hz).astype(np.float32)
    heard(tmp_path / "a.webm", Audio(noise, rate_hz))
    assert (tmp_path / "a.webm").stat().st_size < 2 * BITS_PER_S * 10 / 8


def test_samples_beyond_full_scale_are_cut_off_and_do_not_turn_over(tmp_path: Path) -> None:
    loud = np.full(16_000, 3.0, np.float32) * np.sin(np.arange(16_000) * 2 * np.pi * 200 / 16_000).astype(np.float32)
    there = heard(tmp_path / "a.webm", Audio(loud, 16_000), 64_000)
    n = min(len(there), len(loud))
    assert np.corrcoef(there[:n], np.clip(loud, -1, 1)[:n])[0, 1] > 0.9
