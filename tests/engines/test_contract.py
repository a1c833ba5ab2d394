from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from earwitness.engines.contract import conform, require_finished, require_tag
from earwitness.errors import AudioError, EngineError
from earwitness.types import Segment, Transcript

RATE_HZ = 16_000
GRID = st.integers(-32768, 32767).map(lambda n: n / 32768)
SOUND = nps.arrays(np.float32, st.integers(0, 400), elements=GRID.map(np.float32))


@given(SOUND)
def test_every_layout_and_type_of_one_sound_is_the_same_sound(sound: np.ndarray) -> None:
    wide = np.stack([sound, sound], axis=1)
    for same in (
        sound.astype(np.float64),
        sound.astype(">f4"),
        (sound * 32768).astype(np.int16),
        (sound.astype(np.float64) * 2**31).astype(np.int32),
        sound[:, None],
        sound[None, :],
        wide if len(sound) != 1 else wide[:, :1],
        np.repeat(sound, 3)[::3],
    ):
        found = conform(same, RATE_HZ).samples
        assert found.dtype == np.float32
        assert found.dtype.isnative
        assert found.flags.c_contiguous
        assert np.array_equal(found, sound)


@given(SOUND)
def test_sound_that_is_right_is_passed_on_and_not_copied(sound: np.ndarray) -> None:
    assert conform(sound, RATE_HZ).samples is sound


def test_channels_are_averaged_and_eight_bits_are_centred() -> None:
    left, right = np.full(100, 0.5, np.float32), np.full(100, -0.25, np.float32)
    assert conform(np.stack([left, right]), RATE_HZ).samples == pytest.approx(np.full(100, 0.125))
    assert conform(np.array([0, 128, 192], np.uint8), RATE_HZ).samples.tolist() == [-1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("samples", "rate_hz", "sentence"),
    [
        (np.zeros(8, np.float32), 8_000, r"Engines are given 16000 Hz, not 8000\. Resample it first"),
        (np.full(8, 10.5, np.float32), RATE_HZ, r"peaks at 10\.5 where full scale is 1"),
        (np.full(8, -20_000, np.float32), RATE_HZ, "peaks at 2e\\+04|peaks at 20000"),
        (np.full(8, math.nan, np.float32), RATE_HZ, "NaN or infinite"),
        (np.full(8, -math.inf, np.float32), RATE_HZ, "NaN or infinite"),
        (np.zeros((2, 2, 2), np.float32), RATE_HZ, r"shape \(2, 2, 2\) is not supported"),
        (np.zeros((40, 40), np.float32), RATE_HZ, r"shape \(40, 40\) is not supported"),
        (np.zeros((), np.float32), RATE_HZ, r"shape \(\) is not supported"),
        (np.zeros(8, bool), RATE_HZ, "type bool is not supported"),
        (np.zeros(8, np.complex64), RATE_HZ, "type complex64 is not supported"),
        (np.zeros(8, np.int64), RATE_HZ, "type int64 is not supported"),
    ],
)
def test_what_is_not_sound_is_refused(samples: np.ndarray, rate_hz: int, sentence: str) -> None:
    with pytest.raises(AudioError, match=sentence):
        conform(samples, rate_hz)


def test_the_last_sample_of_a_long_recording_is_looked_at() -> None:
    sound = np.zeros((1 << 20) * 2 + 1, np.float32)
    sound[-1] = 11
    with pytest.raises(AudioError, match="peaks at 11"):
        conform(sound, RATE_HZ)


def test_floats_a_little_over_full_scale_stay_as_they_are() -> None:
    assert conform(np.array([1.5, -10.0], np.float32), RATE_HZ).samples.tolist() == [1.5, -10.0]


def unfinished() -> Any:
    yield Segment(0.0, 1.0, "later")


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (unfinished(), "finished Transcript, not 'generator'"),
        ("text", "finished Transcript, not 'str'"),
        (None, "finished Transcript, not 'NoneType'"),
        (Transcript(unfinished()), "has 'generator' for its text"),
        (Transcript("a", unfinished()), "has 'generator' for its segments"),
        (Transcript("a", [Segment(0.0, 1.0, "a")]), "has 'list' for its segments"),  # type: ignore[arg-type]
        (Transcript("a", words=unfinished()), "has 'generator' for its words"),
    ],
)
def test_text_that_is_not_finished_is_refused(made: object, sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        require_finished(made)


def test_finished_text_is_taken() -> None:
    require_finished(Transcript("a", (Segment(0.0, 1.0, "a"),), ()))


@pytest.mark.parametrize("tag", [None, "en", "es-MX", "zh-Hant-TW", "de-1996"])
def test_language_tags_pass(tag: str | None) -> None:
    assert require_tag(tag) == tag


@pytest.mark.parametrize("text", ["", "e", "--help", "en; rm", "en_US", "en-", "en us", "en\n"])
def test_what_is_no_language_tag_never_reaches_a_command_line(text: str) -> None:
    with pytest.raises(EngineError, match="is not a language tag"):
        require_tag(text)
