from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import tone

from earwitness.audio import decode, decode_to, probe
from earwitness.errors import AudioError, AudioNotFoundError

HOLDS = ("chunks.py", "content.py", "in_process.py", "open.py", "sndfile.py")


def encode(path: Path, samples: np.ndarray, rate_hz: int, codec: str, *, video: bool = False) -> Path:
    """Writes a file with FFmpeg's libraries, with a picture in it if asked."""
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("mpeg4", rate=5) if video else None
        stream: Any = container.add_stream(codec, rate=rate_hz)
        stream.layout = "mono" if samples.shape[1] == 1 else "stereo"
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
            for _ in range(3):
                image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                container.mux(picture.encode(image))
            container.mux(picture.encode())
        frame = av.AudioFrame.from_ndarray(samples.T.copy(), format="fltp", layout=stream.layout.name)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate_hz)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (chunk := fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(chunk))
        container.mux(stream.encode())
    return path


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt((samples[1000:-1000] ** 2).mean()))


@pytest.mark.parametrize(
    ("name", "format_", "subtype"),
    [
        ("a.wav", "WAV", "PCM_16"),
        ("a.wav", "WAV", "ULAW"),
        ("a.wav", "WAV", "FLOAT"),
        ("a.flac", "FLAC", "PCM_16"),
        ("a.ogg", "OGG", "VORBIS"),
        ("a.opus", "OGG", "OPUS"),
        ("a.mp3", "MP3", "MPEG_LAYER_III"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_libsndfiles_formats_are_read(tmp_path: Path, name: str, format_: str, subtype: str, channels: int) -> None:
    path = tmp_path / name
    soundfile.write(path, tone(2.0, 48_000, channels), 48_000, format=format_, subtype=subtype)
    audio = decode(path, channel=0)
    assert audio.sample_rate_hz == 16_000
    assert audio.samples.dtype == np.float32
    assert abs(audio.duration_s - 2.0) < 0.1
    assert loudness(audio.samples) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert probe(path).channels == channels


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [("a.m4a", "aac", False), ("a.mp4", "aac", True), ("a.webm", "libopus", False), ("a.mka", "flac", False)],
)
def test_other_formats_are_read_and_pictures_passed_over(tmp_path: Path, name: str, codec: str, video: bool) -> None:
    path = encode(tmp_path / name, tone(2.0, 48_000), 48_000, codec, video=video)
    audio = decode(path)
    assert abs(audio.duration_s - 2.0) < 0.15
    assert loudness(audio.samples) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert probe(path).duration_s == pytest.approx(2.0, abs=0.15)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(1.0), 16_000)
    lying = (tmp_path / "a.flac").rename(tmp_path / "a.mp3")
    assert decode(lying).duration_s == 1.0


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rate_hz=st.sampled_from([8000, 11_025, 16_000, 22_050, 44_100, 48_000]), n=st.integers(1, 60_000))
def test_any_rate_gives_the_right_number_of_samples(tmp_path: Path, rate_hz: int, n: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(n, np.float32), rate_hz)
    assert abs(len(decode(path).samples) - n * 16_000 / rate_hz) <= 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(start=st.integers(0, 7000), length=st.integers(100, 9000), subtype=st.sampled_from(["PCM_16", "FLOAT"]))
def test_a_span_is_exact_to_the_sample(tmp_path: Path, start: int, length: int, subtype: str) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 16_000).astype(np.float32)
    path = tmp_path / "a.wav"
    soundfile.write(path, noise, 16_000, subtype=subtype)
    whole = decode(path).samples
    part = decode(path, start_s=start / 16_000, duration_s=length / 16_000).samples
    assert np.array_equal(part, whole[start : start + length])


def test_a_span_of_a_compressed_container_is_found_by_seeking(tmp_path: Path) -> None:
    sweep = np.concatenate([tone(2.0, 48_000, hz=300), tone(2.0, 48_000, hz=3000)])
    path = encode(tmp_path / "a.m4a", sweep, 48_000, "aac")
    part = decode(path, start_s=2.5, duration_s=1.0).samples
    peak_hz = np.argmax(np.abs(np.fft.rfft(part))) * 16_000 / len(part)
    assert peak_hz == pytest.approx(3000, abs=5)
    assert len(part) == 16_000


def test_channels_are_mixed_down_or_chosen(tmp_path: Path) -> None:
    stereo = np.stack([np.full(16_000, 0.5), np.full(16_000, -0.1)], axis=1).astype(np.float32)
    soundfile.write(tmp_path / "s.wav", stereo, 16_000, subtype="FLOAT")
    for channel, level in ((None, 0.2), (0, 0.5), (1, -0.1)):
        assert decode(tmp_path / "s.wav", channel=channel).samples == pytest.approx(level, abs=1e-6)
    with pytest.raises(AudioError, match="has no channel 2; it has 2, counted from 0"):
        decode(tmp_path / "s.wav", channel=2)


def test_streaming_to_a_file_gives_the_same_samples(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    path = write_wav("a.wav", 5.0, 44_100, 2)
    n_samples = decode_to(path, tmp_path / "a.f32")
    assert np.array_equal(np.fromfile(tmp_path / "a.f32", "<f4"), decode(path).samples)
    assert n_samples == 80_000


def half_of(path: Path, name: str) -> Path:
    content = path.read_bytes()
    (path.parent / name).write_bytes(content[: len(content) // 2])
    return path.parent / name


def test_bad_files_get_a_sentence(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    good = write_wav("good.wav", 2.0)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is not audio at all\n" * 50)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    no_rate = bytearray(good.read_bytes())
    no_rate[24:28] = bytes(4)
    (tmp_path / "0hz.wav").write_bytes(no_rate)
    soundfile.write(tmp_path / "nan.wav", np.array([0, np.nan] * 500, np.float32), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).uniform(-1, 1, 32_000), 16_000)
    encode(tmp_path / "a.m4a", tone(2.0, 48_000), 48_000, "aac")
    cases = {
        "missing.wav": "There is no audio file",
        "empty.wav": r"is empty \(0 bytes\)",
        "text.wav": "is not audio that can be read",
        "none.wav": r"holds no audio \(0 samples\)",
        "0hz.wav": "is not audio that can be read",
        "nan.wav": "has samples that are NaN or infinite, first at 0.000 s",
        half_of(good, "half.wav").name: r"cut short: its header states 2.00 s, and 1.00 s",
        half_of(tmp_path / "a.flac", "half.flac").name: "cannot be decoded to its end|cut short",
        half_of(tmp_path / "a.m4a", "half.m4a").name: "is not audio that can be read|cut short",
    }
    for name, sentence in cases.items():
        with pytest.raises(AudioError, match=sentence):
            decode(tmp_path / name)
    with pytest.raises(AudioNotFoundError):
        decode(tmp_path / "missing.wav")
    with pytest.raises(AudioError, match="is a folder"):
        decode(tmp_path)
    with pytest.raises(AudioError, match=r"cut short: the manifest states 5.00 s from 1.00 s on, and 1.00 s"):
        decode(good, start_s=1.0, duration_s=5.0)
    with pytest.raises(AudioError, match="cut short"):
        decode(good, start_s=9.0, duration_s=1.0)


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc here: run it on Linux")
def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from earwitness.audio.in_process import decode_to;"
        "from earwitness.workers.child import peak_rss_bytes;"
        "decode_to(sys.argv[1], Path(sys.argv[2])); print(peak_rss_bytes())"
    )
    peaks = []
    for minutes in (1, 60):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 8000, 1, subtype="PCM_16") as file:
            for _ in range(minutes):
                file.write(np.zeros(8000 * 60, np.int16))
        command = [sys.executable, "-c", code, str(path), str(tmp_path / "out.f32")]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < peaks[0] + 20e6
