"""A probe of FLAC looks at a few places, and finds a stream that was joined behind another."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from earwitness.audio.flac import is_alone
from earwitness.audio.in_process import decode, probe

from .generated import written

RATE_HZ = 16_000


def flac(seconds: float, seed: int = 0, level: float = 0.3) -> bytes:
    noise = np.random.default_rng(seed).uniform(-level, level, round(seconds * RATE_HZ))
    buffer = io.BytesIO()
    soundfile.write(buffer, noise, RATE_HZ, format="FLAC")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def long() -> bytes:
    """Three minutes of noise, which take more than the places that are looked at."""
    content = flac(180)
    assert len(content) > 1 << 22
    return content


def test_one_stream_is_alone_by_a_look_and_by_reading_it(tmp_path: Path, long: bytes) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(long)
    assert is_alone(path, thorough=False)
    assert is_alone(path, thorough=True)
    assert probe(path).duration_kind == "stated"


def test_a_look_reads_little_of_a_file(tmp_path: Path, long: bytes) -> None:
    at = len(long) * 17 // 32  # half-way between two places
    path = tmp_path / "a.flac"
    path.write_bytes(long[:at] + b"fLaC\0\0\0\x22" + long[at + 8 :])
    assert is_alone(path, thorough=False)
    assert not is_alone(path, thorough=True)


@pytest.mark.parametrize("name", ["twice", "short behind", "long behind", "quiet of the same length", "cut"])
def test_what_does_not_end_where_the_header_says_is_not_alone(tmp_path: Path, long: bytes, name: str) -> None:
    content = {
        "twice": long * 2,
        "short behind": long + flac(1.0),
        "long behind": flac(1.0) + long,
        "quiet of the same length": long + flac(180, 1, 0.05),
        "cut": long[:-200_000],
    }[name]
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    assert not is_alone(path, thorough=False)


def test_a_probe_counts_both_of_two_joined_streams(tmp_path: Path, long: bytes) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(long + flac(1.0))
    assert probe(path, count=True).duration_s == 181.0
    assert decode(path).duration_s == 181.0


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_frames_of_other_encoders_are_read(tmp_path: Path, rate_hz: int) -> None:
    content = written("flac", "flac", rate_hz, 2, seconds=120.0)
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    assert len(content) > 1 << 22
    assert is_alone(path, thorough=False)
    path.write_bytes(content * 2)
    assert not is_alone(path, thorough=False)
