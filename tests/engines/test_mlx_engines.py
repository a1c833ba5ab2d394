"""The engines on MLX where there is no Apple chip: devices, precisions and refusals, with stand-ins for MLX alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from earwitness.engines import mlx_audio, mlx_device, mlx_whisper
from earwitness.engines.base import ModelFiles
from earwitness.engines.devices import require_device
from earwitness.errors import EngineError, SettingsError, UnsupportedDeviceError
from earwitness.types import Audio, Settings

HOLDS = ("mlx_device.py", "mlx_whisper.py", "mlx_audio.py")


class Mlx(SimpleNamespace):
    """What the engines use of ``mlx.core``, with the GPUs that it is told to have."""

    def __init__(self, *, metal: bool = False, cuda: int = 0) -> None:
        self.now = SimpleNamespace(type="gpu" if metal or cuda else "cpu", index=0)
        super().__init__(
            __version__="0.99",
            cpu="cpu",
            gpu="gpu",
            metal=SimpleNamespace(is_available=lambda: metal),
            cuda=SimpleNamespace(is_available=lambda: cuda > 0),
            device_count=lambda kind: cuda,
            default_device=lambda: self.now,
            set_default_device=self.set,
            Device=lambda kind, index: SimpleNamespace(type=kind, index=index),
            get_peak_memory=lambda: 3_000_000_000,
            synchronize=lambda: None,
            clear_cache=lambda: None,
            array=lambda values: values,
            eval=lambda values: None,
            float32="float32",
        )

    def set(self, device: Any) -> None:
        self.now = SimpleNamespace(type="cpu", index=0) if device == "cpu" else device


@pytest.mark.parametrize(
    ("machine", "asked", "used"),
    [
        ({"metal": True}, "auto", "mps"),
        ({"metal": True}, "mps", "mps"),
        ({"metal": True}, "cpu", "cpu"),
        ({}, "auto", "cpu"),
        ({"cuda": 2}, "auto", "cuda:0"),
        ({"cuda": 2}, "cuda:1", "cuda:1"),
    ],
)
def test_the_device_is_the_one_that_mlx_computes_on(machine: dict[str, Any], asked: str, used: str) -> None:
    mx = Mlx(**machine)
    assert mlx_device.resolve(mx, asked) == used == mlx_device.device_of(mx)
    assert mlx_device.peak_bytes(mx, used) == (None if used == "cpu" else 3_000_000_000)


@pytest.mark.parametrize(("machine", "asked"), [({}, "mps"), ({"metal": True}, "cuda"), ({"cuda": 1}, "cuda:1")])
def test_a_device_that_mlx_lacks_is_refused_and_not_replaced(machine: dict[str, Any], asked: str) -> None:
    with pytest.raises(UnsupportedDeviceError, match=f"'{asked}' is not available: MLX 0.99 sees"):
        mlx_device.resolve(Mlx(**machine), asked)


def test_no_engine_on_mlx_pretends_to_have_a_tpu() -> None:
    for spec in (mlx_audio.SPEC, mlx_whisper.SPEC):
        require_device(spec, "mps", {"cpu": 1, "mps": 1})
        with pytest.raises(UnsupportedDeviceError, match="MLX has no TPU backend. It can run here on: cpu, mps"):
            require_device(spec, "tpu", {"cpu": 1, "mps": 1, "tpu": 1})


def test_torch_is_not_among_what_an_engine_on_mlx_installs() -> None:
    for spec in (mlx_audio.SPEC, mlx_whisper.SPEC):
        lock = (Path(mlx_device.__file__).parent / "locks" / f"{spec.name}.txt").read_text(encoding="utf-8")
        assert not any(line.startswith("torch==") for line in lock.splitlines())
    assert mlx_whisper.SPEC.bare_requirements == ("mlx-whisper==0.4.3",)


@dataclass(frozen=True)
class Options:
    without_timestamps: bool = False


def test_a_window_after_which_mlx_whisper_would_stand_still_is_decoded_without_times() -> None:
    text, begin, later = 7, 50_363, 50_400
    decoded: dict[str, list[int]] = {}

    def decode(sound: str, options: Options) -> Any:
        tokens = [text] if options.without_timestamps else decoded[sound]
        return SimpleNamespace(tokens=tokens, audio_features=f"features of {sound}")

    model = SimpleNamespace(decode=decode, dims=SimpleNamespace(n_vocab=51_864), is_multilingual=False)
    guard = mlx_whisper.WindowGuard(model)
    decoded["moves on"] = [begin, text, later, later, text]
    assert guard.decode("moves on", Options()).tokens == decoded["moves on"]
    assert (guard.n_retries, guard.is_multilingual) == (0, False)
    decoded["stands still"] = [begin, text, later, later, text, begin, begin, text]
    assert guard.decode("stands still", Options()).tokens == [text]
    assert guard.n_retries == 1


class Parakeet:
    """A stand-in for a model of the library's whose tokens have times, which takes no language."""

    __module__ = "mlx_audio.stt.models.parakeet.parakeet"

    def generate(self, audio: Any, *, verbose: bool) -> Any:
        tokens = [SimpleNamespace(text=text, start=start) for text, start in ((" so", 0.1), (" be", 0.5), ("it", 0.6))]
        return SimpleNamespace(text=" so beit", sentences=[SimpleNamespace(text=" so beit", start=0.1, end=0.7,
                                                                           tokens=tokens)])  # fmt: skip


class Qwen:
    """One that is told the language by its English name, and has no times."""

    def generate(self, audio: Any, *, language: str | None, verbose: bool) -> Any:
        return SimpleNamespace(text=f" {language}, {len(audio)} samples", segments=None)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """mlx-audio with one model, MLX with one GPU."""
    holds: dict[str, Any] = {"mx": Mlx(metal=True)}
    names = (
        "mlx", "mlx.core", "mlx.utils", "mlx_audio", "mlx_audio.stt", "mlx_audio.stt.utils", "mlx_audio.stt.models",
        "mlx_audio.stt.models.whisper", "mlx_audio.stt.models.whisper.tokenizer",
    )  # fmt: skip
    modules = {name: ModuleType(name) for name in names}
    modules["mlx.core"] = modules["mlx"].core = holds["mx"]  # type: ignore[attr-defined]
    modules["mlx_audio.stt.utils"].load_model = lambda folder, *, strict: holds["model"]  # type: ignore[attr-defined]
    modules[names[-1]].LANGUAGES = {"en": "english", "de": "german"}  # type: ignore[attr-defined]
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(mlx_device, "precision_of", lambda model: "bfloat16")
    return holds


def load(tmp_path: Path, **settings: Any) -> Any:
    (tmp_path / "config.json").write_text('{"model_type": "some_asr"}')
    return mlx_audio.engine.load(ModelFiles("mlx-audio:x", tmp_path), "auto", Settings(**settings))


SECOND = Audio(np.zeros(16_000, np.float32), 16_000)


def test_times_of_tokens_become_words_and_sentences(library: dict[str, Any], tmp_path: Path) -> None:
    library["model"] = Parakeet()
    model = load(tmp_path, timestamps="word")
    found = model.transcribe(SECOND, language="en")
    assert [(word.text, word.start_s, round(word.end_s, 2)) for word in found.words] == [
        (" so", 0.1, 0.4), (" beit", 0.5, 0.9)
    ]  # fmt: skip
    assert [(s.start_s, s.end_s, s.text) for s in found.segments] == [(0.1, 0.7, "so beit")]
    assert (model.device, model.in_force["language"], model.in_force["threads"]) == ("mps", None, None)


def test_a_language_is_told_by_name_where_a_model_takes_one(library: dict[str, Any], tmp_path: Path) -> None:
    library["model"] = Qwen()
    model = load(tmp_path)
    assert model.transcribe(SECOND, language="de-AT").text == "german, 16000 samples"
    assert model.transcribe(SECOND, language=None).text == "None, 16000 samples"
    assert (model.in_force["timestamps"], model.in_force["precision"]) == ("none", "bfloat16")
    with pytest.raises(EngineError, match="does not know the language 'tlh'"):
        model.transcribe(SECOND, language="tlh")
    with pytest.raises(SettingsError, match="has no word times"):
        load(tmp_path, timestamps="word")
    with pytest.raises(SettingsError, match="'int8' is not available; available: float32, float16, bfloat16"):
        load(tmp_path, precision="int8")
