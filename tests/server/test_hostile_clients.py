"""Clients that hold the door: silent, slow, many, or not speaking HTTP; and forms as odd as they may be."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.serving import Running, form, running, script_folder, until, wav

from earwitness.server.api_errors import ApiError
from earwitness.server.http.uploads import UploadForm, Uploads, receive

HOLDS = ("server/http/connections.py",)


@pytest.fixture
def model(tmp_path: Path) -> str:
    return f"fake:{script_folder(tmp_path / 'model')}"


def connected(server: Running, address: str = "127.0.0.1") -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60, source_address=(address, 0))


def answered(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    """The status, the headers and the JSON of what comes until the other end closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            found += part
    head, _, body = found.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, json.loads(body)


def one_answer(connection: socket.socket) -> int:
    """Ask on a connection that stays, and take the whole answer from it."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def healthy(server: Running, address: str) -> int:
    connection = connected(server, address)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    with contextlib.closing(connection):
        return answered(connection)[0]


UPLOAD = (
    b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=B\r\n"
    b"Content-Length: 99999\r\n\r\n--B\r\n"
)


def test_who_says_nothing_or_too_little_is_let_go_in_time(tmp_path: Path, model: str) -> None:
    began = time.monotonic()
    with running(tmp_path / "server", "--model", model) as server, contextlib.ExitStack() as opened:
        silent, half, again, slow = (opened.enter_context(connected(server)) for _ in range(4))
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        assert one_answer(again) == 200
        again.sendall(b"GET /hea")
        slow.sendall(UPLOAD)
        for _ in range(60):
            if slow in until_readable([slow], 0.5):
                break
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                slow.sendall(b"x")
        status, _, body = answered(slow)
        assert (status, body["error"]["code"]) == (408, "upload_too_slow")
        assert silent.recv(9) == b""
        for one in (half, again):
            status, headers, body = answered(one)
            assert (status, body["error"]["code"]) == (408, "request_timeout")
            assert headers["x-request-id"]
        assert server.metrics["rejected_total", "request_timeout"] == 2
        assert server.ask("/healthz").status == 200
    assert time.monotonic() - began >= 20, "nobody is let go before the time is up"


def until_readable(sockets: list[socket.socket], seconds: float) -> list[socket.socket]:
    import select

    return select.select(sockets, [], [], seconds)[0]


def test_one_address_has_half_of_the_connections_and_the_others_are_served(tmp_path: Path, model: str) -> None:
    with running(tmp_path / "server", "--model", model, "--connections", "8") as server:
        until(lambda: healthy(server, "127.0.0.2") == 200)
        with contextlib.ExitStack() as opened:
            for _ in range(4):
                opened.enter_context(connected(server, "127.0.0.5"))
            fifth = opened.enter_context(connected(server, "127.0.0.5"))
            status, headers, body = answered(fifth)
            assert (status, body["error"]["code"]) == (503, "too_many_connections")
            assert headers["retry-after"] == "5"
            assert healthy(server, "127.0.0.2") == 200
        until(lambda: healthy(server, "127.0.0.5") == 200)
        assert server.metrics["rejected_total", "too_many_connections"] >= 1


def test_slow_uploads_of_one_address_shut_out_nobody_else(tmp_path: Path, model: str) -> None:
    body, kind = form({}, wav())
    with (
        running(tmp_path / "server", "--model", model, "--workers", "1", "--queue", "2") as server,
        contextlib.ExitStack() as opened,
    ):
        for _ in range(40):
            opened.enter_context(connected(server, "127.0.0.5")).sendall(UPLOAD)
        until(lambda: server.metrics.get(("rejected_total", "too_many_uploads"), 0) == 40 - 6, 60)
        host, port = server.url.removeprefix("http://").split(":")
        good = http.client.HTTPConnection(host, int(port), timeout=60, source_address=("127.0.0.2", 0))
        good.request("POST", "/v1/audio/transcriptions", body, {"Content-Type": kind})
        assert good.getresponse().status == 200
        good.close()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="there is no prlimit here: run it on Linux")
def test_out_of_file_descriptors_the_server_goes_on_and_logs_little(tmp_path: Path, model: str) -> None:
    with running(tmp_path / "server", "--model", model) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (100, 100))
        with contextlib.ExitStack() as opened:
            for _ in range(200):
                opened.enter_context(connected(server))
            until(lambda: [row for row in server.log if row["event"] == "a connection cannot be taken"])
            time.sleep(3)
            assert server.log_path.stat().st_size < 10_000
        until(lambda: healthy(server, "127.0.0.2") == 200)
    assert server.log_path.stat().st_size < 10_000, "nor when it ends"


def test_there_are_no_more_connections_than_files_may_be_open() -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (200, {hard}))
from earwitness.server.http.connections import room_for_connections
print(room_for_connections(1000, 20, 2), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""

    def room(hard: int) -> str:
        command = [sys.executable, "-c", code.format(hard=hard)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    assert room(2000) == "1000 1164", "the soft limit is raised as far as it has to be"
    assert room(500) == "336 500"


def test_what_is_no_http_is_refused_like_everything_else(tmp_path: Path, model: str) -> None:
    with running(tmp_path / "server", "--model", model) as server:
        for nonsense in (
            b"\x16\x03\x01\x02\x00\x01\x00",  # a client that begins with TLS
            b"hello\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        ):
            with connected(server) as connection:
                connection.sendall(nonsense)
                status, headers, body = answered(connection)
            assert (status, body["error"]["code"]) == (400, "malformed_request"), nonsense[:40]
            assert len(headers["x-request-id"]) == 32
        assert server.metrics["rejected_total", "malformed_request"] == 6
        assert server.metrics["requests_total", "none", "400"] == 6


def test_an_idle_connection_is_kept_as_long_as_it_is_told(tmp_path: Path, model: str) -> None:
    with running(tmp_path / "server", "--model", model, "--keep-alive", "1") as server, connected(server) as connection:
        assert one_answer(connection) == 200
        assert connection.recv(9) == b"", "it is closed after its second"


def test_a_body_that_is_packed_is_refused_and_not_passed_over(shared: Running) -> None:
    body, kind = form({}, wav())
    for coding, status in (("gzip", 415), ("br", 415), ("identity", 200), ("Identity", 200)):
        headers = {"Content-Type": kind, "Content-Encoding": coding}
        assert shared.ask("/v1/audio/transcriptions", "POST", body, headers).status == status, coding


def part(name: str, content: bytes, head: str = "Content-Disposition", more: str = "") -> bytes:
    return f'{head}: form-data; name="{name}"{more}\r\n\r\n'.encode() + content


FILE = part("file", wav(), more='; filename="a.wav"')
MODEL = part("model", b"default")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("boundary=B", b"This is a message in parts.\r\n--B\r\n" + FILE + b"\r\n--B--\r\n"),
        ("boundary=B", b"\r\n--B\r\n" + FILE + b"\r\n--B--\r\n"),
        ("boundary=B", b"--B\r\n" + FILE + b"\r\n--B--\r\nAnd this comes behind it.\r\n"),
        ("boundary=B", b"--B\r\n" + FILE + b"\r\n--B--"),
        ("boundary=B", b"--B\r\n" + FILE + b"\r\n--B\r\n" + MODEL + b"\r\n--B--\r\n"),
        ("boundary=B", b"about --B and -\r\n-B\r\n--B\r\n" + FILE + b"\r\n--B--\r\n"),
        ('boundary="a b:c"', b"--a b:c\r\n" + FILE + b"\r\n--a b:c--\r\n"),
        ("charset=utf-8; BOUNDARY=B", b"--B\r\n" + FILE + b"\r\n--B--\r\n"),
        ("boundary=B", b"--B\r\n" + FILE.replace(b"Content-Disposition", b"CONTENT-disposition") + b"\r\n--B--\r\n"),
        ("boundary=B", b"--B\r\nContent-Type: audio/wav\r\n" + FILE + b"\r\n--B--\r\n"),
        ("boundary=B", b"--B\r\n" + FILE.replace(b'"a.wav"', '"стих и \\" \'x\'.wav"'.encode()) + b"\r\n--B--\r\n"),
    ],
)
def test_a_form_may_be_as_odd_as_the_standard_lets_it_be(shared: Running, kind: str, body: bytes) -> None:
    headers = {"content-TYPE": f"multipart/form-data; {kind}"}
    whole = shared.ask("/v1/audio/transcriptions", "POST", body, headers)
    assert (whole.status, whole.data["text"]) == (200, "hello there")
    chunks = (body[n : n + 7] for n in range(0, len(body), 7))
    chunked = shared.ask("/v1/audio/transcriptions", "POST", chunks, headers)
    assert (chunked.status, chunked.data["text"]) == (200, "hello there")


def test_a_field_that_may_come_again_may_and_others_may_not(shared: Running) -> None:
    def ask(*parts: bytes) -> tuple[int, Any]:
        body = b"".join(b"--B\r\n" + one + b"\r\n" for one in (*parts, FILE)) + b"--B--\r\n"
        reply = shared.ask(
            "/v1/audio/transcriptions", "POST", body, {"Content-Type": "multipart/form-data; boundary=B"}
        )
        return reply.status, reply.data

    verbose, segment = part("response_format", b"verbose_json"), part("timestamp_granularities[]", b"segment")
    status, data = ask(verbose, segment, segment)
    assert (status, len(data["segments"])) == (200, 1)
    assert ask(MODEL, MODEL)[1]["error"]["message"] == "Parameter 'model' is given more than once."
    assert ask(part("user", b"me"))[1]["error"]["param"] == "user"
    twice = ask(FILE)[1]["error"]
    assert (twice["message"], twice["code"]) == ("There is more than one file. Send one per request.", "invalid_value")


def test_a_client_that_waits_to_be_told_to_go_on_is_told(shared: Running) -> None:
    body = b"--B\r\n" + FILE + b"\r\n--B--\r\n"
    with connected(shared) as connection:
        connection.sendall(
            b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: %d\r\n\r\n"
            % len(body)
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        status, _, found = answered(connection)
    assert (status, found["text"]) == (200, "hello there")


def test_an_upload_is_timed_by_its_rate(tmp_path: Path) -> None:
    body, kind = form({}, bytes(20_000))

    async def chunks(size: int, wait_s: float) -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]
            await asyncio.sleep(wait_s)

    def upload(size: int, wait_s: float) -> UploadForm:
        return asyncio.run(receive(chunks(size, wait_s), kind, None, tmp_path / "upload", 1 << 20, grace_s=0.3))

    with pytest.raises(ApiError, match="slower than 1000 bytes per second") as caught:
        upload(10, 0.1)
    assert (caught.value.status, caught.value.code) == (408, "upload_too_slow")
    assert upload(5_000, 0.5).size_bytes == 20_000, "which takes longer than the grace, and is fast"


def test_one_client_has_half_of_the_places_for_uploads() -> None:
    uploads = Uploads()
    with contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(uploads.place("a", 6))
        with pytest.raises(ApiError), uploads.place("a", 6):
            pass
        for who in ("b", "c", "d"):
            held.enter_context(uploads.place(who, 6))
        with pytest.raises(ApiError), uploads.place("e", 6):
            pass
    with uploads.place("a", 1):
        pass
