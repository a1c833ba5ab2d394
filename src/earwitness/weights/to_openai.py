"""Writes an OpenAI Whisper checkpoint: what ``whisper.load_model`` reads with ``torch.load(weights_only=True)``.

A ``.pt`` file is a zip that is not compressed: ``archive/data.pkl`` is a pickle of ``{"dims": ..., "model_state_dict":
...}`` in which a tensor is a call of ``torch._utils._rebuild_tensor_v2`` on a storage that is named, not pickled;
``archive/data/<number>`` are the storages' bytes (torch: ``docs/source/notes/serialization.md``). The few opcodes of
pickle that this takes are written here one by one, since a pickler would want to import torch.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from earwitness.weights.ctranslate2 import Array, WhisperWeights

_STORAGES = {"float16": "HalfStorage", "float32": "FloatStorage"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(weights: WhisperWeights, folder: Path) -> None:
    """Write ``model.pt`` into a folder; the same weights give the same bytes."""
    with zipfile.ZipFile(folder / "model.pt", "w", zipfile.ZIP_STORED) as archive:
        _member(archive, "data.pkl", _pickled(weights.dims, weights.tensors))
        _member(archive, "byteorder", b"little")
        for number, values in enumerate(weights.tensors.values()):
            _member(archive, f"data/{number}", np.ascontiguousarray(values).tobytes())
        _member(archive, "version", b"3\n")


def _member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(f"archive/{name}", _EPOCH), content)


def _pickled(dims: Mapping[str, int], tensors: Mapping[str, Array]) -> bytes:
    state = _dict({name: _tensor(number, values) for number, (name, values) in enumerate(tensors.items())})
    whole = _dict({"dims": _dict({name: _int(n) for name, n in dims.items()}), "model_state_dict": state})
    return pickle.PROTO + b"\x02" + whole + pickle.STOP


def _tensor(number: int, values: Array) -> bytes:
    strides = [int(np.prod(values.shape[axis + 1 :], dtype=int)) for axis in range(values.ndim)]
    kind = _global("torch", _STORAGES[values.dtype.name])
    storage = _tuple(_str("storage"), kind, _str(str(number)), _str("cpu"), _int(values.size)) + pickle.BINPERSID
    hooks = _global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    shape, stride = _tuple(*map(_int, values.shape)), _tuple(*map(_int, strides))
    arguments = _tuple(storage, _int(0), shape, stride, pickle.NEWFALSE, hooks)
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + pickle.REDUCE


def _dict(items: Mapping[str, bytes]) -> bytes:
    inside = b"".join(_str(name) + value for name, value in items.items())
    return pickle.EMPTY_DICT + pickle.MARK + inside + pickle.SETITEMS


def _tuple(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def _str(text: str) -> bytes:
    raw = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(raw)) + raw


def _int(number: int) -> bytes:
    return pickle.BININT + struct.pack("<i", number)


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()
