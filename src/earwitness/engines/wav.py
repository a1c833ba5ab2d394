"""Audio as a WAV file, for engines that take files: 16-bit, mono, with the standard library."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from earwitness.engines.blocks import drop_pages
from earwitness.types import Audio

_BLOCK = 1 << 20


def write_wav(target: str | Path | io.BytesIO, audio: Audio) -> None:
    """Write 16-bit samples, in blocks, so that memory stays flat; what goes beyond full scale is clipped.

    Samples that came from 16-bit integers come out as the same integers.
    """
    with wave.open(target if isinstance(target, io.BytesIO) else str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.sample_rate_hz)
        file.setnframes(len(audio.samples))
        for start in range(0, len(audio.samples), _BLOCK):
            scaled = np.round(audio.samples[start : start + _BLOCK] * np.float32(32768))
            file.writeframesraw(np.clip(scaled, -32768, 32767).astype("<i2").tobytes())
            drop_pages(audio.samples)


def wav_bytes(audio: Audio) -> bytes:
    """Return the same in memory: 32,000 bytes a second at 16 kHz, and 44.

    >>> len(wav_bytes(Audio(np.zeros(16_000, np.float32), 16_000)))
    32044
    """
    held = io.BytesIO()
    write_wav(held, audio)
    return held.getvalue()
