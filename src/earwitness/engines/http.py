"""One POST to a transcription server, with the time that the network took kept apart. Standard library only.

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


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered to a request that it accepted."""

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
    where = address(url)
    connection = _connection(url)
    try:
        started = time.perf_counter()
        connection.connect()
        # A server may refuse and close before it has read all; then its answer says why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", _target(url), body, dict(headers))
        sent = time.perf_counter()
        with connection.getresponse() as response:
            answered = time.perf_counter()
            received = response.read(_MOST_BYTES + 1)
            ended = time.perf_counter()
            if response.length and len(received) <= _MOST_BYTES:  # read(n) is silent about an answer that breaks off
                raise http.client.IncompleteRead(received, response.length)
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise EngineError(f"{where} does not answer: {why}. Is the server up, and the address right?") from None
    finally:
        connection.close()
    if response.status != 200:
        raise EngineError(_refusal(where, response, received, secret))
    if len(received) > _MOST_BYTES:
        raise EngineError(f"{where} answered with more than {_MOST_BYTES >> 20} MiB. Is the address right?")
    worked_s = server_s(response.headers)
    if worked_s is not None and worked_s <= ended - started:
        return Reply(received, ended - started - worked_s, ("server_timing",))
    return Reply(received, (sent - started) + (ended - answered), ())


def try_connection(url: str) -> None:
    """Connect and close again: a server that is not there is told once, and not once a clip.

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
    """Return where a URL leads, without what may be secret.

    >>> address("https://user:secret@example.org:8000/v1/audio?key=secret")
    'https://example.org:8000/v1/audio'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def server_s(headers: Message) -> float | None:
    """Return the seconds that a server says it worked, or ``None`` when it does not say.

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


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        return kind(parts.hostname or "", parts.port)
    except ValueError:
        raise EngineError(f"{address(url)!r} has no port that can be. Correct the address.") from None


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _refusal(where: str, response: http.client.HTTPResponse, body: bytes, secret: str) -> str:
    if 300 <= response.status < 400:
        target = address(response.headers.get("Location") or "nowhere")
        return f"{where} redirects to {target!r}, and redirects are not followed. Put the right address into the row."
    text = body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(body)["error"]["message"])
    said = " ".join(text.split())[:_SHOWN]
    if secret:
        said = said.replace(secret, "[key]")
    why = " (it is not asked again: a retry would hide in the latency)" if response.status in (429, 503) else ""
    return f"{where} answered {response.status} {response.reason}{why}: {said or 'nothing'}"
