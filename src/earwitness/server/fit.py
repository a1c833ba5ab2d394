"""Whether the limits of a server fit together: length of audio, time, memory, queue, workers and cores.

All is reckoned from what a decision promises: RTF, latency and peak memory. Where it promises nothing, nothing is said.

Memory grows with the length of the audio, as ``benchmarks/serve_memory.py`` measured with speech and one thread:

| engine | 3 s | 160 s | 620 s | 1800 s | 3600 s |
|---|---|---|---|---|---|
| faster-whisper (tiny.en) | 230 MiB | 287 MiB | 635 MiB | 713 MiB | 716 MiB |
| pocketsphinx | 131 MiB | | 173 MiB | | |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from earwitness.scoring.metrics.lengths import LengthBand
from earwitness.server.config import ServedModel, ServeError, ServerLimits

SERVER_BYTES = 256 << 20
"""For the server itself and what it decodes with, which was seen to hold 78 MB."""
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Growth:
    """How a worker's memory grows with its audio."""

    bytes_per_s: int
    """For each second of audio."""
    most_bytes: int | None = None
    """Over which it does not grow; ``None`` where that was not seen."""


# Each is a little over what the table above has between two lengths.
_GROWTH = {"faster-whisper": Growth(800 << 10, 512 << 20), "pocketsphinx": Growth(100 << 10)}
_GROWTH_OF_OTHERS = Growth(1 << 20)


def peak_bytes(engine: str, measured_bytes: float, measured_s: float, audio_s: float) -> int:
    """Return the peak memory of a worker for audio of a length, extrapolated from shorter audio.

    >>> peak_bytes("faster-whisper", 230 << 20, 3.0, 620.0) >> 20, peak_bytes("whisper", 200 << 20, 30.0, 60.0) >> 20
    (712, 230)
    >>> peak_bytes("faster-whisper", 230 << 20, 3.0, 3600.0) >> 20, peak_bytes("whisper", 200 << 20, 30.0, 9.0) >> 20
    (742, 200)

    Args:
        engine: Name of the engine.
        measured_bytes: The most that was measured.
        measured_s: Length of the longest audio that was measured.
        audio_s: Length of the longest audio that is let in.
    """
    growth = _GROWTH.get(engine, _GROWTH_OF_OTHERS)
    more = growth.bytes_per_s * max(0.0, audio_s - measured_s)
    return math.ceil(measured_bytes + min(more, growth.most_bytes or more))


def rtf_of(promise_rtf: float | None, by_length: Sequence[LengthBand]) -> float | None:
    """Return the RTF of long audio: that of the longest band of clips, else of all clips; ``None`` for neither."""
    return max(by_length, key=lambda band: band.to_s).rtf if by_length else promise_rtf


def longest_s(by_length: Sequence[LengthBand]) -> float:
    """Return the length of the longest clips that were measured in sufficient number; 0 without any."""
    return max((band.to_s for band in by_length), default=0.0)


def fit_limits(limits: ServerLimits, models: Sequence[ServedModel], memory_bytes: int | None) -> ServerLimits:
    """Return limits whose longest audio fits the time and memory, if the user set no length.

    Args:
        limits: As given.
        models: All models.
        memory_bytes: That the server's control group allows; ``None`` for any.
    """
    if not limits.fits:
        return limits
    return replace(
        limits, max_audio_s=min(limits.max_audio_s, *(_fitting_s(one, limits, memory_bytes) for one in models))
    )


def conflicts(limits: ServerLimits, model: ServedModel, memory_bytes: int | None, cores: int) -> list[str]:
    """Return one sentence for each conflict; none if all fits, or without measurements.

    Args:
        limits: In force.
        model: A model.
        memory_bytes: That the server's control group allows; ``None`` for any.
        cores: That there are.

    Raises:
        ServeError: When the workers cannot even do what was measured within the memory.
    """
    return [
        said
        for said in (
            _time(limits, model),
            _memory(limits, model, memory_bytes),
            _queue(limits, model),
            _cores(model, cores),
        )
        if said is not None
    ]


def _fitting_s(model: ServedModel, limits: ServerLimits, memory_bytes: int | None) -> float:
    rtf = rtf_of(model.promise.get("rtf"), model.by_length)
    in_time_s = math.floor(limits.timeout_s / rtf) if rtf else math.inf
    return max(1.0, min(in_time_s, _in_memory_s(model, limits, memory_bytes)))


def _in_memory_s(model: ServedModel, limits: ServerLimits, memory_bytes: int | None) -> float:
    """Return the longest audio, in steps of a minute, for which the workers have enough memory."""
    if memory_bytes is None or "peak_rss_bytes" not in model.promise:
        return math.inf
    minutes = range(math.ceil(limits.max_audio_s / 60), 0, -1)
    return next((60.0 * n for n in minutes if _need_bytes(model, 60.0 * n) <= memory_bytes), 60.0)


def _need_bytes(model: ServedModel, audio_s: float) -> int:
    peak = peak_bytes(model.model.engine, model.promise["peak_rss_bytes"], longest_s(model.by_length), audio_s)
    return SERVER_BYTES + model.n_workers * peak


def _time(limits: ServerLimits, model: ServedModel) -> str | None:
    rtf = rtf_of(model.promise.get("rtf"), model.by_length)
    if rtf is None or limits.max_audio_s * rtf <= limits.timeout_s:
        return None
    takes_s = limits.max_audio_s * rtf
    return (
        f"Audio of {limits.max_audio_s:g} s is accepted and takes {model.id!r} {takes_s:.0f} s at an RTF of {rtf:.3g}, "
        f"and a request gets {limits.timeout_s:g} s: set --max-seconds {math.floor(limits.timeout_s / rtf)} or "
        f"--timeout {math.ceil(takes_s)}."
    )


def _memory(limits: ServerLimits, model: ServedModel, memory_bytes: int | None) -> str | None:
    if memory_bytes is None or "peak_rss_bytes" not in model.promise:
        return None
    measured = math.ceil(model.n_workers * model.promise["peak_rss_bytes"])
    if measured > memory_bytes:
        raise ServeError(
            f"{model.n_workers} workers of {model.id!r} were measured to take {measured // _MIB} MiB, and the memory "
            f"limit here is {memory_bytes // _MIB} MiB. Raise the limit, or set fewer --workers."
        )
    need = _need_bytes(model, limits.max_audio_s)
    if need <= memory_bytes:
        return None
    return (
        f"Audio of {limits.max_audio_s:g} s may take {model.n_workers} workers of {model.id!r} and the server "
        f"{need // _MIB} MiB, and the memory limit here is {memory_bytes // _MIB} MiB: raise it, or set --max-seconds "
        f"{_in_memory_s(model, limits, memory_bytes):g}."
    )


def _queue(limits: ServerLimits, model: ServedModel) -> str | None:
    p95_s = model.promise.get("latency_p95_s")
    if not p95_s:
        return None
    last_s = math.ceil((limits.queue + 1) / model.n_workers) * p95_s
    of = f"{model.id!r} may be answered after {last_s:.0f} s (p95 {p95_s:.3g} s)"
    if last_s <= limits.timeout_s:
        return None
    fits = max(0, math.floor(limits.timeout_s / p95_s) * model.n_workers - 1)
    return (
        f"The last of {limits.queue} that wait for {of}, and a request gets {limits.timeout_s:g} s: set --queue {fits}."
    )


def _cores(model: ServedModel, cores: int) -> str | None:
    threads = model.settings.threads or 1
    if model.n_workers * threads <= cores:
        return None
    return (
        f"{model.n_workers} workers of {model.id!r} with {threads} threads each share {cores} cores, so that each is "
        f"slower than was measured: set --workers {max(1, cores // threads)}."
    )
