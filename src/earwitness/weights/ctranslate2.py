"""Reads Whisper weights in CTranslate2's format with numpy alone, and names them as OpenAI's own code does.

``model.bin``, little endian, as ``ctranslate2/specs/model_spec.py`` writes it (binary version 6)::

    u32 version | str spec | u32 revision | u32 n | n variables | u32 m | m x (str alias, str variable)
    str      = u16 length, the closing NUL counted, then the bytes and the NUL
    variable = str name | u8 rank | rank x u32 dimension | u8 type | u32 byte count | the values

Projections that are computed together are stored together: query, key and value of self-attention on the first axis of
one matrix, key and value of cross-attention on another. Whisper's key projection has no bias; zeros stand there.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.errors import ConversionError

Array = npt.NDArray[Any]
_TYPES: dict[int, npt.DTypeLike] = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_BFLOAT16 = 5
_VERSION = 6


@dataclass(frozen=True, slots=True)
class WhisperWeights:
    """A Whisper model, independent of its file format."""

    dims: Mapping[str, int]
    """Sizes under OpenAI's names, in OpenAI's order: ``n_mels`` to ``n_text_layer``."""
    tensors: Mapping[str, Array]
    """By OpenAI's names; float16, or float32 where the weights were stored so. Quantized ones are multiplied out."""
    vocabulary: tuple[str, ...]
    """Token of every id, bytes written as GPT-2's printable characters."""
    tokenizer: Mapping[str, Any]
    """``tokenizer.json``: the whole fast tokenizer."""
    config: Mapping[str, Any]
    """CTranslate2's ``config.json``: ``suppress_ids``, ``suppress_ids_begin``, ``alignment_heads``."""

    @property
    def multilingual(self) -> bool:
        """Whether it knows other languages than English; OpenAI's code tells it by the same count."""
        return self.dims["n_vocab"] >= 51865


def read(folder: Path) -> WhisperWeights:
    """Read a folder of ``model.bin``, ``config.json``, ``tokenizer.json`` and ``vocabulary.txt`` or ``.json``.

    Values stay in the mapped file until they are used, so that reading costs little memory.

    Raises:
        ConversionError: When a file is missing, is not CTranslate2's, is no Whisper, or is in bfloat16.
    """
    variables = _variables(folder / "model.bin")
    try:
        tensors = dict(_tensors(variables))
        heads = int(variables["encoder/num_heads"]), int(variables["decoder/num_heads"])
    except KeyError as error:
        raise ConversionError(f"{str(folder)!r} has no weights {error}: it is not a complete Whisper model.") from None
    return WhisperWeights(
        dims=_dims(tensors, *heads),
        tensors=tensors,
        vocabulary=_vocabulary(folder),
        tokenizer=json.loads(_text(folder, "tokenizer.json")),
        config=json.loads(_text(folder, "config.json")),
    )


class _Cursor:
    """Reads values from a mapped file, one after the other."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ConversionError(f"{str(path)!r} cannot be read: {error}. Is it a CTranslate2 folder?") from None
        self._at = 0
        self.path = path

    def number(self, kind: str) -> int:
        (value,) = struct.unpack_from(f"<{kind}", self._data, self._at)
        self._at += struct.calcsize(kind)
        return int(value)

    def string(self) -> str:
        length = self.number("H")
        text = self._data[self._at : self._at + length - 1]
        self._at += length
        return text.decode("utf-8")

    def array(self) -> tuple[str, Array]:
        name = self.string()
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind, n_bytes = self.number("B"), self.number("I")
        if kind == _BFLOAT16:
            raise ConversionError(
                f"{str(self.path)!r} is in bfloat16, which is not converted. Use the float16 weights, or int8."
            )
        values = np.frombuffer(self._data, _TYPES[kind], n_bytes // np.dtype(_TYPES[kind]).itemsize, self._at)
        self._at += n_bytes
        return name, values.reshape(shape)

    def require_end(self) -> None:
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} bytes left over")


def _variables(path: Path) -> dict[str, Array]:
    cursor = _Cursor(path)
    try:
        version, spec, _ = cursor.number("I"), cursor.string(), cursor.number("I")
        if version != _VERSION or spec != "WhisperSpec":
            raise ConversionError(f"{str(path)!r} holds {spec!r}, version {version}; only WhisperSpec, 6, is known.")
        variables = dict(cursor.array() for _ in range(cursor.number("I")))
        aliases = [(cursor.string(), cursor.string()) for _ in range(cursor.number("I"))]
        cursor.require_end()
        return variables | {alias: variables[name] for alias, name in aliases}
    except (struct.error, ValueError, KeyError) as error:
        if isinstance(error, ConversionError):
            raise
        raise ConversionError(f"{str(path)!r} is not a complete CTranslate2 model: {error}. Pull it again.") from None


def _tensors(variables: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield OpenAI's names and values, in the order of OpenAI's modules."""
    yield "encoder.positional_embedding", variables["encoder/position_encodings/encodings"]
    for conv in ("conv1", "conv2"):
        yield from _linear(variables, f"encoder/{conv}", f"encoder.{conv}")
    yield from _blocks(variables, "encoder")
    yield from _norm(variables, "encoder/layer_norm", "encoder.ln_post")
    yield "decoder.token_embedding.weight", _value(variables, "decoder/embeddings/weight")
    yield "decoder.positional_embedding", variables["decoder/position_encodings/encodings"]
    yield from _blocks(variables, "decoder")
    yield from _norm(variables, "decoder/layer_norm", "decoder.ln")


def _blocks(variables: Mapping[str, Array], side: str) -> Iterator[tuple[str, Array]]:
    n = 0
    while any(name.startswith(f"{side}/layer_{n}/") for name in variables):
        here, there = f"{side}/layer_{n}", f"{side}.blocks.{n}"
        yield from _fused(variables, f"{here}/self_attention/linear_0", f"{there}.attn", ("query", "key", "value"))
        yield from _linear(variables, f"{here}/self_attention/linear_1", f"{there}.attn.out")
        yield from _norm(variables, f"{here}/self_attention/layer_norm", f"{there}.attn_ln")
        if side == "decoder":
            yield from _fused(variables, f"{here}/attention/linear_0", f"{there}.cross_attn", ("query",))
            yield from _fused(variables, f"{here}/attention/linear_1", f"{there}.cross_attn", ("key", "value"))
            yield from _linear(variables, f"{here}/attention/linear_2", f"{there}.cross_attn.out")
            yield from _norm(variables, f"{here}/attention/layer_norm", f"{there}.cross_attn_ln")
        yield from _linear(variables, f"{here}/ffn/linear_0", f"{there}.mlp.0")
        yield from _linear(variables, f"{here}/ffn/linear_1", f"{there}.mlp.2")
        yield from _norm(variables, f"{here}/ffn/layer_norm", f"{there}.mlp_ln")
        n += 1


def _fused(
    variables: Mapping[str, Array], here: str, there: str, parts: tuple[str, ...]
) -> Iterator[tuple[str, Array]]:
    weights = np.split(_value(variables, f"{here}/weight"), len(parts))
    biases = np.split(variables[f"{here}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        yield f"{there}.{part}.weight", weight
        if part != "key":
            yield f"{there}.{part}.bias", bias


def _linear(variables: Mapping[str, Array], here: str, there: str) -> Iterator[tuple[str, Array]]:
    yield f"{there}.weight", _value(variables, f"{here}/weight")
    yield f"{there}.bias", variables[f"{here}/bias"]


def _norm(variables: Mapping[str, Array], here: str, there: str) -> Iterator[tuple[str, Array]]:
    yield f"{there}.weight", variables[f"{here}/gamma"]
    yield f"{there}.bias", variables[f"{here}/beta"]


def _value(variables: Mapping[str, Array], name: str) -> Array:
    value, scale = variables[name], variables.get(f"{name}_scale")
    if scale is None:
        return value
    rows = np.asarray(scale, np.float32).reshape(-1, *(1,) * (value.ndim - 1))
    return (value.astype(np.float32) / rows).astype(np.float16)


def _dims(tensors: Mapping[str, Array], n_audio_head: int, n_text_head: int) -> dict[str, int]:
    def layers(side: str) -> int:
        return sum(name.startswith(side) and name.endswith(".mlp.0.bias") for name in tensors)

    return {
        "n_mels": tensors["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": tensors["encoder.positional_embedding"].shape[0],
        "n_audio_state": tensors["encoder.conv1.weight"].shape[0],
        "n_audio_head": n_audio_head,
        "n_audio_layer": layers("encoder"),
        "n_vocab": tensors["decoder.token_embedding.weight"].shape[0],
        "n_text_ctx": tensors["decoder.positional_embedding"].shape[0],
        "n_text_state": tensors["decoder.token_embedding.weight"].shape[1],
        "n_text_head": n_text_head,
        "n_text_layer": layers("decoder"),
    }


def _vocabulary(folder: Path) -> tuple[str, ...]:
    if (folder / "vocabulary.json").is_file():
        return tuple(json.loads(_text(folder, "vocabulary.json")))
    # Not splitlines: tokens hold characters that it takes for line ends.
    return tuple(_text(folder, "vocabulary.txt").split("\n")[:-1])


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except OSError:
        raise ConversionError(f"{str(folder)!r} has no {name!r}, which every CTranslate2 Whisper folder has.") from None
