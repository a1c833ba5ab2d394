"""Batching across clients against several workers, at the engine: which serves eight clients better.

    python benchmarks/serve_batching.py [--model faster-whisper:tiny.en] [--data telephony-en] [--batches 1,2,4,8]

Three ways to share the same cores, weights and settings (greedy, no fall-back, no VAD, int8): the workers and threads
that ``earwitness serve --model`` chooses, each with a clip at a time; one worker with every core, that takes up to so
many waiting clips as a batch; and the server's own workers, each with a batch of its share of the clients. No HTTP and
no decoding: clips lie in memory as 16 kHz arrays. Eight clients each ask for the next clip of the common list as soon
as they have their text; what they wait runs from asking to text. A batch is taken from whatever waits and never waits
for more; a clip that is finished makes room for the next at once (``batch_worker.py``). Batches of one are there to
show that this loop gives the library's own texts.

A turn is every way once, each between two of the server's way, in the other order every second time; a ratio is taken
to the mean of these two neighbours, which against each other show what the machine's mood does. Texts are compared
with those of the server's way: clips that differ, and WER between the two. Run it on a machine that has nothing else to
do: the load average is printed with every turn. Where it has, the seconds of the processor that the work took, which
others can hardly change, say more than throughput does; they say nothing of a core that is left idle.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from harness_cost import spread  # type: ignore[import-not-found]

from earwitness import data, weights
from earwitness.api.score import score
from earwitness.audio import decode
from earwitness.engines.catalog import find
from earwitness.records.environment import environment, usable_cores
from earwitness.server.plan import of_model
from earwitness.types import Clip


@dataclass(frozen=True)
class Way:
    """How the cores are shared; no batch is the library's own ``transcribe``."""

    workers: int
    threads: int
    batch: int = 0

    def __str__(self) -> str:
        """In words."""
        what = f"batches of up to {self.batch}" if self.batch else "a clip at a time"
        return f"{self.workers} x {self.threads} thread{'s' if self.threads != 1 else ''}, {what}"


@dataclass
class Side:
    """What the clients of one way saw."""

    wall_s: float = 0.0
    peak_rss_bytes: int = 0
    cpu_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)

    @property
    def p95_s(self) -> float:
        """95th percentile of what a client waits."""
        return statistics.quantiles(self.latencies_s, n=20)[-1]


class Desk:
    """Where clients wait: each asks for the next clip when it has its text."""

    def __init__(self, n_clips: int, clients: int, requests: int) -> None:
        """Let all clients come at once."""
        self.side = Side()
        self._n_clips = n_clips
        self._left = iter(range(requests))
        self._waiting: deque[int] = deque()
        self._asked_at: dict[int, float] = {}
        self._lock = threading.Lock()
        self._began_at = time.perf_counter()
        for _ in range(clients):
            self._come(self._began_at)

    def take(self, most: int) -> list[tuple[int, int]]:
        """Requests, the first that came first, each with its clip."""
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [(number, number % self._n_clips) for number in taken]

    def answer(self, found: dict[str, str]) -> None:
        """Give out texts; those who got one come again."""
        now = time.perf_counter()
        with self._lock:
            for number, text in found.items():
                self.side.latencies_s.append(now - self._asked_at[int(number)])
                self.side.texts[int(number) % self._n_clips] = text
                self._come(now)
            self.side.wall_s = now - self._began_at

    def _come(self, now: float) -> None:
        number = next(self._left, None)
        if number is not None:
            self._asked_at[number] = now
            self._waiting.append(number)


class Member:
    """A worker's process."""

    def __init__(self, folder: Path, way: Way, sounds: Path) -> None:
        """Start it."""
        script = Path(__file__).with_name("batch_worker.py")
        command = [sys.executable, str(script), str(folder), str(way.threads), str(way.batch), str(sounds)]
        self.places = max(1, way.batch)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        """What it says next."""
        found = self.process.stdout.readline() if self.process.stdout else ""
        if not found:
            raise SystemExit(f"a worker ended with {self.process.wait()}")
        return found

    def send(self, text: str) -> None:
        """Say something to it."""
        if self.process.stdin:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()

    def work(self, desk: Desk) -> None:
        """Take what waits, as long as anything does."""
        under_way = 0
        while (taken := desk.take(self.places - under_way)) or under_way:
            self.send(json.dumps(taken))
            finished = json.loads(self.line())
            under_way += len(taken) - len(finished)
            desk.answer(finished)

    def end(self) -> tuple[int, float]:
        """End it, and return its peak memory in bytes, and what it took of the processor, in seconds."""
        if self.process.stdin:
            self.process.stdin.close()
        peak, cpu_s = json.loads(self.line())
        self.process.wait(timeout=60)
        return peak, cpu_s


def side(way: Way, folder: Path, sounds: Path, clients: int, requests: int) -> Side:
    """Have the clients served in one way, by fresh processes that are warm."""
    if way.workers * max(1, way.batch) > clients:
        raise SystemExit(f"{way}: {clients} clients do not keep them all at work")
    crew: list[Member] = []
    errors: list[BaseException] = []
    try:
        crew += [Member(folder, way, sounds) for _ in range(way.workers)]
        for member in crew:
            member.line()
        desk = Desk(len(list(sounds.iterdir())), clients, requests)

        def work(member: Member) -> None:
            try:
                member.work(desk)
            except BaseException as error:  # noqa: BLE001 (raised again by the one who waits)
                errors.append(error)

        threads = [threading.Thread(target=work, args=(member,)) for member in crew]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors or len(desk.side.latencies_s) != requests:
            raise errors[0] if errors else SystemExit(f"{way}: {len(desk.side.latencies_s)} of {requests} answered")
        for member in crew:
            peak, cpu_s = member.end()
            desk.side.peak_rss_bytes += peak
            desk.side.cpu_s += cpu_s
    finally:
        for member in crew:
            member.process.kill()
            member.process.wait()
    return desk.side


@dataclass
class Ratios:
    """One way to the server's, a number a turn."""

    faster: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)

    def add(self, found: Side, first: Side, second: Side) -> None:
        """Take those of a turn."""
        self.faster.append((first.wall_s + second.wall_s) / 2 / found.wall_s)
        self.p95.append(found.p95_s / (first.p95_s + second.p95_s) * 2)
        self.cpu.append(found.cpu_s / (first.cpu_s + second.cpu_s) * 2)
        self.memory.append(found.peak_rss_bytes / (first.peak_rss_bytes + second.peak_rss_bytes) * 2)
        self.texts = found.texts


def compared(texts: dict[int, str], with_texts: dict[int, str], clips: list[Clip]) -> str:
    """How many texts differ, the WER between them, and that of both to what was said."""
    order = sorted(texts)
    here, there = [texts[n] for n in order], [with_texts[n] for n in order]
    said = [clips[n].reference or "" for n in order]
    differ = sum(a != b for a, b in zip(here, there, strict=True))
    between, mine, theirs = (score(a, b).score("wer") for a, b in ((there, here), (said, here), (said, there)))
    a, b, c = (f"{one.value:.2%}" if one and one.value is not None else "unknown" for one in (between, mine, theirs))
    return f"{differ} of {len(order)} texts differ, WER between them {a}; to the references {b}, the server's way {c}"


def ways(model: str, batches: list[int], clients: int) -> tuple[Way, list[Way]]:
    """The server's way, and the others."""
    served = of_model(model, "cpu", "matched", ["language=en"], None, None)
    own = Way(served.n_workers, served.settings.threads or usable_cores())
    share = Way(own.workers, own.threads, clients // own.workers)
    return own, [*(Way(1, usable_cores(), batch) for batch in batches), *([share] if own.workers > 1 else [])]


def prepared(clips: list[Clip], sounds: Path) -> list[float]:
    """Decode clips into files of 16 kHz samples; return how long each is, in seconds."""
    lengths = []
    for number, clip in enumerate(clips):
        samples = decode(clip.audio_path, start_s=clip.start_s, duration_s=clip.duration_s).samples
        np.save(sounds / f"{number:05d}.npy", samples)
        lengths.append(len(samples) / 16_000)
    return lengths


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", default="faster-whisper:tiny.en")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=48)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", default="1,2,4,8")
    return parser.parse_args()


def show(ratios: dict[Way, Ratios], own: Way, with_texts: dict[int, str], clips: list[Clip]) -> None:
    """Print what every way came to."""
    for way, found in ratios.items():
        print(f"{way}{' (to itself)' if way == own else ''}")
        print(f"  throughput {spread(found.faster)}")
        print(f"  p95        {spread(found.p95)}")
        print(f"  processor  {spread(found.cpu)}")
        print(f"  memory     {spread(found.memory)}")
        print(f"  {compared(found.texts, with_texts, clips)}")


def main() -> None:
    """Print a line a turn, and the medians."""
    given = arguments()
    folder = weights.require(find(given.model))
    if folder is None:
        raise SystemExit(f"{given.model} has no weights to load")
    tags = {"kind": "speech"} if "telephony" in given.data else None
    clips = list(data.load(given.data, limit=given.limit, tags=tags).clips)
    own, others = ways(given.model, [int(size) for size in given.batches.split(",")], given.clients)
    ratios = {way: Ratios() for way in (*others, own)}
    with tempfile.TemporaryDirectory() as scratch:
        sounds = Path(scratch)
        lengths = prepared(clips, sounds)
        audio_s = sum(lengths[number % len(clips)] for number in range(given.requests))

        def run(way: Way) -> Side:
            return side(way, folder, sounds, given.clients, given.requests)

        for turn in range(given.rounds):
            before = run(own)
            sides = [(own, before)]
            for way in others if turn % 2 == 0 else others[::-1]:
                found, after = run(way), run(own)
                ratios[way].add(found, before, after)
                ratios[own].add(after, before, before)
                sides += [(way, found), (own, after)]
                before = after
            names = (f"{way.workers}x{way.threads}b{way.batch} {audio_s / it.wall_s:.1f}" for way, it in sides)
            busy = f"load average {os.getloadavg()[0]:.1f}"
            print(f"turn {turn + 1}: audio s per s {', '.join(names)}; {busy}", flush=True)
    sizes = f"{given.clients} clients, {given.requests} requests, {len(clips)} clips, {audio_s:.0f} s of audio"
    print(f"{given.model}, {sizes}, {environment().cpu}, {usable_cores()} cores; all to {own}:")
    show(ratios, own, before.texts, clips)


if __name__ == "__main__":
    main()
