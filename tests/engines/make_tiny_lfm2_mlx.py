"""Writes a tiny LFM2-Audio checkpoint as mlx-audio reads it. Needs mlx-audio, and no torch.

    python make_tiny_lfm2_mlx.py FOLDER [SOURCE]

SOURCE is a folder of make_tiny_lfm2.py, whose numbers it takes; without one they are random. Published checkpoints
need none of this: the library splits and renames their tensors itself, by the sizes of the real model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # a worker's Python leaves the folder of its script out
from make_tiny_lfm2 import BACKBONE, ENCODER, PREPROCESSOR, tokenizer  # type: ignore[import-not-found]

DIM, KEYS = 64, 16  # of the depthformer: its 8 heads of keys are a quarter of its 32 of queries


def config(size_of_vocabulary: int) -> dict[str, Any]:
    backbone = BACKBONE | {
        "vocab_size": size_of_vocabulary, "block_dim": BACKBONE["hidden_size"],
        "block_ff_dim": BACKBONE["intermediate_size"], "block_multiple_of": 1, "block_ffn_dim_multiplier": 1.0,
    }  # fmt: skip
    return {
        "model_type": "lfm_audio", "codebooks": 8, "adapter_hidden_dims": [64], "preprocessor": PREPROCESSOR,
        "encoder": ENCODER, "lfm": backbone, "depthformer": {"layers": 1, "dim": DIM, "tie": True},
    }  # fmt: skip


def split(tensors: dict[str, Any]) -> dict[str, Any]:
    """Queries, keys and values apart, and tied tensors twice."""
    found: dict[str, Any] = {}
    for name, values in tensors.items():
        if name.endswith("operator.qkv_proj.weight"):
            block = f"audio_head.depthformer.blocks.{name.split('.')[2]}.attn"
            ends = (("q", 0, DIM), ("k", DIM, DIM + KEYS), ("v", DIM + KEYS, DIM + 2 * KEYS))
            found |= {f"{block}.{part}_proj.weight": values[start:end] for part, start, end in ends}
        else:
            found[name] = values
        if name.startswith("depth_embeddings.") and name.endswith(".embedding.weight"):
            found.setdefault(name.replace(".embedding.", ".to_logits."), values)
    return found


def random(configuration: dict[str, Any]) -> dict[str, Any]:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_audio.sts.models.lfm_audio import LFM2AudioModel
    from mlx_audio.sts.models.lfm_audio.config import LFM2AudioConfig

    mx.random.seed(0)
    found = dict(tree_flatten(LFM2AudioModel(LFM2AudioConfig.from_dict(configuration)).parameters()))
    # With the usual small numbers, it says the last token over and over.
    loud = {n: v for n, v in found.items() if n.startswith("lfm.") and v.ndim == 2}
    return found | {n: BACKBONE["initializer_range"] * mx.random.normal(v.shape) for n, v in loud.items()}


def make(folder: Path, source: Path | None = None) -> None:
    import mlx.core as mx

    folder.mkdir(parents=True, exist_ok=True)
    words = tokenizer()
    words.save_pretrained(folder)
    configuration = config(len(words))
    tensors = split(mx.load(str(source / "model.safetensors"))) if source else random(configuration)
    (folder / "config.json").write_text(json.dumps(configuration, indent=1), encoding="utf-8")
    mx.save_safetensors(str(folder / "model.safetensors"), tensors, metadata={"format": "mlx"})


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
