"""transformers: the speech models of the Hugging Face hub, on torch."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from earwitness.engines import torch_device
from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, settings_in_force
from earwitness.engines.blocks import in_blocks
from earwitness.engines.transformers_shapes import ModelParts, ModelShape, shape_of, translates
from earwitness.errors import EngineError, SettingsError
from earwitness.types import RATE_HZ, Audio, Guide, Settings, Transcript

SPEC = EngineSpec(
    name="transformers",
    summary="speech models of the Hugging Face hub, on torch",
    imports=("transformers", "torch"),
    packages=("transformers", "torch", "tokenizers"),
    devices={
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("supported"),
        "mps": DeviceSupport(
            "experimental", "each model has its own operations, and torch does not support all of them there"
        ),
        "tpu": DeviceSupport("experimental", "torch's TPU backend is in beta"),
    },
    fixed={"vad": False, "batch_size": 1},
    parameter_bytes={"cpu": 4, "cuda": 2, "mps": 4, "tpu": 2},
    requirements=("transformers==5.23.0", "torch>=2.6,<2.14"),
    guides=("translate",),
)
_BEST = {"cpu": "float32", "cuda": "float16", "mps": "float32", "tpu": "bfloat16"}
_PRECISIONS = ("float32", "float16", "bfloat16")
# Only training masks spectrograms, and checkpoints often lack what it masks them with.
_NOT_NEEDED = "masked_spec_embed"


class _Transformers:
    def __init__(self, parts: ModelParts, shape: ModelShape) -> None:
        settings = parts.settings
        self.device = torch_device.device_of(parts.model)
        self._longest_s = min(settings.chunk_s, shape.longest_s or settings.chunk_s)
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC,
            settings,
            **shape.fixed,
            precision=str(parts.model.dtype).removeprefix("torch."),
            threads=parts.torch.get_num_threads() if self.device == "cpu" else None,
            chunk_s=self._longest_s,
        )
        self._parts, self._shape = parts, shape

    def guided(self, guide: Guide) -> _Transformers:
        if guide.translate and not translates(self._parts):
            raise EngineError(f"Model {self._parts.id!r} cannot translate: only Whisper's multilingual models do.")
        found = copy.copy(self)
        found._parts = replace(self._parts, translate=guide.translate)
        return found

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return in_blocks(audio, self._longest_s, self._block, language)

    def _block(self, audio: Audio, language: str | None) -> Transcript:
        with self._parts.torch.inference_mode():
            return self._shape.transcribe(self._parts, audio, language)

    def synchronize(self) -> None:
        torch_device.synchronize(self._parts.torch, self.device)

    def peak_device_bytes(self) -> int | None:
        return torch_device.peak_bytes(self._parts.torch, self.device)

    def close(self) -> None:
        self._parts = replace(self._parts, model=None)


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _Transformers:
        import torch
        from transformers import AutoProcessor

        if model.folder is None:
            raise EngineError(f"Model {model.id!r} has no weights folder. Run: earwitness models pull {model.id}")
        used = torch_device.resolve(torch, device)
        precision = _BEST[used.partition(":")[0]] if settings.precision == "auto" else settings.precision
        if precision not in _PRECISIONS:
            raise SettingsError(f"Precision {precision!r} is not available; available: {', '.join(_PRECISIONS)}.")
        torch.set_num_threads(settings.threads or 1)
        processor = AutoProcessor.from_pretrained(model.folder, local_files_only=True)
        loaded = _loaded(model.id, model.folder, getattr(torch, precision)).to(used).eval()
        shape = shape_of(loaded, processor)
        if shape.longest_s is None and settings.timestamps == "none":
            # Without times it knows where a window ends only if the window is the whole block.
            shape = replace(shape, longest_s=30.0)
        require_shape(shape, settings, model.id)
        parts = ModelParts(torch, loaded, processor, settings, model.id)
        if parts.sample_rate_hz != RATE_HZ:
            raise EngineError(f"Model {model.id!r} needs audio at {parts.sample_rate_hz} Hz, not {RATE_HZ} Hz.")
        return _Transformers(parts, shape)


def _loaded(model_id: str, folder: Path, dtype: Any) -> Any:
    import transformers

    name = architecture(model_id, folder)
    known = getattr(transformers, name, None)
    if known is None or not issubclass(known, transformers.PreTrainedModel):
        raise EngineError(
            f"Model {model_id!r} is a {name!r}, which transformers {transformers.__version__} does not have."
        )
    model, told = known.from_pretrained(folder, dtype=dtype, local_files_only=True, output_loading_info=True)
    missing = sorted(name for name in told["missing_keys"] if not name.endswith(_NOT_NEEDED))
    if missing:
        # The library would go on with random numbers in their place.
        raise EngineError(
            f"The weights of {model_id!r} lack {len(missing)} tensors, such as {missing[0]!r}. Pull the model again."
        )
    return model


def architecture(model_id: str, folder: Path) -> str:
    """Return the class that a folder's ``config.json`` names.

    Raises:
        EngineError: When it names none.
    """
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"]
        return str(found[0])
    except (OSError, ValueError, LookupError, TypeError):
        raise EngineError(f"Model {model_id!r} has no config.json that names its 'architectures'.") from None


def require_shape(shape: ModelShape, settings: Settings, model_id: str) -> None:
    """Refuse settings that a model of a shape cannot honour.

    Raises:
        SettingsError: For the first that was asked for and is no default.
    """
    if settings.timestamps == "word":
        raise SettingsError("Engine 'transformers' gives no word times here. Ask for timestamps=segment.")
    for name, fixed in shape.fixed.items():
        wanted = getattr(settings, name)
        if wanted not in (fixed, getattr(Settings(), name)):
            raise SettingsError(f"Model {model_id!r} cannot honour {name}={wanted!r}. Leave it out.")


engine = _Engine()
