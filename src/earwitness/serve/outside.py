"""Around every request: its id, who may ask and how often, the end of its work when the client is gone, a log line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from earwitness.serve.keys import Keyring, Rates
from earwitness.serve.logs import log
from earwitness.serve.metrics import Metrics
from earwitness.serve.note import KEY, Note
from earwitness.serve.refused import Refused
from earwitness.serve.traces import Traces

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
CLOSED = 499
"""Status in logs and metrics of a request whose client was gone before the answer; there is no such answer."""
CLIENT_CLOSED = "client_closed"
"""Reason in logs and metrics of such a request."""
SEND_S = 30.0
"""That a client may let an answer wait before it counts as gone."""
_LINGER_S = 2.0
_LINGER_BYTES = 64 << 20
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STOPPING = Refused(503, "The server is stopping.", code="stopping", retry_after_s=5)
_GUARDED = ("/v1/", "/state")
_ASKED_AGAIN_AND_AGAIN = ("/healthz", "/readyz", "/metrics", "/state")
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Outside:
    """What every request passes through, written down to the protocol so that nothing is buffered on the way.

    Args:
        app: What is inside.
        metrics: Are told.
        keyring: Of the keys that may ask; ``None`` for anybody.
        rate_per_minute: For a key that has no rate of its own, or an address where there are no keys.
        origins: Of pages from elsewhere that may ask.
        traces: Are told; ``None`` for nobody.
    """

    def __init__(
        self,
        app: App,
        metrics: Metrics,
        keyring: Keyring | None,
        rate_per_minute: float | None,
        origins: tuple[str, ...],
        traces: Traces | None = None,
    ) -> None:
        """Keep all of it."""
        self._app, self._metrics, self._keyring, self._origins = app, metrics, keyring, origins
        self._rate_per_minute, self._rates, self._traces = rate_per_minute, Rates(), traces
        self.leaving = False
        """Whether every connection is closed with its next answer, since the server is about to end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        async with AsyncExitStack() as ends:
            note = Note(given if _ID.fullmatch(given) else uuid.uuid4().hex, ends)
            scope[KEY] = note
            wire = _Wire(receive, send, note, waits_to_go_on="expect" in headers, last=self.leaving)
            try:
                self._admit(scope, headers, note)
                await wire.run(self._app, scope)
            except Refused as refused:
                note.reason = refused.code
                await wire.refuse(refused)
            except asyncio.CancelledError:
                # The time to end in is over. What has begun breaks off, which is clear enough.
                note.reason = _STOPPING.code
                if not wire.begun:
                    await wire.refuse(_STOPPING)
            finally:
                await asyncio.shield(ends.aclose())
                self._tell(scope, headers, note, wire)

    def _admit(self, scope: Scope, headers: dict[str, str], note: Note) -> None:
        origin = headers.get("origin")
        if origin is not None and not self._may_ask(origin, headers.get("host", "")):
            raise Refused(403, f"Pages of {origin[:200]!r} may not ask this server: --cors lets them.", code="origin")
        if scope["method"] == "OPTIONS" or not scope["path"].startswith(_GUARDED):
            return
        who, rate = (scope.get("client") or ["unknown"])[0], self._rate_per_minute
        if self._keyring is not None:
            key = self._keyring.find(headers.get("authorization", ""))
            if key is None:
                raise Refused(401, "Send a key of this server: Authorization: Bearer KEY.", code="invalid_api_key")
            note.key, who, rate = key.name, f"key {key.name}", key.rate_per_minute or rate
        if rate is None or scope["method"] != "POST":
            return
        wait_s = self._rates.wait_s(who, rate)
        if wait_s:
            raise Refused(
                429,
                f"More than {rate:g} requests a minute. Try again in {math.ceil(wait_s)} s.",
                code="rate_limit_exceeded",
                retry_after_s=math.ceil(wait_s),
            )

    def _may_ask(self, origin: str, host: str) -> bool:
        # A page from elsewhere can post a form to a server on the user's own machine without asking anybody.
        return origin in self._origins or urlsplit(origin).netloc == host

    def _tell(self, scope: Scope, headers: dict[str, str], note: Note, wire: _Wire) -> None:
        wall_s = time.monotonic() - note.began_at
        route = scope.get("route")
        note.route = str(getattr(route, "path", "")) or "none"
        status = CLOSED if wire.gone and not wire.finished else wire.status
        note.reason = CLIENT_CLOSED if status == CLOSED else note.reason
        self._metrics.requests.labels(note.route, str(status)).inc()
        if note.reason is not None:
            self._metrics.rejected.labels(note.reason).inc()
        level = {500: logging.ERROR, 503: logging.WARNING, 504: logging.WARNING}.get(status, logging.INFO)
        if scope["method"] == "POST" or (status >= 400 and note.route not in _ASKED_AGAIN_AND_AGAIN):
            trace_id = self._traces.add(note, scope["method"], status, headers) if self._traces is not None else None
            log(
                "request", level, request_id=note.request_id, trace_id=trace_id, method=scope["method"],
                route=note.route, status=status, seconds=wall_s, key=note.key, model=note.model, reason=note.reason,
                **note.fields,
            )  # fmt: skip


class _Wire:
    """Both directions of a request: the id goes out with the answer, and a client that hangs up ends the work."""

    def __init__(self, receive: Receive, send: Send, note: Note, *, waits_to_go_on: bool, last: bool) -> None:
        self.status = 500
        self._always = (*_ALWAYS, (b"connection", b"close")) if last else _ALWAYS
        self._waits_to_go_on = waits_to_go_on
        self.begun = self.finished = False
        self._receive, self._send, self._note = receive, send, note
        self._hung_up = asyncio.Event()
        self._whole = False
        self._work: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def gone(self) -> bool:
        """Whether the client hung up."""
        return self._hung_up.is_set()

    async def run(self, app: App, scope: Scope) -> None:
        self._work = asyncio.ensure_future(app(scope, self._received, self.send))
        try:
            await self._work
        except asyncio.CancelledError:
            if not self.gone:
                raise
        finally:
            if self._watch is not None:
                self._watch.cancel()

    async def refuse(self, refused: Refused) -> None:
        body = json.dumps(refused.body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **refused.headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": refused.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
            await self._linger()
            request_id = (b"x-request-id", self._note.request_id.encode())
            message = {**message, "headers": [*message.get("headers", ()), request_id, *self._always]}
        elif not message.get("more_body"):
            self.finished = True
        try:
            async with asyncio.timeout(SEND_S):
                await self._send(message)
        except TimeoutError:
            # One who takes nothing is as good as gone, and would hold a place in the queue for as long as it likes.
            self._end()

    async def _linger(self) -> None:
        # A connection that is closed on a client that still sends is reset, and the answer lost on it: a refusal takes
        # in, and throws away, what is to come, for a while. One who waits to be told to go on has sent nothing.
        if self._whole or self._waits_to_go_on:
            return
        left = _LINGER_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while left > 0 and not self._whole and not self.gone:
                    left -= len((await self._received()).get("body", b""))

    async def _received(self) -> Message:
        if self._whole:
            await self._hung_up.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._waits_to_go_on = False
        if message["type"] == "http.disconnect":
            self._hung_up.set()
        elif not message.get("more_body"):
            self._whole = True
            self._watch = asyncio.ensure_future(self._until_gone())
        return message

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        # The server says so after every whole answer, too.
        if not self.finished:
            self._end()

    def _end(self) -> None:
        self._hung_up.set()
        if self._work is not None:
            self._work.cancel()
