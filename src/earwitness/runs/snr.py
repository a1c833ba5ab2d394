"""The signal-to-noise ratio of clips, estimated once and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from earwitness.audio import decode
from earwitness.audio.snr import VERSION, snr_db
from earwitness.errors import AudioError
from earwitness.files.cache import keep, load
from earwitness.types import Clip


def snr_of(
    clips: Sequence[Clip], folder: Path, name: str, progress: Callable[[int, int], None] = lambda *_: None
) -> dict[str, float]:
    """Return the estimated ratio in dB by clip id; clips without audio here, or without an estimate, are left out.

    Args:
        clips: Of one dataset.
        folder: Where estimates are kept.
        name: Of the file there; the dataset's hash, so that other audio has another file.
        progress: Called with how many clips are done, of how many.
    """
    path = folder / f"{name}-v{VERSION}.json"
    found = load(path)
    known: dict[str, float | None] = found if isinstance(found, dict) else {}
    missing = [clip for clip in clips if clip.id not in known]
    for done, clip in enumerate(missing, start=1):
        try:
            audio = decode(clip.audio_path, start_s=clip.start_s, duration_s=clip.span_s, channel=clip.channel)
        except AudioError:
            continue
        known[clip.id] = snr_db(audio)
        progress(done, len(missing))
    if missing:
        keep(path, known)
    return {clip.id: value for clip in clips if (value := known.get(clip.id)) is not None}
