"""Reads a file with libsndfile."""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from earwitness.audio.chunks import DataChunk
from earwitness.audio.content import Content
from earwitness.audio.flac import is_alone, starts
from earwitness.audio.source import BLOCK_FRAMES, AudioSource, Block, NotReadableError
from earwitness.errors import AudioError

# Frames of one size each: their number is exact, and so is a seek.
_SAMPLE_BYTES = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "ULAW": 1,
    "ALAW": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
}
# FFmpeg takes these for another codec, and makes noise of them.
_UNKNOWN_TO_FFMPEG = {("WAV", "NMS_ADPCM_16"), ("WAV", "NMS_ADPCM_24"), ("WAV", "NMS_ADPCM_32"), ("WAV", "G721_32")}
_UNKNOWN_FRAMES = 1 << 62


def read_exact(content: Content, start_s: float, stack: ExitStack) -> AudioSource:
    """Read a file of which libsndfile is sure to know the length, and to find every place.

    Raises:
        NotReadableError: For any other file.
    """
    chunk = content.chunk
    if chunk is None and not is_alone(content.path, thorough=not content.is_probe):
        places = starts(content.path)
        if len(places) != 1:
            return _joined_flac(content, places, start_s, stack)
    file = _sound_file(content.path, content.open(stack), stack)
    if (file.format, file.subtype) in _UNKNOWN_TO_FFMPEG:
        return _source(content, file, start_s)
    if chunk is not None and not chunk.is_whole:
        raise NotReadableError
    if not file.seekable() or file.subtype not in _SAMPLE_BYTES or not 0 <= file.frames < _UNKNOWN_FRAMES:
        raise NotReadableError
    if chunk is None and not file.frames:
        raise NotReadableError
    return _source(content, file, start_s)


def read(content: Content, start_s: float, stack: ExitStack) -> AudioSource:
    """Read any file that libsndfile opens.

    Raises:
        NotReadableError: When it opens none.
    """
    file = _sound_file(content.path, content.open(stack), stack)
    if content.chunk is not None and content.chunk.stated_bytes is None and file.subtype not in _SAMPLE_BYTES:
        # Without a size, what lies behind the sound would be decoded as sound.
        raise NotReadableError("libsndfile: the header states no size")
    return _source(content, file, start_s)


def _joined_flac(content: Content, places: list[int], start_s: float, stack: ExitStack) -> AudioSource:
    """Read FLAC files that were joined, of which FFmpeg loses a frame at each seam.

    Raises:
        NotReadableError: For none, for one that states no length, and where the rate or the channels change.
    """
    files = [_sound_file(content.path, content.open_at(place, stack), stack) for place in places]
    shapes = {(file.samplerate, file.channels) for file in files}
    if len(shapes) != 1 or not all(0 < file.frames < _UNKNOWN_FRAMES for file in files):
        raise NotReadableError
    ((rate_hz, channels),) = shapes
    duration_s = sum(file.frames for file in files) / rate_hz
    blocks = itertools.chain.from_iterable(_blocks(content.path, file, 0.0, None) for file in files)
    return AudioSource(rate_hz, channels, duration_s, "stated", "FLAC", _after(blocks, round(start_s * rate_hz)))


def _after(blocks: Iterator[Block], skip: int) -> Iterator[Block]:
    """Yield blocks without so many frames at their beginning."""
    for block in blocks:
        if skip < len(block):
            yield block[skip:]
        skip = max(0, skip - len(block))


def _until_next_header(content: Content, chunk: DataChunk) -> int:
    """Return the bytes of sound up to the header of a file that was joined, which would be decoded as sound."""
    with content.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head = data[content.start : content.start + 12]
        begin = content.start + content.size_bytes - chunk.room_bytes
        at = data.find(head[:4], begin)
        while at >= 0 and data[at + 8 : at + 12] != head[8:12]:
            at = data.find(head[:4], at + 4)
        return (at if at >= 0 else len(data)) - begin


def _sound_file(path: Path, name: str | BinaryIO, stack: ExitStack) -> Any:
    import soundfile

    try:
        file = soundfile.SoundFile(name)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise NotReadableError(f"libsndfile: {str(error).rsplit(': ', 1)[-1]}") from None

    def close() -> None:
        try:
            file.close()
        except soundfile.SoundFileError as error:
            raise AudioError(f"{str(path)!r} cannot be closed: {error}") from None

    stack.callback(close)
    return file


def _source(content: Content, file: Any, start_s: float) -> AudioSource:
    frames, rate_hz, chunk = file.frames, file.samplerate, content.chunk
    most = None
    if chunk is not None and chunk.is_whole and file.subtype in _SAMPLE_BYTES:
        # libsndfile reads Wave64 beyond its sound, to the end of the file.
        most = (chunk.stated_bytes or 0) // (_SAMPLE_BYTES[file.subtype] * file.channels)
        frames = min(frames, most)
    elif chunk is not None and chunk.stated_bytes is None and file.subtype in _SAMPLE_BYTES:
        most = _until_next_header(content, chunk) // (_SAMPLE_BYTES[file.subtype] * file.channels)
        frames = min(frames, most)
    elif chunk is not None and chunk.stated_bytes is not None and chunk.room_bytes:
        # libsndfile trims what a header states to what the file holds.
        frames = max(frames, round(frames * chunk.stated_bytes / chunk.room_bytes))
    knows = rate_hz > 0 and frames < _UNKNOWN_FRAMES
    return AudioSource(
        rate_hz,
        file.channels,
        frames / rate_hz if knows else None,
        "stated" if knows else None,
        file.format,
        _blocks(content.path, file, start_s, most),
        seeks=file.seekable() and file.subtype in _SAMPLE_BYTES,
    )


def _blocks(path: Path, file: Any, start_s: float, most: int | None) -> Iterator[Block]:
    import soundfile

    skip = round(start_s * file.samplerate)
    try:
        if skip and file.seekable() and file.subtype in _SAMPLE_BYTES:
            if skip >= (file.frames if most is None else most):
                return
            file.seek(skip)
            most, skip = None if most is None else most - skip, 0
        yield from _after(_read(file, most), skip)
    except soundfile.SoundFileError as error:
        raise AudioError(f"{str(path)!r} cannot be decoded to its end: {error} Copy it again.") from None


def _read(file: Any, most: int | None) -> Iterator[Block]:
    left = _UNKNOWN_FRAMES if most is None else most
    while len(block := file.read(min(BLOCK_FRAMES, left), dtype="float32", always_2d=True)):
        left -= len(block)
        yield block
