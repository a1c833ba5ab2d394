"""Writes a tiny Whisper with random weights, as mlx-whisper reads it, with Earwitness's own writer; needs no MLX.

The real tiny.en takes MLX on Linux 18 s of one core for every window of 30 s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from earwitness.weights import to_mlx
from earwitness.weights.ctranslate2 import Array, WhisperWeights

STATE = 64
DIMS = {
    "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": STATE, "n_audio_head": 2, "n_audio_layer": 1,
    "n_vocab": 51864, "n_text_ctx": 448, "n_text_state": STATE, "n_text_head": 2, "n_text_layer": 2,
}  # fmt: skip


def make(folder: Path, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    tensors: dict[str, Array] = {}

    def random(name: str, *shape: int, scale: float = 0.2) -> None:
        tensors[name] = (scale * rng.standard_normal(shape)).astype(np.float16)

    def linear(name: str, rows: int, columns: int, *, bias: bool = True) -> None:
        random(f"{name}.weight", rows, columns)
        if bias:
            random(f"{name}.bias", rows)

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = np.ones(STATE, np.float16)
        tensors[f"{name}.bias"] = np.zeros(STATE, np.float16)

    random("encoder.positional_embedding", 1500, STATE)
    for n, channels in ((1, 80), (2, STATE)):
        random(f"encoder.conv{n}.weight", STATE, channels, 3)
        random(f"encoder.conv{n}.bias", STATE)
    for side, layers in (("encoder", 1), ("decoder", 2)):
        for n in range(layers):
            here = f"{side}.blocks.{n}"
            for kind in ("attn", "cross_attn")[: 1 + (side == "decoder")]:
                for part in ("query", "key", "value", "out"):
                    linear(f"{here}.{kind}.{part}", STATE, STATE, bias=part != "key")
                norm(f"{here}.{kind}_ln")
            linear(f"{here}.mlp.0", 4 * STATE, STATE)
            linear(f"{here}.mlp.2", STATE, 4 * STATE)
            norm(f"{here}.mlp_ln")
    norm("encoder.ln_post")
    norm("decoder.ln")
    random("decoder.token_embedding.weight", DIMS["n_vocab"], STATE)
    random("decoder.positional_embedding", DIMS["n_text_ctx"], STATE)
    config = {"alignment_heads": [[1, 0], [1, 1]]}
    folder.mkdir(parents=True, exist_ok=True)
    to_mlx.write(WhisperWeights(DIMS, tensors, (), {}, config), folder)
