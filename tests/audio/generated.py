"""Files of every codec in every container that can be written here, and fourteen variants of each."""

from __future__ import annotations

import functools
import io
import itertools
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
LENGTH_S = 0.8
"""Of the sound in the files of most tests."""
# These encode no sound: one passes frames on, one makes noise up.
_NO_CODECS = {"anull", "comfortnoise"}
SNDFILE_MAJORS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "NIST", "VOC", "IRCAM")
NOT_WRITTEN: Mapping[str, tuple[str, ...]] = {
    "name other files, and hold no sound themselves": (
        *("apm", "dash", "hds", "hls", "ico", "image2", "segment", "smoothstreaming", "stream_segment,ssegment"),
        *("tee", "webm_chunk", "webm_dash_manifest"),
    ),
    "are sent over a network or to a device": (
        *("alsa", "asf_stream", "fbdev", "oss", "rtp", "rtp_mpegts", "rtsp", "sap", "spdif", "video4linux2,v4l2"),
        "whip",
    ),
    "serve FFmpeg's own tests": (
        *("crc", "ffmetadata", "framecrc", "framehash", "framemd5", "hash", "md5", "mkvtimestamp_v2", "null"),
        *("streamhash", "uncodedframecrc"),
    ),
    "have no header, so the rate and the channels are unknown": (
        *("alaw", "aptx", "aptx_hd", "codec2raw", "daud", "data", "dfpwm", "f32be", "f32le", "f64be", "f64le", "g726"),
        *("g726le", "mulaw", "rawvideo", "s16be", "s16le", "s24be", "s24le", "s32be", "s32le", "s8", "u16be", "u16le"),
        *("u24be", "u24le", "u32be", "u32le", "u8", "vidc"),
    ),
    "belong to games": (
        *("a64", "adx", "alp", "amv", "argo_asf", "argo_cvg", "ast", "film_cpk", "kvag", "mmf", "psp", "roq", "rso"),
        *("smjpeg", "swf", "wsaud"),
    ),
    "belong to television studios and recorders": ("dv", "gxf", "mxf", "mxf_d10", "mxf_opatom", "wtv"),
    "are written by FFmpeg alone": ("nut",),
}
"""FFmpeg's containers that are left out, by the reason."""


class Pipe(io.RawIOBase):
    """A file that can be written and not sought, as a pipe or a browser's recorder is."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(data)


@dataclass(frozen=True, slots=True, order=True)
class Format:
    """A codec in a container, as one library writes it."""

    container: str
    codec: str
    channels: int = 1
    is_piped: bool = False
    is_of_sndfile: bool = False

    def __str__(self) -> str:
        suffixes = "-stereo" * (self.channels - 1) + "-piped" * self.is_piped
        return f"{self.codec}.{'sndfile-' * self.is_of_sndfile}{self.container}{suffixes}"


@functools.lru_cache(maxsize=8)
def sound(rate_hz: int, channels: int, seconds: float = LENGTH_S) -> Samples:
    """A rising tone over a little noise, another in each channel: no two places are alike."""
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    noise = np.random.default_rng(7).normal(0, 0.01, (len(time_s), channels))
    tones = [0.3 * np.sin(2 * np.pi * (200 + 150 * c + 400 * time_s) * time_s) for c in range(channels)]
    mixed: Samples = (np.stack(tones, axis=1) + noise).astype(np.float32)
    return mixed


def encoders() -> list[str]:
    from av.codec import Codec, codecs_available
    from av.codec.codec import UnknownCodecError

    names = []
    for name in sorted(codecs_available):
        try:
            codec = Codec(name, "w")
        except UnknownCodecError:
            continue
        if codec.type == "audio" and name not in _NO_CODECS:
            names.append(name)
    return names


def muxers() -> list[str]:
    """FFmpeg's containers that are not in ``NOT_WRITTEN``."""
    import av

    without = {name for names in NOT_WRITTEN.values() for name in names}
    names = []
    for name in sorted(av.formats_available - without):
        try:
            av.format.ContainerFormat(name, "w")
        except ValueError:
            continue
        names.append(name)
    return names


def written(
    muxer: str, codec: str, rate_hz: int = 16_000, channels: int = 1, *, pipe: bool = False, seconds: float = LENGTH_S
) -> bytes:
    """Encode the sound with FFmpeg's libraries. Raises what they raise where the two do not go together."""
    import av

    target: Any = Pipe() if pipe else io.BytesIO()
    with av.open(target, "w", format=muxer) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz)
        stream.layout = "mono" if channels == 1 else "stereo"
        samples = sound(rate_hz, channels, seconds)
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


# Rates that these containers can state; they write one of them whatever they are given.
_RATES_HZ = {
    **{("flv", codec): 8000 for codec in ("pcm_alaw", "pcm_mulaw")},
    **{("flv", codec): 11_025 for codec in ("pcm_s16le", "pcm_u8")},
    ("voc", "pcm_u8"): 8000,
}


def _rate_of(muxer: str, codec: str) -> int:
    from av.codec import Codec

    rates = Codec(codec, "w").audio_rates or [16_000]
    first = next((rate for rate in (16_000, 8000, 48_000, 44_100) if rate in rates), rates[0])
    return _RATES_HZ.get((muxer, codec), first)


def formats() -> Iterator[Format]:
    """Every codec in every container of FFmpeg's libraries and of libsndfile, whether or not the two go together."""
    import soundfile

    for muxer, codec in itertools.product(muxers(), encoders()):
        yield Format(muxer, codec)
    for major in SNDFILE_MAJORS:
        for subtype in soundfile.available_subtypes(major):
            yield Format(major, subtype, is_of_sndfile=True)


def files(format_: Format, seconds: float) -> Iterator[tuple[Format, bytes]]:
    """Yield a format's file in mono, written to a pipe where that is another file, and in stereo; nothing where the
    container does not take the codec.
    """
    plain = content_of(format_, seconds)
    if plain is None:
        return
    yield format_, plain
    if format_.is_of_sndfile:
        return
    for other in (replace(format_, is_piped=True), replace(format_, channels=2)):
        content = content_of(other, seconds)
        if content is not None and content != plain:
            yield other, content


def content_of(format_: Format, seconds: float) -> bytes | None:
    """Return a file of a format; ``None`` where a container does not take the codec."""
    import av

    if format_.is_of_sndfile:
        return _by_sndfile(format_, seconds)
    if (format_.container, format_.codec) == ("flv", "pcm_s16be"):  # written with the mark of little-endian samples
        return None
    rate_hz = _rate_of(format_.container, format_.codec)
    try:
        content = written(
            format_.container, format_.codec, rate_hz, format_.channels, pipe=format_.is_piped, seconds=seconds
        )
    except (av.error.FFmpegError, ValueError, OSError, RuntimeError):
        return None
    return content if len(content) > 500 else None


def _by_sndfile(format_: Format, seconds: float) -> bytes | None:
    import soundfile

    for rate_hz in (16_000, 8000) if format_.container != "VOC" else (8000,):
        buffer = io.BytesIO()
        try:
            soundfile.write(
                buffer, sound(rate_hz, 1, seconds), rate_hz, format=format_.container, subtype=format_.codec
            )
        except (soundfile.SoundFileError, ValueError):
            continue
        return buffer.getvalue()
    return None


_SIZE_PLACES: Mapping[bytes, tuple[bytes, int, str]] = {
    b"RIFF": (b"data", 4, "<I"),
    b"FORM": (b"SSND", 4, ">I"),
    b"caff": (b"data", 4, ">Q"),
    b".snd": (b".snd", 8, ">I"),
    b"riff": (b"data", 16, "<Q"),
}


def with_size(content: bytes, change: Callable[[int], int]) -> bytes | None:
    """Change the size that a header states for its sound; ``None`` for other containers."""
    place = _SIZE_PLACES.get(content[:4])
    if place is None or place[0] not in content:
        return None
    marker, offset, form = place
    at = content.index(marker) + offset
    (size,) = struct.unpack_from(form, content, at)
    field = struct.pack(form, change(size) % (1 << 8 * struct.calcsize(form)))
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
