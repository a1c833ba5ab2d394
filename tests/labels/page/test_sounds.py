"""Sound for browsers: exactly the clip's span and channel, as WAV of 16 bits, whatever the file is."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.conftest import tone
from tests.labels.page.pages import clips

from earwitness.errors import AudioError
from earwitness.labels.page.sounds import N_PEAKS, ClipSounds, write_sound
from earwitness.types import Clip


def read(path: Path) -> tuple[int, np.ndarray]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


@pytest.mark.parametrize(("rate_hz", "expected_hz"), [(8000, 8000), (44_100, 44_100), (4000, 16_000), (96_000, 16_000)])
def test_the_rate_is_the_files_own_where_browsers_play_it(tmp_path: Path, rate_hz: int, expected_hz: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0, rate_hz), rate_hz)
    sound = write_sound(Clip("a", str(path), "", 0.0, 1.0, None, duration_kind="stated"), tmp_path / "out.wav")
    assert read(sound.path)[0] == expected_hz
    assert sound.duration_s == pytest.approx(1.0, abs=0.001)
    assert sound.n_bytes == sound.path.stat().st_size


def test_a_span_of_one_channel_is_cut_to_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    stereo = tone(3.0, 8000, channels=2)
    soundfile.write(path, stereo, 8000, subtype="PCM_16")
    clip = Clip("a", str(path), "", 1.25, 0.5, None, channel=1, duration_kind="manifest")
    rate_hz, samples = read(write_sound(clip, tmp_path / "out.wav").path)
    assert (rate_hz, len(samples)) == (8000, 4000)
    np.testing.assert_allclose(samples, stereo[10_000:14_000, 1], atol=1e-4)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "GSM610", "IMA_ADPCM"])
def test_what_no_browser_plays_becomes_what_every_browser_plays(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0, 8000), 8000, subtype=subtype)
    clip = Clip("a", str(path), "", 0.0, 1.0, None, duration_kind="counted")
    rate_hz, samples = read(write_sound(clip, tmp_path / "out.wav").path)
    assert rate_hz == 8000
    assert len(samples) == pytest.approx(8000, abs=400)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.05)


def test_samples_beyond_full_scale_are_clipped_and_do_not_wrap(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([2.0, -3.0, 0.5] * 1000, np.float32), 8000, subtype="FLOAT")
    _, samples = read(write_sound(Clip("a", str(path), "", 0.0, 0.375, None), tmp_path / "out.wav").path)
    np.testing.assert_allclose(samples[:3], [1.0, -1.0, 0.5], atol=1e-4)


def test_the_outline_shows_where_it_is_loud(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    samples = np.concatenate([np.zeros(8000), tone(1.0, 8000)[:, 0], 0.5 * tone(2.0, 8000)[:, 0]])
    soundfile.write(path, samples, 8000)
    peaks = write_sound(Clip("a", str(path), "", 0.0, 4.0, None), tmp_path / "out.wav").peaks
    assert len(peaks) == N_PEAKS
    assert max(peaks[: N_PEAKS // 4 - 1]) == 0
    assert min(peaks[N_PEAKS // 4 + 1 : N_PEAKS // 2 - 1]) > 95
    assert 40 < min(peaks[N_PEAKS // 2 + 1 :]) <= max(peaks[N_PEAKS // 2 + 1 :]) < 60


def test_a_clip_is_decoded_once_while_it_is_kept_and_nothing_more_than_allowed_is(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    (tmp_path / "kept").mkdir()
    sounds = ClipSounds(tmp_path / "kept", most_bytes=2 * 16_000)
    units = clips(write_wav, 6)
    first = sounds.sound(units[0])
    assert sounds.sound(units[0]) is first
    for unit in units:
        assert sounds.sound(unit).path.exists()
    assert not first.path.exists()
    assert sum(path.stat().st_size for path in (tmp_path / "kept").iterdir()) <= 2 * 16_000
    assert sounds.sound(units[0]).path.exists()


def test_a_file_that_changed_or_is_gone_is_refused_in_a_sentence(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    (tmp_path / "kept").mkdir()
    sounds = ClipSounds(tmp_path / "kept")
    changed, gone, broken = clips(write_wav, 3)
    Path(gone.audio_path).unlink()
    Path(broken.audio_path).write_bytes(b"no audio")
    with pytest.raises(AudioError, match="has changed"):
        sounds.sound(replace(changed, audio_sha256="0" * 64))
    with pytest.raises(AudioError, match="no audio file"):
        sounds.sound(gone)
    with pytest.raises(AudioError, match="not audio"):
        sounds.sound(replace(broken, audio_sha256=""))
    assert list((tmp_path / "kept").iterdir()) == []
