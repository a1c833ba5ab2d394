from __future__ import annotations

import itertools
import mmap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.engines.blocks import cut_points, drop_pages, in_blocks
from earwitness.types import Audio, Segment, Transcript

RATE_HZ = 100


@given(st.integers(0, 20_000), st.floats(1.0, 60.0), st.integers(0, 2**32 - 1))
def test_no_piece_is_too_long_and_nothing_is_lost(n_samples: int, longest_s: float, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)
    points = cut_points(samples, RATE_HZ, longest_s)
    assert points[0] == 0
    assert points[-1] == n_samples
    assert all(0 < b - a <= longest_s * RATE_HZ for a, b in itertools.pairwise(points) if n_samples)


def test_cuts_fall_into_pauses() -> None:
    speech = np.ones(RATE_HZ * 100, np.float32)
    for pause_s in (28, 55):
        speech[pause_s * RATE_HZ : (pause_s + 1) * RATE_HZ] = 0
    first, second = cut_points(speech, RATE_HZ, 30.0)[1:3]
    assert 28 * RATE_HZ <= first <= 29 * RATE_HZ
    assert 55 * RATE_HZ <= second <= 56 * RATE_HZ


def test_joining_keeps_every_sample_and_moves_times_to_their_place() -> None:
    audio = Audio(np.random.default_rng(0).standard_normal(RATE_HZ * 95).astype(np.float32), RATE_HZ)
    heard: list[np.ndarray] = []

    def engine(piece: Audio, language: str | None) -> Transcript:
        assert language in (None, "en")
        heard.append(piece.samples)
        said = f"piece{len(heard)}"
        span = (Segment(0.0, piece.duration_s, said),)
        return Transcript(said, span, span, "en", piece.duration_s)

    found = in_blocks(audio, 30.0, engine, None)
    assert np.array_equal(np.concatenate(heard), audio.samples)
    assert found.text == "piece1 piece2 piece3 piece4"
    assert found.language == "en"
    assert found.covered_s is not None
    assert abs(found.covered_s - 95.0) < 1e-6
    assert found.words == found.segments
    ends = [segment.end_s for segment in found.segments]
    assert [segment.start_s for segment in found.segments] == [0.0, *ends[:-1]]
    assert abs(ends[-1] - 95.0) < 1e-6


def test_empty_audio_never_reaches_the_model() -> None:
    def engine(piece: Audio, language: str | None) -> Transcript:
        raise AssertionError("called")

    assert in_blocks(Audio(np.zeros(0, np.float32), 16_000), 30.0, engine, "en").text == ""


def mapped(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), "<f4")


def resident_kb(path: Path) -> int:
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.endswith(str(path)))
    return int(next(line for line in lines[at:] if line.startswith("Rss")).split()[1])


linux = pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="reads resident pages from Linux's /proc")


@linux
def test_pages_of_a_mapped_recording_are_let_go_and_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.f32"
    np.ones(1 << 22, "<f4").tofile(path)
    samples = mapped(path)
    assert samples.sum() == 1 << 22
    assert resident_kb(path) > 16_000
    drop_pages(samples[5:100])
    assert resident_kb(path) == 0
    assert samples[-1] == 1.0


@linux
def test_searching_a_mapped_recording_for_pauses_does_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "a.f32"
    np.ones(1 << 24, "<f4").tofile(path)
    samples = mapped(path)
    assert len(cut_points(samples, 16_000, 30.0)) > 30
    assert resident_kb(path) < 8_000
