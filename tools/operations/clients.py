"""Clients that send speech steadily, and those of the events: slow, broken off, wrong, too many."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.server.serving import form
from tools.operations.ledger import HUNG_UP, NO_ANSWER, OTHER_TEXT, TEXT, Ledger, Outcome

ROUTE = "/v1/audio/transcriptions"
_PATIENCE_S = 180.0
_PAUSE_AFTER_A_REFUSAL_S = 0.5


@dataclass
class Clients:
    """All who send requests."""

    address: str
    """Host and port where they ask."""
    key: str
    """What they send as ``Authorization``."""
    texts: Mapping[bytes, str]
    """Files, and what a quiet server makes of each."""
    ledger: Ledger = field(default_factory=Ledger)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, n: int) -> None:
        """Send the files one after the other, from so many clients, until ``end``."""
        for first in range(n):
            thread = threading.Thread(target=self._ask_on, args=(first,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Let the clients have their last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2 * _PATIENCE_S)

    def _ask_on(self, first: int) -> None:
        files = list(self.texts)
        while not self._stop.is_set():
            first += 1
            if self.send(files[first % len(files)]).end != TEXT:
                self._stop.wait(_PAUSE_AFTER_A_REFUSAL_S)

    def send(self, content: bytes, *, key: str | None = None, pieces: int = 1, pause_s: float = 0.0) -> Outcome:
        """Send a file and write down what comes of it.

        Args:
            content: The file.
            key: Another than that of all.
            pieces: In how many it is sent.
            pause_s: Between two of them.
        """
        body, kind = form({}, content)
        request_id = uuid.uuid4().hex
        headers = {
            "Content-Type": kind, "Content-Length": str(len(body)), "X-Request-Id": request_id,
            "Authorization": f"Bearer {self.key if key is None else key}",
        }  # fmt: skip

        def parts() -> Iterator[bytes]:
            step = -(-len(body) // pieces)
            for start in range(0, len(body), step):
                yield body[start : start + step]
                time.sleep(pause_s)

        connection = http.client.HTTPConnection(self.address, timeout=_PATIENCE_S)
        try:
            # A refusal may come before the last piece has gone.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", ROUTE, parts(), headers)
            response = connection.getresponse()
            outcome = self.outcome(request_id, content, response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            outcome = Outcome(request_id, None, NO_ANSWER, repr(error))
        finally:
            connection.close()
        return self.ledger.add(outcome)

    def outcome(self, request_id: str, content: bytes, status: int, body: bytes) -> Outcome:
        """Return what an answer comes to; one that is not of a server's kind counts as none."""
        try:
            answer = json.loads(body)
            if status == 200:
                same = self.texts.get(content, answer["text"]) == answer["text"]
                return Outcome(request_id, status, TEXT if same else OTHER_TEXT, "" if same else answer["text"])
            return Outcome(request_id, status, answer["error"]["code"])
        except (ValueError, KeyError, TypeError):
            # No server of ours answers like this: the balancer could not reach one.
            return Outcome(request_id, status, NO_ANSWER, f"{status} of the balancer")

    def send_all(self, files: list[bytes]) -> list[Outcome]:
        """Send many at the same moment, and return what came of each."""
        with ThreadPoolExecutor(len(files)) as pool:
            return list(pool.map(self.send, files))

    def hang_up(self, content: bytes, *, after: float, wait_s: float = 0.0) -> str:
        """Send a share of a request's body, be gone after a while, and return the request's id.

        Args:
            content: The file.
            after: Of the body: 0 for the headers alone, 1 for all of it.
            wait_s: Before the connection is closed.
        """
        body, kind = form({}, content)
        request_id = uuid.uuid4().hex
        host, port = self.address.split(":")
        head = (
            f"POST {ROUTE} HTTP/1.1\r\nHost: {self.address}\r\nContent-Type: {kind}\r\nX-Request-Id: {request_id}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(head.encode() + body[: round(after * len(body))])
            time.sleep(wait_s)
        self.ledger.add(Outcome(request_id, None, HUNG_UP))
        return request_id
