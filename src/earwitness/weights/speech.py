"""The model that finds speech: one file of Silero's wheel, downloaded like weights, never installed."""

from __future__ import annotations

from pathlib import Path

from earwitness.files.fetch import FetchProgress, cache_dir, sha256_of, stage, verify, wheel_files

VERSION = "6.2.3"
NAME = f"silero-vad {VERSION}"
"""As it stands in records."""
FILE = "silero_vad_16k_sequence.onnx"
SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"


def locate() -> Path | None:
    """Return the file, or ``None`` if it is missing or does not match the pinned hash."""
    path = _folder() / FILE
    return path if path.is_file() and sha256_of(path) == SHA256 else None


def pull(progress: FetchProgress = lambda _: None) -> Path:
    """Download the file, 1.2 MB out of a wheel of 11 MB, unless it is here, and return its path.

    Raises:
        FetchError: When it cannot be had.
        ChecksumError: When it is not the pinned one.
    """
    found = locate()
    if found is not None:
        return found
    with stage(_folder()) as fresh:
        wheel_files([(f"silero-vad=={VERSION}", "silero_vad/data")], {FILE: (FILE,)}, fresh, progress)
        verify(fresh / FILE, SHA256)
    return _folder() / FILE


def _folder() -> Path:
    return cache_dir() / "speech" / f"silero-vad-{VERSION}"
