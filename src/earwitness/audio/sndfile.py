"""Reads a file with libsndfile."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from earwitness.audio.chunks import DataChunk
from earwitness.audio.source import BLOCK_FRAMES, Block, NotReadableError, Source
from earwitness.errors import AudioError

# Frames of one size each: their number is exact, and so is a seek.
_EXACT = {
    *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32"),
    *("FLOAT", "DOUBLE", "ULAW", "ALAW"),
}
# FFmpeg takes these for another codec, and makes noise of them.
_UNKNOWN_TO_FFMPEG = "NMS_ADPCM"
_UNKNOWN_FRAMES = 1 << 62
# The mark of a FLAC file, and the head of the block that always follows it.
_FLAC = b"fLaC\0\0\0\x22"


def read_exact(path: Path, start_s: float, chunk: DataChunk | None, stack: ExitStack) -> Source:
    """Read a file of which libsndfile is sure to know the length, and to find every place.

    Raises:
        NotReadableError: For any other file.
    """
    if chunk is not None and not chunk.is_whole:
        raise NotReadableError
    if chunk is None and not _is_one_flac(path):
        raise NotReadableError
    file = _sound_file(path, stack)
    if file.subtype.startswith(_UNKNOWN_TO_FFMPEG):
        return _source(path, file, start_s, chunk)
    if not file.seekable() or file.subtype not in _EXACT or not 0 <= file.frames < _UNKNOWN_FRAMES:
        raise NotReadableError
    if chunk is None and not file.frames:
        raise NotReadableError
    return _source(path, file, start_s, chunk)


def read(path: Path, start_s: float, chunk: DataChunk | None, stack: ExitStack) -> Source:
    """Read any file that libsndfile opens.

    Raises:
        NotReadableError: When it opens none.
    """
    return _source(path, _sound_file(path, stack), start_s, chunk)


def _is_one_flac(path: Path) -> bool:
    """True for a FLAC file with no other behind it, which libsndfile would not hear."""
    with path.open("rb") as file:
        if file.read(4) != _FLAC[:4]:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_FLAC, 4) < 0


def _sound_file(path: Path, stack: ExitStack) -> Any:
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise NotReadableError(f"libsndfile: {str(error).rsplit(': ', 1)[-1]}") from None

    def close() -> None:
        try:
            file.close()
        except soundfile.SoundFileError as error:
            raise AudioError(f"{str(path)!r} cannot be closed: {error}") from None

    stack.callback(close)
    return file


def _source(path: Path, file: Any, start_s: float, chunk: DataChunk | None) -> Source:
    frames, rate_hz = file.frames, file.samplerate
    if chunk is not None and chunk.stated_bytes is not None and chunk.room_bytes:
        # libsndfile trims what a header states to what the file holds.
        frames = max(frames, round(frames * chunk.stated_bytes / chunk.room_bytes))
    knows = rate_hz > 0 and frames < _UNKNOWN_FRAMES
    return Source(
        rate_hz,
        file.channels,
        frames / rate_hz if knows else None,
        "stated" if knows else None,
        file.format,
        _blocks(path, file, start_s),
    )


def _blocks(path: Path, file: Any, start_s: float) -> Iterator[Block]:
    import soundfile

    skip = round(start_s * file.samplerate)
    try:
        if skip and file.seekable() and file.subtype in _EXACT:
            if skip >= file.frames:
                return
            file.seek(skip)
            skip = 0
        while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
            if skip < len(block):
                yield block[skip:]
            skip = max(0, skip - len(block))
    except soundfile.SoundFileError as error:
        raise AudioError(f"{str(path)!r} cannot be decoded to its end: {error} Copy it again.") from None
