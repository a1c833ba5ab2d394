"""Every option of a server, once, under one name: for ``earwitness serve`` and for ``ew.serve``.

To add an option, add a field to ``ServeSpec``, and its type to ``ServeOptions`` for editors and type checkers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from earwitness.engines.registry import show_settings
from earwitness.errors import UsageError
from earwitness.options import DECISION, DEVICE, PRESET, SETTING, Flag, require_least
from earwitness.server.config import LONGEST_S, ServerLimits, Site

_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ServeSpec:
    """A requested server: what it serves, to whom, and within which limits.

    Raises:
        UsageError: For a number that is too small, an invalid root path, or options that contradict each other.
    """

    decision: Annotated[Path | None, DECISION] = None
    candidates: Annotated[
        tuple[str, ...],
        Flag("Candidate of the decision; default: the chosen one; repeat for several.", ("--candidate",), "NAME"),
    ] = ()
    models: Annotated[tuple[str, ...], Flag("Model to serve; repeat for several.", ("--model", "-m"), "MODEL")] = ()
    device: Annotated[str, DEVICE] = "auto"
    preset: Annotated[Literal["matched", "native"], PRESET] = "matched"
    settings: Annotated[Mapping[str, Any], SETTING] = field(default_factory=dict)
    host: Annotated[
        str, Flag("Address to listen on; 0.0.0.0 opens the server to other machines.", metavar="ADDRESS")
    ] = "127.0.0.1"
    port: Annotated[int, Flag("Port to listen on; 0 for any free one.", metavar="PORT", least=0)] = 8000
    workers: Annotated[
        int | None, Flag("Worker processes of each model; default: as the cores allow.", metavar="N", least=1)
    ] = None
    threads: Annotated[int | None, Flag("Threads of each worker; a decision states its own.", metavar="N", least=1)] = (
        None
    )
    queue: Annotated[int, Flag("Requests that may wait, besides those in progress.", metavar="N", least=0)] = 16
    max_seconds: Annotated[
        float | None,
        Flag("Longest audio; default: an hour, or what fits in time and memory.", metavar="SECONDS", least=0.001),
    ] = None
    max_mb: Annotated[float, Flag("Largest upload.", metavar="MIB", least=0.001)] = 100
    timeout_s: Annotated[
        float,
        Flag(
            "Longest time from the end of the upload to the answer.",
            ("--timeout-s", "--timeout"),
            "SECONDS",
            least=0.001,
        ),
    ] = 300
    drain_s: Annotated[
        float,
        Flag("Time for requests to finish after the stop signal.", ("--drain-s", "--drain"), "SECONDS", least=1),
    ] = 30
    linger_s: Annotated[
        float,
        Flag(
            "Time after SIGTERM during which the server still takes requests.",
            ("--linger-s", "--linger"),
            "SECONDS",
            least=0,
        ),
    ] = 0
    memory_mb: Annotated[
        float | None, Flag("Memory for all models; default: most of the free memory.", metavar="MIB", least=1)
    ] = None
    keys: Annotated[Path | None, Flag("Accept only requests with a key of this file.", metavar="FILE")] = None
    rate: Annotated[
        float | None,
        Flag("Requests per minute of each key, or of each address without keys.", metavar="N", least=0.001),
    ] = None
    cors: Annotated[
        tuple[str, ...], Flag("Origin of a web page that may use the API; repeat for several.", metavar="ORIGIN")
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...],
        Flag("Host name of this server, such as asr.example.org.", ("--allowed-host",), "NAME"),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Flag("Address of a proxy whose X-Forwarded-* headers the server trusts.", ("--trusted-proxy",), "ADDRESS"),
    ] = ()
    root_path: Annotated[str, Flag("Path under which a proxy forwards requests, such as /asr.", metavar="PATH")] = ""
    connections: Annotated[int, Flag("Most simultaneous connections.", metavar="N", least=2)] = 1000
    keep_alive_s: Annotated[
        float, Flag("Time until an idle connection is closed.", ("--keep-alive-s", "--keep-alive"), "SECONDS", least=1)
    ] = 75
    openai_names: Annotated[
        bool,
        Flag(
            "Accept whisper-1 and other names of OpenAI's for the first model.", ("--openai-names/--no-openai-names",)
        ),
    ] = True
    log_text: Annotated[bool, Flag("Include transcripts in the log (off by default).", ("--log-text",))] = False

    def __post_init__(self) -> None:
        """Refuse options that are invalid or contradict each other."""
        require_least(self)
        for name in ("decision", "keys"):  # a caller may pass any path
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else Path(value))
        _require_root_path(self.root_path)
        if (self.decision is None) == (not self.models):
            raise UsageError("Give one of --decision decision.json, or --model, such as faster-whisper:base.")
        if self.decision is None and self.candidates:
            raise UsageError("--candidate needs --decision, which names the file of the decision.")
        own = self.settings or self.threads is not None or self.device != "auto" or self.preset != "matched"
        if self.decision is not None and own:
            raise UsageError(
                "A decision is served with its measured settings. Leave out --set, --threads, --device and --preset."
            )

    def assignments(self) -> list[str]:
        """Return the settings as ``NAME=VALUE`` texts."""
        return [f"{name}={show_settings(value)}" for name, value in self.settings.items()]

    def site(self) -> Site:
        """Return where the server listens, and who may use it."""
        return Site(
            host=self.host,
            port=self.port,
            keys=self.keys,
            origins=self.cors,
            allowed_hosts=self.allowed_hosts,
            proxies=self.trusted_proxies,
            root_path=self.root_path.rstrip("/"),
            connections=self.connections,
            keep_alive_s=self.keep_alive_s,
            openai_names=self.openai_names,
            log_text=self.log_text,
            watched=self.decision,
        )

    def limits(self) -> ServerLimits:
        """Return the limits of the server."""
        return ServerLimits(
            queue=self.queue,
            max_bytes=round(self.max_mb * _MIB),
            max_audio_s=self.max_seconds or LONGEST_S,
            fits=self.max_seconds is None,
            timeout_s=self.timeout_s,
            drain_s=self.drain_s,
            linger_s=self.linger_s,
            rate_per_minute=self.rate,
            memory_bytes=None if self.memory_mb is None else round(self.memory_mb * _MIB),
        )


def _require_root_path(text: str) -> None:
    path = text.rstrip("/")
    if path and (not path.startswith("/") or any(char in path for char in "?#% ") or "//" in path):
        raise UsageError(f"A root path looks like /asr, not {text!r}.")


class ServeOptions(TypedDict, total=False):
    """The options of a server as keywords, for editors and type checkers; ``ServeSpec`` explains each."""

    decision: str | os.PathLike[str] | None
    candidates: str | Iterable[str]
    models: str | Iterable[str]
    device: str
    preset: str
    settings: Mapping[str, Any]
    host: str
    port: int
    workers: int | None
    threads: int | None
    queue: int
    max_seconds: float | None
    max_mb: float
    timeout_s: float
    drain_s: float
    linger_s: float
    memory_mb: float | None
    keys: str | os.PathLike[str] | None
    rate: float | None
    cors: str | Iterable[str]
    allowed_hosts: str | Iterable[str]
    trusted_proxies: str | Iterable[str]
    root_path: str
    connections: int
    keep_alive_s: float
    openai_names: bool
    log_text: bool
