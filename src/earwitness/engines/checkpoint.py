"""Lists the tensors of a safetensors folder from the files' headers: no weights are loaded and no library is needed.

The format: eight bytes, little-endian, say how long the header is; the header is JSON, from a tensor's name to its
type, shape and place; the tensors' bytes follow. Large checkpoints are several files and an index from names to files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from earwitness.errors import EngineError

_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_MOST_HEADER_BYTES = 100_000_000
_NAMED = 4

TensorShape = tuple[int, ...]


def stored_shapes(folder: Path) -> dict[str, TensorShape]:
    """Return the shape of every tensor of a checkpoint, by name.

    Raises:
        EngineError: When there is no checkpoint, a file of it is missing, cut off or not safetensors, or the index
            names a tensor that its file does not have.
    """
    if (folder / _SINGLE).is_file():
        return _header(folder / _SINGLE)
    try:
        index: Mapping[str, str] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))["weight_map"]
    except FileNotFoundError:
        raise EngineError(
            f"Folder {str(folder)!r} has no {_SINGLE!r} (nor {_INDEX!r}). Get the weights again."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise EngineError(f"File {str(folder / _INDEX)!r} is not an index of weights. Get the weights again.") from None
    shards = {name: _header(folder / name) for name in sorted(set(index.values()))}
    absent = [tensor for tensor, shard in index.items() if tensor not in shards[shard]]
    if absent:
        raise EngineError(f"{_listed('tensor', absent)} of the index in {str(folder)!r} are not in their files.")
    return {tensor: shards[shard][tensor] for tensor, shard in index.items()}


def require_all(folder: Path, shapes: Mapping[str, TensorShape], expected: Mapping[str, TensorShape]) -> None:
    """Refuse a checkpoint that lacks some of a model's tensors or has them in other shapes.

    Args:
        folder: For the message.
        shapes: As from ``stored_shapes``.
        expected: The shape of every tensor that the model needs, by name.

    Raises:
        EngineError: Naming some of them.
    """
    missing = [name for name in expected if name not in shapes]
    if missing:
        raise EngineError(
            f"The checkpoint in {str(folder)!r} lacks {_listed('tensor', missing)} of the {len(expected)} that the "
            "model needs, and the library would fill them in itself. Get the weights again, not another runtime's."
        )
    odd = [
        f"{name} {list(shapes[name])} for {list(shape)}" for name, shape in expected.items() if shapes[name] != shape
    ]
    if odd:
        raise EngineError(f"The checkpoint in {str(folder)!r} has {_listed('tensor', odd)} in another shape.")


def _header(path: Path) -> dict[str, TensorShape]:
    again = "Get the weights again."
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MOST_HEADER_BYTES, path.stat().st_size - 8):
                raise EngineError(f"File {str(path)!r} is not safetensors, or was cut off. {again}")
            header = json.loads(file.read(length))
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        shapes = {name: tuple(entry["shape"]) for name, entry in entries.items()}
    except FileNotFoundError:
        raise EngineError(f"There is no file {str(path)!r}, which the index names. {again}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EngineError(f"The header of {str(path)!r} cannot be read. {again}") from None
    if path.stat().st_size < 8 + length + end:
        raise EngineError(f"File {str(path)!r} was cut off: {path.stat().st_size} of {8 + length + end} bytes. {again}")
    return shapes


def _listed(noun: str, names: Iterable[str]) -> str:
    all_names = list(names)
    shown = ", ".join(all_names[:_NAMED]) + (", …" if len(all_names) > _NAMED else "")
    return f"{len(all_names)} {noun}{'s' if len(all_names) > 1 else ''} ({shown})"
