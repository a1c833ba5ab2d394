from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import earwitness.data
from earwitness.audio import decode
from earwitness.audio.snr import snr_db
from earwitness.types import Audio

SAMPLE = Path(earwitness.data.__file__).parent / "sample"
CLEAN = sorted(SAMPLE.glob("clean-*.flac"))


def noisy(path: Path, ratio_db: float) -> Audio:
    """White noise under the speech, relative to the power of the loud half of its frames."""
    speech = decode(path)
    frames = speech.samples[: len(speech.samples) // 400 * 400].reshape(-1, 400).astype(float)
    power = (frames**2).mean(axis=1)
    level = power[power >= np.median(power)].mean()
    rng = np.random.default_rng(0)
    noise = rng.normal(0, (level / 10 ** (ratio_db / 10)) ** 0.5, len(speech.samples))
    return Audio((speech.samples + noise).astype(np.float32), speech.sample_rate_hz)


@pytest.mark.parametrize(("ratio_db", "within_db"), [(0, 3), (10, 3), (20, 3), (30, 5)])
def test_the_estimate_is_within_a_few_decibels_of_added_white_noise(ratio_db: int, within_db: int) -> None:
    for path in CLEAN:
        assert snr_db(noisy(path, ratio_db)) == pytest.approx(ratio_db, abs=within_db)


def test_more_noise_is_a_lower_ratio() -> None:
    for path in CLEAN:
        found = [snr_db(noisy(path, ratio_db)) or -99 for ratio_db in (40, 30, 20, 10, 0)]
        assert found == sorted(found, reverse=True)


def test_level_and_offset_do_not_matter() -> None:
    audio = noisy(CLEAN[0], 20)
    other = Audio((0.1 * audio.samples + 0.05).astype(np.float32), audio.sample_rate_hz)
    assert snr_db(other) == pytest.approx(snr_db(audio), abs=0.1)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1600), np.zeros(32_000), np.ones(32_000)])
def test_silence_and_scraps_have_no_ratio(samples: np.ndarray) -> None:
    assert snr_db(Audio(samples.astype(np.float32), 16_000)) is None


def test_digital_silence_between_words_does_not_make_the_ratio_infinite() -> None:
    tone = 0.3 * np.sin(np.arange(16_000) * 0.2)
    gated = np.concatenate([tone, np.zeros(16_000), tone]).astype(np.float32)
    assert 60 < (snr_db(Audio(gated, 16_000)) or 0) < 100
