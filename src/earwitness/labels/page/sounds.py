"""The sound of clips for a browser: WAV files of 16 bits, decoded when they are asked for, and their outline.

No browser plays mu-law in WAV or GSM, and few play all containers, so the server decodes: exactly the clip's span and
channel, at the file's own rate where browsers play it.
"""

from __future__ import annotations

import struct
import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earwitness.errors import AudioError
from earwitness.types import RATE_HZ, Clip

N_PEAKS = 800
"""Columns of the outline."""
MOST_BYTES = 512_000_000
"""Of decoded sound on the disk; the clips that nobody asked for longest go first."""
_LEAST_RATE_HZ, _MOST_RATE_HZ = 8_000, 48_000
_BLOCK = 1 << 18
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


@dataclass(frozen=True, slots=True)
class ClipSound:
    """A decoded clip."""

    path: Path
    """WAV, mono, 16 bits."""
    duration_s: float
    """How long it is."""
    peaks: tuple[int, ...]
    """The loudest sample of each of at most ``N_PEAKS`` equal parts, from 0 to 100, where 100 is the loudest of all."""
    n_bytes: int
    """Size of the file."""


class ClipSounds:
    """Decodes clips into a folder, each once while it is kept. Several threads may ask."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Begin with an empty folder, which the caller removes."""
        self._folder, self._most_bytes = folder, most_bytes
        self._kept: OrderedDict[str, ClipSound] = OrderedDict()
        self._lock = threading.Lock()
        self._busy: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._n_files = 0

    def sound(self, clip: Clip) -> ClipSound:
        """Return a clip's sound.

        Raises:
            AudioError: When its file is gone, has changed since the dataset was read, or cannot be decoded.
        """
        with self._lock:
            busy = self._busy[clip.id]
        with busy:
            with self._lock:
                kept = self._kept.get(clip.id)
                if kept is not None:
                    self._kept.move_to_end(clip.id)
                    return kept
                self._n_files += 1
                target = self._folder / f"{self._n_files}.wav"
            self._require_unchanged(clip)
            sound = write_sound(clip, target)
            with self._lock:
                self._kept[clip.id] = sound
                self._forget()
            return sound

    def _forget(self) -> None:
        while len(self._kept) > 1 and sum(one.n_bytes for one in self._kept.values()) > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            oldest.path.unlink(missing_ok=True)

    def _require_unchanged(self, clip: Clip) -> None:
        from earwitness.files.fetch import sha256_of

        path = Path(clip.audio_path)
        if not clip.audio_sha256 or not path.is_file():
            return  # decoding says what is wrong
        stat = path.stat()
        key = (clip.audio_path, stat.st_mtime_ns, stat.st_size)
        if key not in self._hashes:
            self._hashes[key] = sha256_of(path)
        if self._hashes[key] != clip.audio_sha256:
            raise AudioError(f"The audio file {path.name!r} has changed since the data was read. Start again.")


def write_sound(clip: Clip, target: Path) -> ClipSound:
    """Decode a clip into a WAV file.

    Args:
        clip: The clip.
        target: The file.

    Raises:
        AudioError: When it cannot be decoded.
    """
    from earwitness.audio import decode_file, probe

    own_hz = probe(clip.audio_path).sample_rate_hz
    rate_hz = own_hz if _LEAST_RATE_HZ <= own_hz <= _MOST_RATE_HZ else RATE_HZ
    raw = target.with_suffix(".f32")
    try:
        n_samples = decode_file(
            clip.audio_path, raw, start_s=clip.start_s, duration_s=clip.span_s, channel=clip.channel, rate_hz=rate_hz
        ).n_samples
        peaks = _Peaks(n_samples)
        with raw.open("rb") as source, target.open("wb") as wav:
            wav.write(_header(n_samples, rate_hz))
            while block := source.read(4 * _BLOCK):
                samples = np.clip(np.frombuffer(block, "<f4"), -1.0, 1.0)
                peaks.add(samples)
                wav.write(np.round(samples * 32767).astype("<i2").tobytes())
    finally:
        raw.unlink(missing_ok=True)
    return ClipSound(target, n_samples / rate_hz, peaks.columns(), _HEADER.size + 2 * n_samples)


def _header(n_samples: int, rate_hz: int) -> bytes:
    n_bytes = 2 * n_samples
    size = min(_HEADER.size - 8 + n_bytes, 0xFFFFFFFF)
    return _HEADER.pack(
        b"RIFF", size, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16, b"data", min(n_bytes, 0xFFFFFFFF)
    )


class _Peaks:
    """The loudest sample of each of some equal parts of a sound that comes in blocks."""

    def __init__(self, n_samples: int) -> None:
        self._n_samples, self._next = n_samples, 0
        self._peaks: npt.NDArray[np.float32] = np.zeros(max(1, min(N_PEAKS, n_samples)), np.float32)

    def add(self, samples: npt.NDArray[np.float32]) -> None:
        parts = (self._next + np.arange(len(samples))) * len(self._peaks) // self._n_samples
        np.maximum.at(self._peaks, parts, np.abs(samples))
        self._next += len(samples)

    def columns(self) -> tuple[int, ...]:
        loudest = float(self._peaks.max()) or 1.0
        return tuple(int(value) for value in np.round(100 * self._peaks / loudest))
