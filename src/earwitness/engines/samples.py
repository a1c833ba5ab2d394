"""Samples as engines need them, from whatever a caller has: one channel, float32, in one piece of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.errors import EngineError


def mono_float32(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return samples of shape (n,), float32, contiguous; the array itself where it is so already.

    float64 becomes float32 (a Mac's GPU has no other), integers are divided by their type's largest value, and of a
    two-dimensional array the mean over the shorter axis is taken: (n, channels) and (channels, n) are both about.

    >>> mono_float32(np.array([[16384, -16384], [32767, 32767]] * 2, np.int16)).round(3).tolist()
    [0.0, 1.0, 0.0, 1.0]

    Raises:
        EngineError: For anything that is not an array of numbers with one or two dimensions.
    """
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "fiu":
        raise EngineError(
            f"Audio of shape {samples.shape} and type {str(samples.dtype)!r} cannot be heard: give (n,) of float32."
        )
    scale = 1.0 if samples.dtype.kind == "f" else 1.0 / np.iinfo(samples.dtype).max
    if samples.dtype.kind == "u":
        raise EngineError(f"Audio of type {str(samples.dtype)!r} has no sign. Decode it to float32 in [-1, 1].")
    if samples.ndim == 2:
        samples = samples.mean(axis=int(np.argmin(samples.shape)), dtype=np.float64)
    if scale != 1.0:
        samples = samples * scale
    return np.ascontiguousarray(samples, dtype=np.float32)
