"""The engine on devices that are not here: torch and liquid-audio are stand-ins, and everything in between is real."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.engines.test_checkpoint import write

from earwitness.engines.base import LoadedModel, ModelFiles, OnDevice
from earwitness.engines.contract import conform
from earwitness.engines.devices import require_device
from earwitness.engines.lfm2_audio import default_precision, engine
from earwitness.engines.registry import parse_settings, require_settings
from earwitness.errors import EngineError, SettingsError, UnsupportedDeviceError
from earwitness.types import Audio, Settings

STORED = {"lfm.embed.weight": (4, 2), "head.embedding.weight": (3, 2), "bn.running_mean": (2,)}
MODEL = STORED | {"head.to_logits.weight": (3, 2), "offsets": (8,)}  # tied to the embedding; computed


class Torch(SimpleNamespace):
    """What the engine uses of torch, with the devices that it is told to have."""

    def __init__(self, gpus: int = 0, capability: int = 8, *, mps: bool = False, amx: bool = False) -> None:
        self.log: list[tuple[Any, ...]] = []
        super().__init__(
            __version__="2.99",
            float32="torch.float32",
            bfloat16="torch.bfloat16",
            float16="torch.float16",
            cuda=SimpleNamespace(
                is_available=lambda: gpus > 0,
                device_count=lambda: gpus,
                get_device_capability=lambda device: (capability, 0),
                synchronize=lambda device: self.log.append(("synchronize", device)),
                max_memory_reserved=lambda device: 3_000_000_000,
                empty_cache=lambda: self.log.append(("empty_cache", "cuda")),
            ),
            mps=SimpleNamespace(
                synchronize=lambda: self.log.append(("synchronize", "mps")),
                driver_allocated_memory=lambda: 7_000_000_000,
                empty_cache=lambda: self.log.append(("empty_cache", "mps")),
            ),
            cpu=SimpleNamespace(_is_amx_tile_supported=lambda: amx),
            backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
            set_num_threads=lambda n: self.log.append(("threads", n)),
            get_num_threads=lambda: 2,
            inference_mode=nullcontext,
            from_numpy=lambda samples: SimpleNamespace(unsqueeze=lambda axis: samples[None]),
        )


class Part:
    """A module: it remembers where it was made, where it was moved, and whether it was told to stop training."""

    def __init__(self, library: Library, dtype: str | None) -> None:
        self.library, self.dtype = library, dtype
        self.device = SimpleNamespace(type="cpu", index=None)
        self.training = True
        self.text = SimpleNamespace(decode=lambda ids, skip_special_tokens: f"{ids} {skip_special_tokens}")

    def to(self, device: str) -> Part:
        kind, _, index = device.partition(":")
        self.device = SimpleNamespace(type=kind, index=int(index) if index else None)
        return self

    def eval(self) -> Part:
        self.training = False
        return self

    def parameters(self) -> Iterator[Part]:
        yield self

    def named_parameters(self, *, remove_duplicate: bool) -> list[tuple[str, None]]:
        assert not remove_duplicate
        return [(name, None) for name in MODEL if name.endswith("weight")]

    def state_dict(self) -> dict[str, Any]:
        place = {"head.to_logits.weight": "head.embedding.weight"}
        return {
            name: SimpleNamespace(shape=shape, data_ptr=lambda name=name: hash(place.get(name, name)))
            for name, shape in MODEL.items()
        }

    def generate_sequential(self, *, chat: list[Any], max_new_tokens: int) -> Iterator[int]:
        self.library.chats.append((chat, max_new_tokens))
        yield from self.library.tokens[:max_new_tokens]


class Library:
    """What the engine uses of liquid-audio."""

    def __init__(self, tokens: tuple[int, ...] = (40, 41, 7)) -> None:
        self.tokens = tokens
        self.made: list[tuple[Any, ...]] = []
        self.parts: list[Part] = []
        self.chats: list[tuple[list[Any], int]] = []
        self.LFM2AudioProcessor = SimpleNamespace(from_pretrained=self.from_pretrained)
        self.LFM2AudioModel = SimpleNamespace(from_pretrained=self.from_pretrained)

    def from_pretrained(self, folder: object, *, device: str = "cuda", dtype: str | None = None) -> Part:
        self.made.append((type(folder), device, dtype))
        self.parts.append(Part(self, dtype))
        return self.parts[-1]

    def ChatState(self, processor: Part, *, dtype: str) -> Any:  # noqa: N802 - the library's name
        said: list[Any] = [("dtype", dtype, processor.device.type)]

        class Chat(dict[str, Any]):
            def new_turn(self, role: str) -> None:
                said.append(role)

            def add_text(self, text: str) -> None:
                said.append(text)

            def add_audio(self, wave: np.ndarray, rate_hz: int) -> None:
                said.append((wave, rate_hz))

            def end_turn(self) -> None:
                said.append("end")

        return Chat(chat=said)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "model.safetensors", STORED)
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text(json.dumps({}))
    return tmp_path


def load(
    folder: Path, monkeypatch: pytest.MonkeyPatch, torch: Torch, library: Library, device: str, **settings: Any
) -> Any:
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "liquid_audio", library)
    return engine.load(ModelFiles("lfm2.5-audio:x", folder), device, Settings(**settings))


@pytest.mark.parametrize(
    ("torch", "asked", "device", "precision"),
    [
        (Torch(gpus=2), "cuda:1", "cuda:1", "bfloat16"),
        (Torch(gpus=1, capability=7), "cuda", "cuda:0", "float32"),
        (Torch(mps=True), "mps", "mps", "float32"),
        (Torch(mps=True), "auto", "mps", "float32"),
        (Torch(amx=True), "auto", "cpu", "bfloat16"),
        (Torch(), "cpu", "cpu", "float32"),
    ],
)
def test_both_parts_are_made_on_the_cpu_and_moved_together(
    folder: Path, monkeypatch: pytest.MonkeyPatch, torch: Torch, asked: str, device: str, precision: str
) -> None:
    library = Library()
    model = load(folder, monkeypatch, torch, library, asked, threads=2)
    assert {(issubclass(kind, Path), where) for kind, where, _ in library.made} == {(True, "cpu")}
    assert {part.device.type for part in library.parts} == {device.partition(":")[0]}
    assert not any(part.training for part in library.parts)
    assert model.device == device
    assert model.in_force["precision"] == precision
    assert model.in_force["threads"] == (2 if device == "cpu" else None)
    assert isinstance(model, LoadedModel)
    assert isinstance(model, OnDevice)


@pytest.mark.parametrize(("device", "peak"), [("cuda:0", 3_000_000_000), ("mps", 7_000_000_000), ("cpu", None)])
def test_clock_and_memory_are_those_of_the_device(
    folder: Path, monkeypatch: pytest.MonkeyPatch, device: str, peak: int | None
) -> None:
    torch = Torch(gpus=1, mps=True)
    model = load(folder, monkeypatch, torch, Library(), device)
    model.synchronize()
    assert model.peak_device_bytes() == peak
    model.close()
    wanted = [] if peak is None else [("synchronize", device), ("empty_cache", device.partition(":")[0])]
    assert torch.log == wanted


def test_a_device_that_is_not_here_is_refused_before_anything_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library()
    for device in ("cuda", "mps", "cuda:7"):
        with pytest.raises(
            UnsupportedDeviceError, match=rf"Device '{device}' is not available: torch 2\.99 sees cpu\."
        ):
            load(folder, monkeypatch, Torch(), library, device)
    assert library.made == []
    with pytest.raises(UnsupportedDeviceError, match="does not run on 'tpu': shapes change with every token"):
        require_device(engine.spec, "tpu")


def test_precision_is_honoured_recorded_and_given_to_the_chat(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    model = load(folder, monkeypatch, Torch(mps=True), library, "mps", precision="float16")
    model.transcribe(Audio(np.ones(16_000, np.float32), 16_000), language="en")
    assert model.in_force["precision"] == "float16"
    assert library.chats[0][0][0] == ("dtype", "torch.float16", "mps")
    with pytest.raises(SettingsError, match=r"'int8' is not available .* available: float32, bfloat16, float16"):
        load(folder, monkeypatch, Torch(), library, "cpu", precision="int8")


def test_sound_reaches_the_library_as_float32_of_shape_1_n_and_the_turns_are_those_of_its_makers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library()
    model = load(folder, monkeypatch, Torch(), library, "cpu")
    found = model.transcribe(conform(np.ones((16_000, 2)), 16_000), language="en")
    said, limit = library.chats[0]
    assert said[1:4] == ["system", "Perform ASR.", "end"]
    assert [said[4], *said[6:]] == ["user", "end", "assistant"]
    wave, rate_hz = said[5]
    assert (wave.dtype, wave.shape, rate_hz, limit) == (np.float32, (1, 16_000), 16_000, 76)
    assert found.text == "[40, 41] True"  # the end of the turn is no text, special tokens are dropped
    assert found.remarks == ()
    model.transcribe(Audio(np.ones(16_000, np.float32), 16_000), language="ja-JP")
    assert library.chats[1][0][2] == "Perform ASR in japanese."


@pytest.mark.parametrize(
    ("tokens", "remarks"), [((40,) * 500, ("token_limit",)), ((40, 128, 41, 7), ("audio_reply",)), ((7,), ())]
)
def test_an_end_that_is_none_is_remarked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tokens: tuple[int, ...], remarks: tuple[str, ...]
) -> None:
    model = load(folder, monkeypatch, Torch(), Library(tokens), "cpu")
    assert model.transcribe(Audio(np.ones(16_000, np.float32), 16_000), language=None).remarks == remarks


@pytest.mark.parametrize(("asked_s", "longest_s"), [(600.0, 30.0), (12.0, 12.0)])
def test_blocks_are_no_longer_than_the_model_or_the_setting_allows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, asked_s: float, longest_s: float
) -> None:
    library = Library()
    model = load(folder, monkeypatch, Torch(), library, "cpu", chunk_s=asked_s)
    noise = np.random.default_rng(0).standard_normal(16_000 * 65).astype(np.float32)
    found = model.transcribe(Audio(noise, 16_000), language="en")
    waves = [chat[5][0][0] for chat, _ in library.chats]
    assert model.in_force["chunk_s"] == longest_s
    assert max(len(wave) for wave in waves) <= longest_s * 16_000
    assert np.array_equal(np.concatenate(waves), noise)
    assert found.text == " ".join(["[40, 41] True"] * len(waves))


def test_a_block_that_is_too_short_to_hear_is_filled_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    model = load(folder, monkeypatch, Torch(), library, "cpu")
    assert model.transcribe(Audio(np.ones(5, np.float32), 16_000), language="en").covered_s == 5 / 16_000
    assert library.chats[0][0][5][0].shape == (1, 1600)


@pytest.mark.parametrize("lost", STORED)
def test_a_checkpoint_that_lacks_a_tensor_is_refused_and_a_tied_or_computed_one_may_be_absent(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    load(folder, monkeypatch, Torch(), Library(), "cpu")
    write(folder / "model.safetensors", {name: shape for name, shape in STORED.items() if name != lost})
    with pytest.raises(EngineError, match=rf"lacks \d tensors? \({lost}") as caught:
        load(folder, monkeypatch, Torch(), Library(), "cpu")
    assert "the library would fill them in itself" in str(caught.value)


def test_a_folder_that_is_not_whole_is_refused_without_importing_the_library(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"has no 'config\.json'"):
        engine.load(ModelFiles("lfm2.5-audio:x", tmp_path), "cpu", Settings())
    with pytest.raises(EngineError, match="earwitness models pull lfm2.5-audio:1.5b"):
        engine.load(ModelFiles("lfm2.5-audio:1.5b", None), "cpu", Settings())


def test_what_it_cannot_do_is_refused_before_the_run() -> None:
    for assignment in ("beam_size=5", "vad=true", "timestamps=word", "batch_size=4", "context=true"):
        settings, asked = parse_settings([assignment])
        with pytest.raises(SettingsError, match=f"cannot honour {assignment.partition('=')[0]}="):
            require_settings(engine.spec, settings, asked)


def test_a_torch_that_does_not_tell_of_amx_computes_in_float32() -> None:
    assert default_precision(SimpleNamespace(cpu=SimpleNamespace()), "cpu") == "float32"
