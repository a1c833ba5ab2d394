"""The same Whisper weights in another engine's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from earwitness.errors import ConversionError
from earwitness.files.fetch import stage
from earwitness.weights import ctranslate2, to_ggml, to_huggingface, to_mlx, to_openai

FORMATS: Mapping[str, Callable[[ctranslate2.WhisperWeights, Path], None]] = {
    "openai": to_openai.write,
    "huggingface": to_huggingface.write,
    "ggml": to_ggml.write,
    "mlx": to_mlx.write,
}
FORMAT_OF_ENGINE = {"whisper": "openai", "transformers": "huggingface", "whisper-cpp": "ggml", "mlx-whisper": "mlx"}


def write_as(form: str, source: Path, target: Path) -> None:
    """Write the weights of a CTranslate2 folder in another format into an empty folder.

    float16 stays float16 and float32 float32 (ggml takes its matrices as float16 always); int8 and int16 are multiplied
    out and rounded to float16.

    Raises:
        ConversionError: For an unknown format, or weights that cannot be converted.
    """
    if form not in FORMATS:
        raise ConversionError(f"There is no format {form!r}. Formats: {', '.join(FORMATS)}.")
    FORMATS[form](ctranslate2.read(source), target)


def convert(form: str, source: Path, target: Path) -> None:
    """Make a new folder of the weights in another format; nothing half-made stays.

    Raises:
        ConversionError: For an unknown format, weights that cannot be converted, or a target that is there already.
        FetchError: When the disk is full or the place cannot be written.
    """
    if target.exists():
        raise ConversionError(f"{str(target)!r} already exists. Name a new folder.")
    with stage(target) as fresh:
        write_as(form, source, fresh)
