"""The engine on ONNX Runtime without it: devices, and how token times become words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from earwitness.engines import devices, onnx_asr, onnx_device
from earwitness.engines.base import ModelFiles
from earwitness.errors import EngineError, SettingsError, UnsupportedDeviceError
from earwitness.types import Audio, DecodedSegment, Settings

HOLDS = ("onnx_device.py", "onnx_asr.py", "segments.py")


def runtime(*providers: str) -> Any:
    return SimpleNamespace(__version__="1.99", get_available_providers=lambda: [*providers, "CPUExecutionProvider"])


def session(*providers: str, device_id: int = 0) -> Any:
    options = {provider: {"device_id": str(device_id)} for provider in providers}
    return SimpleNamespace(get_providers=lambda: list(providers), get_provider_options=lambda: options)


@pytest.mark.parametrize(
    ("built", "machine", "asked", "provider"),
    [
        ((), {"cpu": 1, "cuda": 1}, "auto", "CPUExecutionProvider"),
        (("CUDAExecutionProvider",), {"cpu": 1, "cuda": 2}, "auto", "CUDAExecutionProvider"),
        (("CUDAExecutionProvider",), {"cpu": 1}, "auto", "CPUExecutionProvider"),
        (("CoreMLExecutionProvider",), {"cpu": 1, "mps": 1}, "auto", "CPUExecutionProvider"),
        (("CoreMLExecutionProvider",), {"cpu": 1, "mps": 1}, "mps", "CoreMLExecutionProvider"),
    ],
)
def test_a_device_takes_the_build_and_the_machine(
    monkeypatch: pytest.MonkeyPatch, built: tuple[str, ...], machine: dict[str, int], asked: str, provider: str
) -> None:
    monkeypatch.setattr(devices, "here", lambda: machine)
    ((found, options),) = onnx_device.providers(runtime(*built), asked)
    assert found == provider
    assert options == ({"device_id": "0"} if provider.startswith("CUDA") else {})


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnsupportedDeviceError, match="'cuda:3' is not available: ONNX Runtime 1.99 sees cpu"):
        onnx_device.providers(runtime(), "cuda:3")


def test_the_device_is_read_from_the_sessions_since_a_provider_that_fails_gives_way_silently() -> None:
    cpu = session("CPUExecutionProvider")
    assert onnx_device.device_of([cpu, cpu]) == "cpu"
    assert (
        onnx_device.device_of([cpu, session("CUDAExecutionProvider", "CPUExecutionProvider", device_id=1)]) == "cuda:1"
    )
    assert onnx_device.device_of([session("CoreMLExecutionProvider", "CPUExecutionProvider")]) == "mps"


Load = Callable[..., Any]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Loads a stand-in for a model of onnx-asr through the engine."""

    class Session(SimpleNamespace):
        pass

    def loaded(model: Any, options: dict[str, Any] | None = None, **settings: Any) -> Any:
        library, errors, ort = (ModuleType(name) for name in ("onnx_asr", "onnx_asr.utils", "onnxruntime"))
        library.load_model = lambda *_, **__: model  # type: ignore[attr-defined]
        errors.ModelLoadingError = RuntimeError  # type: ignore[attr-defined]
        ort.__dict__.update(vars(runtime()), SessionOptions=SimpleNamespace, InferenceSession=Session)
        for module in (library, errors, ort):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        files = ModelFiles("onnx-asr:x", tmp_path, options or {})
        return onnx_asr.engine.load(files, "cpu", Settings(**settings))

    return loaded


class Transducer:
    """A stand-in for onnx-asr's Parakeet."""

    asr = SimpleNamespace(config={})

    def with_timestamps(self) -> Transducer:
        return self

    def recognize(self, samples: Any) -> Any:
        if len(samples) < 16_000:
            return SimpleNamespace(text="", tokens=[], timestamps=[], logprobs=[])
        return SimpleNamespace(
            text="good day", tokens=[" go", "od", " day"], timestamps=[0.08, 0.16, 0.4], logprobs=[-0.2, -0.4, -0.1]
        )


def test_token_times_and_probabilities_become_words_and_a_segment(load: Load) -> None:
    model = load(Transducer(), {"quantization": "int8"}, timestamps="word", threads=3)
    found = model.transcribe(Audio(np.zeros(16_000, np.float32), 16_000), language="tlh")
    assert found.words is not None
    words = [w for w in found.words if isinstance(w, DecodedSegment)]
    assert [(w.text, w.start_s, round(w.end_s, 2)) for w in words] == [(" good", 0.08, 0.4), (" day", 0.4, 0.7)]
    assert [w.avg_logprob for w in words] == pytest.approx([-0.3, -0.1])
    (segment,) = found.segments
    assert (segment.start_s, round(segment.end_s, 2), segment.text) == (0.08, 0.7, "good day")
    assert model.in_force == {**model.in_force, "precision": "int8", "language": None, "threads": 3, "chunk_s": 30.0}
    silent = model.transcribe(Audio(np.zeros(80, np.float32), 16_000), language=None)
    assert (silent.text, silent.words, silent.segments) == ("", (), ())


class Whisper(SimpleNamespace):
    """A stand-in for onnx-asr's Whisper, which writes down the prompt that it is given."""

    def __init__(self, vocab_size: int) -> None:
        tokens = {"<|startoftranscript|>": 7, "<|en|>": 8, "<|de|>": 9, "<|notimestamps|>": 10}
        super().__init__(config={"vocab_size": vocab_size}, _tokens=tokens, _detect_lang_input=None)

    def _encode(self, waves: Any, lengths: Any) -> Any:
        return waves.shape, lengths.tolist()

    def _decoding(self, encoded: Any, prompt: Any) -> Any:
        return prompt

    def _decode_tokens(self, tokens: Any) -> Any:
        return SimpleNamespace(text=f" {tokens.tolist()}")

    def recognize_batch(self, waves: Any, lengths: Any, *, language: str | None) -> Any:
        return iter([SimpleNamespace(text=str(language))])


def test_an_english_whisper_is_prompted_without_a_language(load: Load) -> None:
    english = load(SimpleNamespace(asr=Whisper(51864)))
    second = Audio(np.zeros(16_000, np.float32), 16_000)
    assert english.transcribe(second, language="en-US").text == "[7, 10]"
    assert english.in_force["timestamps"] == "none"
    multilingual = load(SimpleNamespace(asr=Whisper(51865)))
    assert [multilingual.transcribe(second, language=tag).text for tag in ("de", None)] == ["de", "None"]
    for model, tag in ((english, "de"), (multilingual, "fr")):
        with pytest.raises(EngineError, match=f"does not know the language '{tag}'"):
            model.transcribe(second, language=tag)
    with pytest.raises(SettingsError, match="have no word times"):
        load(SimpleNamespace(asr=Whisper(51865)), timestamps="word")
    with pytest.raises(SettingsError, match="'int8' is not that of the files, float32"):
        load(SimpleNamespace(asr=Whisper(51865)), precision="int8")
