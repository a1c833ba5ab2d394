"""Telephone and low-rate codecs: encode the sound and decode it again.

G.711 is done here, in NumPy, to the letter. GSM goes through libsndfile, which has the code of GSM 06.10 in it, and the
others go through PyAV, so their bytes depend on these libraries; ``version`` names them, and it is part of the hash of
the data that were made with them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earwitness.audio.damage import resample_to
from earwitness.audio.track import BLOCK, Track, Wide, exactly
from earwitness.errors import UsageError
from earwitness.types import RATE_HZ

Pcm = npt.NDArray[np.int16]
Codes = npt.NDArray[np.uint8]
_TELEPHONE_HZ = 8000


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec of FFmpeg."""

    encoder: str
    """FFmpeg's name of the encoder."""
    decoder: str
    """FFmpeg's name of the decoder."""
    rate_hz: int
    """Samples per second that are encoded."""
    decoded_hz: int
    """Samples per second that are decoded."""
    delay_s: float
    """By how much the decoded sound is late, which is taken back."""
    options: tuple[tuple[str, str], ...] = ()
    """Of the encoder."""


CODECS = {
    "amr": Codec("libopencore_amrnb", "amrnb", _TELEPHONE_HZ, _TELEPHONE_HZ, 0.005),
    "opus": Codec("libopus", "opus", RATE_HZ, 48_000, 0.0, (("application", "voip"), ("frame_duration", "20"))),
}


def mulaw_encode(pcm: Pcm) -> Codes:
    """Return the 8-bit codes of ITU-T G.711 mu-law for 16-bit samples, of which the upper 14 bits count.

    >>> mulaw_encode(np.array([0, -1, 32767, -32768], np.int16)).tolist()
    [255, 126, 128, 0]
    """
    value = pcm.astype(np.int32) >> 2
    magnitude = np.minimum(np.abs(value), 8158) + 33
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (segment + 1)) & 15
    sign = np.where(value < 0, 0x80, 0)
    codes: Codes = (~(sign | segment << 4 | mantissa) & 0xFF).astype(np.uint8)
    return codes


def mulaw_decode(codes: Codes) -> Pcm:
    """Return the 16-bit samples of mu-law codes.

    >>> mulaw_decode(np.array([255, 127, 128, 0], np.uint8)).tolist()
    [0, 0, 32124, -32124]
    """
    bits = ~codes.astype(np.int32) & 0xFF
    magnitude = ((((bits & 15) << 3) + 132) << (bits >> 4 & 7)) - 132
    return np.where(bits & 0x80, -magnitude, magnitude).astype(np.int16)


def alaw_encode(pcm: Pcm) -> Codes:
    """Return the 8-bit codes of ITU-T G.711 A-law for 16-bit samples, of which the upper 13 bits count.

    >>> alaw_encode(np.array([0, -1, 32767, -32768], np.int16)).tolist()
    [213, 85, 170, 42]
    """
    value = pcm.astype(np.int32) >> 3
    magnitude = np.where(value < 0, -value - 1, value)
    segment = np.maximum(0, np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4)
    mantissa = magnitude >> np.maximum(1, segment) & 15
    sign = np.where(value < 0, 0, 0x80)
    codes: Codes = ((sign | segment << 4 | mantissa) ^ 0x55).astype(np.uint8)
    return codes


def alaw_decode(codes: Codes) -> Pcm:
    """Return the 16-bit samples of A-law codes.

    >>> alaw_decode(np.array([213, 85, 170, 42], np.uint8)).tolist()
    [8, -8, 32256, -32256]
    """
    bits = codes.astype(np.int32) ^ 0x55
    segment = bits >> 4 & 7
    step = ((bits & 15) << 4) + 8
    magnitude = np.where(segment == 0, step, (step + 256) << np.maximum(0, segment - 1))
    return np.where(bits & 0x80, magnitude, -magnitude).astype(np.int16)


def through_mulaw(track: Track) -> Iterator[Wide]:
    """Yield the sound after a telephone line: 8 kHz, G.711 mu-law (North America, Japan)."""
    return _through(track, lambda pcm: mulaw_decode(mulaw_encode(pcm)))


def through_alaw(track: Track) -> Iterator[Wide]:
    """Yield the sound after a telephone line: 8 kHz, G.711 A-law (the rest of the world)."""
    return _through(track, lambda pcm: alaw_decode(alaw_encode(pcm)))


def _through(track: Track, there_and_back: Callable[[Pcm], Pcm]) -> Iterator[Wide]:
    narrow = resample_to(track.blocks(), RATE_HZ, _TELEPHONE_HZ)
    heard = (there_and_back(_pcm(block)) / 32_768 for block in narrow)
    return exactly(resample_to(heard, _TELEPHONE_HZ, RATE_HZ), track.n_samples)


def through_gsm(track: Track) -> Iterator[Wide]:
    """Yield the sound after a mobile phone of the 1990s: 8 kHz, GSM 06.10 full rate."""
    import soundfile

    how: Any = {"samplerate": _TELEPHONE_HZ, "channels": 1, "format": "RAW", "subtype": "GSM610"}
    with tempfile.TemporaryFile() as coded:
        with soundfile.SoundFile(coded, "w", **how) as file:
            for block in resample_to(track.blocks(), RATE_HZ, _TELEPHONE_HZ):
                file.write(_pcm(block))
        coded.seek(0)
        with soundfile.SoundFile(coded, "r", **how) as file:
            yield from exactly(resample_to(_rest(file), _TELEPHONE_HZ, RATE_HZ), track.n_samples)


def _rest(file: Any) -> Iterator[Wide]:
    # Such a file has no length that libsndfile could tell, so its own blocks() refuses it.
    while len(block := file.read(BLOCK, dtype="int16")):
        yield block / 32_768


def through_av(track: Track, name: str, bits_per_s: float | None) -> Iterator[Wide]:
    """Yield the sound after a codec of FFmpeg, aligned with the input.

    Args:
        track: The sound.
        name: One of ``CODECS``.
        bits_per_s: What the encoder is to aim at; ``None`` for a codec that has one rate only.
    """
    codec = CODECS[name]
    narrow = resample_to(track.blocks(), RATE_HZ, codec.rate_hz)
    late = round(codec.delay_s * RATE_HZ)
    wides = resample_to(_coded(narrow, codec, bits_per_s), codec.decoded_hz, RATE_HZ)
    for block in exactly(wides, track.n_samples + late):
        yield block[late:]
        late = max(0, late - len(block))


def _coded(blocks: Iterator[Wide], codec: Codec, bits_per_s: float | None) -> Iterator[Wide]:
    import av

    encoder: Any = av.CodecContext.create(codec.encoder, "w")
    encoder.sample_rate, encoder.layout, encoder.format = codec.rate_hz, "mono", "s16"
    encoder.options = dict(codec.options)
    if bits_per_s:
        encoder.bit_rate = round(bits_per_s)
    encoder.open()
    decoder: Any = av.CodecContext.create(codec.decoder, "r")
    decoder.sample_rate, decoder.layout = codec.rate_hz, "mono"
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    decoder.open()
    to_flat = av.AudioResampler(format="flt", layout="mono", rate=codec.decoded_hz)

    def decode_packets(packets: list[Any]) -> Iterator[Wide]:
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
        for part in (part for frame in frames for part in to_flat.resample(frame)):
            yield part.to_ndarray().reshape(-1).astype(np.float64)

    for frame in _frames(blocks, encoder.frame_size or codec.rate_hz // 50):
        sound = av.AudioFrame.from_ndarray(frame[None], format="s16", layout="mono")
        sound.sample_rate = codec.rate_hz
        yield from decode_packets(encoder.encode(sound))
    yield from decode_packets(encoder.encode(None))
    yield from decode_packets([None])


def _frames(blocks: Iterator[Wide], size: int) -> Iterator[Pcm]:
    rest = np.zeros(0, np.int16)
    for block in blocks:
        rest = np.concatenate([rest, _pcm(block)])
        whole = len(rest) // size * size
        yield from rest[:whole].reshape(-1, size)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, size - len(rest)))


def _pcm(block: Wide) -> Pcm:
    return np.clip(np.round(block * 32_768), -32_768, 32_767).astype(np.int16)


def require_codec(name: str) -> None:
    """Raise an error if this PyAV does not have a codec.

    Raises:
        UsageError: In one sentence that says what is missing and what there is.
    """
    if not _has(CODECS[name]):
        others = [other for other, codec in CODECS.items() if _has(codec)]
        raise UsageError(
            f"Condition {name!r} needs the encoder {CODECS[name].encoder!r}, which {_av_version()} does not have. "
            f"Use one of: mulaw, alaw, gsm, {', '.join(others)}."
        )


def _has(codec: Codec) -> bool:
    import av

    try:
        av.codec.Codec(codec.encoder, "w")
        av.codec.Codec(codec.decoder, "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def version(name: str) -> str | None:
    """Return the library that implements a codec, with its version; ``None`` for codecs of this module."""
    if name == "gsm":
        import soundfile

        return f"libsndfile {soundfile.__libsndfile_version__}"
    return _av_version() if name in CODECS else None


def _av_version() -> str:
    import av

    return f"PyAV {av.__version__} (FFmpeg {av.ffmpeg_version_info})"
