"""Connections: their number, their timeouts, and the answers to invalid requests.

uvicorn speaks HTTP. It lets a connection that sends nothing stay for ever, and has no most of them but one that answers
requests; this adds both, and answers in the form of all other refusals.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from earwitness.server.api_errors import ApiError
from earwitness.server.logs import log
from earwitness.server.watch.metrics import Metrics

HEADERS_S = 20.0
"""In which the headers of a request must come, from its first byte or the beginning of the connection."""
_FILES_BESIDE = 128
_FILES_OF_A_PROCESS = 8
_TELL_AGAIN_S = 10.0
_FULL = ApiError(503, "Too many connections at once.", code="too_many_connections", retry_after_s=5)
_SLOW = ApiError(408, f"The headers did not arrive within {HEADERS_S:g} s.", code="request_timeout")
_NONSENSE = ApiError(400, "This is not a valid HTTP/1.1 request.", code="malformed_request")


class Connections:
    """The open connections.

    Args:
        most: Connections at once.
        exempt: Says whether an address may have them all, as a proxy must; any other has at most half.
        metrics: Are told of what never becomes a request.
    """

    def __init__(self, most: int, exempt: Callable[[str], bool], metrics: Metrics) -> None:
        """Begin with none."""
        self._most, self._exempt, self._metrics = most, exempt, metrics
        self._of: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a connection; false if there are too many.

        >>> connections = Connections(4, lambda address: address == "proxy", Metrics())
        >>> [connections.enter(address) for address in ("a", "a", "a", "proxy", "proxy", "proxy")]
        [True, True, False, True, True, False]
        """
        of_one = self._most if self._exempt(address) else max(1, self._most // 2)
        if self._of.total() >= self._most or self._of[address] >= of_one:
            return False
        self._of[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Forget a connection."""
        self._of[address] -= 1
        if not self._of[address]:
            del self._of[address]

    def refuse(self, error: ApiError) -> bytes:
        """Return the response to an invalid request, and count it."""
        self._metrics.requests.labels("none", str(error.status)).inc()
        self._metrics.rejected.labels(str(error.code)).inc()
        body = json.dumps(error.body).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            "X-Request-Id": uuid.uuid4().hex,
            **error.headers,
        }
        lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def protocol(connections: Connections) -> type[asyncio.Protocol]:
    """Return the HTTP protocol of a connection, for uvicorn."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return type("Guarded", (_Guard, H11Protocol), {"known": connections})


class _Guard(asyncio.Protocol):
    """A guard before uvicorn's own protocol."""

    known: Connections
    loop: asyncio.AbstractEventLoop
    cycle: Any
    transport: asyncio.Transport
    _address: str | None = None
    _late: asyncio.TimerHandle | None = None
    _silent = True

    def connection_made(self, transport: Any) -> None:
        address = str((transport.get_extra_info("peername") or ("unknown",))[0])
        if not self.known.enter(address):
            self.transport = transport
            transport.write(self.known.refuse(_FULL))
            transport.close()
            return
        self._address = address
        super().connection_made(transport)
        self._time()

    def connection_lost(self, exc: Exception | None) -> None:
        self._untime()
        if self._address is not None:
            self.known.leave(self._address)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._address is None:
            return
        self._silent = False
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._untime()
        elif not self.transport.is_closing():
            self._time()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._say(_NONSENSE)

    def _time(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEADERS_S, self._end)

    def _untime(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self) -> None:
        self._late = None
        if self._silent:  # browsers open connections that they may need later, and expect nothing of them
            self.transport.close()
        else:
            self._say(_SLOW)

    def _say(self, error: ApiError) -> None:
        self.transport.write(self.known.refuse(error))
        self.transport.close()


def room_for_connections(n: int, n_uploads: int, n_processes: int) -> int:
    """Return how many connections there may be, after raising the limit of open files as far as it goes.

    Args:
        n: How many there should be.
        n_uploads: Files that are open for uploads at the most.
        n_processes: Workers and decoders.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return n
    beside = _FILES_BESIDE + n_uploads + _FILES_OF_A_PROCESS * n_processes
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = n + beside
    if soft != resource.RLIM_INFINITY and soft < need:
        soft = need if hard == resource.RLIM_INFINITY else min(hard, need)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = n if soft == resource.RLIM_INFINITY else max(8, min(n, soft - beside))
    if room < n:
        log(
            "fewer connections than asked for", logging.WARNING, connections=room, asked=n, open_files=soft,
            remedy=f"let the process open {need} files: ulimit -n, LimitNOFILE",
        )  # fmt: skip
    return room


def calm(loop: asyncio.AbstractEventLoop) -> None:
    """Log the lack of file descriptors once in a while, instead of thousands of times per second."""
    told_at = float("-inf")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        message = context.get("message", "")
        if "_start_serving" in message:
            return  # asyncio tries again for each time that it told, even when the server has ended meanwhile
        if "out of system resource" not in message:
            loop.default_exception_handler(context)
        elif time.monotonic() - told_at >= _TELL_AGAIN_S:
            told_at = time.monotonic()
            log("a connection cannot be taken", logging.ERROR, reason=str(context.get("exception")))

    loop.set_exception_handler(handle)
