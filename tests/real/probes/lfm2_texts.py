"""What an engine for LFM2-Audio makes of noise: texts and remarks, as one line of JSON.

python lfm2_texts.py lfm2.5-audio|mlx-audio FOLDER
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from earwitness.engines.base import ModelFiles
from earwitness.types import Audio, Settings

MODULES = {"lfm2.5-audio": "lfm2_audio", "mlx-audio": "mlx_audio"}


def main() -> None:
    engine = import_module(f"earwitness.engines.{MODULES[sys.argv[1]]}").engine
    model = engine.load(
        ModelFiles(f"{sys.argv[1]}:tiny", Path(sys.argv[2])), "cpu", Settings(threads=1, precision="float32")
    )
    found = []
    for seed, seconds in ((0, 3), (1, 3), (2, 10)):
        noise = (np.random.default_rng(seed).standard_normal(seconds * 16_000) / 10).astype(np.float32)
        transcript = model.transcribe(Audio(noise, 16_000), language="en")
        found.append([transcript.text, list(transcript.remarks)])
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
