"""Exports Whisper to ONNX, from the weights that are here, and puts it into the cache for the engine onnx-asr.

    python tools/export_onnx.py tiny.en base [--environment FOLDER]

torch and optimum-onnx do it, in an environment of their own of 1.4 GB, which is removed afterwards unless FOLDER names
one to keep. Running the models takes neither. What is in the cache already is left as it is.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from earwitness import weights
from earwitness.engines.catalog import find

REQUIREMENTS = ("optimum-onnx[onnxruntime]==0.1.0", "torch>=2.6,<2.14", "accelerate>=1.10")
FILES = ("config.json", "vocab.json", "added_tokens.json", "encoder_model.onnx", "decoder_model_merged.onnx")
TASK = "automatic-speech-recognition-with-past"


def main() -> int:
    """Export the sizes that are named."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("size", nargs="+", help="as in faster-whisper:SIZE, such as tiny.en")
    arguments.add_argument("--environment", type=Path, metavar="FOLDER", help="where torch and optimum-onnx are kept")
    given = arguments.parse_args()
    missing = [size for size in given.size if weights.locate(find(f"onnx-asr:whisper-{size}")) is None]
    if not missing:
        return 0
    with tempfile.TemporaryDirectory(prefix="earwitness-onnx-") as scratch:
        program = exporter(given.environment or Path(scratch) / "environment")
        for size in missing:
            print(f"onnx-asr:whisper-{size}: {export(size, program, Path(scratch) / size)}")
    return 0


def exporter(environment: Path) -> Path:
    """Return the program that exports, from an environment that is made if it is missing."""
    program = environment / "bin" / "optimum-cli"
    if not program.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([environment / "bin" / "python", "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    return program


def export(size: str, program: Path, scratch: Path) -> Path:
    """Convert, export, keep what onnx-asr reads, and return the folder in the cache."""
    source = weights.pull(find(f"faster-whisper:{size}"), print)
    if source is None:
        raise SystemExit(f"faster-whisper:{size} has no weights.")
    hugging_face, made, kept = scratch / "huggingface", scratch / "onnx", scratch / "kept"
    weights.convert("huggingface", source, hugging_face)
    subprocess.run([program, "export", "onnx", "--model", hugging_face, "--task", TASK, made], check=True)
    kept.mkdir()
    for name in FILES:
        shutil.move(made / name, kept / name)
    return weights.adopt(find(f"onnx-asr:whisper-{size}"), kept, f"export:{size}")


if __name__ == "__main__":
    sys.exit(main())
