from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from earwitness.audio import decode_file, inspect
from earwitness.audio.channels import CANCEL, DIFFER, Channels

RATE_HZ = 16_000
DICE = np.random.default_rng(0)
ONE, OTHER = (DICE.standard_normal(2 * RATE_HZ).astype(np.float32) * 0.1 for _ in range(2))
ECHO = np.concatenate([np.zeros(80, np.float32), ONE[:-80]])
TURNS = np.repeat([1.0, 0.0, 1.0, 0.0], RATE_HZ // 2).astype(np.float32)


@pytest.mark.parametrize(
    ("channels", "remarks"),
    [
        ([ONE], ()),
        ([ONE, ONE], ()),
        ([ONE, 0.3 * ONE], ()),
        ([ONE, 0 * ONE], ()),
        ([ONE, 0.01 * OTHER], ()),
        ([ONE, 0.7 * ONE + 0.3 * OTHER], ()),
        ([0 * ONE, 0 * ONE], ()),
        ([ONE, -ONE], (CANCEL,)),
        ([ONE, -0.97 * ONE], (CANCEL,)),
        ([ONE, -ONE, OTHER, -OTHER], (CANCEL,)),
        ([ONE, -0.5 * ONE], ()),
        ([ONE, OTHER], (DIFFER,)),
        ([ONE, 0.1 * OTHER], (DIFFER,)),
        ([ONE * TURNS, OTHER * (1 - TURNS)], (DIFFER,)),
        ([ONE, ONE, OTHER], (DIFFER,)),
    ],
)
def test_channels_are_told_apart(channels: list[np.ndarray], remarks: tuple[str, ...], tmp_path: Path) -> None:
    block = np.stack(channels, axis=1)
    at_once, by_parts = Channels(), Channels()
    at_once.add(block)
    for start in range(0, len(block), 777):
        by_parts.add(block[start : start + 777])
    assert at_once.remarks() == by_parts.remarks() == remarks
    soundfile.write(tmp_path / "a.wav", block, RATE_HZ, subtype="FLOAT")
    assert inspect(tmp_path / "a.wav")[1] == remarks


def test_only_the_span_that_is_heard_counts_and_a_channel_that_is_chosen_is_no_mixture(tmp_path: Path) -> None:
    both = np.stack([np.concatenate([ONE, ONE]), np.concatenate([ONE, -ONE])], axis=1)
    soundfile.write(tmp_path / "a.wav", both, RATE_HZ, subtype="FLOAT")

    def remarks(**span: float | int) -> tuple[str, ...]:
        return decode_file(tmp_path / "a.wav", tmp_path / "a.f32", **span).remarks  # type: ignore[arg-type]

    assert remarks(duration_s=2.0) == ()
    assert remarks(start_s=2.0) == (CANCEL,)
    assert remarks(start_s=2.0, channel=0) == ()


def test_nothing_is_said_of_nothing(write_wav: Callable[..., Path]) -> None:
    assert Channels().remarks() == ()
    assert inspect(write_wav("a.wav", 1.0, RATE_HZ, 2))[1] == ()
