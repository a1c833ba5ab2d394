"""Reads a file with FFmpeg's libraries, to the end of its first audio stream, as the program ffmpeg does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.audio.chunks import DataChunk
from earwitness.audio.content import Content
from earwitness.audio.header_length import HEAD_BYTES, asf_s, has_matroska_duration
from earwitness.audio.source import BLOCK_FRAMES, AudioSource, Block, DurationKind, NotReadableError
from earwitness.errors import AudioError

# What holds sound, and nothing that names other files: a playlist would have FFmpeg open whatever it lists.
_CONTAINERS = (
    "aac,ac3,adts,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,eac3,flac,flv,g722,g729,gsm,ircam,loas,m4v,matroska,mov,"
    "mp2,mp3,mp4,mpeg,mpegts,mpegvideo,oga,ogg,opus,rm,sox,tta,voc,w64,wav,webm,wv,xwma"
)
# Containers whose header states a length of this stream, or of the file when it holds nothing else. All others are
# guesses: from the bit rate of the first packets (MP3, AAC, AMR), or from the last page, of whichever stream (Ogg).
_STATED = {"ape", "au", "caf", "tta", "w64", "wav", "wv"}
_STATED_OF_STREAM = {"mov", "mp4"}
_STATED_OF_FILE = {"matroska", "webm"}
# NMS ADPCM and G.721, of which it makes noise: libsndfile reads them or nobody.
_MISTAKEN_WAV_TAGS = {"8\x00\x00\x00", "@\x00\x00\x00"}
# What may be left unread behind the place where a container ends: tags and junk.
_JUNK_BYTES = 1 << 14
_JUNK_SHARE = 0.01
# The side information of an MP3 frame, behind which such a count stands.
_MP3_FRAME_BYTES = 200
_MP3_PADDING = 3
_ID3_BYTES = 10
_FULL_SCALE = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "flt": 1, "dbl": 1}


def read(content: Content, start_s: float, stack: ExitStack) -> AudioSource:
    """Read the first audio stream of a file.

    Raises:
        NotReadableError: When FFmpeg does not know the file.
        AudioError: When it has no audio stream, or not one frame of it can be decoded.
    """
    import av

    path = content.path
    try:
        container = stack.enter_context(av.open(content.open(stack), options={"format_whitelist": _CONTAINERS}))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise NotReadableError(f"FFmpeg: {getattr(error, 'strerror', None) or error}") from None
    if not container.streams.audio:
        raise AudioError(f"{str(path)!r} has no audio stream. Leave it out.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise NotReadableError("FFmpeg: has no decoder for the codec")
    if container.format.name == "wav" and _tag(stream) in _MISTAKEN_WAV_TAGS:
        raise NotReadableError("FFmpeg: takes the codec for another")
    for other in container.streams:
        if other is not stream:
            other.discard = av.stream.Discard.all
    skipped: list[int] = []
    frames = _frames(content, container, stream, skipped)
    first = next(frames, None)
    if first is None:
        raise AudioError(f"{str(path)!r} holds no audio (0 samples). Leave it out or record it again.")
    duration_s, kind = _duration(content, container, stream)
    return AudioSource(
        first.sample_rate,
        first.layout.nb_channels,
        duration_s,
        kind,
        container.format.name,
        _blocks(path, first, frames, start_s, skipped),
        skipped,
        _least_s(duration_s, stream) if kind == "stated" else _index_s(content, container, stream),
    )


def _tag(stream: Any) -> str | None:
    try:
        return str(stream.codec_context.codec_tag)
    except UnicodeDecodeError:  # PyAV takes the four bytes for letters
        return None


def _least_s(stated_s: float | None, stream: Any) -> float:
    """Return a stated length minus what may not be sound: a frame of the encoder's delay, and the last padding."""
    codec = stream.codec_context
    return max(0.0, (stated_s or 0.0) - 2 * float(codec.frame_size) / float(codec.sample_rate))


def _index_s(content: Content, container: Any, stream: Any) -> float | None:
    """Return the length that the first frame of an MP3 states, as Xing, Info or VBRI, less what an encoder pads."""
    if container.format.name != "mp3":
        return None
    with content.path.open("rb") as file:
        head = file.read(_ID3_BYTES)
        if head[:3] == b"ID3":
            file.seek(sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)), 1)
            head = b""
        frame = head + file.read(_MP3_FRAME_BYTES)
    for mark, offset in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        at = frame.find(mark)
        if at >= 0 and (mark == b"VBRI" or (frame[at + 7 : at + 8] > b"\0" and frame[at + 7] & 1)):
            n_frames = int.from_bytes(frame[at + offset : at + offset + 4], "big") - _MP3_PADDING
            return float(max(0, n_frames) * stream.codec_context.frame_size / stream.codec_context.sample_rate)
    return None


def _duration(content: Content, container: Any, stream: Any) -> tuple[float | None, DurationKind | None]:
    """Return the stated length of the file, and whether its container states it or FFmpeg estimates it."""
    asf_length_s = asf_s(content.head_bytes(HEAD_BYTES)) if container.format.name == "asf" else None
    if asf_length_s is not None:
        return asf_length_s, "stated"
    by_size_s = _by_size_s(content.chunk, stream)
    if by_size_s is not None and content.chunk is not None and not content.chunk.is_whole:
        return by_size_s, "stated"
    duration_s = _length_s(container, stream)
    if duration_s <= 0:
        return None, None
    # FFmpeg counts what lies behind the sound, and takes other numbers of the header at their word.
    return min(duration_s, by_size_s or duration_s), "stated" if _is_stated(content, container) else "guessed"


def _by_size_s(chunk: DataChunk | None, stream: Any) -> float | None:
    bit_rate = stream.codec_context.bit_rate
    return chunk.stated_bytes * 8 / bit_rate if chunk is not None and chunk.stated_bytes and bit_rate else None


def _length_s(container: Any, stream: Any) -> float:
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float((container.duration or 0) / av.time_base)


def _is_stated(content: Content, container: Any) -> bool:
    names = set(container.format.name.split(","))
    if names & _STATED_OF_FILE:
        return len(container.streams) == 1 and has_matroska_duration(content.head_bytes(HEAD_BYTES))
    is_placeholder = content.chunk is not None and content.chunk.stated_bytes is None
    return bool(names & (_STATED | _STATED_OF_STREAM)) and not is_placeholder


def _frames(content: Content, container: Any, stream: Any, lost_packets: list[int]) -> Iterator[Any]:
    """Decode all packets; those that are no audio, such as junk between two, are counted and passed over."""
    import av

    read_bytes = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            left = content.size_bytes - read_bytes
            if left > max(_JUNK_BYTES, _JUNK_SHARE * content.size_bytes):
                why = getattr(error, "strerror", None) or error
                raise AudioError(
                    f"{str(content.path)!r} is damaged at byte {read_bytes}: {why}. Copy it again, or leave it out."
                ) from None
            packet = None
        if packet is None:
            break
        read_bytes = max(read_bytes, (packet.pos or 0) + packet.size)
        yield from _decode(packet, stream.codec_context.name, lost_packets)


def _decode(packet: Any, codec: str, packets: list[int]) -> list[Any]:
    import av

    if packet.duration == 1 and packet.has_sidedata("skip_samples"):
        # All of a packet is to be left out: in Ogg, the clock began again in a stream joined under the same number.
        skip = packet.get_sidedata("skip_samples")
        skip.update(bytes(skip.data_size))
        packet.set_sidedata(skip)
    if codec == "alac" and packet.has_sidedata("skip_samples"):
        # The last packet of ALAC knows how many samples it holds; CAF states it again, and they would go twice.
        skip = packet.get_sidedata("skip_samples")
        skip.update(bytes(skip)[:4] + bytes(4) + bytes(skip)[8:])
        packet.set_sidedata(skip)
    try:
        frames: list[Any] = packet.decode()
    except av.error.FFmpegError:
        packets.append(packet.size)
        return []
    return frames


def _blocks(path: Path, first: Any, frames: Iterator[Any], start_s: float, packets: list[int]) -> Iterator[Block]:
    skip = round(start_s * first.sample_rate)
    parts: list[Block] = []
    n_frames = 0
    for part in _arrays(path, first, frames):
        if skip >= len(part):
            skip -= len(part)
            packets.clear()  # damage before the span is not the span's
            continue
        parts.append(part[skip:])
        n_frames += len(part) - skip
        skip = 0
        if n_frames >= BLOCK_FRAMES:
            yield np.concatenate(parts)
            parts, n_frames = [], 0
    if parts:
        yield np.concatenate(parts)


def _arrays(path: Path, first: Any, frames: Iterator[Any]) -> Iterator[Block]:
    """Yield each frame as float32 of shape (n, channels), in the rate and the layout of the first one."""
    import av

    shape = (first.sample_rate, first.layout.name)
    resampler, resampler_input = None, None
    yield _array(first)
    try:
        for frame in frames:
            now = (frame.sample_rate, frame.layout.name)
            if resampler is not None and (resampler_input != (*now, frame.format.name)):
                yield from map(_array, resampler.resample(None))
                resampler = None
            if now == shape:
                yield _array(frame)
                continue
            if resampler is None:
                resampler = av.AudioResampler(format="fltp", layout=first.layout, rate=first.sample_rate)
                resampler_input = (*now, frame.format.name)
            frame.pts = None
            yield from map(_array, resampler.resample(frame))
        if resampler is not None:
            yield from map(_array, resampler.resample(None))
    except AudioError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise AudioError(f"{str(path)!r} changes its rate or its channels midway, and: {why}. Convert it.") from None


def _array(frame: Any) -> Block:
    import av

    name = frame.format.name.removesuffix("p")
    if name not in _FULL_SCALE:
        (frame,) = av.AudioResampler(format="fltp", layout=frame.layout, rate=frame.sample_rate).resample(frame)
        name = "flt"
    samples = frame.to_ndarray()
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        block: Block = samples.astype(np.float32)
    if name == "u8":
        block -= 128
    if _FULL_SCALE[name] != 1:
        block *= np.float32(1 / _FULL_SCALE[name])
    return block
