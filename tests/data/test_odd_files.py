"""Files that are no files, or that may not be opened, get a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from earwitness.data.checks import check
from earwitness.data.lines import read_text
from earwitness.errors import ManifestError


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "text")
    with pytest.raises(ManifestError, match="is a pipe or a device"):
        read_text(tmp_path / "text")


def test_a_device_is_refused() -> None:
    with pytest.raises(ManifestError, match="is a pipe or a device"):
        read_text(Path("/dev/zero"))


def test_audio_that_cannot_be_hashed_does_not_end_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    soundfile.write(tmp_path / "a.wav", np.full(16000, 0.1), 16000)
    (tmp_path / "m.csv").write_text("audio,text\na.wav,hello\n")
    monkeypatch.setitem(check.__globals__, "sha256_of", refuse)
    (finding,) = check(tmp_path / "m.csv")
    assert finding.severity == "error"
    assert "cannot be read: Permission denied" in finding.message
