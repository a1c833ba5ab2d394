"""Requests to a transcription server, with separate network time. Standard library only.

Every request has a connection of its own, so that every clip's network time has the same parts. There are no retries:
they would hide in the latency what a user of the server would wait for. A redirect is not followed: it would send the
recording twice, and the key to whoever is named there. Proxies of the environment are not used.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

from earwitness.errors import EngineError

URL_PATTERN = r"https?://[^\s@?#]+"
_MOST_BYTES = 64 << 20
_SHOWN = 200
_GET_S = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a server to an accepted request."""

    body: bytes
    """All of it."""
    network_s: float
    """Seconds that were not the server's: see ``post``."""
    remarks: tuple[str, ...]
    """``server_timing`` when the server said how long it worked."""

    def json(self, where: str) -> dict[str, object]:
        """Return the body as a JSON object.

        Args:
            where: The server, for the message.

        Raises:
            EngineError: When it is something else; its beginning is shown.
        """
        try:
            data = json.loads(self.body)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            start = self.body[:_SHOWN].decode("utf-8", "replace")
            raise EngineError(f"{where} answered with something that is not a JSON object: {start!r}.")
        return data


@dataclass(frozen=True, slots=True)
class HttpReply:
    """The answer of a server, with its times."""

    status: int
    """Such as 200."""
    reason: str
    """The words beside it."""
    headers: Message
    """All of them."""
    body: bytes
    """At most 64 MiB and one byte."""
    sent_s: float
    """Seconds to connect and to hand the body to the system."""
    received_s: float
    """Seconds from its first bytes to its last."""
    wall_s: float
    """Seconds from the beginning to the end."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, secret: str = "") -> Reply:
    """Send one request and return the answer.

    ``network_s`` is the request's whole time less what the server says that it worked (``Server-Timing`` with a metric
    ``total``, or the only metric; ``openai-processing-ms``; ``x-processing-ms``). Where it does not say, it is the time
    to connect, to hand the body to the system, and to receive the answer after its first bytes; the wait between, which
    holds the server's work, one trip of the network, and the end of a large upload, is then not in it.

    Args:
        url: ``http`` or ``https``; its query is sent and never shown.
        body: What is sent.
        headers: Beside Content-Length and Host.
        secret: Taken out of every message.

    Raises:
        EngineError: In one sentence: no connection, any status but 200, a redirect, or too long an answer.
    """
    return _accepted("POST", url, body, headers, secret)


def get(url: str, headers: Mapping[str, str], *, secret: str = "") -> Reply:
    """Send a GET request, as ``post`` does, with at most ten seconds to answer.

    Raises:
        EngineError: As ``post``.
    """
    return _accepted("GET", url, None, headers, secret, timeout_s=_GET_S)


def _accepted(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    secret: str,
    *,
    timeout_s: float | None = None,
) -> Reply:
    where = address(url)
    try:
        answer = exchange(method, url, body, headers, timeout_s=timeout_s)
    except (OSError, http.client.HTTPException) as error:
        raise EngineError(f"{where} does not answer: {_why(error)}. Is the server up, and the address right?") from None
    if answer.status != 200:
        raise EngineError(_refusal(where, answer, secret))
    if len(answer.body) > _MOST_BYTES:
        raise EngineError(f"{where} answered with more than {_MOST_BYTES >> 20} MiB. Is the address right?")
    worked_s = server_s(answer.headers)
    if worked_s is not None and worked_s <= answer.wall_s:
        return Reply(answer.body, answer.wall_s - worked_s, ("server_timing",))
    return Reply(answer.body, answer.sent_s + answer.received_s, ())


def exchange(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, timeout_s: float | None = None
) -> HttpReply:
    """Send one request on a connection of its own and return the answer, whatever its status.

    Args:
        method: Such as ``POST``.
        url: ``http`` or ``https``; its query is sent and never shown.
        body: What is sent; ``None`` for nothing.
        headers: Beside Content-Length and Host.
        timeout_s: For every wait, to connect, send and receive; ``None`` for ever.

    Raises:
        OSError: When there is no connection, or it breaks; TimeoutError when a wait took too long.
        http.client.HTTPException: When the answer is not HTTP, or breaks off.
    """
    connection = _connection(url, timeout_s)
    with contextlib.closing(connection):
        started = time.perf_counter()
        connection.connect()
        # A server may refuse and close before it has read all; then its answer says why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, _target(url), body, dict(headers))
        sent = time.perf_counter()
        with connection.getresponse() as response:
            answered = time.perf_counter()
            received = response.read(_MOST_BYTES + 1)
            ended = time.perf_counter()
            if response.length and len(received) <= _MOST_BYTES:  # read(n) is silent about an answer that breaks off
                raise http.client.IncompleteRead(received, response.length)
    return HttpReply(
        response.status, response.reason, response.headers, received, sent - started, ended - answered, ended - started
    )


def try_connection(url: str) -> None:
    """Connect and close again, to report an unreachable server once and not for every clip.

    Raises:
        EngineError: When there is no connection to be had.
    """
    connection = _connection(url)
    try:
        connection.connect()
    except OSError as error:
        why = error.strerror or str(error)
        raise EngineError(
            f"{address(url)} cannot be reached: {why}. Is the server up, and the address right?"
        ) from None
    finally:
        connection.close()


def address(url: str) -> str:
    """Return a URL without parts that may be secret.

    >>> address("https://user:secret@example.org:8000/v1/audio?key=secret")
    'https://example.org:8000/v1/audio'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def server_s(headers: Message) -> float | None:
    """Return the seconds of work that a server reports; ``None`` if it reports none.

    >>> made = Message()
    >>> made["Server-Timing"] = 'queue;dur=3, total;desc="all";dur=250.5'
    >>> server_s(made)
    0.2505
    """
    for name in ("openai-processing-ms", "x-processing-ms"):
        with contextlib.suppress(TypeError, ValueError):
            return float(headers[name]) / 1000
    timed: dict[str, float] = {}
    for metric in ",".join(headers.get_all("Server-Timing") or ()).split(","):
        found = re.fullmatch(r"\s*([^;\s]+)\s*;(?:.*;)?\s*dur=([0-9.]+)\s*(?:;.*)?", metric)
        if found:
            timed[found[1].lower()] = float(found[2])
    taken = timed.get("total") if len(timed) != 1 else next(iter(timed.values()))
    return None if taken is None else taken / 1000


def multipart(fields: list[tuple[str, str]], filename: str, content: bytes) -> tuple[bytes, str]:
    """Return a form with one file as a body and its content type (RFC 7578).

    >>> body, kind = multipart([("model", "base")], "a.wav", b"RIFF")
    >>> body.count(kind.partition("boundary=")[2].encode()), b"RIFF" in body
    (3, True)
    """
    import secrets

    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    )
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _connection(url: str, timeout_s: float | None = None) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        return kind(parts.hostname or "", parts.port, timeout=timeout_s)
    except ValueError:
        raise EngineError(f"{address(url)!r} has an invalid port. Correct the address.") from None


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _refusal(where: str, answer: HttpReply, secret: str) -> str:
    if 300 <= answer.status < 400:
        target = address(answer.headers.get("Location") or "nowhere")
        return f"{where} redirects to {target!r}, and redirects are not followed. Put the right address into the row."
    text = answer.body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(answer.body)["error"]["message"])
    said = " ".join(text.split())[:_SHOWN]
    if secret:
        said = said.replace(secret, "[key]")
    why = " (there is no retry, which would be hidden in the latency)" if answer.status in (429, 503) else ""
    return f"{where} answered {answer.status} {answer.reason}{why}: {said or 'nothing'}"
