"""What a request costs beyond the engine, with one client. Target: p50 at most 10 ms.

    python benchmarks/serve_overhead.py [--model faster-whisper:tiny.en] [--data telephony-en] [--requests 100]

The client's clock runs from the first byte of the request to the last of the answer; the engine's is the one of a run,
inside the worker, from the array in memory to the finished text, and comes with the answer (``Server-Timing``). The
difference is upload, decoding, resampling, queue, pipe, and answer. A second pass with ``fake:echo``, which does
nothing, shows the same without an engine that fills the caches and the cores.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass

from serve_load import load, ours, server  # type: ignore[import-not-found]

from earwitness import data
from earwitness.runs.environment import environment, usable_cores


@dataclass(frozen=True)
class Overhead:
    """Milliseconds of many requests."""

    whole: list[float]
    engine: list[float]
    decode: list[float]

    def __str__(self) -> str:
        """Percentiles of what is beyond the engine."""
        beyond = [whole - engine for whole, engine in zip(self.whole, self.engine, strict=True)]
        cuts = statistics.quantiles(beyond, n=20)
        return (
            f"beyond the engine p50 {statistics.median(beyond):.2f} ms, p95 {cuts[-1]:.2f} ms; of it decoding p50 "
            f"{statistics.median(self.decode):.2f} ms; engine p50 {statistics.median(self.engine):.1f} ms"
        )


def overhead(model: str, files: list[str], requests: int, port: int) -> Overhead:
    """Ask one after the other."""
    with server(ours(model, port, "--set", "language=en"), port):
        load(port, files[:2], 1, 4)  # warm
        found = load(port, files, 1, requests)
    return Overhead(
        [1000 * seconds for seconds in found.latencies_s],
        [told["transcribe"] for told in found.server_ms],
        [told["decode"] for told in found.server_ms],
    )


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--port", type=int, default=18_766)
    given = parser.parse_args()
    files = [clip.audio_path for clip in data.load(given.data, limit=given.limit).clips]
    print(f"{given.requests} requests, one client, {environment().cpu}, {usable_cores()} cores (target: p50 10 ms)")
    for model in (given.model, "fake:echo"):
        print(f"{model}: {overhead(model, files, given.requests, given.port)}", flush=True)


if __name__ == "__main__":
    main()
