"""Where somebody speaks: the same as Silero's own spans, whatever the blocks, in memory that stays flat."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.audio import speech
from earwitness.audio.speech import WINDOW, speech_spans

RATE_HZ = 16_000


def model() -> Path:
    """The copy of the model that faster-whisper's wheel holds: the same shape, other weights than ours."""
    from faster_whisper.utils import get_assets_path

    return Path(get_assets_path()) / "silero_vad_v6.onnx"


def spoken() -> np.ndarray:
    """Real speech: a sentence of a novel, twice, with pauses."""
    from earwitness.audio import decode
    from earwitness.data.corpora import pull

    files = sorted((pull("librivox-mini") / "audio").glob("*.wav"))
    parts = [part for file in files for part in (decode(file).samples, np.zeros(9000, np.float32))]
    return np.concatenate(parts)


@given(st.lists(st.floats(0, 1), max_size=200))
def test_spans_are_in_order_apart_inside_the_sound_and_long_enough(found: list[float]) -> None:
    spans = speech_spans(found, lambda: len(found) * WINDOW)
    times = [time for span in spans for time in span]
    assert times == sorted(times)
    assert all(0 <= time <= len(found) * WINDOW / RATE_HZ + 0.001 for time in times)
    assert all(end - begin > speech.LEAST_SPEECH_S for begin, end in spans)


def test_speech_ends_under_the_lower_threshold_and_not_between_the_two() -> None:
    between = [0.9] * 20 + [0.4] * 20 + [0.9] * 20
    assert len(speech_spans(between, lambda: 60 * WINDOW)) == 1
    under = [0.9] * 20 + [0.3] * 20 + [0.9] * 20
    assert len(speech_spans(under, lambda: 60 * WINDOW)) == 2


def test_speech_up_to_the_end_ends_with_the_sound_and_not_with_the_last_window() -> None:
    assert speech_spans([0.9] * 20, lambda: 20 * WINDOW - 100) == ((0.0, round((20 * WINDOW - 100) / RATE_HZ, 3)),)


@pytest.mark.real
def test_spans_are_those_of_faster_whispers_copy_of_silero() -> None:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    samples = spoken()
    wanted = get_speech_timestamps(
        samples, VadOptions(min_speech_duration_ms=250, min_silence_duration_ms=100, speech_pad_ms=30)
    )
    found = speech.finder(model())([samples])
    assert len(found) == len(wanted) >= 5
    for (begin, end), other in zip(found, wanted, strict=True):
        assert begin * RATE_HZ == pytest.approx(other["start"], abs=WINDOW)
        assert end * RATE_HZ == pytest.approx(other["end"], abs=WINDOW)


@pytest.mark.real
def test_the_pulled_model_hears_speech_and_neither_silence_nor_a_tone() -> None:
    from earwitness.weights.speech import pull

    find = speech.finder(pull())
    assert sum(end - begin for begin, end in find([spoken()])) > 15
    assert find([np.zeros(10 * RATE_HZ, np.float32)]) == ()
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE_HZ) / RATE_HZ)
    assert find([tone.astype(np.float32)]) == ()
    assert find([]) == ()


@pytest.mark.real
def test_how_the_sound_is_cut_into_blocks_changes_nothing() -> None:
    samples = spoken()
    find = speech.finder(model())
    pieces = np.array_split(samples, 37)
    assert find([samples]) == find(pieces) == find(samples[i : i + 100] for i in range(0, len(samples), 100))


@pytest.mark.real
def test_memory_does_not_grow_with_the_sound() -> None:
    find = speech.finder(model())

    def minutes(n: int) -> Iterator[np.ndarray]:
        for _ in range(n):
            yield np.zeros(60 * RATE_HZ, np.float32)

    peaks = []
    for n in (2, 20):
        tracemalloc.start()
        find(minutes(n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
