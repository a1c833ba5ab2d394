"""``earwitness serve`` and ``deploy`` as functions: serve a model behind an API, here or on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from earwitness.api.records import RecordSource
from earwitness.errors import UsageError
from earwitness.options import from_keywords, several
from earwitness.server.spec import ServeOptions
from earwitness.server.spec import ServeSpec as ServeSpec

if TYPE_CHECKING:
    from earwitness.server.config import ServedModel

_NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


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


def serve(*, progress: Callable[[str], None] = lambda _: None, **options: Unpack[ServeOptions]) -> None:
    """Serve a model behind an OpenAI-compatible API until a signal stops it.

    Call it in the main thread. It returns after SIGTERM or Ctrl-C, when requests have come to their end and every
    worker is gone. Logs are JSON lines on standard error; while it serves, the logging of the process is its own.

    Args:
        progress: Called with the address once there is one; it must not take long.
        options: Those of the command ``earwitness serve``: ``ServeOptions``. Either ``decision``, which is served with
            the settings that were measured and followed when it changes, or ``models``.

    Raises:
        UsageError: When it is not said what to serve, the extra ``serve`` is not installed, or the address is taken.
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    run_server(from_keywords(ServeSpec, options, "serve"), progress)


def run_server(spec: ServeSpec, progress: Callable[[str], None]) -> None:
    """Serve the models of a spec; see ``serve``."""
    from earwitness.runs.transcribe import scratch_folder
    from earwitness.server.run import serve as listen

    missing = next((name for name in _NEEDED if find_spec(name) is None), None)
    if missing is not None:
        raise UsageError(f"A server needs {missing!r}, which is not installed. Run: pip install 'earwitness[serve]'")
    with scratch_folder() as scratch:
        listen(_reader(spec), spec.limits(), spec.site(), scratch, progress)


def deploy(
    decision: RecordSource,
    out: RecordSource,
    *,
    candidate: str | None = None,
    workers: int = 1,
    max_seconds: float | None = None,
    timeout_s: float = 300,
    weights: str = "baked",
    port: int = 8000,
    program: RecordSource = "/opt/earwitness/bin/earwitness",
    allowed_hosts: str | Iterable[str] = (),
    trusted_proxies: str | Iterable[str] = (),
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
            less where the promised RTF allows no more within ``timeout_s``.
        timeout_s: Seconds from the end of an upload to the answer.
        weights: ``baked``: pulled into the image; ``mounted``: from a folder.
        port: On the machine that serves.
        program: Where systemd finds earwitness.
        allowed_hosts: Names that the server answers to, such as ``asr.example.org``; one or several.
        trusted_proxies: Addresses or networks of proxies whose ``X-Forwarded-*`` headers it believes; one or several.
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
        raise UsageError(f"Weights must be baked or mounted, not {weights!r}.")
    _require_least({"workers": workers, "port": port, "max_seconds": max_seconds, "timeout_s": timeout_s})
    plan = plan_of(
        Path(decision), candidate, n_workers=workers, max_seconds=max_seconds, timeout=timeout_s,
        with_weights=weights == "baked", port=port, program=str(Path(program).absolute()),
        allowed_hosts=several(allowed_hosts), proxies=several(trusted_proxies),
    )  # fmt: skip
    if hashes:
        plan = replace(plan, hashes=hashes_of(plan.packages, plan.python))
    made = contents(plan)
    write(made, Path(out), force=force)
    return DeployResult(Path(out), tuple(made), plan.model_id, plan.cpus, plan.request_bytes, plan.limit_bytes)


def _reader(spec: ServeSpec) -> Callable[[], Sequence[ServedModel]]:
    """Return a function that reads anew which models to serve."""
    from earwitness.server.plan import of_decision, of_model

    decision = spec.decision
    if decision is not None:
        return lambda: of_decision(decision, spec.candidates, spec.workers)
    return lambda: [
        of_model(name, spec.device, spec.preset, spec.assignments(), spec.threads, spec.workers)
        for name in dict.fromkeys(spec.models)
    ]


def _require_least(values: Mapping[str, Any], least: float = 1) -> None:
    for name, value in values.items():
        if value is not None and not value >= least:
            raise UsageError(f"{name} must be at least {least:g}, not {value!r}.")
