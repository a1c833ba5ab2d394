"""Spans that follow one another in a file are decoded in one pass, and are the same as any other way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earwitness.audio import bookmark as bookmarks
from earwitness.audio.bookmark import Bookmark
from earwitness.audio.in_process import decode, decode_to
from earwitness.audio.open import open_source
from earwitness.audio.source import AudioSource
from earwitness.errors import AudioError

from .generated import Format, content_of, written

SECONDS = 3.0
FILES: dict[str, Callable[[], bytes]] = {
    "a.mp3": lambda: written("mp3", "libmp3lame", seconds=SECONDS),
    "joined.mp3": lambda: written("mp3", "libmp3lame", seconds=SECONDS / 2) * 2,
    "chained.opus": lambda: written("ogg", "libopus", 48_000, seconds=SECONDS / 2) * 2,
    "a.ogg": lambda: content_of(Format("OGG", "VORBIS", is_of_sndfile=True), SECONDS) or b"",
    "a.aac": lambda: written("adts", "aac", seconds=SECONDS),
    "a.m4a": lambda: written("ipod", "aac", channels=2, seconds=SECONDS),
    "live.webm": lambda: written("webm", "libopus", 48_000, pipe=True, seconds=SECONDS),
    "a.wav": lambda: written("wav", "pcm_s16le", seconds=SECONDS),
    "adpcm.wav": lambda: written("wav", "adpcm_ms", seconds=SECONDS),
    "a.flac": lambda: written("flac", "flac", seconds=SECONDS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spans")
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
    return folder


def cut(path: Path, target: Path, start_s: float, duration_s: float, bookmark: Bookmark, rate_hz: int) -> np.ndarray:
    decode_to(path, target, start_s=start_s, duration_s=duration_s, rate_hz=rate_hz, opener=bookmark.open)
    return np.fromfile(target, "<f4")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spans=st.lists(
        st.tuples(st.sampled_from(sorted(FILES)), st.floats(0, 2.5), st.floats(0.01, 0.4)), min_size=1, max_size=8
    ),
    is_sorted=st.booleans(),
)
def test_any_spans_of_any_files_are_cuts_of_the_whole(
    folder: Path, tmp_path: Path, spans: list[tuple[str, float, float]], is_sorted: bool
) -> None:
    bookmark = Bookmark()
    for name, start_s, length_s in sorted(spans) if is_sorted else spans:
        with open_source(folder / name) as source:
            rate_hz = source.rate_hz
        whole = decode(folder / name, rate_hz=rate_hz).samples
        part = cut(folder / name, tmp_path / "a.f32", start_s, length_s, bookmark, rate_hz)
        start = round(start_s * rate_hz)
        assert np.array_equal(part, whole[start : start + round(length_s * rate_hz)]), name
    bookmark.close()


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Where files are opened."""
    places: list[float] = []

    def remember(path: Path, start_s: float) -> AbstractContextManager[AudioSource]:
        places.append(start_s)
        return open_source(path, start_s)

    monkeypatch.setattr(bookmarks, "open_source", remember)
    return places


def test_spans_that_follow_one_another_are_one_pass(folder: Path, tmp_path: Path, places: list[float]) -> None:
    bookmark = Bookmark()
    for n in range(20):
        cut(folder / "a.mp3", tmp_path / "a.f32", n / 10, 0.1, bookmark, 16_000)
    assert places == [0.0]
    cut(folder / "a.aac", tmp_path / "a.f32", 0.5, 0.1, bookmark, 16_000)
    cut(folder / "a.mp3", tmp_path / "a.f32", 0.5, 0.1, bookmark, 16_000)
    assert places == [0.0, 0.5, 0.5]
    bookmark.close()


def test_a_file_that_was_replaced_is_opened_again(folder: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "a.mp3", tmp_path / "b.mp3"
    path.write_bytes((folder / "a.mp3").read_bytes())
    other.write_bytes((folder / "joined.mp3").read_bytes())
    bookmark = Bookmark()
    cut(path, tmp_path / "a.f32", 0.0, 0.5, bookmark, 16_000)
    other.replace(path)
    part = cut(path, tmp_path / "a.f32", 0.5, 1.5, bookmark, 16_000)
    assert np.array_equal(part, decode(path, start_s=0.5, duration_s=1.5).samples)
    bookmark.close()


def test_after_a_span_that_fails_the_next_is_right(folder: Path, tmp_path: Path) -> None:
    bookmark = Bookmark()
    with pytest.raises(AudioError, match="cut short: the manifest states 9.00 s from 1.00 s on"):
        cut(folder / "a.mp3", tmp_path / "a.f32", 1.0, 9.0, bookmark, 16_000)
    part = cut(folder / "a.mp3", tmp_path / "a.f32", 0.5, 0.5, bookmark, 16_000)
    assert np.array_equal(part, decode(folder / "a.mp3", start_s=0.5, duration_s=0.5).samples)
    bookmark.close()
