"""Writes a safetensors file with numpy alone.

A u64 length, so many bytes of JSON (name -> type, shape, first and last byte), and the values
(https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.weights.ctranslate2 import Array

_TYPES = {"float16": "F16", "float32": "F32", "int32": "I32"}


def write(tensors: Mapping[str, Array], framework: str, path: Path) -> None:
    """Write tensors in their order; the same tensors give the same bytes.

    Args:
        tensors: By name: float16, float32 or int32.
        framework: What the header says of the values' layout: ``pt`` or ``mlx``.
        path: File to write.
    """
    header: dict[str, Any] = {"__metadata__": {"format": framework}}
    end = 0
    for name, values in tensors.items():
        start, end = end, end + values.nbytes
        header[name] = {"dtype": _TYPES[values.dtype.name], "shape": values.shape, "data_offsets": (start, end)}
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)  # so that the values are aligned
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values).tobytes())
