"""Opens a file with libsndfile, or with FFmpeg's libraries when libsndfile does not know it, and reads it in blocks.

What decides is the content, not the file's name. libsndfile reads wav, flac, ogg (Vorbis and Opus), mp3 and aiff;
PyAV the rest, such as m4a, mp4 and webm, of which the first audio stream is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.errors import AudioError, AudioNotFoundError

Block = npt.NDArray[np.float32]
_BLOCK_FRAMES = 1 << 16
# What holds sound, and nothing that names other files: a playlist would have FFmpeg open whatever it lists.
_CONTAINERS = (
    "aac,ac3,adts,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,eac3,flac,flv,g722,g729,gsm,loas,m4v,matroska,mov,mp2,mp3,"
    "mp4,mpeg,mpegts,mpegvideo,nut,oga,ogg,opus,rm,tta,voc,w64,wav,webm,wv,xwma"
)
_EXACT_CONTAINERS = {"mov", "mp4", "m4a", "matroska", "webm"}


@dataclass(frozen=True, slots=True)
class Source:
    """An open file."""

    rate_hz: int
    """Frames per second."""
    channels: int
    """Samples per frame."""
    frames: int | None
    """How many frames its header promises; ``None`` when the header only guesses, or says nothing."""
    duration_s: float | None
    """What the header says, guesses included."""
    format: str
    """Short name, such as ``WAV`` or ``matroska,webm``."""
    blocks: Iterator[Block]
    """Shape (n, channels), from the place that was asked for to the end."""


def open_source(path: str | Path, start_s: float = 0.0) -> AbstractContextManager[Source]:
    """Open a file at a place in time.

    Raises:
        AudioNotFoundError: When there is no such file.
        AudioError: When it is a folder, empty, or not audio.
    """
    path = Path(path)
    if not path.exists():
        raise AudioNotFoundError(f"There is no audio file {str(path)!r}. Check the path in the manifest.")
    if path.is_dir():
        raise AudioError(f"{str(path)!r} is a folder, not an audio file. Name a file in it.")
    if path.stat().st_size == 0:
        raise AudioError(f"{str(path)!r} is empty (0 bytes). Copy it again from where it came from.")
    return _opened(path, start_s)


@contextmanager
def _opened(path: Path, start_s: float) -> Iterator[Source]:
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as first:
        with _with_av(path, start_s, str(first)) as source:
            yield source
        return
    with file:
        yield _from_soundfile(path, file, start_s)


def _from_soundfile(path: Path, file: Any, start_s: float) -> Source:
    import soundfile

    if file.samplerate <= 0:
        raise AudioError(f"{str(path)!r} states a sample rate of {file.samplerate} Hz. Repair or leave out the file.")
    frames = file.frames
    # libsndfile quietly trims a header that promises more than the file holds; its log keeps the promise.
    promise = re.search(r"data : (\d+) \(should be (\d+)\)", file.extra_info)
    if promise and int(promise[1]) != 0xFFFFFFFF and int(promise[2]):
        frames = round(frames * int(promise[1]) / int(promise[2]))
    exact = file.format != "MP3"

    def blocks() -> Iterator[Block]:
        start = round(start_s * file.samplerate)
        if start >= file.frames and start > 0:
            return
        file.seek(start)
        try:
            while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                yield block
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{str(path)!r} cannot be decoded to its end: {error} Copy it again.") from None

    return Source(
        file.samplerate, file.channels, frames if exact else None, frames / file.samplerate, file.format, blocks()
    )


@contextmanager
def _with_av(path: Path, start_s: float, first_error: str) -> Iterator[Source]:
    import av

    try:
        container = av.open(str(path), options={"format_whitelist": _CONTAINERS})
    except (av.error.FFmpegError, OSError) as second:
        why = f"libsndfile: {first_error.rsplit(': ', 1)[-1]} FFmpeg: {second.strerror or second}"
        raise AudioError(f"{str(path)!r} is not audio that can be read ({why}). Leave it out or convert it.") from None
    with container:
        if not container.streams.audio:
            raise AudioError(f"{str(path)!r} has no audio stream. Leave it out.")
        stream = container.streams.audio[0]
        rate_hz, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if rate_hz <= 0 or channels <= 0:
            raise AudioError(
                f"{str(path)!r} states {rate_hz} Hz and {channels} channels. Repair or leave out the file."
            )
        duration_s = None
        if stream.duration is not None and stream.time_base is not None:
            duration_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration_s = container.duration / av.time_base
        exact = duration_s is not None and bool(_EXACT_CONTAINERS & set(container.format.name.split(",")))
        frames = round(duration_s * rate_hz) if exact and duration_s is not None else None
        blocks = _av_blocks(path, container, stream, start_s)
        yield Source(rate_hz, channels, frames, duration_s, container.format.name, blocks)


def _av_blocks(path: Path, container: Any, stream: Any, start_s: float) -> Iterator[Block]:
    import av

    rate_hz = stream.codec_context.sample_rate
    resampler = av.AudioResampler(format="flt", layout=stream.codec_context.layout, rate=rate_hz)
    origin_s = float((stream.start_time or 0) * stream.time_base)
    if start_s > 1:
        # A second early: codecs need some packets before their output is right.
        container.seek(int((start_s - 1 + origin_s) / stream.time_base), stream=stream)
    skip: int | None = None
    try:
        for frame in container.decode(stream):
            if skip is None:
                here_s = frame.time - origin_s if start_s > 1 and frame.time is not None else 0.0
                skip = max(0, round((start_s - here_s) * rate_hz))
            for part in resampler.resample(frame):
                block: Block = (
                    part.to_ndarray().astype(np.float32, copy=False).reshape(-1, stream.codec_context.channels)
                )
                yield block[skip:]
                skip = max(0, skip - len(block))
    except av.error.FFmpegError as error:
        raise AudioError(f"{str(path)!r} cannot be decoded to its end: {error.strerror}. Leave it out.") from None
