"""The sound of a run's clips after the run, as the model got it, compressed for the report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from earwitness.errors import AudioError, AudioNotFoundError
from earwitness.records.record import Run
from earwitness.runs.transcribe import CLIP, decode, scratch_folder
from earwitness.types import RATE_HZ, Audio, Clip, Dataset

_READ_BYTES = 1 << 20


def dataset_of(run: Run, clips: Sequence[Clip]) -> Dataset:
    """Return the dataset of a run from the clips in its record."""
    info = run.dataset
    return Dataset(info.name, tuple(clips), info.sha256, license=info.license, condition=info.condition)


def require_unchanged(clip: Clip) -> Path:
    """Return the clip's file, if it has not changed since the run.

    Raises:
        AudioNotFoundError: When it is gone.
        AudioError: When it has other bytes now.
    """
    path = Path(clip.audio_path)
    try:
        if not clip.audio_path or not path.is_file():
            raise AudioNotFoundError(f"The audio file {path.name!r} is no longer where it was during the run.")
        sha256 = _sha256(path, path.stat().st_mtime_ns) if clip.audio_sha256 else ""
    except PermissionError:
        raise AudioError(f"The audio file {path.name!r} can no longer be read (permission denied).") from None
    if sha256 != clip.audio_sha256:
        raise AudioError(f"The audio file {path.name!r} has changed since the run.")
    return path


def small(clip: Clip, dataset: Dataset) -> bytes:
    """Return a clip's sound under the dataset's condition as a WebM file.

    Raises:
        AudioError: When its file is gone, changed, or cannot be decoded.
    """
    from earwitness.audio.opus import webm

    require_unchanged(clip)
    with scratch_folder() as scratch:
        file = decode(clip, dataset, scratch / CLIP)
        samples = np.fromfile(file.path, "<f4")
    return webm(Audio(samples, RATE_HZ))


@cache
def _sha256(path: Path, changed_ns: int) -> str:  # noqa: ARG001 - the time is there to tell files apart
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            found.update(block)
    return found.hexdigest()
