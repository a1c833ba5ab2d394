"""Conversion of a small random Whisper that is written here in CTranslate2's format."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from earwitness import weights
from earwitness.engines.catalog import Model, WeightsFile, find
from earwitness.errors import ConversionError, FetchError
from earwitness.files.fetch import sha256_of
from earwitness.weights import ctranslate2
from earwitness.weights.to_ggml import mel_filters

HOLDS = ("ctranslate2.py", "safetensors.py", "to_ggml.py", "to_huggingface.py", "to_mlx.py", "to_openai.py")

STATE, MELS, LAYERS, HEADS = 8, 80, 2, 2
TOKENS = ("!", "Ġa", "é", "\u2028".encode().hex(), "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>",
          "<|translate|>", "<|startofprev|>", "<|notimestamps|>")  # fmt: skip
CODES = {"float32": 0, "int8": 1, "int16": 2, "float16": 4, "bfloat16": 5}


def variables(kind: str) -> dict[str, np.ndarray]:
    """Random values under CTranslate2's names."""
    rng = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {"encoder/num_heads": np.int16(HEADS), "decoder/num_heads": np.int16(HEADS)}  # type: ignore[dict-item]

    def linear(name: str, rows: int, *columns: int) -> None:
        weight = rng.standard_normal((rows, *columns))
        if kind == "int8":
            scale = 127 / np.abs(weight).reshape(rows, -1).max(axis=1)
            found[f"{name}/weight"] = np.rint(weight * scale.reshape(-1, *(1,) * len(columns))).astype(np.int8)
            found[f"{name}/weight_scale"] = scale.astype(np.float32)
        else:
            found[f"{name}/weight"] = weight.astype(np.float16 if kind == "float16" else np.float32)
        found[f"{name}/bias"] = rng.standard_normal(rows).astype(np.float16)

    def norm(name: str) -> None:
        found[f"{name}/gamma"], found[f"{name}/beta"] = rng.standard_normal((2, STATE)).astype(np.float16)

    linear("encoder/conv1", STATE, MELS, 3)
    linear("encoder/conv2", STATE, STATE, 3)
    for side, positions in (("encoder", 12), ("decoder", 6)):
        found[f"{side}/position_encodings/encodings"] = rng.standard_normal((positions, STATE)).astype(np.float16)
        norm(f"{side}/layer_norm")
        for n in range(LAYERS):
            here = f"{side}/layer_{n}"
            linear(f"{here}/self_attention/linear_0", 3 * STATE, STATE)
            linear(f"{here}/self_attention/linear_1", STATE, STATE)
            norm(f"{here}/self_attention/layer_norm")
            if side == "decoder":
                linear(f"{here}/attention/linear_0", STATE, STATE)
                linear(f"{here}/attention/linear_1", 2 * STATE, STATE)
                linear(f"{here}/attention/linear_2", STATE, STATE)
                norm(f"{here}/attention/layer_norm")
            linear(f"{here}/ffn/linear_0", 4 * STATE, STATE)
            linear(f"{here}/ffn/linear_1", STATE, 4 * STATE)
            norm(f"{here}/ffn/layer_norm")
    linear("decoder/embeddings", len(TOKENS), STATE)
    del found["decoder/embeddings/bias"]
    return found


def string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def model_bin(found: dict[str, np.ndarray], spec: str = "WhisperSpec", code: int | None = None) -> bytes:
    out = struct.pack("<I", 6) + string(spec) + struct.pack("<II", 3, len(found))
    for name, value in found.items():
        array = np.asarray(value)
        kind = CODES[array.dtype.name] if code is None else code
        out += string(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += struct.pack("<BI", kind, array.nbytes) + array.tobytes()
    return out + struct.pack("<I", 1) + string("decoder/projection/weight") + string("decoder/embeddings/weight")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A CTranslate2 folder in float16."""
    return write_source(tmp_path / "source", model_bin(variables("float16")))


def write_source(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / "model.bin").write_bytes(content)
    (folder / "config.json").write_text(
        json.dumps({"suppress_ids": [1], "suppress_ids_begin": [2], "alignment_heads": [[1, 1]]})
    )
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {}}}))
    (folder / "vocabulary.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    return folder


def test_fused_projections_are_split_and_the_keys_have_no_bias(source: Path) -> None:
    held, read = variables("float16"), ctranslate2.read(source)
    fused = held["decoder/layer_1/attention/linear_1/weight"]
    parts = [read.tensors[f"decoder.blocks.1.cross_attn.{part}.weight"] for part in ("key", "value")]
    assert np.array_equal(np.concatenate(parts), fused)
    assert "decoder.blocks.1.cross_attn.key.bias" not in read.tensors
    assert sum(name.endswith("key.weight") for name in read.tensors) == 3 * LAYERS
    assert read.dims == {
        "n_mels": MELS, "n_audio_ctx": 12, "n_audio_state": STATE, "n_audio_head": HEADS, "n_audio_layer": LAYERS,
        "n_vocab": len(TOKENS), "n_text_ctx": 6, "n_text_state": STATE, "n_text_head": HEADS, "n_text_layer": LAYERS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "dtype", "near"), [("float32", "float32", 0), ("float16", "float16", 0), ("int8", "float16", 0.02)]
)
def test_every_precision_is_read_and_int8_is_multiplied_out(tmp_path: Path, kind: str, dtype: str, near: float) -> None:
    exact = variables("float32")["encoder/layer_0/ffn/linear_0/weight"]
    read = ctranslate2.read(write_source(tmp_path / kind, model_bin(variables(kind)))).tensors[
        "encoder.blocks.0.mlp.0.weight"
    ]
    assert read.dtype == dtype
    wanted = exact.astype(np.float16) if kind == "float16" else exact
    assert np.abs(read.astype(np.float64) - wanted).max() <= near


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (model_bin({"a": np.zeros(2, np.float16)}, code=5), "is in bfloat16, which is not converted"),
        (
            model_bin(variables("float16"), spec="TransformerSpec"),
            "holds 'TransformerSpec', version 6; only WhisperSpec",
        ),
        (
            model_bin({n: v for n, v in variables("float16").items() if n != "encoder/layer_1/ffn/linear_1/bias"}),
            "has no weights 'encoder/layer_1/ffn/linear_1/bias': it is not a complete Whisper model",
        ),
        (model_bin(variables("float16"))[:-7], "is not a complete CTranslate2 model"),
        (model_bin(variables("float16")) + b"more", "4 bytes left over"),
        (b"", "cannot be read"),
    ],
)
def test_what_cannot_be_converted_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes, sentence: str) -> None:
    folder = write_source(tmp_path / "source", content)
    for form in weights.FORMATS:
        with pytest.raises(ConversionError, match=sentence):
            weights.convert(form, folder, tmp_path / "out" / form)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("form", weights.FORMATS)
def test_the_same_weights_give_the_same_bytes(tmp_path: Path, source: Path, form: str) -> None:
    for name in ("a", "b"):
        weights.convert(form, source, tmp_path / name)
    assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "b").iterdir())
    ]
    with pytest.raises(ConversionError, match="already exists"):
        weights.convert(form, source, tmp_path / "a")
    with pytest.raises(ConversionError, match="no format 'gguf'. Formats: openai, huggingface, ggml, mlx"):
        weights.convert("gguf", source, tmp_path / "c")


class _Unpickler(pickle.Unpickler):
    """Reads a checkpoint's pickle without torch: storages out of the zip, tensors as numpy arrays."""

    archive: zipfile.ZipFile

    def find_class(self, module: str, name: str) -> Any:
        return {"HalfStorage": np.float16, "FloatStorage": np.float32, "OrderedDict": OrderedDict,
                "_rebuild_tensor_v2": self.rebuild}[name]  # fmt: skip

    def persistent_load(self, pid: Any) -> Any:
        kind, dtype, key, device, size = pid
        assert (kind, device) == ("storage", "cpu")
        values = np.frombuffer(self.archive.read(f"archive/data/{key}"), dtype)
        assert len(values) == size
        return values

    @staticmethod
    def rebuild(storage: Any, offset: int, shape: Any, stride: Any, grad: bool, hooks: Any) -> Any:
        steps = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)


def test_a_checkpoint_holds_every_tensor_as_it_is(tmp_path: Path, source: Path) -> None:
    weights.convert("openai", source, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / "model.pt") as archive:
        unpickler = _Unpickler(io.BytesIO(archive.read("archive/data.pkl")))
        unpickler.archive = archive
        found = unpickler.load()
        assert archive.read("archive/version") == b"3\n"
    held = ctranslate2.read(source)
    assert found["dims"] == held.dims
    assert list(found["model_state_dict"]) == list(held.tensors)
    assert all(np.array_equal(found["model_state_dict"][name], values) for name, values in held.tensors.items())


def test_safetensors_hold_every_tensor_under_its_other_name(tmp_path: Path, source: Path) -> None:
    weights.convert("huggingface", source, tmp_path / "out")
    raw = (tmp_path / "out" / "model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    held = ctranslate2.read(source)
    assert len(header) == len(held.tensors)
    start, end = header["model.decoder.layers.1.encoder_attn.k_proj.weight"]["data_offsets"]
    values = np.frombuffer(raw[8 + length :][start:end], np.float16)
    assert np.array_equal(values, held.tensors["decoder.blocks.1.cross_attn.key.weight"].ravel())
    assert max(end for tensor in header.values() for end in tensor["data_offsets"]) == len(raw) - 8 - length
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["d_model"], config["decoder_layers"], config["dtype"]) == (STATE, LAYERS, "float16")
    assert json.loads((tmp_path / "out" / "generation_config.json").read_text())["is_multilingual"] is False


def test_an_mlx_folder_holds_every_tensor_as_mlx_lays_it_out(tmp_path: Path, source: Path) -> None:
    weights.convert("mlx", source, tmp_path / "out")
    raw = (tmp_path / "out" / "weights.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "mlx"}
    kinds = {"F16": np.float16, "F32": np.float32, "I32": np.int32}

    def stored(name: str) -> np.ndarray:
        start, end = header[name]["data_offsets"]
        values = np.frombuffer(raw[8 + length :][start:end], kinds[header[name]["dtype"]])
        return values.reshape(header[name]["shape"])

    held = ctranslate2.read(source)
    assert np.array_equal(stored("alignment_heads"), [[1, 1]])
    assert len(header) == len(held.tensors)  # the encoder's positions are computed, the heads are one more
    assert stored("encoder.conv1.weight").shape == (STATE, 3, MELS)
    for name, values in held.tensors.items():
        if name != "encoder.positional_embedding":
            there = stored(name.replace(".mlp.0", ".mlp1").replace(".mlp.2", ".mlp2"))
            assert np.array_equal(there.swapaxes(1, 2) if "conv" in name and there.ndim == 3 else there, values), name
    assert json.loads((tmp_path / "out" / "config.json").read_text()) == {"model_type": "whisper", **held.dims}


def test_a_ggml_file_holds_every_tensor_and_every_token_in_bytes(tmp_path: Path, source: Path) -> None:
    weights.convert("ggml", source, tmp_path / "out")
    file = io.BytesIO((tmp_path / "out" / "ggml-model.bin").read_bytes())

    def numbers(n: int) -> tuple[int, ...]:
        return struct.unpack(f"<{n}i", file.read(4 * n))

    assert numbers(12) == (0x67676D6C, len(TOKENS), 12, STATE, HEADS, LAYERS, 6, STATE, HEADS, LAYERS, MELS, 1)
    rows, columns = numbers(2)
    assert np.array_equal(
        np.frombuffer(file.read(4 * rows * columns), np.float32).reshape(rows, columns), mel_filters(80)
    )
    tokens = [file.read(*numbers(1)) for _ in range(*numbers(1))]
    assert tokens[:3] == [b"!", b" a", b"\xe9"]
    assert len(tokens) == TOKENS.index("<|endoftext|>")
    held = ctranslate2.read(source).tensors
    for name, values in held.items():
        rank, length, kind = numbers(3)
        shape = numbers(rank)[::-1]
        assert file.read(length).decode() == name
        stored = np.frombuffer(file.read(int(np.prod(shape)) * (2 if kind else 4)), np.float16 if kind else np.float32)
        assert np.array_equal(stored, values.ravel())
        assert kind == (values.ndim > 1 and not name.endswith("positional_embedding"))
    assert not file.read()


def test_mel_filters_are_those_of_the_feature_extractor() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    for n_mels in (80, 128):
        theirs = FeatureExtractor(feature_size=n_mels).mel_filters
        assert np.abs(mel_filters(n_mels) - theirs).max() < 1e-6


def converted(source: Path, *sources: str, sha256: str) -> Model:
    file = WeightsFile("model.pt", sha256, 0)
    return Model("whisper:small-one", "whisper", "me/small-one", sources=sources, files=(file,))


def test_a_model_is_made_from_anothers_weights_and_pinned(tmp_path: Path, source: Path, cache: Path) -> None:
    weights.convert("openai", source, tmp_path / "by-hand")
    right = sha256_of(tmp_path / "by-hand" / "model.pt")
    row = converted(source, f"convert:faster-whisper:{source}", sha256=right)
    folder = weights.pull(row)
    assert folder == cache / "weights" / "whisper-small-one"
    held = weights.local_weights(row)
    assert held is not None
    assert held.source == f"convert:faster-whisper:{source}"
    assert held.files["model.pt"].sha256 == right
    weights.remove(row)
    with pytest.raises(FetchError, match="where 0000000000000000… is pinned"):
        weights.pull(converted(source, f"convert:faster-whisper:{source}", sha256="0" * 64))
    with pytest.raises(FetchError, match="nothing is converted for engine 'fake'"):
        weights.pull(Model("fake:x", "fake", "x", sources=(f"convert:faster-whisper:{source}",)))
    assert not list((cache / "weights").iterdir())


def test_the_command_converts_a_folder(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from earwitness.cli import main

    out = tmp_path / "made" / "ggml"
    command = ["models", "convert", f"faster-whisper:{source}", "--to", "ggml", "--out", str(out), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == str(out)
    assert [path.name for path in out.iterdir()] == ["ggml-model.bin"]
    assert main(command) == 2
    assert "already exists. Name a new folder" in capsys.readouterr().err


def test_any_repository_of_the_hub_is_a_model_and_no_two_share_a_folder(cache: Path) -> None:
    from earwitness.weights.store import weights_folder

    row = find("transformers:hf:openai/whisper-small@main")
    assert (row.engine, row.sources) == ("transformers", ("hf:openai/whisper-small@main",))
    assert find("transformers:hf:openai/whisper-small").weights_id == find("faster-whisper:small").weights_id
    assert weights_folder(find("x:hf:a-b/c")) != weights_folder(find("x:hf:a/b-c"))
    assert find("whisper:./hf/folder").sources[0].startswith("path:")


def test_a_hub_source_may_name_its_files(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from earwitness.weights import store

    asked: list[Any] = []

    def hub_files(repo: str, revision: str | None, names: Any, target: Path, report: Any) -> str:
        asked.append((repo, revision, tuple(names)))
        return "commit"

    monkeypatch.setattr(store, "hub_files", hub_files)
    weights.pull(Model("a:b", "a", "b", sources=("hf:me/repo@v1:ggml-base.bin,*.json",)))
    weights.pull(Model("a:c", "a", "c", sources=("hf:me/repo",)))
    assert asked[0] == ("me/repo", "v1", ("ggml-base.bin", "*.json"))
    assert asked[1][:2] == ("me/repo", None)
    assert "model.bin" in asked[1][2]
    assert "*.bin" not in asked[1][2]
