"""The sound of a run's clips, long after the run: as the model heard it, small enough to keep beside the texts."""

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
    """Return the dataset that a run heard, of the clips in its record."""
    info = run.dataset
    return Dataset(info.name, tuple(clips), info.sha256, license=info.license, condition=info.condition)


def require_unchanged(clip: Clip) -> Path:
    """Return the clip's file, if it is still the one that was heard.

    Raises:
        AudioNotFoundError: When it is gone.
        AudioError: When it has other bytes now.
    """
    path = Path(clip.audio_path)
    try:
        if not clip.audio_path or not path.is_file():
            raise AudioNotFoundError(
                f"The audio file {path.name!r} is no longer where it was when the models heard it."
            )
        sha256 = _sha256(path, path.stat().st_mtime_ns) if clip.audio_sha256 else ""
    except PermissionError:
        raise AudioError(f"The audio file {path.name!r} may no longer be read (permission denied).") from None
    if sha256 != clip.audio_sha256:
        raise AudioError(f"The audio file {path.name!r} was changed after the models heard it.")
    return path


def small(clip: Clip, dataset: Dataset) -> bytes:
    """Return a clip's sound, as it was heard under the dataset's condition, as a WebM file.

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
