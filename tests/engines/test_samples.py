from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.engines.samples import mono_float32
from earwitness.errors import EngineError


@given(st.integers(0, 2000), st.integers(1, 2), st.sampled_from(["f4", "f8", "f2", ">f4", "i2", "i4"]), st.booleans())
def test_every_type_and_layout_comes_out_alike(n: int, channels: int, kind: str, first: bool) -> None:
    wave = np.sin(np.arange(n) / 7) / 2
    scaled = (wave * np.iinfo(kind).max).round() if np.dtype(kind).kind == "i" else wave
    made: Any = np.stack([scaled] * channels, axis=0 if first else 1).astype(kind)
    given_ = made[:, ::1] if channels > 1 else made.reshape(-1)
    if channels > 1 and n < 3:
        return
    heard = mono_float32(given_)
    assert heard.dtype == np.float32
    assert heard.flags.c_contiguous
    assert heard.shape == (n,)
    assert np.abs(heard - wave).max(initial=0) < 1e-3


def test_what_is_right_already_is_not_copied() -> None:
    wave = np.zeros(10, np.float32)
    assert mono_float32(wave) is wave
    strided = mono_float32(np.zeros(20, np.float32)[::2])
    assert strided.flags.c_contiguous


@pytest.mark.parametrize("samples", [np.zeros((2, 2, 2)), np.zeros(4, complex), np.array(["a"]), np.zeros(4, np.uint8)])
def test_what_is_no_sound_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(EngineError, match="Audio of"):
        mono_float32(samples)
