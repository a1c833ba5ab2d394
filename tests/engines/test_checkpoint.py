"""Headers of safetensors, read with the standard library. The files are written here byte by byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from earwitness.engines.checkpoint import TensorShape, require_all, stored_shapes
from earwitness.errors import EngineError

SHAPES: dict[str, TensorShape] = {"a.weight": (2, 3), "b.bias": (4,), "c.scale": ()}


def write(path: Path, shapes: Mapping[str, TensorShape]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, shape in shapes.items():
        size = 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(place))


def test_names_and_shapes_are_read_from_the_header(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors", SHAPES)
    assert stored_shapes(tmp_path) == SHAPES


def test_a_checkpoint_in_several_files_is_read_through_its_index(tmp_path: Path) -> None:
    names = list(SHAPES)
    write(tmp_path / "one.safetensors", {name: SHAPES[name] for name in names[:2]})
    write(tmp_path / "two.safetensors", {name: SHAPES[name] for name in names[2:]})
    index = dict.fromkeys(names[:2], "one.safetensors") | dict.fromkeys(names[2:], "two.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert stored_shapes(tmp_path) == SHAPES
    (tmp_path / "two.safetensors").unlink()
    with pytest.raises(EngineError, match=r"There is no file '.*two\.safetensors', which the index names"):
        stored_shapes(tmp_path)
    write(tmp_path / "two.safetensors", {"other": (1,)})
    with pytest.raises(EngineError, match=r"1 tensor \(c\.scale\) of the index"):
        stored_shapes(tmp_path)


def test_a_folder_without_weights_and_a_file_that_is_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"has no 'model\.safetensors'"):
        stored_shapes(tmp_path)
    for content in (
        b"",
        b"short",
        b"\xff" * 64,
        (5).to_bytes(8, "little") + b"{nope",
        (2).to_bytes(8, "little") + b"[]",
    ):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(EngineError, match=r"not safetensors|cannot be read"):
            stored_shapes(tmp_path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors", SHAPES)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:-1])
    with pytest.raises(EngineError, match=f"was cut off: {len(whole) - 1} of {len(whole)} bytes"):
        stored_shapes(tmp_path)


def test_what_is_missing_or_of_another_shape_is_named_and_what_is_more_is_no_matter(tmp_path: Path) -> None:
    require_all(tmp_path, SHAPES | {"more": (1,)}, SHAPES)
    many = SHAPES | {f"layer{n}": (1,) for n in range(9)}
    with pytest.raises(EngineError, match=r"lacks 9 tensors \(layer0, layer1, layer2, layer3, …\) of the 12"):
        require_all(tmp_path, SHAPES, many)
    with pytest.raises(EngineError, match=r"1 tensor \(a\.weight \[2, 3\] for \[3, 2\]\) in another shape"):
        require_all(tmp_path, SHAPES, SHAPES | {"a.weight": (3, 2)})
