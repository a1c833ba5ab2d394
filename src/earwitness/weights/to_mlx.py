"""Writes an MLX folder, as ``mlx_whisper`` loads it: ``config.json`` and ``weights.safetensors``.

Names are OpenAI's but for the two layers of a block's MLP. Kernels of convolutions have their channels last. The
encoder's positions are left out, since the library computes them. The heads that word times are read from are in the
file like a tensor, as in the folders that the library's own ``convert.py`` writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from earwitness.weights import safetensors
from earwitness.weights.ctranslate2 import Array, WhisperWeights


def write(weights: WhisperWeights, folder: Path) -> None:
    """Write both files into a folder; the same weights give the same bytes."""
    config = {"model_type": "whisper", **weights.dims}
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8", newline="\n")
    safetensors.write(dict(_tensors(weights)), "mlx", folder / "weights.safetensors")


def _tensors(weights: WhisperWeights) -> Iterator[tuple[str, Array]]:
    for name, values in weights.tensors.items():
        if name == "encoder.positional_embedding":
            continue
        is_kernel = name.startswith("encoder.conv") and name.endswith(".weight")
        yield name.replace(".mlp.0", ".mlp1").replace(".mlp.2", ".mlp2"), values.swapaxes(1, 2) if is_kernel else values
    yield "alignment_heads", np.asarray(weights.config["alignment_heads"], np.int32)
