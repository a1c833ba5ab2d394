from __future__ import annotations

import itertools
import mmap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from earwitness.engines.blocks import cut_points, drop_pages, in_blocks
from earwitness.types import Audio, DecodedSegment, Segment, Transcript

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


@given(st.data(), st.floats(0.1, 0.6), st.floats(2.0, 20.0), st.integers(1000, 2000), st.integers(0, 2**32 - 1))
def test_a_cut_falls_into_a_pause_wherever_there_is_one(
    data: st.DataObject, share: float, longest_s: float, rate_hz: int, seed: int
) -> None:
    """Speech of any loudness, noise 14 to 80 dB below it in pauses; the first window begins with a pause."""
    longest = int(longest_s * rate_hz)
    window = max(1, int(longest * share))
    shortest = int(0.3 * rate_hz) + 1
    assume(window >= shortest)
    samples = np.random.default_rng(seed).uniform(-1, 1, 3 * longest).astype(np.float32)
    silent = np.zeros(len(samples), bool)
    start = longest - window
    while start < len(samples):
        length = data.draw(st.integers(shortest, max(shortest, window // 2)))
        silent[start : start + length] = True
        start += length + data.draw(st.integers(shortest, 2 * window))
    samples[silent] *= 10 ** (data.draw(st.floats(-80, -14)) / 20)
    samples *= 10 ** data.draw(st.floats(-3, 0))
    points = cut_points(samples, rate_hz, longest_s, share)
    assert silent[points[1]]
    for before, cut in itertools.pairwise(points[:-1]):
        summed = np.cumsum(silent[before + longest - window : before + longest])
        has_pause = (summed[shortest:] - summed[:-shortest] == shortest).any()
        assert silent[cut] or not has_pause


def test_the_longest_pause_is_taken_and_of_equals_the_last() -> None:
    speech = np.ones(RATE_HZ * 40, np.float32)
    for start_s, length_s in ((16, 0.4), (20, 0.9), (27, 0.4)):
        speech[int(start_s * RATE_HZ) : int((start_s + length_s) * RATE_HZ)] = 0.01
    speech[int(28.5 * RATE_HZ) : int(28.6 * RATE_HZ)] = 0
    (cut,) = cut_points(speech, RATE_HZ, 30.0, 0.5)[1:-1]
    assert 20.3 < cut / RATE_HZ < 20.6
    (cut,) = cut_points(speech, RATE_HZ, 30.0, 0.2)[1:-1]
    assert 27.0 < cut / RATE_HZ < 27.5


def test_remarks_of_pieces_are_kept_with_their_place() -> None:
    def engine(piece: Audio, language: str | None) -> Transcript:
        return Transcript("x", language=language, remarks=("token_limit",) if piece.samples.any() else ())

    long = np.zeros(RATE_HZ * 50, np.float32)
    long[RATE_HZ * 31 :] = 1
    found = in_blocks(Audio(long, RATE_HZ), 30.0, engine, "en")
    assert len(found.remarks) == 1
    assert found.remarks[0].startswith("token_limit at 2")
    assert found.remarks[0].endswith("-50.0 s")
    assert in_blocks(Audio(np.ones(9, np.float32), RATE_HZ), 30.0, engine, "en").remarks == ("token_limit",)


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


def test_what_a_decoder_says_of_a_segment_is_kept_and_its_window_moved() -> None:
    audio = Audio(np.random.default_rng(0).standard_normal(RATE_HZ * 70).astype(np.float32), RATE_HZ)

    def engine(piece: Audio, language: str | None) -> Transcript:
        windows = (DecodedSegment(0.0, 1.0, "a", avg_logprob=-0.5, seek=0), DecodedSegment(20.0, 21.0, "b", seek=2000))
        return Transcript("a b", windows, language=language)

    segments = in_blocks(audio, 30.0, engine, "en").segments
    assert len(segments) == 6
    for segment in segments:
        assert isinstance(segment, DecodedSegment)
        assert segment.seek == round(100 * segment.start_s)
        assert segment.avg_logprob == (-0.5 if segment.text == "a" else None)


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


linux = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason="there is no /proc/self/smaps here: run it on Linux"
)


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
