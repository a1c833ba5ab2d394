"""A transcription server on 127.0.0.1 that answers as it is told, for engines that ask one."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[bytes]]:
        """The fields of a form, parsed by the standard library."""
        message = message_from_bytes(
            b"Content-Type: " + self.headers["content-type"].encode() + b"\r\n\r\n" + self.body
        )
        found: dict[str, list[bytes]] = {}
        for part in message.get_payload():
            name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
            found.setdefault(str(name), []).append(part.get_payload(decode=True))  # type: ignore[union-attr,arg-type]
        return found


@dataclass
class Says:
    """What goes out."""

    body: Any = field(default_factory=lambda: {"text": "hello"})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    dribble_s: float = 0.0
    """Between the two halves of the body."""


def samples_in(wav: bytes) -> int:
    """How many samples a WAV file has."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return int(file.getnframes())


@contextmanager
def server(answer: Callable[[Asked], Says]) -> Iterator[tuple[str, list[Asked]]]:
    """Start one, yield its address and the list of what it was asked, and stop it."""
    seen: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            seen.append(asked)
            says = answer(asked)
            time.sleep(says.wait_s)
            out = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
            self.send_response(says.status)
            for name, value in {"Content-Length": str(len(out)), **says.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(out[: len(out) // 2])
            self.wfile.flush()
            time.sleep(says.dribble_s)
            self.wfile.write(out[len(out) // 2 :])

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that hangs up is part of the tests

    running = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", seen
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
