"""Decoding: mix-down or one channel, one sample rate, and checks for damaged audio.

Conventions: a span is ``start_s`` and ``duration_s`` in the file's own time. Samples are float32; integer formats come
out in [-1, 1), float files as they are, even beyond 1. Blocks flow from the file through the mix-down and the resampler
(soxr, high quality) to the end, so memory is the same for ten minutes and for ten hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
import numpy.typing as npt

from earwitness.audio.excerpt import Excerpt, ExcerptOptions
from earwitness.audio.open import open_source
from earwitness.audio.source import AudioSource, Block, DurationKind
from earwitness.errors import AudioError, AudioTooLongError
from earwitness.types import Audio

Samples = npt.NDArray[np.float32]
Watch = Callable[[Block, AudioSource], None]
Opener = Callable[[str | Path, float], AbstractContextManager[AudioSource]]
_TOLERANCE_S = 0.1
_TOLERANCE_SHARE = 0.01


def _unwatched(_block: Block, _source: AudioSource) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The facts about a file."""

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
    with open_source(path, is_probe=True) as source:
        info = AudioInfo(source.duration_s, source.rate_hz, source.channels, source.format, source.duration_kind)
        if not count or info.duration_kind == "stated":
            return info
        counted_s = sum(len(block) for block in source.blocks) / source.rate_hz
        return replace(info, duration_s=counted_s, duration_kind="counted")


def decode(path: str | Path, **options: Unpack[ExcerptOptions]) -> Audio:
    """Decode a file, or an excerpt of it, into memory.

    Args:
        path: The file.
        options: The fields of ``Excerpt``.

    Raises:
        AudioError: In one sentence, when the file is missing, empty, not audio, has no samples, has NaN or infinite
            samples, has no such channel, or is shorter than its header states or the excerpt asks for, by more than
            0.1 s and 1 %. A length that is only guessed is not held against the file.
    """
    excerpt = Excerpt(**options)
    return Audio(np.concatenate(list(_blocks(path, excerpt))), excerpt.rate_hz)


def decode_to(
    path: str | Path,
    target: Path,
    *,
    longest_s: float | None = None,
    watch: Watch = _unwatched,
    opener: Opener = open_source,
    **options: Unpack[ExcerptOptions],
) -> int:
    """Decode to a file of little-endian float32 samples and return how many there are.

    Errors are those of ``decode``; an OSError from writing is not touched.

    Args:
        path: The file.
        target: Where the samples go.
        longest_s: A file that is longer, whatever its header says, is given up at a little more than that, with
            AudioTooLongError.
        watch: Called with every block before it is mixed down, shape (n, channels), and with the source it is of.
        opener: Opens the file at a place.
        options: The fields of ``Excerpt``.
    """
    n_samples = 0
    with target.open("wb") as file:
        for block in _blocks(path, Excerpt(**options), longest_s, watch, opener):
            file.write(block.astype("<f4", copy=False).tobytes())
            n_samples += len(block)
    return n_samples


def _blocks(
    path: str | Path,
    excerpt: Excerpt,
    longest_s: float | None = None,
    watch: Watch = _unwatched,
    opener: Opener = open_source,
) -> Iterator[Samples]:
    import soxr

    name, channel = str(path), excerpt.channel
    with opener(path, excerpt.start_s) as source:
        if channel is not None and not 0 <= channel < source.channels:
            raise AudioError(f"{name!r} has no channel {channel}; it has {source.channels}, counted from 0.")
        blocks = source.blocks if longest_s is None else _bounded(source, longest_s, name)
        span = _watched(_span(blocks, source.rate_hz, excerpt.duration_s), source, watch)
        mono = _checked(span, name, source, excerpt)
        if source.rate_hz == excerpt.rate_hz:
            yield from mono
            return
        resampler = soxr.ResampleStream(source.rate_hz, excerpt.rate_hz, 1, dtype="float32", quality="HQ")
        for block in mono:
            yield resampler.resample_chunk(block)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _bounded(source: AudioSource, longest_s: float, name: str) -> Iterator[Block]:
    # Before the resampler: a block of a file of 1 Hz would become hours.
    too_long = AudioTooLongError(f"{name!r} is longer than the limit of {longest_s:g} s. Send it in parts.")
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


def _watched(blocks: Iterator[Block], source: AudioSource, watch: Watch) -> Iterator[Block]:
    for block in blocks:
        watch(block, source)
        yield block


def _checked(blocks: Iterator[Block], name: str, source: AudioSource, excerpt: Excerpt) -> Iterator[Samples]:
    """Yield the channel or the mean of blocks, and compare their length with the stated length."""
    n_frames = 0
    for block in blocks:
        samples = _mono(block, excerpt.channel)
        bad = np.flatnonzero(~np.isfinite(samples))
        if len(bad):
            at_s = excerpt.start_s + (n_frames + int(bad[0])) / source.rate_hz
            raise AudioError(f"{name!r} has samples that are NaN or infinite, first at {at_s:.3f} s. Repair the file.")
        n_frames += len(block)
        if len(samples):
            yield np.ascontiguousarray(samples)
    _require_length(n_frames / source.rate_hz, name, source, excerpt)


def _mono(block: Block, channel: int | None) -> Samples:
    if channel is not None or block.shape[1] == 1:
        return block[:, channel or 0]
    mean: Samples = block.mean(axis=1)
    return mean


def _require_length(decoded_s: float, name: str, source: AudioSource, excerpt: Excerpt) -> None:
    promised_s, who, remedy = excerpt.duration_s, "the manifest states", ", or correct the manifest"
    if promised_s is None and source.stated_s is not None:
        promised_s, who, remedy = source.stated_s - excerpt.start_s, "its header states", ""
    if promised_s and promised_s - decoded_s > max(_TOLERANCE_S, _TOLERANCE_SHARE * promised_s):
        where = f" from {excerpt.start_s:.2f} s on" if excerpt.start_s else ""
        raise AudioError(
            f"{name!r} is cut short: {who} {promised_s:.2f} s{where}, and {decoded_s:.2f} s can be decoded. "
            f"Copy it again{remedy}."
        )
    if not decoded_s:
        raise AudioError(f"{name!r} holds no audio (0 samples). Leave it out or record it again.")
