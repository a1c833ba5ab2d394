"""Checks the input and the output of engines, in one place for all of them.

Libraries differ in what they do with audio that is not what they expect: faster-whisper transcribes 16-bit integers to
nonsense without a word, others raise. So every engine gets the same: float32, mono, 16 kHz, contiguous, finite.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.engines.blocks import drop_pages
from earwitness.errors import AudioError, EngineError
from earwitness.types import RATE_HZ, Audio, Transcript

_HIGHEST_PEAK = 10.0
_MOST_CHANNELS = 32
_BLOCK = 1 << 20
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def conform(samples: npt.NDArray[Any], sample_rate_hz: int) -> Audio:
    """Convert audio of any layout and type to the input of engines; a suitable array is not copied.

    Integers are scaled by their type, so that full scale is 1. Floats are left as they are: a file's may go beyond 1 a
    little, which engines bear. Floats with a peak over 10 (20 dB above full scale) are refused: they are most likely
    integers in a float array, and by which number to divide them would be a guess.

    Args:
        samples: Shape (n,), (n, channels) or (channels, n), the longer side being time; channels are averaged.
        sample_rate_hz: Must be 16,000: engine environments have no resampler; ``earwitness.audio.in_process`` does.

    Raises:
        AudioError: In one sentence, for another rate, a shape or type that is not sound, NaN, infinity, or such a peak.

    >>> conform(np.array([[16384, 0], [-32768, -32768], [0, 0]], np.int16), 16_000).samples
    array([ 0.25, -1.  ,  0.  ], dtype=float32)
    >>> right = np.zeros(8, np.float32)
    >>> conform(right, 16_000).samples is right
    True
    """
    if sample_rate_hz != RATE_HZ:
        raise AudioError(
            f"Engines are given {RATE_HZ} Hz, not {sample_rate_hz!r}. Resample it first, as "
            "earwitness.audio.in_process does."
        )
    array = np.asarray(samples)
    mono = np.ascontiguousarray(_scaled(_mono(array)), dtype=np.float32)
    _require_level(mono)
    return Audio(mono, sample_rate_hz)


def require_finished(transcript: object) -> None:
    """Refuse an unfinished transcript: a generator would stop the clock before the work starts.

    Raises:
        EngineError: Naming the part and what it is instead.
    """
    if not isinstance(transcript, Transcript):
        raise EngineError(f"The engine must return a finished Transcript, not {type(transcript).__name__!r}.")
    for name, kinds in (("text", str), ("segments", tuple), ("words", (tuple, type(None))), ("remarks", tuple)):
        value = getattr(transcript, name)
        if not isinstance(value, kinds):
            raise EngineError(f"The engine's Transcript has {type(value).__name__!r} for its {name}: finish it first.")


def require_tag(language: str | None) -> str | None:
    """Check the form of a language tag, which engines put into requests and command lines.

    Raises:
        EngineError: For a text that is not a BCP 47 tag.

    >>> require_tag("es-MX")
    'es-MX'
    >>> require_tag("--help")
    Traceback (most recent call last):
    ...
    earwitness.errors.EngineError: '--help' is not a language tag. Write one such as 'en' or 'es-MX'.
    """
    if language is not None and not _TAG.fullmatch(language):
        raise EngineError(f"{language!r} is not a language tag. Write one such as 'en' or 'es-MX'.")
    return language


def whisper_code(language: str) -> str:
    """Return the code that Whisper's vocabulary has for a language; it has Javanese by a code that was withdrawn.

    >>> whisper_code("en-US"), whisper_code("jv")
    ('en', 'jw')
    """
    code = language.partition("-")[0].lower()
    return {"jv": "jw"}.get(code, code)


def whisper_language(language: str | None, codes: Container[str], *, multilingual: bool) -> str | None:
    """Return the code with which a Whisper model decodes a language; ``None`` for one that it is to detect.

    Args:
        language: BCP 47 tag, or ``None``.
        codes: Of the languages that the model's vocabulary has.
        multilingual: Whether it knows other languages than English; else it detects none.

    Raises:
        EngineError: For a language that the model does not know.

    >>> whisper_language("en-US", {"en", "de"}, multilingual=True), whisper_language(None, {"en"}, multilingual=False)
    ('en', 'en')
    """
    if language is None:
        return None if multilingual else "en"
    code = whisper_code(language)
    if code not in (codes if multilingual else ("en",)):
        raise EngineError(f"This model does not know the language {language!r}. You can force one: --set language=en")
    return code


def _mono(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.ndim == 1:
        return array
    if array.ndim != 2 or (array.size and min(array.shape) > _MOST_CHANNELS):
        raise AudioError(f"Audio of shape {array.shape} is not supported: give (n,), (n, channels) or (channels, n).")
    if not array.size:
        return np.zeros(0, np.float32)
    channels_last = array if array.shape[0] >= array.shape[1] else array.T
    if channels_last.shape[1] == 1:
        return channels_last[:, 0]
    return np.asarray(_scaled(channels_last).mean(axis=1, dtype=np.float64))


def _scaled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind == "f":
        return array
    if array.dtype.kind == "i" and array.dtype.itemsize <= 4:
        return array / np.float64(2 ** (8 * array.dtype.itemsize - 1))
    if array.dtype == np.uint8:
        return (array - np.float64(128)) / 128
    raise AudioError(f"Audio of type {array.dtype} is not supported: give floats, or integers of 8 to 32 bits.")


def _require_level(samples: npt.NDArray[np.float32]) -> None:
    # In blocks whose pages are let go again: looking at ten hours must not hold ten hours.
    for start in range(0, len(samples), _BLOCK):
        block = samples[start : start + _BLOCK]
        peak = float(max(-block.min(), block.max()))
        drop_pages(samples)
        if not np.isfinite(peak):
            raise AudioError("Audio has NaN or infinite samples. Decode the file again, or leave it out.")
        if peak > _HIGHEST_PEAK:
            raise AudioError(
                f"Audio peaks at {peak:.5g} where full scale is 1: these look like integers. Divide them by their "
                "full scale, 32768 for 16 bits."
            )
