"""Everything at once: good requests and broken ones from all sides, while processes are killed and servers replaced.

Clients ask two servers behind nginx. One of the servers stays from the beginning to the end, so that a leak shows; the
other is replaced again and again, as in a rollout.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.server.serving import (
    CRASH,
    EMPTY,
    ERROR,
    HANG,
    HELLO,
    PIECES,
    SLOW,
    Reply,
    Running,
    children,
    form,
    hang_up,
    idle,
    running,
    script_folder,
    until,
    wav,
)
from tests.server.test_ends import part_of_a_request
from tests.server.test_rollout import Balancer, balanced

from earwitness import data, weights
from earwitness.engines.catalog import find

pytestmark = pytest.mark.real
LONG_S = int(os.environ.get("EARWITNESS_CHAOS_S", "600"))
# The last is what a client hangs up on: it takes long enough to be at work by then.
GOOD = {wav(HELLO): "hello there", wav(PIECES): "One. Two. Three.", wav(EMPTY): "", wav(SLOW): "slow"}
BAD = tuple(map(wav, (CRASH, HANG, ERROR)))
RUBBISH, GONE, SLOWLY, BROKEN_OFF = b"rubbish", b"", b"slowly", b"broken off"
WARM_S, MOST_GROWTH_BYTES = 5.0, 4 << 20
FILES_OF_A_DECODER = 3  # two pipes, and how its end is told
FILES_OF_NGINX = 8  # connections that it keeps
ROLLOUT_EVERY_S, ROLLOUT_IN_A_SHORT_TEST_S = 300.0, 3.0
# What may be said to one whose worker, or decoder, was killed twice, or who waited too long for one.
PROVOKED = {"worker_died", "decoder_died", "decoder_timeout", "timeout", "no_worker"}


@dataclass
class Chaos:
    """What clients send, and what they see."""

    entry: Running
    """Where clients ask: a server, or nginx in front of several."""
    servers: list[Running]
    """Those that run. The first one stays to the end."""
    good: Mapping[bytes, str]
    """Files, and the text of each."""
    bad: Sequence[bytes]
    """Files at which the engine fails, hangs or dies."""
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def client(self, seed: int) -> None:
        dice = random.Random(seed)
        while not self.stop.is_set():
            file = dice.choice([*self.good, *self.good, *self.bad, RUBBISH, GONE, SLOWLY, BROKEN_OFF])
            try:
                self.send(file, dice)
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{len(file)} bytes: no answer, {error!r}")

    def send(self, file: bytes, dice: random.Random) -> None:
        files = list(self.good)
        if file == GONE:
            hang_up(self.entry, files[-1], wait=False)
            return
        if file == BROKEN_OFF:
            with part_of_a_request(self.entry, files[-1], dice.randrange(len(files[-1]))):
                pass
            return
        slow, file = file == SLOWLY, files[0] if file == SLOWLY else file
        reply = self.slowly(file) if slow else self.entry.hear(content=file)
        self.statuses[reply.status] += 1
        if not self.is_fair(file, reply):
            self.wrong.append(f"{len(file)} bytes: {reply.status} {reply.body!r}")

    def slowly(self, file: bytes) -> Reply:
        """Send a file in ten pieces with pauses between them, as a telephone on a bad network does."""
        body, kind = form({}, file)
        step = len(body) // 10 + 1

        def pieces() -> Iterator[bytes]:
            for start in range(0, len(body), step):
                yield body[start : start + step]
                time.sleep(0.05)

        headers = {"Content-Type": kind, "Content-Length": str(len(body))}
        return self.entry.ask("/v1/audio/transcriptions", "POST", pieces(), headers)

    def is_fair(self, file: bytes, reply: Reply) -> bool:
        if reply.headers.get("content-type") != "application/json":
            return False  # of nginx, which could not reach a server
        if reply.status == 429:
            time.sleep(0.1)
            return True
        if file == RUBBISH:
            # Nobody knows that a file is no audio where both of its decoders were killed, or hung.
            return reply.status == 400 or reply.error["code"] in PROVOKED
        if file in self.bad:
            return reply.error["code"] in PROVOKED | {"engine_error"}
        if reply.status == 200:
            return bool(reply.data["text"] == self.good[file])
        return reply.error["code"] in PROVOKED


def any_one(pids: list[int], dice: random.Random) -> list[int]:
    return dice.sample(pids, min(1, len(pids)))


def strike_worker(server: Running, dice: random.Random) -> None:
    """Kill a worker, or stop one of six: it hangs until the time of its request is up, or it gives no sign of life."""
    for pid in any_one(server.workers, dice):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).send_signal(dice.choice([signal.SIGKILL] * 5 + [signal.SIGSTOP]))


def strike_decoder(server: Running, dice: random.Random) -> None:
    """Stop a decoder, and kill it after a moment in which somebody has come to it with a file; leave one of six."""
    for pid in any_one(server.decoders, dice):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).suspend()
            if dice.randrange(6):
                time.sleep(0.1)
                psutil.Process(pid).kill()


def growth_bytes(held: list[tuple[float, int]]) -> float:
    """How much more is held at the end than at the beginning, by least squares over the whole run."""
    times = [when_s for when_s, _ in held]
    return statistics.linear_regression(times, [size for _, size in held]).slope * (times[-1] - times[0])


def besiege(chaos: Chaos, seconds: float, pause_s: tuple[float, float], roll: Callable[[], int] | None = None) -> None:
    """Eight clients for so long, a worker and then a decoder struck after such pauses; and then all must be well.

    Rollouts go on beside it until ``roll`` returns how many there were.
    """
    first, dice = chaos.servers[0], random.Random(0)
    process = psutil.Process(first.process.pid)
    until(lambda: idle(first))
    n_files, held = process.num_fds(), list[tuple[float, int]]()
    started = time.monotonic()
    for seed in range(8):
        first.later(partial(chaos.client, seed))
    rollouts = first.later(roll) if roll else [0]
    while time.monotonic() < started + seconds or (not rollouts and first.threads[-1].is_alive()):
        time.sleep(dice.uniform(*pause_s))
        strike_worker(dice.choice(chaos.servers), dice)
        time.sleep(dice.uniform(*pause_s))
        strike_decoder(dice.choice(chaos.servers), dice)
        held.append((time.monotonic() - started, process.memory_info().rss))
    chaos.stop.set()
    first.join()
    assert chaos.wrong == []
    assert rollouts, "a rollout failed"
    assert chaos.statuses[200] > 5, chaos.statuses
    for server in chaos.servers:
        require_well(server, chaos)
    until(lambda: process.num_fds() <= n_files + FILES_OF_A_DECODER * len(first.decoders) + FILES_OF_NGINX)
    growth = growth_bytes([one for one in held if one[0] > WARM_S])
    n_answers, memory = sum(chaos.statuses.values()), f"memory {growth / (1 << 20):+.2f} MiB"
    print(f"{n_answers} answers {dict(chaos.statuses)}, {rollouts[0]} rollouts, {memory}")
    assert growth < MOST_GROWTH_BYTES


def require_well(server: Running, chaos: Chaos) -> None:
    """A server has nothing left of what was done to it, and answers."""
    until(lambda: idle(server))
    until(lambda: not server.files())
    file, text = next(iter(chaos.good.items()))
    # A decoder that was left stopped is found by the next file that comes to it, whose time may be up by then.
    reply = until(lambda: [one for one in [server.hear(content=file)] if one.status == 200])[0]
    assert reply.data["text"] == text
    assert len(server.decoders) <= 2


def require_true_log(log: Sequence[Mapping[str, Any]]) -> None:
    """Every line tells an end that was caused, and the reason of each."""
    assert not [row for row in log if row["event"] == "unexpected"]
    assert {row["reason"] for row in log if row.get("status") == 499} == {"client_closed"}, "who hung up is told so"
    assert not [row for row in log if row.get("status", 0) >= 500 and row["reason"] not in PROVOKED | {"engine_error"}]
    ends = Counter(
        f"{row['event']}: {row['reason']}" for row in log if row["event"].endswith(" has ended") and "reason" in row
    )
    print(f"{len(log)} lines, {sum(row.get('status') == 499 for row in log)} hung up, {dict(ends)}")
    assert ends["decoder has ended: died"] > 0, "no decoder was killed at work"


@dataclass
class Rollouts:
    """Servers behind nginx, of which the last is replaced every so often."""

    start: Callable[[str], Running]
    balancer: Balancer
    every_s: float
    ends_at: float
    n: int = 0

    def run(self) -> int:
        while not self.n or time.monotonic() + self.every_s < self.ends_at:
            time.sleep(self.every_s)
            self.n += 1
            self.replace()
        return self.n

    def replace(self) -> None:
        servers, old = self.balancer.servers, self.balancer.servers[-1]
        fresh = self.start(f"server {self.n}")
        servers.append(fresh)
        until(lambda: fresh.url.removeprefix("http://") in self.balancer.listed)
        below = children(old.process.pid)
        old.process.send_signal(signal.SIGTERM)
        assert old.process.wait(timeout=120) == 0
        servers.remove(old)
        assert [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
        assert [path for path in old.scratch.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("seconds", [6, pytest.param(LONG_S, marks=pytest.mark.long)])
def test_chaos_ends_in_answers_and_clear_errors_and_leaves_nothing(tmp_path: Path, seconds: int) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    arguments = ("--model", model, "--workers", "2", "--queue", "8", "--timeout", "4", "--linger", "10")
    with contextlib.ExitStack() as ends:
        everyone = list[Running]()

        def start(name: str) -> Running:
            everyone.append(ends.enter_context(running(tmp_path / name, *arguments)))
            return everyone[-1]

        first, second = start("first"), start("second")
        balancer = ends.enter_context(balanced(tmp_path / "nginx", first, second))
        entry = Running(f"http://127.0.0.1:{balancer.port}", first.process, first.log_path, first.scratch)
        every_s = min(ROLLOUT_EVERY_S, max(ROLLOUT_IN_A_SHORT_TEST_S, seconds / 4))
        rollouts = Rollouts(start, balancer, every_s, time.monotonic() + seconds)
        besiege(Chaos(entry, balancer.servers, GOOD, BAD), seconds, (0.2, 0.7), rollouts.run)
        require_true_log([row for server in everyone for row in server.log])


@pytest.mark.long
def test_chaos_with_real_weights_ends_in_the_texts_of_a_quiet_server(tmp_path: Path) -> None:
    """As many clips of speech as there are scripted files; nothing breaks the engine, but its workers are killed."""
    model = "faster-whisper:tiny.en"
    weights.pull(find(model))
    clips = [clip for clip in data.load("sample").clips if clip.reference][:4]
    files = [Path(clip.audio_path).read_bytes() for clip in clips]
    arguments = ("--model", model, "--workers", "2", "--queue", "8", "--timeout", "20", "--set", "language=en")
    with running(tmp_path, *arguments) as server:
        good = {file: server.hear(content=file).data["text"] for file in files}
        assert all(good.values())
        besiege(Chaos(server, [server], good, ()), LONG_S, (2.0, 4.0))
        require_true_log(server.log)
