"""A real server in a process of its own, with scripted models: what happens is decided by how long the audio is."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
from pydantic import TypeAdapter

from earwitness import weights
from earwitness.decision.decision import Decision, PolicyInfo, Verdict
from earwitness.engines.catalog import find
from earwitness.records.environment import environment
from earwitness.records.record import EngineInfo, ModelInfo
from earwitness.scoring.metrics.lengths import LengthBand
from earwitness.types import Settings

RATE_HZ = 16_000
HELLO, PIECES, CRASH, HANG, ERROR, LOOP, EMPTY, SLOW, LONG, REFUSE = range(1600, 1610)
SCRIPT = {
    "*": {"text": "hello there"},
    str(PIECES): {"pieces": [" One.", " Two.", " Three."], "sleep_s": 0.05},
    str(CRASH): {"model": "crash"},
    str(HANG): {"model": "hang"},
    str(ERROR): {"model": "error"},
    str(LOOP): {"model": "loop"},
    str(EMPTY): {"model": "empty"},
    str(SLOW): {"text": "slow", "sleep_s": 0.3},
    # More than three minutes: longer than any server of these tests gives to a request, so that none ends by itself.
    str(LONG): {"pieces": [" and"] * 4000, "sleep_s": 0.05},
}


def wav(n_samples: int = HELLO, rate_hz: int = RATE_HZ) -> bytes:
    """A WAV file of faint noise."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(bytes(n % 7 for n in range(2 * n_samples)))
    return out.getvalue()


def script_folder(folder: Path, script: Mapping[str, Any] = SCRIPT) -> Path:
    """A folder that is a model of the fake engine."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script.json").write_text(json.dumps(script), encoding="utf-8")
    return folder


def form(fields: Mapping[str, str], content: bytes | None, name: str = "a.wav") -> tuple[bytes, str]:
    """A form and its content type, put together by hand so that it can be wrong."""
    edge = "----earwitness"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    if content is not None:
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts += [head.encode(), content, b"\r\n"]
    return b"".join([*parts, f"--{edge}--\r\n".encode()]), f"multipart/form-data; boundary={edge}"


@dataclass
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error in it, which must have OpenAI's shape."""
        error: dict[str, Any] = self.data["error"]
        assert self.headers["content-type"] == "application/json"
        assert sorted(error) == ["code", "message", "param", "type"]
        assert error["message"].endswith("."), error
        assert "\n" not in error["message"]
        assert "scratch" not in error["message"]
        return error


@dataclass
class Running:
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]
    log_path: Path
    scratch: Path
    threads: list[threading.Thread] = field(default_factory=list)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] = {},
        timeout_s: float = 120.0,
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=timeout_s)
        with contextlib.closing(connection):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())

    def hear(
        self, n_samples: int = HELLO, *, content: bytes | None = None, name: str = "a.wav", key: str = "", **fields: Any
    ) -> Reply:
        """Have audio transcribed."""
        body, kind = form(fields, wav(n_samples) if content is None else content, name)
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {key}"} if key else {})
        return self.ask("/v1/audio/transcriptions", "POST", body, headers)

    def later(self, call: Callable[[], Any]) -> list[Any]:
        """Begin a call in a thread; the list has the result once there is one."""
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
        thread.start()
        self.threads.append(thread)
        return results

    def join(self) -> None:
        """Wait for every call that was begun."""
        for thread in self.threads:
            thread.join(timeout=120)
            assert not thread.is_alive()
        self.threads.clear()

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return sorted(p.pid for p in children(self.process.pid) if "earwitness.workers.child" in command_of(p))

    @property
    def decoders(self) -> list[int]:
        """Process ids of those that decode."""
        return sorted(p.pid for p in children(self.process.pid) if "earwitness.audio.decoder" in command_of(p))

    @property
    def metrics(self) -> dict[tuple[str, ...], float]:
        """Every sample, by name and the values of its labels, the model's first."""
        from prometheus_client.parser import text_string_to_metric_families

        text = self.ask("/metrics").body.decode()
        return {
            (
                sample.name.removeprefix("earwitness_"),
                *(sample.labels[name] for name in sorted(sample.labels, key=lambda name: (name != "model", name))),
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line of the log."""
        return [json.loads(line) for line in self.log_path.read_text("utf-8").splitlines()]

    @property
    def state(self) -> dict[str, Any]:
        """Of the first model."""
        return dict(self.ask("/state").data["models"][0])

    def files(self) -> list[Path]:
        """Uploads, and what was decoded of them."""
        return [path for path in self.scratch.rglob("*") if path.is_file() and path.name != "probe.f32"]


def children(pid: int) -> list[psutil.Process]:
    """Everything below a process."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def command_of(process: psutil.Process) -> str:
    """Its command line; empty when it is gone."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


@contextlib.contextmanager
def answering(server: ThreadingHTTPServer) -> Iterator[None]:
    """Let a server of the standard library answer in a thread, until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def with_text(manifest: Path, text: str) -> Path:
    """Write a manifest of the same audio in which every clip has this reference."""
    rows = [json.loads(line) | {"text": text} for line in manifest.read_text("utf-8").splitlines()]
    path = manifest.with_name("reference.jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def until(holds: Callable[[], Any], timeout_s: float = 120.0) -> Any:
    """Wait until something is so, and return it."""
    ends_at = time.monotonic() + timeout_s
    while time.monotonic() < ends_at:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about in time")


def idle(server: Running) -> bool:
    """Whether nothing is under way, and all workers are there."""
    state = server.state
    return bool(state["in_flight"] == 0 and state["waiting"] == 0 and state["workers_ready"] == state["workers"])


def hang_up(server: Running, content: bytes, *, wait: bool = True) -> None:
    """Send a file, and be gone before the answer; when waiting, once it is worked on."""
    body, kind = form({}, content)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = (
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        if wait:
            until(lambda: server.state["in_flight"] > 0)


@contextlib.contextmanager
def running(
    folder: Path, *arguments: str, ready: bool = True, around: Mapping[str, str] = {}, cwd: Path | None = None
) -> Iterator[Running]:
    """Start a server, wait until it is ready, and see to it that it ends well and leaves nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch, log_path = folder / "scratch", folder / "log.jsonl"
    scratch.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "earwitness", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONWARNINGS": "error", **around}
    with log_path.open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=cwd, start_new_session=True
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert line.startswith("Listening on "), log_path.read_text()
        server = Running(line.removeprefix("Listening on ").strip(), process, log_path, scratch)
        if ready:
            until(lambda: server.ask("/readyz").status == 200, 60)
        yield server
        server.join()
        if process.poll() is None:
            below = children(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0, log_path.read_text()
            assert [p for p in below if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
            assert [path for path in scratch.rglob("*") if path.is_file()] == []
    finally:
        for left in children(process.pid):
            with contextlib.suppress(psutil.Error):
                left.kill()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def band(from_s: float, to_s: float, wall_s: float) -> LengthBand:
    """What clips of a length took: all the same."""
    return LengthBand(from_s, to_s, 20, wall_s / to_s, wall_s, wall_s, wall_s, None)


def write_decision(path: Path, model_id: str, *, promise: Mapping[str, float] | None = None, **changed: Any) -> None:
    """A decision for one model, as it would be after a run of it."""
    model = find(model_id)
    settings = Settings(threads=1)
    verdict = Verdict(
        candidate=model.id,
        status="production",
        reasons=("It passed.",),
        conditions=(),
        grade="A",
        grade_points=93.0,
        grade_parts=(),
        rules=(),
        missing=(),
        model=ModelInfo(model.id, model.weights_id, weights.fingerprint(model), model.license),
        engine=EngineInfo(model.engine),
        device_asked="cpu",
        device_used="cpu",
        preset="matched",
        settings_asked=settings,
        settings_in_force=changed.pop("in_force", {"beam_size": 1, "threads": 1, "timestamps": "segment"}),
        environment=environment(),
        promise=dict(promise or {"rtf": 0.1, "latency_p95_s": 0.5, "empty_share": 0.0}),
        by_length=changed.pop("by_length", ()),
    )
    decision = Decision(
        schema_version=1,
        created_at="2026-01-01T00:00:00Z",
        earwitness="0",
        command=("decide",),
        policy=PolicyInfo("test", "test", "", ""),
        datasets=(),
        verdicts=(verdict,),
        chosen=changed.pop("chosen", model.id),
        why="It is the only one.",
        winners=(),
        guidance=(),
    )
    assert not changed
    fresh = path.with_suffix(".new")
    fresh.write_bytes(TypeAdapter(Decision).dump_json(decision))
    fresh.replace(path)
