"""Middleware of every request: its id, access and rates, the end of its work if the client disconnects, a log line.

Layers, from outside: the id, the door (Host and Origin), CORS, then keys and rates, so that a page of another site that
may ask can read why its request was refused.
"""

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

from earwitness.server.api_errors import ApiError
from earwitness.server.http.access import Caller, Door
from earwitness.server.keys import Keyring, Rates
from earwitness.server.logs import log
from earwitness.server.request_context import KEY, Note
from earwitness.server.watch.metrics import Metrics
from earwitness.server.watch.traces import Traces

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
_STOPPING = ApiError(503, "The server is stopping.", code="stopping", retry_after_s=5)
_GUARDED = ("/v1/", "/state")
_ASKED_AGAIN_AND_AGAIN = ("/healthz", "/readyz", "/metrics", "/state")
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Outside:
    """The middleware, as plain ASGI so that nothing is buffered.

    Args:
        app: What is inside.
        metrics: Are told.
        keyring: Of the keys that may ask; ``None`` for anybody.
        rate_per_minute: For a key that has no rate of its own, or an address where there are no keys.
        door: Hosts, pages and proxies.
        traces: Are told; ``None`` for nobody.
        root_path: Under which a proxy passes requests on as they came, such as ``/asr``; empty for none.
    """

    def __init__(
        self,
        app: App,
        metrics: Metrics,
        keyring: Keyring | None,
        rate_per_minute: float | None,
        door: Door,
        traces: Traces | None = None,
        root_path: str = "",
    ) -> None:
        """Keep all of it."""
        self._app, self._metrics, self._keyring, self._door = app, metrics, keyring, door
        self._rate_per_minute, self._rates, self._traces = rate_per_minute, Rates(), traces
        self._root_path = root_path
        self._entry = _with_cors(self._admitted, door.origins) if door.origins else self._admitted
        self.leaving = False
        """Whether every connection is closed with its next answer, since the server is about to end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        reply = headers.get("x-request-id", "")
        caller = self._door.caller((scope.get("client") or ["unknown"])[0], headers)
        async with AsyncExitStack() as ends:
            note = Note(reply if _ID.fullmatch(reply) else uuid.uuid4().hex, ends, who=caller.address)
            inner = self._inner(scope)
            inner[KEY] = note
            wire = _Wire(receive, send, note, waits_to_go_on="expect" in headers, last=self.leaving)
            try:
                self._door.require(caller, headers.get("origin"))
                if not inner["path"]:
                    await wire.redirect(f"{self._root_path}/")
                else:
                    await wire.run(self._entry, inner)
            except ApiError as refused:
                note.reason = refused.code
                await wire.refuse(refused)
            except asyncio.CancelledError:
                # The time to end in is over. What has begun breaks off, which is clear enough.
                note.reason = _STOPPING.code
                if not wire.begun:
                    await wire.refuse(_STOPPING)
            finally:
                await asyncio.shield(ends.aclose())
                self._tell({**inner, "method": scope["method"]}, headers, note, wire, caller)

    def _inner(self, scope: Scope) -> Scope:
        # RFC 9110, 9.3.2: the answer to HEAD is that to GET, and the server beneath leaves the body out.
        path, root = scope["path"], self._root_path
        if root and (path == root or path.startswith(f"{root}/")):
            path = path.removeprefix(root)
        return {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"], "path": path}

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        note: Note = scope[KEY]
        try:
            self._admit(scope, _headers(scope), note)
        except ApiError as refused:
            note.reason = refused.code
            await _refuse(send, refused)
        else:
            await self._app(scope, receive, send)

    def _admit(self, scope: Scope, headers: dict[str, str], note: Note) -> None:
        if scope["method"] == "OPTIONS" or not scope["path"].startswith(_GUARDED):
            return
        rate = self._rate_per_minute
        if self._keyring is not None:
            key = self._keyring.find(headers.get("authorization", ""))
            if key is None:
                raise ApiError(401, "Send a key of this server: Authorization: Bearer KEY.", code="invalid_api_key")
            note.key, note.who, rate = key.name, f"key {key.name}", key.rate_per_minute or rate
        if scope["method"] != "POST":
            return
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise ApiError(
                415, "Send the body without a Content-Encoding; the server supports none.", code="unsupported_encoding"
            )
        wait_s = 0.0 if rate is None else self._rates.wait_s(note.who, rate)
        if wait_s:
            raise ApiError(
                429,
                f"More than {rate:g} requests a minute. Try again in {math.ceil(wait_s)} s.",
                code="rate_limit_exceeded",
                retry_after_s=math.ceil(wait_s),
            )

    def _tell(self, scope: Scope, headers: dict[str, str], note: Note, wire: _Wire, caller: Caller) -> None:
        wall_s = time.monotonic() - note.began_at
        route = scope.get("route")
        note.route = str(getattr(route, "path", "")) or "none"
        status = CLOSED if wire.is_gone and not wire.finished else wire.status
        note.reason = CLIENT_CLOSED if status == CLOSED else note.reason
        self._metrics.requests.labels(note.route, str(status)).inc()
        if note.reason is not None:
            self._metrics.rejected.labels(note.reason).inc()
        level = {500: logging.ERROR, 503: logging.WARNING, 504: logging.WARNING}.get(status, logging.INFO)
        if scope["method"] == "POST" or (status >= 400 and note.route not in _ASKED_AGAIN_AND_AGAIN):
            trace_id = self._traces.add(note, scope["method"], status, headers) if self._traces is not None else None
            log(
                "request", level, request_id=note.request_id, trace_id=trace_id, method=scope["method"],
                route=note.route, status=status, seconds=wall_s, client=caller.address, key=note.key, model=note.model,
                reason=note.reason,
                **note.fields,
            )  # fmt: skip


class _Wire:
    """Both directions of a request: the id goes out with the answer, and a client that disconnects ends the work."""

    def __init__(self, receive: Receive, send: Send, note: Note, *, waits_to_go_on: bool, last: bool) -> None:
        self.status = 500
        self._last = last
        self._waits_to_go_on = waits_to_go_on
        self.begun = self.finished = False
        self._receive, self._send, self._note = receive, send, note
        self._hung_up = asyncio.Event()
        self._whole = False
        self._work: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the client disconnected."""
        return self._hung_up.is_set()

    async def run(self, app: App, scope: Scope) -> None:
        self._work = asyncio.ensure_future(app(scope, self._received, self.send))
        try:
            await self._work
        except asyncio.CancelledError:
            if not self.is_gone:
                raise
        finally:
            if self._watch is not None:
                self._watch.cancel()

    async def refuse(self, error: ApiError) -> None:
        await _refuse(self.send, error)

    async def redirect(self, location: str) -> None:
        headers = [(b"location", location.encode()), (b"content-length", b"0")]
        await self.send({"type": "http.response.start", "status": 308, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun, self.status = True, message["status"]
            await self._linger()
            ours = [(b"x-request-id", self._note.request_id.encode()), *_ALWAYS]
            if self._note.model is not None:
                ours.append((b"earwitness-model", self._note.model.encode()))
            # What is still to come of a refused request is not to be taken for the next one.
            if self._last or not self._whole:
                ours.append((b"connection", b"close"))
            message = {**message, "headers": [*message.get("headers", ()), *ours]}
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
                while left > 0 and not self._whole and not self.is_gone:
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


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


async def _refuse(send: Send, error: ApiError) -> None:
    body = json.dumps(error.body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **error.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _with_cors(app: App, origins: tuple[str, ...]) -> App:
    from starlette.middleware.cors import CORSMiddleware

    found: App = CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST"],
        # OpenAI's client sends ten of its own, and more with each version. They change nothing here.
        allow_headers=["*"],
        allow_private_network=True,
        expose_headers=["Earwitness-Model", "Retry-After", "Server-Timing", "X-Request-Id"],
    )
    return found
