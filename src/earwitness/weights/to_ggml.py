"""Writes a ggml file, as whisper.cpp reads it: 16-bit matrices, 32-bit vectors.

Little endian int32 throughout, as in whisper.cpp's ``models/convert-pt-to-ggml.py``::

    magic 0x67676d6c | n_vocab n_audio_ctx n_audio_state n_audio_head n_audio_layer n_text_ctx n_text_state n_text_head
    n_text_layer n_mels | type of the matrices (1: float16) | rows and columns of the mel filters, then their values in
    float32 | token count, then length and bytes of each | per tensor: rank, length of its name, type (0: float32,
    1: float16), dimensions with the innermost first, name, values
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from earwitness.types import RATE_HZ
from earwitness.weights.ctranslate2 import Array, WhisperWeights

_MAGIC = 0x67676D6C
_FLOAT16 = 1
_SIZES = ("n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
          "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels")  # fmt: skip


def write(weights: WhisperWeights, folder: Path) -> None:
    """Write ``ggml-model.bin`` into a folder; the same weights give the same bytes."""
    tokens = weights.vocabulary[: weights.vocabulary.index("<|endoftext|>")]
    byte_of = _byte_of()
    filters = mel_filters(weights.dims["n_mels"])
    with (folder / "ggml-model.bin").open("wb") as file:
        file.write(struct.pack("<12i", _MAGIC, *(weights.dims[name] for name in _SIZES), _FLOAT16))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            raw = bytes(byte_of[character] for character in token)
            file.write(struct.pack("<i", len(raw)) + raw)
        for name, values in weights.tensors.items():
            _write_tensor(file, name, values)


def _write_tensor(file: IO[bytes], name: str, values: Array) -> None:
    if name.startswith("encoder.conv") and name.endswith(".bias"):
        values = values.reshape(-1, 1)
        half = False
    else:
        half = values.ndim >= 2 and not name.endswith("positional_embedding")
    stored = np.ascontiguousarray(values, np.float16 if half else np.float32)
    raw = name.encode()
    file.write(struct.pack("<3i", stored.ndim, len(raw), int(half)))
    file.write(struct.pack(f"<{stored.ndim}i", *stored.shape[::-1]) + raw + stored.tobytes())


def mel_filters(n_mels: int, sample_rate_hz: int = RATE_HZ, n_fft: int = 400) -> npt.NDArray[np.float32]:
    """Return Whisper's mel filters, shape (n_mels, n_fft // 2 + 1): triangles of equal area on Slaney's scale.

    The scale is linear to 1 kHz (15 mels of 66.7 Hz) and logarithmic above (27 mels to a factor of 6.4), after Slaney's
    Auditory Toolbox (1998); the values are those of ``whisper/assets/mel_filters.npz``.

    >>> mel_filters(80).shape
    (80, 201)
    """
    top = 15 + 27 * np.log(sample_rate_hz / 2 / 1000) / np.log(6.4)
    mels = np.linspace(0, top, n_mels + 2)
    hz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    distance = hz[:, None] - np.fft.rfftfreq(n_fft, 1 / sample_rate_hz)
    width = np.diff(hz)[:, None]
    triangles = np.maximum(0, np.minimum(-distance[:-2] / width[:-1], distance[2:] / width[1:]))
    filters: npt.NDArray[np.float32] = (triangles * (2 / (hz[2:] - hz[:-2]))[:, None]).astype(np.float32)
    return filters


def _byte_of() -> dict[str, int]:
    # GPT-2 writes a byte as itself where that is printable, and the others as the characters from 256 on.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
