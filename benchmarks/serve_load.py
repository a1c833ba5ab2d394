"""Eight clients: ours against a plain FastAPI route around one faster-whisper model behind a lock.

    python benchmarks/serve_load.py [--model faster-whisper:tiny.en] [--data telephony-en] [--plain lock|workers]

Targets: at least 1.3 times the throughput, at most 0.8 times the p95. Both sides get the same weights, settings, files
and cores, in a process of their own, and are warm before the clock starts. The plain side is what is written first: one
model that is given every core, a route, a lock around the model and around nothing else, so that uploads are taken and
decoded while it is at work. ``--plain workers`` is the plain side of one who has read on: no lock, and the model's own
``num_workers``, one of one thread for every core. Ours is ``earwitness serve --model`` as a user types it, and logs
every request, which the plain side does not. Each decodes with its own decoder, so that some texts differ: WER is shown
for both. Clients ask one after the other, each the next file of the common list, on a connection that stays open; a
request that is refused ends the benchmark. A turn is plain, ours, plain; ratios are taken within a turn, to the mean of
the two plain sides, which against each other show what the machine's mood does. Memory is that of all processes of a
side after the load, pages that they share counted for each. Run it on a machine that has nothing else to do: the load
average is printed with every turn.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from harness_cost import spread  # type: ignore[import-not-found]

from earwitness import data, weights
from earwitness.api.score import score
from earwitness.engines.catalog import find
from earwitness.records.environment import environment, usable_cores
from earwitness.types import Clip

PLAIN = """
import contextlib, sys, threading, uvicorn
from fastapi import FastAPI, UploadFile
from faster_whisper import WhisperModel, decode_audio

cores = int(sys.argv[2])
share, lock = {
    "lock": ({"cpu_threads": cores}, threading.Lock()),
    "workers": ({"cpu_threads": 1, "num_workers": cores}, contextlib.nullcontext()),
}[sys.argv[4]]
model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", **share)
app = FastAPI()

@app.post("/v1/audio/transcriptions")
def transcribe(file: UploadFile):
    samples = decode_audio(file.file)
    with lock:
        pieces, _ = model.transcribe(samples, language="en", beam_size=1, temperature=0.0,
                                     condition_on_previous_text=False)
        return {"text": "".join(piece.text for piece in pieces).strip()}

@app.get("/readyz")
def ready():
    return {}

uvicorn.run(app, port=int(sys.argv[3]), log_level="error")
"""
EDGE = "----benchmark"


@dataclass(frozen=True)
class Load:
    """What clients saw of one side."""

    wall_s: float
    latencies_s: list[float]
    texts: dict[str, str]
    server_ms: list[dict[str, float]]
    rss_bytes: int = 0
    """Of all processes of the server, after the load."""

    @property
    def p95_s(self) -> float:
        """95th percentile of what a client waits."""
        return statistics.quantiles(self.latencies_s, n=20)[-1]


def body_of(path: str) -> bytes:
    """A form with a file."""
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return head.encode() + Path(path).read_bytes() + f"\r\n--{EDGE}--\r\n".encode()


def ask(connection: http.client.HTTPConnection, body: bytes) -> tuple[str, dict[str, float]]:
    """The text, and the server's own clocks in milliseconds where it tells them."""
    headers = {"Content-Type": f"multipart/form-data; boundary={EDGE}"}
    connection.request("POST", "/v1/audio/transcriptions", body, headers)
    with connection.getresponse() as response:
        told = response.headers.get("Server-Timing", "")
        answer = json.loads(response.read())
    if response.status != 200:
        raise RuntimeError(f"refused: {answer}")
    parts = (part.split(";dur=") for part in told.split(", ") if part)
    return answer["text"], {name: float(value) for name, value in parts}


def load(port: int, files: list[str], clients: int, requests: int) -> Load:
    """Closed loop: every client asks for the next file as soon as it has its answer."""
    bodies = {path: body_of(path) for path in files}
    todo = itertools.islice(itertools.cycle(files), requests)
    lock = threading.Lock()
    latencies: list[float] = []
    texts: dict[str, str] = {}
    told: list[dict[str, float]] = []

    def client() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            while True:
                with lock:
                    path = next(todo, None)
                if path is None:
                    return
                started = time.perf_counter()
                text, server_ms = ask(connection, bodies[path])
                latency = time.perf_counter() - started
                with lock:
                    latencies.append(latency)
                    told.append(server_ms)
                    texts[path] = text

    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        # An error of a client is raised here: a request less would look like a faster server.
        for asked in [pool.submit(client) for _ in range(clients)]:
            asked.result()
        wall_s = time.perf_counter() - started
    return Load(wall_s, latencies, texts, told)


@contextmanager
def server(command: list[str], port: int) -> Iterator[int]:
    """A server that is ready, as the id of its process."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            for _ in range(1200):
                if process.poll() is not None:
                    log.seek(0)
                    raise SystemExit(log.read().decode())
                if _ready(port):
                    break
                time.sleep(0.05)
            else:
                raise SystemExit(f"not ready within a minute: {command}")
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def ours(model: str, port: int, *more: str) -> list[str]:
    """The command line of our side."""
    return [sys.executable, "-m", "earwitness", "serve", "--model", model, "--port", str(port), *more]


def rss_bytes(pid: int) -> int:
    """Memory of a process and of those that it has started."""
    process = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))


def wer(texts: dict[str, str], clips: list[Clip]) -> str:
    """Of the texts that were heard, by the clip's file."""
    found = score([clip.reference or "" for clip in clips], [texts[clip.audio_path] for clip in clips]).score("wer")
    return "unknown" if found is None or found.value is None else f"{found.value:.1%}"


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=48)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", choices=("lock", "workers"), default="lock")
    parser.add_argument("--port", type=int, default=18_765)
    return parser.parse_args()


def main() -> None:
    """Print a line a turn, and the medians."""
    given = arguments()
    folder = weights.require(find(given.model))
    tags = {"kind": "speech"} if "telephony" in given.data else None
    clips = list(data.load(given.data, limit=given.limit, tags=tags).clips)
    files = [clip.audio_path for clip in clips]
    if given.requests < len(files):
        raise SystemExit("every file has to be asked for: give more --requests, or a smaller --limit")
    plain = [sys.executable, "-c", PLAIN, str(folder), str(usable_cores()), str(given.port), given.plain]
    mine = ours(given.model, given.port, "--set", "language=en")

    def side(command: list[str]) -> Load:
        with server(command, given.port) as pid:
            load(given.port, files[:4], 4, 4)  # warm
            return replace(load(given.port, files, given.clients, given.requests), rss_bytes=rss_bytes(pid))

    faster, slower, control, memory = [], [], [], []
    for turn in range(given.rounds):
        first, found, second = side(plain), side(mine), side(plain)
        plain_s, plain_p95 = (first.wall_s + second.wall_s) / 2, (first.p95_s + second.p95_s) / 2
        faster.append(plain_s / found.wall_s)
        slower.append(found.p95_s / plain_p95)
        control.append(second.wall_s / first.wall_s)
        memory.append(found.rss_bytes / (first.rss_bytes + second.rss_bytes) * 2)
        same = sum(found.texts[path] == first.texts[path] for path in files) / len(files)
        print(
            f"turn {turn + 1}: plain {given.requests / plain_s:.2f} requests/s, p95 {plain_p95:.2f} s; ours "
            f"{given.requests / found.wall_s:.2f} requests/s, p95 {found.p95_s:.2f} s; equal texts {same:.0%}; "
            f"load average {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    print(f"{given.model}, {given.clients} clients, {environment().cpu}, {usable_cores()} cores; plain: {given.plain}")
    print(f"throughput to plain: {spread(faster)} (target: at least 1.3, with a lock)")
    print(f"p95 to plain: {spread(slower)} (target: at most 0.8, with a lock)")
    print(f"memory to plain: {spread(memory)} ({found.rss_bytes >> 20} MiB, plain {second.rss_bytes >> 20} MiB)")
    print(f"plain to plain, wall time: {spread(control)}")
    print(f"WER: ours {wer(found.texts, clips)}, plain {wer(second.texts, clips)}; equal texts {same:.0%}")


if __name__ == "__main__":
    main()
