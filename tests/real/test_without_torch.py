"""The same weights on MLX and on ONNX Runtime: what the libraries read, and what they hear."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.installed import engine_python

from earwitness import data, weights
from earwitness.audio import decode
from earwitness.data import corpora
from earwitness.engines.base import ModelFiles
from earwitness.engines.catalog import find
from earwitness.engines.registry import get_engine
from earwitness.types import Audio, Settings
from earwitness.weights import ctranslate2
from earwitness.workers.environments import place_of, variables_for

pytestmark = [pytest.mark.real, pytest.mark.engines]

SCRIPTS = Path(__file__).parents[1] / "engines"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(in_engine: Ask) -> Ask:
    """Asks an engine's interpreter one thing."""

    def asked(engine: str, what: str, **request: Any) -> Any:
        (answer,) = in_engine(engine, "engine_probe.py", json.dumps([{"ask": what, "engine": engine, **request}]))
        return answer

    return asked


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """Seven seconds of a book, read for LibriVox."""
    corpora.pull("librivox-mini")
    path = tmp_path / "clip.npy"
    np.save(path, decode(data.load("librivox-mini").clips[0].audio_path).samples)
    return str(path)


def folder(model: str) -> str:
    row = find(model)
    found = weights.locate(row) if row.sources[0].startswith("export:") else weights.pull(row)
    if found is None:
        pytest.skip(f"there are no weights of {model!r} here: python tools/export_onnx.py tiny.en")
    return str(found)


def faster_whisper(precision: str = "float32") -> Any:
    model = find("faster-whisper:tiny.en")
    settings = Settings(threads=1, precision=precision)
    return get_engine("faster-whisper").load(ModelFiles(model.id, weights.pull(model)), "cpu", settings)


@pytest.mark.parametrize("size", ["tiny.en", "base"])
def test_mlx_holds_every_tensor_as_it_is(ask: Ask, size: str) -> None:
    source = weights.pull(find(f"faster-whisper:{size}"))
    assert source is not None
    held = ask("mlx-whisper", "mlx tensors", folder=folder(f"mlx-whisper:{size}"))
    heads = held.pop("alignment_heads")
    ours = ctranslate2.read(source)
    assert heads[1] == [len(ours.config["alignment_heads"]), 2]
    assert len(held) == len(ours.tensors) - 1
    for name, values in ours.tensors.items():
        if name == "encoder.positional_embedding":
            continue
        laid_out = values.swapaxes(1, 2) if "conv" in name and values.ndim == 3 else values
        digest = hashlib.sha256(np.ascontiguousarray(laid_out).tobytes()).hexdigest()
        assert held[name.replace(".mlp.0", ".mlp1").replace(".mlp.2", ".mlp2")] == [digest, list(laid_out.shape)]


@pytest.mark.parametrize("engine", ["mlx-whisper", "onnx-asr"])
def test_encoders_give_the_same_numbers_and_import_no_torch(
    ask: Ask, clip: str, tmp_path: Path, engine: str, record_property: Any
) -> None:
    from ctranslate2 import StorageView
    from faster_whisper import WhisperModel

    held = str(weights.pull(find("faster-whisper:tiny.en")))
    ours = WhisperModel(held, device="cpu", compute_type="float32", cpu_threads=1, local_files_only=True)
    samples = np.pad(np.load(clip), (0, 30 * 16_000))
    mel = np.ascontiguousarray(ours.feature_extractor(samples)[:, :3000], np.float32)
    np.save(tmp_path / "mel.npy", mel)
    theirs = np.array(ours.model.encode(StorageView.from_array(mel[None]), to_cpu=True))[0]
    name = {"mlx-whisper": "mlx-whisper:tiny.en", "onnx-asr": "onnx-asr:whisper-tiny.en"}[engine]
    out = tmp_path / "out.npy"
    told = ask(engine, "encoded without torch", folder=folder(name), mel=str(tmp_path / "mel.npy"), out=str(out))
    difference = float(np.abs(np.load(out) - theirs).max())
    record_property(f"encoder of {name}", {"scale": float(np.abs(theirs).max()), "difference": difference})
    assert told == {"torch": False}
    assert difference < 5e-3


@pytest.mark.parametrize("name", ["mlx-whisper:tiny.en", "onnx-asr:whisper-tiny.en"])
def test_a_sentence_is_the_one_that_faster_whisper_writes(ask: Ask, clip: str, name: str) -> None:
    model = faster_whisper()
    theirs = model.transcribe(Audio(np.load(clip), 16_000), language="en").text
    model.close()
    engine = name.partition(":")[0]
    settings = {"timestamps": "word"} if engine == "mlx-whisper" else {}
    found = ask(engine, "texts", model=name, folder=folder(name), clips=[clip], settings=settings)
    assert found["texts"] == [theirs]
    assert found["device"] == "cpu"
    assert found["in_force"]["precision"] == "float32"
    if engine == "mlx-whisper":
        (words,) = found["words"]
        assert "".join(text for _, _, text in words).strip() == theirs
        assert all(0 <= start <= end <= 7.2 for start, end, _ in words)


def test_mlx_whisper_comes_to_an_end_where_its_library_would_not(ask: Ask, clip: str) -> None:
    """No recording is known with which tiny.en does it, so the times of its windows are changed; all else is real."""
    name = "mlx-whisper:tiny.en"
    found = ask("mlx-whisper", "standing still", model=name, folder=folder(name), clip=clip)
    assert found["without"] == "the same window again"
    (plain,) = ask("mlx-whisper", "texts", model=name, folder=folder(name), clips=[clip])["texts"]
    assert found["text"] == plain
    assert found["remarks"] == ["no_times"]


def test_lfm2_audio_on_mlx_writes_what_it_writes_on_torch(tmp_path: Path) -> None:
    """The same random weights in float32, greedy: what is compared is the two libraries' arithmetic and plumbing."""
    if place_of(get_engine("lfm2.5-audio").spec) is None:
        pytest.skip("there is no engine 'lfm2.5-audio' here: earwitness engines install lfm2.5-audio gets it")
    texts = {}
    for engine, script, arguments in (
        ("lfm2.5-audio", "make_tiny_lfm2.py", [tmp_path / "lfm2.5-audio"]),
        ("mlx-audio", "make_tiny_lfm2_mlx.py", [tmp_path / "mlx-audio", tmp_path / "lfm2.5-audio"]),
    ):
        python = engine_python(engine)
        make = [str(python), str(SCRIPTS / script), *map(str, arguments)]
        subprocess.run(make, env=variables_for(python), check=True, timeout=300)
        probe = [str(python), str(Path(__file__).parent / "probes" / "lfm2_texts.py"), engine, str(tmp_path / engine)]
        done = subprocess.run(probe, env=variables_for(python), check=True, capture_output=True, text=True, timeout=300)
        texts[engine] = json.loads(done.stdout.splitlines()[-1])
    assert texts["mlx-audio"] == texts["lfm2.5-audio"]
    assert all(text for text, _ in texts["mlx-audio"])
