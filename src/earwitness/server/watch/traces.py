"""A trace of every request for OpenTelemetry, if the environment names a collector; otherwise no SDK is imported.

Nothing is called on the way: when a request has ended, its spans are made of what its note holds. They have ids,
numbers and settings in them, never audio or text. Whatever ``OTEL_`` variables the SDK and its exporter know are theirs
to read.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from earwitness import __version__
from earwitness.errors import UsageError
from earwitness.server.request_context import Note

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_TOLD = (
    "format", "language", "stream", "upload_bytes", "audio_s", "decode_s", "queue_s", "first_text_s", "wall_s",
    "attempts",
)  # fmt: skip
_CLOSE_S = 1.0


class Traces:
    """Sends spans to a collector, from a thread of the SDK.

    Args:
        provider: Of the SDK.
    """

    def __init__(self, provider: TracerProvider) -> None:
        """Send nothing yet."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider, self._above = provider, TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer("earwitness.server", __version__)

    def add(self, note: Note, method: str, status: int, headers: Mapping[str, str]) -> str:
        """Send the spans of a request that has ended; return the id of its trace.

        Args:
            note: What is known of it.
            method: Of HTTP.
            status: Of the answer.
            headers: Of the request, in small letters: ``traceparent`` says which trace it belongs to.
        """
        from opentelemetry.trace import SpanKind, StatusCode, format_trace_id, set_span_in_context

        now, now_ns = time.monotonic(), time.time_ns()

        def clock_ns(moment: float) -> int:
            return now_ns - round(1e9 * (now - moment))

        request = self._tracer.start_span(
            f"{method} {note.route}",
            self._above.extract(headers),
            SpanKind.SERVER,
            _attributes(note, method, status),
            start_time=clock_ns(note.began_at),
        )
        if status >= 500:
            request.set_status(StatusCode.ERROR)
        inside = set_span_in_context(request)
        for name, (began_at, ended_at) in note.parts.items():
            self._tracer.start_span(name, inside, start_time=clock_ns(began_at)).end(clock_ns(ended_at))
        request.end(now_ns)
        return format_trace_id(request.get_span_context().trace_id)

    def close(self) -> None:
        """Send the rest; a collector that does not accept it within a second loses it."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True, name="last traces")
        ending.start()
        ending.join(_CLOSE_S)


@contextmanager
def trace() -> Iterator[Traces | None]:
    """Open and close the sender of traces; ``None`` if the environment does not request traces.

    Raises:
        UsageError: When it asks for what cannot be had: the extra is missing, or a variable is wrong.
    """
    endpoint = _first(_ENDPOINTS)
    if endpoint is None or _is_off():
        yield None
        return
    traces = _opened(*endpoint)
    try:
        yield traces
    finally:
        traces.close()


def _opened(variable: str, endpoint: str) -> Traces:
    name, protocol = _first(_PROTOCOLS) or ("", _PROTOCOL)
    if protocol != _PROTOCOL:
        raise UsageError(f"{name} is {protocol!r}, and traces are sent as {_PROTOCOL!r} only. Leave it out.")
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise UsageError(f"{variable} is {endpoint!r}, which is not a URL. Write one such as http://127.0.0.1:4318.")
    try:
        return Traces(_provider())
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{variable} asks for traces, which need {error.name!r}, which is not installed. "
            "Run: pip install 'earwitness[otel]'"
        ) from None
    except ValueError as error:
        raise UsageError(f"The environment's OTEL_ variables cannot be used: {error}.") from error


def _provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource.create({"service.name": "earwitness", "service.version": __version__})
    # Last, since what the environment says of the service is to be heard.
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _attributes(note: Note, method: str, status: int) -> dict[str, str | int | float]:
    told = {
        "http.request.method": method,
        "http.route": note.route,
        "http.response.status_code": status,
        "error.type": note.reason,
        "earwitness.request_id": note.request_id,
        "earwitness.model": note.model,
        **{f"earwitness.{name}": note.fields.get(name) for name in _TOLD},
    }
    return {name: value for name, value in told.items() if value is not None}


def _first(names: tuple[str, ...]) -> tuple[str, str] | None:
    return next(((name, os.environ[name]) for name in names if os.environ.get(name)), None)


def _is_off() -> bool:
    asked = os.environ.get
    return asked("OTEL_SDK_DISABLED", "").lower() == "true" or asked("OTEL_TRACES_EXPORTER", "").lower() == "none"
