"""A trace of every request: what a collector gets, and that nothing is slower, or imported, for want of one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.server.serving import CRASH, LONG, SLOW, Running, answering, form, running, script_folder, until, wav

pytestmark = pytest.mark.real  # each starts a server
SENT_AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
# As a machine without the extra, which tells of whoever asks for it even where the error is caught. FastAPI needs
# the API of OpenTelemetry, which does nothing alone.
WITHOUT = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto")):
            print("it was asked for", file=open({told!r}, "a"))
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
"""


class Collector:
    """Takes OTLP over HTTP, as any collector does, and keeps it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
                bodies.append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Of whom spans have come."""
        parsed = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [values(one.resource.attributes) for request in parsed for one in request.resource_spans]

    @property
    def spans(self) -> list[Any]:
        """Every span that has come."""
        parsed = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        scopes = [scope for request in parsed for one in request.resource_spans for scope in one.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def of(self, request_id: str) -> tuple[Any, dict[str, Any]]:
        """The span of a request, and its parts by name, once they are there."""
        asked = until(
            lambda: [s for s in self.spans if values(s.attributes).get("earwitness.request_id") == request_id]
        )
        (request,) = asked
        # They are sent in the order in which they ended: what is inside was before.
        return request, {span.name: span for span in self.spans if span.parent_span_id == request.span_id}


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    with answering(collector.server):
        yield collector


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Collector, str]]:
    folder = tmp_path_factory.mktemp("traced")
    model = f"fake:{script_folder(folder / 'model')}"
    with collecting() as collector:
        around = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **SENT_AT_ONCE}
        around["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment.name=test"
        with running(
            folder, "--model", model, "--workers", "1", "--timeout", "30", "--log-text", around=around
        ) as server:
            yield server, collector, model


def ask(server: Running, n_samples: int, **headers: str) -> Any:
    body, kind = form({}, wav(n_samples))
    return server.ask("/v1/audio/transcriptions", "POST", body, {"Content-Type": kind, **headers})


def line_of(server: Running, request_id: str) -> dict[str, Any]:
    (line,) = until(lambda: [row for row in server.log if row.get("request_id") == request_id])
    return dict(line)


def test_a_request_is_one_trace_with_its_parts_and_numbers(traced: tuple[Running, Collector, str]) -> None:
    server, collector, model = traced
    before = time.time_ns()
    reply = ask(server, SLOW)
    request, parts = collector.of(reply.headers["x-request-id"])
    told = values(request.attributes)
    assert (request.name, request.kind) == ("POST /v1/audio/transcriptions", 2)  # a server's
    assert (told["http.response.status_code"], told["earwitness.model"], told["earwitness.attempts"]) == (200, model, 1)
    assert told["earwitness.audio_s"] == pytest.approx(SLOW / 16_000)
    assert sorted(parts) == ["decode", "queue", "transcribe", "upload"]
    assert {span.trace_id for span in parts.values()} == {request.trace_id}
    in_turn = [parts[name] for name in ("upload", "decode", "queue", "transcribe")]
    times = [request.start_time_unix_nano]
    for span in in_turn:
        times += [span.start_time_unix_nano, span.end_time_unix_nano]
    times.append(request.end_time_unix_nano)
    assert times == sorted(times), "each begins when the one before has ended, and all lie in the request"
    assert before <= times[0]
    assert times[-1] <= time.time_ns()
    worked_s = (parts["transcribe"].end_time_unix_nano - parts["transcribe"].start_time_unix_nano) / 1e9
    assert told["earwitness.wall_s"] <= worked_s
    assert line_of(server, reply.headers["x-request-id"])["trace_id"] == request.trace_id.hex()


def test_the_service_has_a_name_and_what_the_environment_says_of_it(traced: tuple[Running, Collector, str]) -> None:
    server, collector, _ = traced
    ask(server, SLOW)
    resource = until(lambda: collector.resources)[0]
    assert resource["service.name"] == "earwitness"
    assert resource["deployment.environment.name"] == "test"


def test_a_trace_that_the_client_began_goes_on(traced: tuple[Running, Collector, str]) -> None:
    server, collector, _ = traced
    reply = ask(server, SLOW, traceparent=f"00-{TRACE}-{ABOVE}-01")
    request, parts = collector.of(reply.headers["x-request-id"])
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, ABOVE)
    assert {span.trace_id.hex() for span in parts.values()} == {TRACE}
    assert line_of(server, reply.headers["x-request-id"])["trace_id"] == TRACE
    broken = ask(server, SLOW, traceparent="rubbish")
    assert collector.of(broken.headers["x-request-id"])[0].parent_span_id == b""


def test_what_the_client_does_not_want_sampled_is_not_sent(traced: tuple[Running, Collector, str]) -> None:
    server, collector, _ = traced
    quiet = ask(server, SLOW, traceparent=f"00-{TRACE[::-1]}-{ABOVE}-00", **{"X-Request-Id": "quiet"})
    assert quiet.status == 200
    collector.of(ask(server, SLOW).headers["x-request-id"])
    assert not [span for span in collector.spans if span.trace_id.hex() == TRACE[::-1]]
    assert line_of(server, "quiet")["trace_id"] == TRACE[::-1]


def test_refusals_and_failures_are_traces_with_their_reason(traced: tuple[Running, Collector, str]) -> None:
    server, collector, _ = traced
    for reply, status, reason, names in (
        (server.hear(content=b"rubbish"), 400, "invalid_audio", ["decode", "upload"]),
        (server.hear(temperature="1"), 400, "invalid_value", ["upload"]),
        (server.hear(CRASH), 500, "worker_died", ["decode", "queue", "transcribe", "upload"]),
        (server.hear(LONG), 504, "timeout", ["decode", "queue", "transcribe", "upload"]),
    ):
        request, parts = collector.of(reply.headers["x-request-id"])
        told = values(request.attributes)
        assert (told["http.response.status_code"], told["error.type"]) == (reply.status, reason) == (status, reason)
        assert (request.status.code == 2) == (status >= 500)
        assert sorted(parts) == names
        assert told.get("earwitness.attempts") == (2 if status == 500 else 1 if status == 504 else None)


def test_nothing_that_was_said_and_no_probe_of_the_server_is_sent(traced: tuple[Running, Collector, str]) -> None:
    server, collector, _ = traced
    assert server.hear().data["text"] == "hello there"
    collector.of(ask(server, SLOW).headers["x-request-id"])
    for path in ("/healthz", "/readyz", "/metrics"):
        server.ask(path)
    assert any("hello there" in str(row) for row in server.log), "with --log-text, the log has it"
    assert b"hello" not in b"".join(collector.bodies)
    sent = {span.name for span in collector.spans}
    assert sent == {"POST /v1/audio/transcriptions", "upload", "decode", "queue", "transcribe"}


def test_what_is_left_is_sent_when_the_server_stops(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with collecting() as collector:
        around = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        with running(tmp_path, "--model", model, "--workers", "1", around=around) as server:
            assert server.hear().status == 200
            assert collector.spans == []
        assert len(collector.spans) == 5


@contextlib.contextmanager
def deaf() -> Iterator[str]:
    """A collector that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def away() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("collector", [away, pytest.param(deaf, marks=pytest.mark.long)])
def test_a_collector_that_is_away_delays_no_request_and_the_end_by_a_moment(collector: Any, tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with collector() as url:
        # A queue of one batch, so that there is always a batch under way and the rest is dropped.
        around = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_MAX_QUEUE_SIZE": "4"}
        # The exporter gives a batch up after an hour: what waited for it would not end within the time of this test.
        around |= {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4", "OTEL_EXPORTER_OTLP_TIMEOUT": "3600", **SENT_AT_ONCE}
        with running(tmp_path, "--model", model, "--workers", "1", around=around) as server:
            for _ in range(40):
                assert server.hear().status == 200
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=120) == 0
            assert not [row for row in server.log if row["event"] == "unexpected"]


def without(folder: Path) -> dict[str, str]:
    """What makes Python one without OpenTelemetry that tells who asked for it."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT.format(told=str(folder / "told")), encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


@pytest.mark.parametrize("off", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {"OTEL_SDK_DISABLED": "true"}])
def test_nothing_is_imported_when_no_traces_are_wanted(off: dict[str, str], tmp_path: Path) -> None:
    if "OTEL_SDK_DISABLED" in off:
        off = {**off, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with running(tmp_path, "--model", model, "--workers", "1", around={**without(tmp_path / "bare"), **off}) as server:
        reply = server.hear()
        assert reply.status == 200
        assert "trace_id" not in line_of(server, reply.headers["x-request-id"])
    assert not (tmp_path / "bare" / "told").exists()


@pytest.mark.parametrize(
    ("around", "said"),
    [
        ({}, "need 'opentelemetry.exporter', which is not installed. Run: pip install 'earwitness[otel]'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc', and traces are sent as"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "'localhost:4318', which is not a URL"),
    ],
)
def test_what_traces_lack_is_said_in_one_sentence_at_the_start(
    around: dict[str, str], said: str, tmp_path: Path
) -> None:
    around = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        **without(tmp_path / "bare"),
        **around,
    }
    command = [sys.executable, "-m", "earwitness", "serve", "--port", "0", "--model", "fake:echo"]
    done = subprocess.run(command, env=around, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
