"""``earwitness serve`` and ``deploy`` as functions: a model behind an API, here or on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from earwitness.api.records import RecordSource
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.server.config import ServedModel, ServerLimits

_NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class DeployResult:
    """Files that put a decision into service."""

    out: Path
    """The folder."""
    files: tuple[str, ...]
    """Their names in it; ``README.md`` has the commands."""
    model: str
    """What is served."""
    cpus: int
    """Cores that it keeps busy."""
    request_bytes: int | None
    """Memory that it is known to take; ``None`` when that was not measured."""
    limit_bytes: int | None
    """Memory over which something is wrong; ``None`` when it was not measured."""


class ServeOptions(TypedDict, total=False):
    """What else ``serve`` can be told: the options of the command, by name."""

    device: str
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``tpu``; a decision has its own."""
    preset: str
    """``matched`` or ``native``; a decision has its own settings."""
    settings: Mapping[str, Any]
    """On top of the preset, such as ``{"beam_size": 5}``; ``--set`` of the command."""
    host: str
    """Address to bind, ``127.0.0.1``; ``0.0.0.0`` opens it to others."""
    port: int
    """8000; 0 for any that is free."""
    workers: int | None
    """Processes for each model; ``None`` for as many as the cores bear."""
    threads: int | None
    """Of each worker; a decision has its own."""
    queue: int
    """Requests that may wait beside those worked on; 16."""
    max_seconds: float | None
    """Longest audio of a request; ``None`` for 3600, or for less where a decision's RTF and memory allow no more."""
    max_mb: float
    """Largest upload, in MiB; 100."""
    timeout: float
    """Seconds from the upload's end to the answer; 300."""
    drain: float
    """Seconds for requests to end in, at the end; 30."""
    linger: float
    """Seconds after SIGTERM in which requests are still taken while ``/readyz`` says 503; 0."""
    memory_mb: float | None
    """MiB for all models; ``None`` for most of what is free."""
    keys: RecordSource | None
    """File of the keys that may ask; ``None`` for anybody who can reach it."""
    rate: float | None
    """Requests a minute for each key."""
    cors: str | Iterable[str]
    """Web pages that may ask; one or several."""
    allowed_host: str | Iterable[str]
    """Names that the server answers to beside its own; one or several."""
    trusted_proxy: str | Iterable[str]
    """Addresses or networks of proxies whose ``X-Forwarded-*`` headers are believed; one or several."""
    root_path: str
    """Under which a proxy passes requests on as they came, such as ``/asr``."""
    connections: int
    """At once; 1000."""
    keep_alive: float
    """Seconds for which a connection is kept for another request; 75."""
    openai_names: bool
    """Whether names of OpenAI's models, such as ``whisper-1``, mean the default model; true."""
    log_text: bool
    """Whether transcripts are logged."""


def serve(
    *,
    decision: RecordSource | None = None,
    candidate: str | Iterable[str] = (),
    model: str | Iterable[str] = (),
    progress: Callable[[str], None] = lambda _: None,
    **options: Unpack[ServeOptions],
) -> None:
    """Serve a model over HTTP, as OpenAI's clients expect it, until a signal says to stop.

    It is called in the main thread, and returns after SIGTERM or Ctrl-C, when requests have come to their end and every
    worker is gone. Logs are JSON lines on standard error; while it serves, the logging of the process is its own.

    Args:
        decision: What ``decide`` wrote; served with the very settings that were measured, and followed when it changes.
        candidate: Of the decision, in place of the chosen one; one or several.
        model: Ids of models that were not measured, such as ``faster-whisper:base``; one or several.
        progress: Called with the address once there is one; it must not take long.
        options: Those of ``ServeOptions``.

    Raises:
        UsageError: When it is not said what to serve, the extra ``serve`` is not installed, or the address is taken.
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    from earwitness.engines.registry import nearest
    from earwitness.runs.transcribe import scratch_folder
    from earwitness.server.config import Site
    from earwitness.server.run import serve as run_server

    for name in options:
        if name not in ServeOptions.__annotations__:
            raise UsageError(f"serve has no option {name!r}.{nearest(name, ServeOptions.__annotations__)}")
    missing = next((name for name in _NEEDED if find_spec(name) is None), None)
    if missing is not None:
        raise UsageError(f"A server needs {missing!r}, which is not here. Run: pip install 'earwitness[serve]'")
    watched = None if decision is None else Path(decision)
    keys = options.get("keys")
    site = Site(
        host=options.get("host", "127.0.0.1"),
        port=options.get("port", 8000),
        keys=None if keys is None else Path(keys),
        origins=_several(options.get("cors", ())),
        allowed_hosts=_several(options.get("allowed_host", ())),
        proxies=_several(options.get("trusted_proxy", ())),
        root_path=_root_path(options.get("root_path", "")),
        connections=options.get("connections", 1000),
        keep_alive_s=options.get("keep_alive", 75),
        openai_names=options.get("openai_names", True),
        log_text=options.get("log_text", False),
        watched=watched,
    )
    read = _read(watched, _several(candidate), _several(model), options)
    with scratch_folder() as scratch:
        run_server(read, _limits(options), site, scratch, progress)


def deploy(
    decision: RecordSource,
    out: RecordSource,
    *,
    candidate: str | None = None,
    workers: int = 1,
    max_seconds: float | None = None,
    timeout: float = 300,
    weights: str = "baked",
    port: int = 8000,
    program: RecordSource = "/opt/earwitness/bin/earwitness",
    allowed_host: str | Iterable[str] = (),
    trusted_proxy: str | Iterable[str] = (),
    hashes: bool = True,
    force: bool = False,
) -> DeployResult:
    """Write a Dockerfile, a compose file with Prometheus and Grafana, a systemd unit and Kubernetes manifests.

    Model, versions, settings, memory and threads are those of the decision. Nothing is started.

    Args:
        decision: What ``decide`` wrote.
        out: Folder for the files.
        candidate: Another candidate of the decision than the chosen.
        workers: Processes.
        max_seconds: Longest audio of a request, which the memory limit is reckoned for; ``None`` for an hour, or for
            less where the promised RTF allows no more within ``timeout``.
        timeout: Seconds from the end of an upload to the answer.
        weights: ``baked``: pulled into the image; ``mounted``: from a folder.
        port: On the machine that serves.
        program: Where systemd finds earwitness.
        allowed_host: Names that the server answers to, such as ``asr.example.org``; one or several.
        trusted_proxy: Addresses or networks of proxies whose ``X-Forwarded-*`` headers it believes; one or several.
        hashes: Whether pip looks up the sha256 of every package, for which it asks its index.
        force: Whether to write over files that are there.

    Raises:
        RecordError: When the decision cannot be read.
        UsageError: For a candidate that there is not or that runs elsewhere, audio that cannot be answered in time,
            other weights, what is no host or proxy, hashes that pip cannot find, or files that are there.
    """
    from earwitness.deployment.deployment import contents, write
    from earwitness.deployment.package_hashes import hashes_of
    from earwitness.deployment.plan import plan_of

    if weights not in ("baked", "mounted"):
        raise UsageError(f"Weights cannot be {weights!r}. They are baked or mounted.")
    _require_least({"workers": workers, "port": port, "max_seconds": max_seconds, "timeout": timeout})
    plan = plan_of(
        Path(decision), candidate, n_workers=workers, max_seconds=max_seconds, timeout=timeout,
        with_weights=weights == "baked", port=port, program=str(Path(program).absolute()),
        allowed_hosts=_several(allowed_host), proxies=_several(trusted_proxy),
    )  # fmt: skip
    if hashes:
        plan = replace(plan, hashes=hashes_of(plan.packages, plan.python))
    made = contents(plan)
    write(made, Path(out), force=force)
    return DeployResult(Path(out), tuple(made), plan.model_id, plan.cpus, plan.request_bytes, plan.limit_bytes)


def _limits(options: ServeOptions) -> ServerLimits:
    from earwitness.server.config import LONGEST_S, ServerLimits

    _require_least({name: options.get(name) for name in ("workers", "threads", "drain", "memory_mb", "keep_alive")})
    _require_least({"connections": options.get("connections")}, least=2)
    _require_least({name: options.get(name) for name in ("queue", "port", "linger")}, least=0)
    _require_least({name: options.get(name) for name in ("max_mb", "rate", "timeout", "max_seconds")}, least=0.001)
    memory_mb = options.get("memory_mb")
    return ServerLimits(
        queue=options.get("queue", 16),
        max_bytes=round(options.get("max_mb", 100) * _MIB),
        max_audio_s=options.get("max_seconds") or LONGEST_S,
        fits=options.get("max_seconds") is None,
        timeout_s=options.get("timeout", 300),
        drain_s=options.get("drain", 30),
        linger_s=options.get("linger", 0),
        rate_per_minute=options.get("rate"),
        memory_bytes=None if memory_mb is None else round(memory_mb * _MIB),
    )


def _read(
    decision: Path | None, candidates: tuple[str, ...], models: tuple[str, ...], options: ServeOptions
) -> Callable[[], Sequence[ServedModel]]:
    """Return what says what is served, each time anew."""
    from earwitness.engines.registry import show_settings
    from earwitness.server.plan import of_decision, of_model

    device, preset = options.get("device", "auto"), options.get("preset", "matched")
    settings, workers, threads = options.get("settings", {}), options.get("workers"), options.get("threads")
    if (decision is None) == (not models):
        raise UsageError("Say what to serve: --decision decision.json, or --model such as faster-whisper:base.")
    if decision is None:
        if candidates:
            raise UsageError("Candidates are those of a decision: name it with --decision.")
        typed = [f"{name}={show_settings(value)}" for name, value in settings.items()]
        return lambda: [of_model(one, device, preset, typed, threads, workers) for one in dict.fromkeys(models)]
    if settings or threads is not None or device != "auto" or preset != "matched":
        raise UsageError("A decision is served as it was measured: leave out --set, --threads, --device and --preset.")
    return lambda: of_decision(decision, candidates, workers)


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if path and (not path.startswith("/") or any(char in path for char in "?#% ") or "//" in path):
        raise UsageError(f"A root path is one such as /asr, not {text!r}.")
    return path


def _several(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _require_least(values: Mapping[str, Any], least: float = 1) -> None:
    for name, value in values.items():
        if value is not None and not value >= least:
            raise UsageError(f"{name} must be at least {least:g}, not {value!r}.")
