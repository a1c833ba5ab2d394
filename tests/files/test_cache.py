from __future__ import annotations

from pathlib import Path

import pytest

from earwitness.files.cache import keep, load


def test_what_is_kept_is_loaded(tmp_path: Path) -> None:
    keep(tmp_path / "new" / "a.json", {"a": [1, 2.5, None]})
    assert load(tmp_path / "new" / "a.json") == {"a": [1, 2.5, None]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    assert load(path) is None
    path.write_bytes(content)
    assert load(path) is None
