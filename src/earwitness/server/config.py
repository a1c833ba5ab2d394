"""The models of a server, and its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earwitness.engines.catalog import Model
from earwitness.errors import EarwitnessError
from earwitness.scoring.metrics.lengths import LengthBand
from earwitness.types import Settings

LONGEST_S = 3600.0
"""Of audio in a request, where neither the user nor a decision says less."""


class ServeError(EarwitnessError, RuntimeError):
    """A server that cannot start."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model with everything needed to serve it, and its measurements."""

    model: Model
    """The catalog row."""
    folder: Path | None
    """Its checked files; ``None`` for a model that has none."""
    weights_sha256: str | None
    """Of those files."""
    weights_bytes: int
    """How large they are; 0 for none."""
    device: str
    """As asked for."""
    settings: Settings
    """How to decode; ``threads`` is a number."""
    n_workers: int
    """How many processes."""
    in_force: Mapping[str, Any] | None = None
    """Settings as they were when the model was measured; a worker in which they are not is not used. ``None`` when it
    was not measured."""
    device_used: str | None = None
    """Where it ran when it was measured; ``None`` when it was not."""
    promise: Mapping[str, float] = field(default_factory=dict)
    """What was measured of it, such as ``wer``, ``rtf``, ``latency_p95_s``, ``empty_share``."""
    by_length: Sequence[LengthBand] = ()
    """How fast clips of a length were when it was measured; empty when too few were alike."""
    status: str | None = None
    """What the decision says, such as ``production``; ``None`` without one."""
    grade: str | None = None
    """What the decision says; ``None`` without one."""

    @property
    def id(self) -> str:
        """The model's id."""
        return self.model.id


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The limits of a server."""

    queue: int = 16
    """Requests that may wait for each model beside those that are worked on."""
    max_bytes: int = 100 << 20
    """Of an upload."""
    max_audio_s: float = LONGEST_S
    """Of audio in an upload."""
    fits: bool = False
    """Whether ``max_audio_s`` is lowered to what the promised RTF and memory allow."""
    timeout_s: float = 300.0
    """From the end of an upload to the answer."""
    upload_s: float = 120.0
    """An upload may take."""
    drain_s: float = 30.0
    """That requests get to end in when the server is told to stop."""
    linger_s: float = 0.0
    """After SIGTERM, in which requests are still taken and ``/readyz`` says 503, so that a balancer looks elsewhere."""
    rate_per_minute: float | None = None
    """Requests of a key, or of an address where there are no keys; ``None`` for any number."""
    memory_bytes: int | None = None
    """For all models together; ``None`` for four fifths of what is free when the server starts."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a server listens, and who may use it."""

    host: str = "127.0.0.1"
    """Address to bind."""
    port: int = 8000
    """0 for any that is free."""
    keys: Path | None = None
    """File of the keys that may ask; ``None`` for anybody who can reach it."""
    origins: tuple[str, ...] = ()
    """Other web pages that may ask, such as ``https://example.com``."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that it answers to beside its own, such as ``asr.example.org``."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies whose ``X-Forwarded-*`` headers are believed."""
    root_path: str = ""
    """Under which a proxy passes requests on as they came, such as ``/asr``."""
    connections: int = 1000
    """At once."""
    keep_alive_s: float = 75.0
    """That a connection without a request stays open: longer than a balancer keeps its own, which is often 60 s."""
    openai_names: bool = True
    """Whether names of OpenAI's models mean the default model."""
    log_text: bool = False
    """Whether transcripts are logged."""
    watched: Path | None = None
    """A file that changes when there is something new to serve."""
