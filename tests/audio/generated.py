"""Files of every codec and container that can be written here, whole and broken, and what ffmpeg makes of them."""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
LENGTH_S = 0.8
# These make no sound of what they are given.
_NO_CODECS = {"anull", "comfortnoise"}
# The names that a muxer may have in FFmpeg, of the containers that Earwitness reads.
MUXERS = (
    *(
        "3gp",
        "ac3",
        "adts",
        "aiff",
        "amr",
        "asf",
        "au",
        "avi",
        "caf",
        "eac3",
        "flac",
        "flv",
        "g722",
        "gsm",
        "ipod",
        "latm",
    ),
    *("matroska", "mov", "mp2", "mp3", "mp4", "mpeg", "mpegts", "oga", "ogg", "opus", "rm", "tta", "voc", "w64"),
    *("wav", "webm", "wv"),
)
SNDFILE_MAJORS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "NIST", "VOC", "IRCAM")


class Pipe(io.RawIOBase):
    """A file that can be written and not sought, as a pipe or a browser's recorder is."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(data)


@dataclass(frozen=True)
class Subject:
    """A file by its codec and container."""

    name: str
    content: bytes


def sound(rate_hz: int, channels: int, seconds: float = LENGTH_S) -> Samples:
    """A rising tone over a little noise, another in each channel: no two places are alike."""
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    noise = np.random.default_rng(7).normal(0, 0.01, (len(time_s), channels))
    tones = [0.3 * np.sin(2 * np.pi * (200 + 150 * c + 400 * time_s) * time_s) for c in range(channels)]
    mixed: Samples = (np.stack(tones, axis=1) + noise).astype(np.float32)
    return mixed


def encoders() -> list[str]:
    import av
    from av.codec import Codec, codecs_available

    names = []
    for name in sorted(codecs_available):
        try:
            codec = Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        if codec.type == "audio" and name not in _NO_CODECS:
            names.append(name)
    return names


def written(muxer: str, codec: str, rate_hz: int = 16_000, channels: int = 1, *, pipe: bool = False) -> bytes:
    """Encode the sound with FFmpeg's libraries. Raises what they raise where the two do not go together."""
    import av

    target: Any = Pipe() if pipe else io.BytesIO()
    with av.open(target, "w", format=muxer) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz)
        stream.layout = "mono" if channels == 1 else "stereo"
        samples = sound(rate_hz, channels)
        frame = av.AudioFrame.from_ndarray(samples.T.copy(), format="fltp", layout=stream.layout.name)
        frame.sample_rate = rate_hz
        stream.codec_context.open()
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate_hz)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (chunk := fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(chunk))
        container.mux(stream.encode())
    return bytes(target.content) if pipe else bytes(target.getvalue())


def _rate_of(codec: str) -> int:
    from av.codec import Codec

    rates = Codec(codec, "w").audio_rates or [16_000]
    return next((rate for rate in (16_000, 8000, 48_000, 44_100) if rate in rates), rates[0])


def _ffmpeg_subjects(names: frozenset[str]) -> Iterator[Subject]:
    import av

    refusals = (av.error.FFmpegError, ValueError, OSError, RuntimeError)
    for codec, muxer in itertools.product(encoders(), MUXERS):
        rate_hz = _rate_of(codec)
        for channels, pipe in itertools.product((1, 2), (False, True)):
            name = f"{codec}.{muxer}{'-stereo' * (channels - 1)}{'-piped' * pipe}"
            if names and name not in names:
                continue
            try:
                content = written(muxer, codec, rate_hz, channels, pipe=pipe)
            except refusals:
                continue
            if len(content) > 500:
                yield Subject(name, content)


def _sndfile_subjects(names: frozenset[str]) -> Iterator[Subject]:
    import soundfile

    samples = sound(16_000, 1)
    for major in SNDFILE_MAJORS:
        for subtype in soundfile.available_subtypes(major):
            name = f"{subtype}.sndfile-{major}"
            if names and name not in names:
                continue
            for rate_hz in (16_000, 8000):
                buffer = io.BytesIO()
                try:
                    soundfile.write(buffer, samples, rate_hz, format=major, subtype=subtype)
                except (soundfile.SoundFileError, ValueError):
                    continue
                yield Subject(name, buffer.getvalue())
                break


def subjects(names: frozenset[str] = frozenset()) -> Iterator[Subject]:
    """Every codec in every container that FFmpeg's libraries and libsndfile write here, or those named."""
    yield from _ffmpeg_subjects(names)
    yield from _sndfile_subjects(names)


def _size_places() -> Mapping[bytes, tuple[bytes, int, str]]:
    return {
        b"RIFF": (b"data", 4, "<I"),
        b"FORM": (b"SSND", 4, ">I"),
        b"caff": (b"data", 4, ">q"),
        b".snd": (b".snd", 8, ">I"),
        b"riff": (b"data", 16, "<q"),
    }


def with_size(content: bytes, change: Callable[[int], int]) -> bytes | None:
    """Change the size that a header states for its sound; ``None`` for other containers."""
    place = _size_places().get(content[:4])
    if place is None or place[0] not in content:
        return None
    marker, offset, form = place
    at = content.index(marker) + offset
    (size,) = struct.unpack_from(form, content, at)
    wide = form[1] == "q"
    value = change(size)
    field = struct.pack(form, value if wide else value & 0xFFFFFFFF)
    return content[:at] + field + content[at + len(field) :]


def without_xing(content: bytes) -> bytes | None:
    """Blank the frame that counts an MP3's frames."""
    for mark in (b"Xing", b"Info"):
        if mark in content[:4096]:
            return content.replace(mark, b"\0\0\0\0", 1)
    return None


_JUNK = np.random.default_rng(3).bytes(700)
MUTATIONS: Mapping[str, Callable[[bytes], bytes | None]] = {
    "whole": lambda content: content,
    "cut": lambda content: content[: len(content) * 3 // 5],
    "tail": lambda content: content[:-7],
    "joined": lambda content: content + content,
    "junk-before": lambda content: _JUNK + content,
    "junk-after": lambda content: content + _JUNK,
    "text-after": lambda content: content + b"TAG" + b"a tag of another program".ljust(125),
    "id3-before": lambda content: b"ID3\x04\0\0\0\0\x02\x00" + bytes(256) + content,
    "size-0": lambda content: with_size(content, lambda size: 0),
    "size-ff": lambda content: with_size(content, lambda size: -1),
    "size-sox": lambda content: with_size(content, lambda size: 0x7FFFF000),
    "size-big": lambda content: with_size(content, lambda size: size * 3 // 2),
    "size-small": lambda content: with_size(content, lambda size: size // 2 & ~7),
    "no-xing": without_xing,
}


def by_ffmpeg(path: Path, rate_hz: int | None, channels: int | None) -> Samples | None:
    """What Debian's ffmpeg decodes, shape (n, channels); ``None`` when it refuses, or finds nothing."""
    shape = [] if rate_hz is None or channels is None else ["-ar", str(rate_hz), "-ac", str(channels)]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:a:0", *shape, "-f", "f32le", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    samples = np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], "<f4")
    if not len(samples):
        return None
    return samples.reshape(-1, channels) if channels else samples.reshape(-1, 1)
