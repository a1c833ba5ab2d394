"""What can be seen of the engines on torch and ggml where neither is installed: devices, refusals, and shapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from earwitness.engines import transformers, transformers_shapes, whisper, whisper_cpp
from earwitness.engines.base import ModelFiles, sole_file
from earwitness.errors import EngineError, SettingsError
from earwitness.types import Settings

HOLDS = ("transformers.py", "transformers_shapes.py", "whisper.py", "whisper_cpp.py")


class Module:
    """A stand-in for a torch module with a sparse buffer, which cannot be moved to MPS."""

    def __init__(self) -> None:
        self._buffers: dict[str, Any] = {"alignment_heads": "sparse"}
        self.device = "cpu"
        self.persistent = True

    def to(self, device: str) -> Module:
        if "alignment_heads" in self._buffers:
            raise NotImplementedError("SparseMPS")
        self.device = device
        return self

    def register_buffer(self, name: str, value: Any, *, persistent: bool) -> None:
        self._buffers[name] = value
        self.persistent = persistent


def test_whisper_reaches_mps_without_its_sparse_buffer_and_keeps_it() -> None:
    model = whisper.moved(Module(), "mps")
    assert model.device == "mps"
    assert model._buffers == {"alignment_heads": "sparse"}
    assert not model.persistent


@pytest.mark.parametrize(
    ("device", "precision", "half"),
    [("cpu", "auto", False), ("mps", "auto", False), ("cuda:0", "auto", True), ("cuda:1", "float32", False)],
)
def test_whisper_halves_its_precision_on_cuda_alone(device: str, precision: str, half: bool) -> None:
    assert whisper.wants_half(Settings(precision=precision), device) is half


def test_whisper_refuses_float16_off_cuda_and_word_times_on_mps() -> None:
    with pytest.raises(SettingsError, match="'float16' is not available on mps; available: float32"):
        whisper.wants_half(Settings(precision="float16"), "mps")
    with pytest.raises(SettingsError, match="float64, which mps does not support"):
        whisper.wants_half(Settings(timestamps="word"), "mps")


@pytest.mark.parametrize(
    ("line", "device"),
    [
        ("whisper_backend_init_gpu: no GPU found", "cpu"),
        ("whisper_init_with_params_no_state: use gpu = 0", "cpu"),
        ("whisper_backend_init_gpu: using Metal backend", "mps"),
        ("whisper_backend_init_gpu: using MTL0 backend", "mps"),
        ("whisper_backend_init_gpu: using CUDA0 backend", "cuda:0"),
        ("whisper_backend_init_gpu: using Vulkan0 backend", "vulkan"),
    ],
)
def test_whisper_cpp_tells_its_device_in_its_log(line: str, device: str) -> None:
    assert whisper_cpp.device_in_log(f"whisper_model_load: type = 1\n{line}\n") == device


def test_whisper_cpp_forgets_the_text_so_far_unless_context_is_asked_for() -> None:
    assert whisper_cpp.parameters(Settings())["n_max_text_ctx"] == 0
    assert whisper_cpp.parameters(Settings(context=True))["n_max_text_ctx"] > 0
    assert whisper_cpp.parameters(Settings())["temperature_inc"] == 0
    assert whisper_cpp.parameters(Settings(beam_size=5))["beam_search"]["beam_size"] == 5


def shape(name: str, processor: Any = None) -> transformers_shapes.ModelShape:
    return transformers_shapes.shape_of(type(name, (), {})(), processor)


def test_a_model_of_transformers_is_called_as_its_class_says() -> None:
    request = SimpleNamespace(apply_transcription_request=print)
    assert shape("WhisperForConditionalGeneration") == transformers_shapes.WHISPER
    assert shape("Wav2Vec2ForCTC") == transformers_shapes.CTC
    assert shape("ParakeetForTDT") == shape("NemotronForRNNT") == transformers_shapes.TRANSDUCER
    assert shape("MoonshineForConditionalGeneration") == transformers_shapes.GENERATE
    assert shape("Qwen3ASRForConditionalGeneration", request) == transformers_shapes.REQUEST
    assert shape("ParakeetForCTC", request) == transformers_shapes.CTC


def test_a_setting_that_a_shape_cannot_honour_is_refused_and_a_default_is_not() -> None:
    ctc = transformers_shapes.shape_of(type("XForCTC", (), {})(), None)
    transformers.require_shape(ctc, Settings(), "transformers:x")
    for asked in ({"beam_size": 5}, {"context": True}, {"temperature_fallback": True}, {"timestamps": "word"}):
        with pytest.raises(SettingsError):
            transformers.require_shape(ctc, replace(Settings(), **asked), "transformers:x")


def test_a_class_that_transformers_does_not_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="has no config.json that names its 'architectures'"):
        transformers.architecture("transformers:x", tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["WhisperForConditionalGeneration"]}')
    assert transformers.architecture("transformers:x", tmp_path) == "WhisperForConditionalGeneration"


def test_the_file_of_a_model_must_be_there_once(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="has no weights folder. Run: earwitness models pull whisper:x"):
        sole_file(ModelFiles("whisper:x", None), "*.pt")
    with pytest.raises(EngineError, match=r"needs one file '\*.pt' .* which has 0"):
        sole_file(ModelFiles("whisper:x", tmp_path), "*.pt")
    (tmp_path / "a.pt").touch()
    assert sole_file(ModelFiles("whisper:x", tmp_path), "*.pt") == tmp_path / "a.pt"
    (tmp_path / "b.pt").touch()
    with pytest.raises(EngineError, match="which has 2"):
        sole_file(ModelFiles("whisper:x", tmp_path), "*.pt")
