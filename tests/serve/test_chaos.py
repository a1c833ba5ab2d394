"""Everything at once: good requests and broken ones from all sides, while workers and decoders are killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.serve.serving import (
    CRASH,
    EMPTY,
    ERROR,
    HANG,
    HELLO,
    PIECES,
    SLOW,
    Reply,
    Running,
    form,
    hang_up,
    idle,
    running,
    script_folder,
    until,
    wav,
)
from tests.serve.test_ends import part_of_a_request

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
# What may be said to one whose worker, or decoder, was killed twice, or who waited too long for one.
PROVOKED = {"worker_died", "decoder_died", "decoder_timeout", "timeout", "no_worker"}


@dataclass
class Chaos:
    """What clients send, and what they see."""

    server: Running
    good: Mapping[bytes, str]
    """Files, and the text of each."""
    bad: Sequence[bytes]
    """Files at which the engine fails, hangs or dies."""
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def client(self, seed: int, ends_at: float) -> None:
        dice, files = random.Random(seed), list(self.good)
        while time.monotonic() < ends_at:
            file = dice.choice([*files, *files, *self.bad, RUBBISH, GONE, SLOWLY, BROKEN_OFF])
            if file == GONE:
                hang_up(self.server, files[-1], wait=False)
                continue
            if file == BROKEN_OFF:
                with part_of_a_request(self.server, files[-1], dice.randrange(len(files[-1]))):
                    pass
                continue
            if file == SLOWLY:
                file = files[0]
                reply = self.slowly(file)
            else:
                reply = self.server.hear(content=file)
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
        return self.server.ask("/v1/audio/transcriptions", "POST", pieces(), headers)

    def is_fair(self, file: bytes, reply: Reply) -> bool:
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


def kill_at_work(decoders: list[int], dice: random.Random) -> None:
    """End a decoder that has been stopped for a moment, in which somebody has come to it with a file."""
    for pid in dice.sample(decoders, min(1, len(decoders))):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).suspend()
            time.sleep(0.1)
            psutil.Process(pid).kill()


def growth_bytes(held: list[tuple[float, int]]) -> float:
    """How much more is held at the end than at the beginning, by least squares over the whole run."""
    times = [when_s for when_s, _ in held]
    return statistics.linear_regression(times, [size for _, size in held]).slope * (times[-1] - times[0])


def besiege(chaos: Chaos, seconds: float, pause_s: tuple[float, float]) -> None:
    """Eight clients for so long, a worker and then a decoder killed after such pauses; and then all must be well."""
    server, dice = chaos.server, random.Random(0)
    process = psutil.Process(server.process.pid)
    until(lambda: idle(server))
    n_files, held = process.num_fds(), list[tuple[float, int]]()
    started = time.monotonic()
    for seed in range(8):
        server.later(partial(chaos.client, seed, started + seconds))
    while time.monotonic() < started + seconds:
        time.sleep(dice.uniform(*pause_s))
        for victim in dice.sample(server.workers, min(1, len(server.workers))):
            with contextlib.suppress(psutil.Error):
                # A worker that is stopped hangs until the time of its request is up, or it gives no sign of life.
                psutil.Process(victim).send_signal(dice.choice([signal.SIGKILL] * 5 + [signal.SIGSTOP]))
        time.sleep(dice.uniform(*pause_s))
        kill_at_work(server.decoders, dice)
        held.append((time.monotonic() - started, process.memory_info().rss))
    server.join()
    assert chaos.wrong == []
    assert chaos.statuses[200] > 5, chaos.statuses
    until(lambda: idle(server), 60)
    until(lambda: not server.files())
    file, text = next(iter(chaos.good.items()))
    assert server.hear(content=file).data["text"] == text
    assert len(server.decoders) <= 2
    until(lambda: process.num_fds() <= n_files + FILES_OF_A_DECODER * len(server.decoders))
    log = server.log
    assert not [row for row in log if row["event"] == "unexpected"]
    assert {row["reason"] for row in log if row.get("status") == 499} == {"client_closed"}, "who hung up is told so"
    assert not [row for row in log if row.get("status", 0) >= 500 and row["reason"] not in PROVOKED | {"engine_error"}]
    growth = growth_bytes([one for one in held if one[0] > WARM_S])
    ended = sum(row["event"] == "decoder has ended" for row in server.log)
    print(f"{dict(chaos.statuses)}, {ended} decoders ended at work, memory {growth / (1 << 20):+.2f} MiB")
    assert ended > 0, "no decoder was killed at work"
    assert growth < MOST_GROWTH_BYTES


@pytest.mark.parametrize("seconds", [20, pytest.param(LONG_S, marks=pytest.mark.long)])
def test_chaos_ends_in_answers_and_clear_errors_and_leaves_nothing(tmp_path: Path, seconds: int) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "2", "--queue", "8", "--timeout", "4") as server:
        besiege(Chaos(server, GOOD, BAD), seconds, (0.2, 0.7))


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
        besiege(Chaos(server, good, ()), LONG_S, (2.0, 4.0))
