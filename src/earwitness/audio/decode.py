"""Decoding: mix-down or one channel, one sample rate, checked for what would poison a measurement.

Conventions: a span is ``start_s`` and ``duration_s`` in the file's own time. Samples are float32; integer formats come
out in [-1, 1), float files as they are, even beyond 1. Blocks flow from the file through the mix-down and the resampler
(soxr, high quality) to the end, so memory is the same for ten minutes and for ten hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earwitness.audio.open import open_source
from earwitness.audio.source import Block, DurationKind, Source
from earwitness.errors import AudioError, AudioTooLongError
from earwitness.types import Audio

_TOLERANCE_S = 0.1
_TOLERANCE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What is known of a file."""

    duration_s: float | None
    """``None`` when nothing says so."""
    sample_rate_hz: int
    """Frames per second."""
    channels: int
    """Samples per frame."""
    format: str
    """Short name, such as ``WAV``."""
    duration_kind: DurationKind | None
    """``stated`` by the container, ``guessed`` by a library, such as from the bit rate of the first packets, or
    ``counted`` by decoding; ``None`` without a duration."""


def probe(path: str | Path, *, count: bool = False) -> AudioInfo:
    """Read a file's header.

    Args:
        path: The file.
        count: Decode the file and count its samples where the container states no length.

    Raises:
        AudioError: When the file is missing, empty or not audio, or has to be counted and cannot be decoded.
    """
    with open_source(path) as source:
        info = AudioInfo(source.duration_s, source.rate_hz, source.channels, source.format, source.duration_kind)
        if not count or info.duration_kind == "stated":
            return info
        counted_s = sum(len(block) for block in source.blocks) / source.rate_hz
        return replace(info, duration_s=counted_s, duration_kind="counted")


def decode(
    path: str | Path,
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    channel: int | None = None,
    rate_hz: int = 16_000,
) -> Audio:
    """Decode a file, or a span of it, into memory.

    Args:
        path: The file.
        start_s: Where to begin.
        duration_s: How much; ``None`` for all that follows.
        channel: Which channel, from 0; ``None`` for the mean of all.
        rate_hz: Samples per second of the result.

    Raises:
        AudioError: In one sentence, when the file is missing, empty, not audio, has no samples, has NaN or infinite
            samples, has no such channel, or is shorter than its header states or the span asks for, by more than 0.1 s
            and 1 %. A length that is only guessed is not held against the file.
    """
    parts = list(_blocks(path, start_s, duration_s, channel, rate_hz))
    return Audio(np.concatenate(parts), rate_hz)


def decode_to(
    path: str | Path,
    target: Path,
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    channel: int | None = None,
    rate_hz: int = 16_000,
    longest_s: float | None = None,
    watch: Callable[[Block, Source], None] = lambda _block, _source: None,
) -> int:
    """Decode to a file of little-endian float32 samples and return how many there are.

    Arguments and errors are those of ``decode``; an OSError from writing is not touched. With ``longest_s``, a file
    that is longer, whatever its header says, is given up at a little more than that, with AudioTooLongError. ``watch``
    is called with every block before it is mixed down, shape (n, channels), and with the source it is of.
    """
    n_samples = 0
    with target.open("wb") as file:
        for block in _blocks(path, start_s, duration_s, channel, rate_hz, longest_s, watch):
            file.write(block.astype("<f4", copy=False).tobytes())
            n_samples += len(block)
    return n_samples


def _blocks(
    path: str | Path,
    start_s: float,
    duration_s: float | None,
    channel: int | None,
    rate_hz: int,
    longest_s: float | None = None,
    watch: Callable[[Block, Source], None] = lambda _block, _source: None,
) -> Iterator[npt.NDArray[np.float32]]:
    import soxr

    with open_source(path, start_s) as source:
        if channel is not None and not 0 <= channel < source.channels:
            raise AudioError(f"{str(path)!r} has no channel {channel}; it has {source.channels}, counted from 0.")
        blocks = source.blocks if longest_s is None else _bounded(source, longest_s, str(path))
        span = _watched(_span(blocks, source.rate_hz, duration_s), source, watch)
        mono = _checked(span, str(path), source, start_s, duration_s, channel)
        if source.rate_hz == rate_hz:
            yield from mono
            return
        resampler = soxr.ResampleStream(source.rate_hz, rate_hz, 1, dtype="float32", quality="HQ")
        for block in mono:
            yield resampler.resample_chunk(block)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _bounded(source: Source, longest_s: float, name: str) -> Iterator[Block]:
    # Before the resampler: a block of a file of 1 Hz would become hours.
    too_long = AudioTooLongError(f"{name!r} is longer than {longest_s:g} s, which is the most. Send it in parts.")
    if source.stated_s is not None and source.stated_s > longest_s:
        raise too_long
    n_frames = 0
    for block in source.blocks:
        n_frames += len(block)
        if n_frames > longest_s * source.rate_hz:
            raise too_long
        yield block


def _span(blocks: Iterator[Block], rate_hz: int, duration_s: float | None) -> Iterator[Block]:
    left = None if duration_s is None else round(duration_s * rate_hz)
    for block in blocks:
        if left is None:
            yield block
            continue
        yield block[:left]
        left -= min(left, len(block))
        if not left:
            return


def _watched(blocks: Iterator[Block], source: Source, watch: Callable[[Block, Source], None]) -> Iterator[Block]:
    for block in blocks:
        watch(block, source)
        yield block


def _checked(
    blocks: Iterator[Block], name: str, source: Source, start_s: float, duration_s: float | None, channel: int | None
) -> Iterator[npt.NDArray[np.float32]]:
    n_frames = 0
    for block in blocks:
        mono = block[:, 0 if channel is None else channel] if source.channels == 1 or channel is not None else None
        samples = block.mean(axis=1) if mono is None else mono
        bad = np.flatnonzero(~np.isfinite(samples))
        if len(bad):
            at_s = start_s + (n_frames + int(bad[0])) / source.rate_hz
            raise AudioError(f"{name!r} has samples that are NaN or infinite, first at {at_s:.3f} s. Repair the file.")
        n_frames += len(block)
        if len(samples):
            yield np.ascontiguousarray(samples)
    promised = duration_s
    if promised is None and source.stated_s is not None:
        promised = source.stated_s - start_s
    got_s = n_frames / source.rate_hz
    if not n_frames and not promised:
        raise AudioError(f"{name!r} holds no audio (0 samples). Leave it out or record it again.")
    if promised is not None and promised - got_s > max(_TOLERANCE_S, _TOLERANCE_SHARE * promised):
        who, remedy = (
            ("its header states", "") if duration_s is None else ("the manifest states", ", or correct the manifest")
        )
        where = f" from {start_s:.2f} s on" if start_s else ""
        raise AudioError(
            f"{name!r} is cut short: {who} {promised:.2f} s{where}, and {got_s:.2f} s can be decoded. "
            f"Copy it again{remedy}."
        )
    if not n_frames:
        raise AudioError(f"{name!r} holds no audio (0 samples). Leave it out or record it again.")
