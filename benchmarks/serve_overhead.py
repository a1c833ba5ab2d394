"""What a request costs beyond the engine, with one client. Target: p50 at most 10 ms.

    python benchmarks/serve_overhead.py [--model faster-whisper:tiny.en] [--data telephony-en] [--requests 100]

The client's clock runs from the first byte of the request to the last of the answer; the engine's is the one of a run,
inside the worker, from the array in memory to the finished text, and comes with the answer (``Server-Timing``). The
difference is upload, decoding, resampling, queue, pipe, and answer. One connection is kept for all requests, as
OpenAI's client keeps it; a new one each time adds the making of it.

What is beyond the engine grows with the audio, which is uploaded, decoded and resampled: the clips of telephony-en are
a few seconds long, which flatters, so that a recording of a minute (WAV, 16 kHz) is sent, too. ``fake:echo`` does
nothing, and shows the same without an engine that fills the caches and the cores. Server and model are started anew for
each of the rounds; what is told is the median of the rounds' medians, with the least and the most.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from memory_flat import make  # type: ignore[import-not-found]
from serve_load import load, ours, server  # type: ignore[import-not-found]

from earwitness import data
from earwitness.records.environment import environment, usable_cores


@dataclass(frozen=True)
class Overhead:
    """Milliseconds of many requests."""

    whole: list[float]
    engine: list[float]
    decode: list[float]

    @property
    def beyond(self) -> list[float]:
        """What is beyond the engine."""
        return [whole - engine for whole, engine in zip(self.whole, self.engine, strict=True)]


def overhead(port: int, files: list[str], requests: int) -> Overhead:
    """Ask one after the other."""
    load(port, files[:2], 1, 4)  # warm
    found = load(port, files, 1, requests)
    return Overhead(
        [1000 * seconds for seconds in found.latencies_s],
        [told["transcribe"] for told in found.server_ms],
        [told["decode"] for told in found.server_ms],
    )


def shown(rounds: list[Overhead]) -> str:
    """Percentiles of what is beyond the engine, over rounds."""

    def over(values: list[float], digits: int = 2) -> str:
        return f"{statistics.median(values):.{digits}f} ms [{min(values):.{digits}f} to {max(values):.{digits}f}]"

    p50 = over([statistics.median(one.beyond) for one in rounds])
    p95 = over([statistics.quantiles(one.beyond, n=20)[-1] for one in rounds])
    decode = over([statistics.median(one.decode) for one in rounds])
    engine = over([statistics.median(one.engine) for one in rounds], 1)
    return f"beyond the engine p50 {p50}, p95 {p95}; of it decoding p50 {decode}; engine p50 {engine}"


def main() -> None:
    """Print two lines for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=18_766)
    given = parser.parse_args()
    tags = {"kind": "speech"} if "telephony" in given.data else None
    clips = data.load(given.data, limit=given.limit, tags=tags).clips
    lengths = sorted(clip.duration_s for clip in clips)
    sizes = f"clips of {lengths[0]:.1f} to {lengths[-1]:.1f} s, median {statistics.median(lengths):.1f} s"
    print(f"{given.requests} requests, one client, {given.rounds} rounds, {environment().cpu}, {usable_cores()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        minute = Path(scratch) / "minute.wav"
        make(minute, 1.0, given.data)
        for model in (given.model, "fake:echo"):
            short, long = [], []
            for _ in range(given.rounds):
                with server(ours(model, given.port, "--set", "language=en"), given.port):
                    short.append(overhead(given.port, [clip.audio_path for clip in clips], given.requests))
                    long.append(overhead(given.port, [str(minute)] * 2, max(20, given.requests // 5)))
            print(f"{model}, {sizes} (target: p50 10 ms): {shown(short)}", flush=True)
            print(f"{model}, a minute of audio: {shown(long)}; load average {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
