"""One set of weights in four engines: converted, loaded by the real libraries, and compared."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from earwitness import data, weights
from earwitness.audio import decode
from earwitness.data import corpora
from earwitness.engines.base import ModelFiles
from earwitness.engines.catalog import find
from earwitness.engines.registry import get_engine
from earwitness.scoring.align.edits import align
from earwitness.scoring.text import normalizer
from earwitness.types import Audio, Settings
from earwitness.weights import ctranslate2

pytestmark = [pytest.mark.real, pytest.mark.engines]

SIZES = ("tiny.en", "base")
# The larger size shows nothing new, and takes minutes.
MOSTLY_SMALL = ("tiny.en", pytest.param("base", marks=pytest.mark.long))
ENGINES = {"whisper": "whisper:{}", "transformers": "transformers:whisper-{}", "whisper-cpp": "whisper-cpp:{}"}
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(in_engine: Callable[..., Any]) -> Ask:
    """Asks an engine's interpreter one thing, or several things at once: starting it takes seconds."""

    def asked(engine: str, what: str, *several: dict[str, Any], **request: Any) -> Any:
        questions = [{"ask": what, "engine": engine, **request, **other} for other in several or ({},)]
        answers = in_engine(engine, "engine_probe.py", json.dumps(questions))
        return answers if several else answers[0]

    return asked


def folder(engine: str, size: str) -> Path:
    found = weights.pull(find(ENGINES[engine].format(size)))
    assert found is not None
    return found


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    """Four telephone prompts, and one recording of 36 s, longer than Whisper's window."""
    corpora.pull("telephony-en")
    found = [clip for clip in data.load("telephony-en").clips if clip.reference and clip.duration_s > 2]
    samples = [decode(clip.audio_path).samples for clip in found[:24]]
    spoken = [*samples[:4], np.concatenate(samples[4:])[: 36 * 16_000]]
    paths = [tmp_path / f"{n}.npy" for n in range(len(spoken))]
    for path, wave in zip(paths, spoken, strict=True):
        np.save(path, wave)
    return [str(path) for path in paths]


def faster_whisper(size: str, precision: str) -> Any:
    model = find(f"faster-whisper:{size}")
    settings = Settings(threads=1, precision=precision)
    return get_engine("faster-whisper").load(ModelFiles(model.id, weights.pull(model)), "cpu", settings)


@pytest.mark.parametrize("size", SIZES)
def test_a_converted_model_has_the_weights_id_of_its_source_and_the_pinned_bytes(size: str) -> None:
    for engine, name in ENGINES.items():
        row = find(name.format(size))
        assert row.weights_id == find(f"faster-whisper:{size}").weights_id
        assert folder(engine, size).is_dir()
        held = weights.local_weights(row)
        assert held is not None
        assert held.source == f"convert:faster-whisper:{size}"
        assert {name: file.sha256 for name, file in held.files.items()} == {
            file.name: file.sha256 for file in row.files
        }


@pytest.mark.parametrize("size", SIZES)
def test_openais_code_reads_every_tensor_as_it_is(ask: Ask, size: str) -> None:
    source = weights.pull(find(f"faster-whisper:{size}"))
    assert source is not None
    ours = ctranslate2.read(source)
    theirs = ask("whisper", "checkpoint", file=str(folder("whisper", size) / "model.pt"))
    assert theirs["dims"] == dict(ours.dims)
    assert theirs["state"] == {n: hashlib.sha256(values.tobytes()).hexdigest() for n, values in ours.tensors.items()}
    assert {kind for kind, _ in theirs["kinds"].values()} == {"torch.float16"}


@pytest.mark.parametrize("size", MOSTLY_SMALL)
def test_the_folder_loads_in_every_way_that_transformers_knows(ask: Ask, clips: list[str], size: str) -> None:
    told = ask("transformers", "pipeline", folder=str(folder("transformers", size)), clip=clips[0])
    assert told.pop("text")
    assert told == {
        "model": "WhisperForConditionalGeneration", "missing": [], "unexpected": [], "processor": "WhisperProcessor"
    }  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_encoders_give_the_same_numbers(
    ask: Ask, clips: list[str], tmp_path: Path, size: str, record_property: Any
) -> None:
    from ctranslate2 import StorageView
    from faster_whisper import WhisperModel

    held = str(weights.pull(find(f"faster-whisper:{size}")))
    ours = WhisperModel(held, device="cpu", compute_type="float32", cpu_threads=1, local_files_only=True)
    mel = np.ascontiguousarray(ours.feature_extractor(np.load(clips[-1])[: 30 * 16_000])[:, :3000], np.float32)
    np.save(tmp_path / "mel.npy", mel)
    encoded = {"ct2": np.array(ours.model.encode(StorageView.from_array(mel[None]), to_cpu=True))[0]}
    for engine in ("whisper", "transformers"):
        out = tmp_path / f"{engine}.npy"
        ask(engine, "encoded", folder=str(folder(engine, size)), mel=str(tmp_path / "mel.npy"), out=str(out))
        encoded[engine] = np.load(out)
    scale = float(np.abs(encoded["whisper"]).max())
    between = {other: float(np.abs(encoded["whisper"] - encoded[other]).max()) for other in ("transformers", "ct2")}
    record_property(f"encoder {size}", {"scale": scale, **between})
    assert scale > 5
    assert between["transformers"] < 1e-4
    assert between["ct2"] < 5e-3


@pytest.mark.parametrize("size", MOSTLY_SMALL)
@pytest.mark.parametrize("engine", ENGINES)
def test_texts_are_nearly_the_same(ask: Ask, clips: list[str], engine: str, size: str, record_property: Any) -> None:
    model = faster_whisper(size, "float32")
    theirs = [model.transcribe(Audio(np.load(clip), 16_000), language="en").text for clip in clips]
    model.close()
    name = ENGINES[engine].format(size)
    answer = ask(engine, "texts", model=name, folder=str(folder(engine, size)), clips=clips)
    words = normalizer("whisper-english").words
    scored = [align(words(other, "en"), words(ours, "en")) for ours, other in zip(answer["texts"], theirs, strict=True)]
    errors, length = sum(edits.errors for edits in scored), sum(edits.length for edits in scored)
    record_property(f"{name} against faster-whisper", f"{errors} of {length} words")
    assert length > 100
    assert errors / length < 0.08
    assert answer["device"] == "cpu"
    assert answer["in_force"].keys() == Settings.__dataclass_fields__.keys()
    for seconds, segments in zip((len(np.load(clip)) / 16_000 for clip in clips), answer["segments"], strict=True):
        assert segments
        assert all(0 <= start <= end <= max(seconds + 1, 30) for start, end, _ in segments)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_length_is_taken_words_have_times_and_what_cannot_be_is_refused(
    ask: Ask, clips: list[str], tmp_path: Path, engine: str
) -> None:
    for n in (0, 80):
        np.save(tmp_path / f"silent-{n}.npy", np.zeros(n, np.float32))
    silent = [str(tmp_path / f"silent-{n}.npy") for n in (0, 80)]
    lengths, spanish, odd, timed = ask(
        engine, "texts",
        {"clips": silent},
        {"clips": silent, "language": "es"},
        {"clips": silent, "settings": {"precision": "int3"}},
        {"clips": clips[:1], "settings": {"timestamps": "word"}},
        model=ENGINES[engine].format("tiny.en"), folder=str(folder(engine, "tiny.en")),
    )  # fmt: skip
    assert lengths["texts"][0] == ""
    assert spanish["refused"] == "EngineError"
    assert "does not know the language 'es'" in spanish["message"]
    assert odd["refused"] == "SettingsError"
    if engine == "transformers":
        assert timed["refused"] == "SettingsError"
        return
    (words,) = timed["words"]
    assert "".join(text for _, _, text in words).strip() == timed["texts"][0]
    starts = [start for start, _, _ in words]
    assert starts == sorted(starts)


KINDS = ("wav2vec2", "parakeet-ctc", "parakeet-tdt", "parakeet-rnnt", "moonshine", "qwen3-asr")


@pytest.fixture(scope="module")
def random_models(ask: Ask, in_engine: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What models with random weights make of 35 s, of 5 ms, and of the 35 s again."""
    where = tmp_path_factory.mktemp("random")
    in_engine("transformers", "tiny_models.py", str(where), *KINDS)
    shutil.copytree(where / "wav2vec2", where / "lacking")
    config = where / "lacking" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_hidden_layers": 2}))
    noise = 0.1 * np.random.default_rng(0).standard_normal(35 * 16_000).astype(np.float32)
    np.save(where / "long.npy", noise)
    np.save(where / "short.npy", noise[:80])
    given = [str(where / f"{name}.npy") for name in ("long", "short", "long")]
    models = (*KINDS, "lacking")
    questions = [{"model": f"transformers:{kind}", "folder": str(where / kind), "clips": given} for kind in models]
    return dict(zip(models, ask("transformers", "texts", *questions), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_of_calling_a_model_works_on_one_with_random_weights(random_models: Any, kind: str) -> None:
    answer = random_models[kind]
    first, _, again = answer["texts"]
    assert first
    assert first == again
    assert answer["in_force"]["chunk_s"] == 30.0
    assert (answer["in_force"]["beam_size"] == 1) == (kind in ("moonshine", "qwen3-asr"))


def test_weights_that_lack_tensors_are_refused(random_models: Any) -> None:
    assert random_models["lacking"]["refused"] == "EngineError"
    assert "lack" in random_models["lacking"]["message"]
