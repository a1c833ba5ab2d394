"""Files that put a decision into service on another machine, filled in from the measurements."""

from __future__ import annotations

import json
import math
import platform
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from earwitness import __version__
from earwitness.deployment.dashboard import dashboard
from earwitness.errors import UsageError
from earwitness.files.atomic import write_text
from earwitness.server.fit import SERVER_BYTES, peak_bytes

HEADROOM = 1.3
"""Over the most that a worker was seen to hold."""
SERVICE = "earwitness"
"""Name of the server in the network of compose, and of its Service in Kubernetes."""
_IN_IMAGE = ("Dockerfile", "requirements.txt", "decision.json", "earwitness.toml", "wheels")
_CLUSTER = ("*.svc", "*.svc.cluster.local")
_MIB = 1 << 20
_HASHED = (
    "Every package of `requirements.txt` has the sha256 of its wheel for Linux on {}, and pip installs no other file. "
    "For another processor, run `earwitness deploy` on it."
)
_UNHASHED = "`requirements.txt` has versions without hashes, as `--no-hashes` asked for."
_VERBATIM = ("prometheus/", "alertmanager/", "grafana/")


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What is deployed, and how."""

    model_id: str
    """Of the catalog."""
    weights_sha256: str | None
    """Of the files that were measured; ``None`` for a model without."""
    license: str
    """Of the weights."""
    engine: str
    """That runs them."""
    extra: str | None
    """Of Earwitness, that installs the engine; ``None`` where none does."""
    own_environment: bool
    """Whether the engine has to be installed into an environment of its own."""
    python: str
    """``major.minor`` that was measured."""
    packages: Mapping[str, str]
    """Versions in the environment of the server: those that were measured, others as they are where this is made."""
    device: str
    """Where it ran."""
    max_audio_s: int
    """Of audio in a request."""
    timeout_s: int
    """From the end of an upload to the answer."""
    threads: int
    """Of a worker."""
    n_workers: int
    """Processes."""
    peak_rss_bytes: int | None
    """The most that a worker was seen to hold; ``None`` when it was not measured."""
    measured_s: float
    """Length of the longest clips that were measured in number; 0 where that is not known."""
    status: str
    """In the decision."""
    grade: str
    """In the decision."""
    why: str
    """It was chosen."""
    created_at: str
    """Of the decision."""
    machine: str
    """On which the speed was measured."""
    promise: Mapping[str, float]
    """What was measured."""
    candidate: str | None
    """Label, where it is not the one that was chosen."""
    decision: str
    """The decision itself."""
    folder: str | None = None
    """Absolute path of weights that are a folder of one's own; ``None`` for pulled ones."""
    rows: str | None = None
    """The user's catalog, where the model is of it."""
    baked: bool = True
    """Whether the weights are pulled into the image, or else mounted."""
    port: int = 8000
    """On the machine that serves."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that the server answers to."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the wheel of each of ``packages``; empty for versions alone."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies whose ``X-Forwarded-*`` headers it believes."""
    program: str = "/opt/earwitness/bin/earwitness"
    """For systemd."""

    @property
    def cpus(self) -> int:
        """Cores that the workers use."""
        return self.threads * self.n_workers

    @property
    def request_bytes(self) -> int | None:
        """Measured memory; ``None`` if it was not measured."""
        return None if self.peak_rss_bytes is None else SERVER_BYTES + self.n_workers * self.peak_rss_bytes

    @property
    def longest_peak_bytes(self) -> int | None:
        """Memory of a worker for the longest accepted audio; ``None`` if it was not measured."""
        peak = self.peak_rss_bytes
        return None if peak is None else peak_bytes(self.engine, peak, self.measured_s, self.max_audio_s)

    @property
    def limit_bytes(self) -> int | None:
        """Memory limit for the longest accepted audio; ``None`` if it was not measured."""
        peak = self.longest_peak_bytes
        return None if peak is None else SERVER_BYTES + math.ceil(HEADROOM * self.n_workers * peak)

    @property
    def on_gpu(self) -> bool:
        """Whether it was measured on one."""
        return self.device.startswith("cuda")

    @property
    def mounted(self) -> tuple[str, str] | None:
        """Where weights come from and where they are looked for; ``None`` where the image has them, or there are none.

        They come from a folder beside the compose file, or from where they are on this machine.
        """
        if self.folder is not None:
            return self.folder, self.folder
        return None if self.baked or self.weights_sha256 is None else ("./cache", "/opt/earwitness/cache")


def contents(plan: DeploymentPlan) -> dict[str, str]:
    """Return every file by its name in the folder, in order of names."""
    known = _filled_in(plan)
    made = {
        "decision.json": plan.decision,
        "kubernetes/decision.json": plan.decision,
        "requirements.txt": _requirements(plan),
        "wheels/README": f"The wheel of Earwitness {__version__} goes here, unless pip finds it anyway.\n",
        ".dockerignore": "*\n" + "".join(f"!{name}\n" for name in _IN_IMAGE),
        "grafana/dashboards/earwitness.json": json.dumps(dashboard(), indent=1) + "\n",
    }
    if plan.rows is not None:
        made["earwitness.toml"] = plan.rows
    root = files("earwitness.deployment") / "templates"
    for name, file in _walk(root):
        text = file.read_text(encoding="utf-8")
        made[name] = text if name.startswith(_VERBATIM) else Template(text).substitute(known)
    return dict(sorted(made.items()))


def write(files: Mapping[str, str], folder: Path, *, force: bool) -> None:
    """Write files, each in one step.

    Raises:
        UsageError: When one is there already and ``force`` was not given, before any was written.
        FileError: When one cannot be written.
    """
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(f"{str(folder / there[0])!r}{more} would be overwritten. Name another folder, or add --force.")
    for name, text in files.items():
        write_text(folder / name, text)


def _walk(folder: Traversable, before: str = "") -> Iterator[tuple[str, Traversable]]:
    for file in folder.iterdir():
        name = f"{before}{file.name}"
        if file.is_dir():
            yield from _walk(file, f"{name}/")
        else:
            yield name, file


def _filled_in(plan: DeploymentPlan) -> dict[str, object]:
    label = plan.candidate
    return {
        "model_id": plan.model_id,
        "weights_sha256": plan.weights_sha256 or "none",
        "license": plan.license or "not stated",
        "engine": plan.engine,
        "python": plan.python,
        "device": plan.device,
        "version": __version__,
        "status": plan.status,
        "grade": plan.grade,
        "why": plan.why,
        "created_at": plan.created_at,
        "machine": plan.machine,
        "n_workers": plan.n_workers,
        "cpus": plan.cpus,
        "port": plan.port,
        "program": plan.program,
        "start_s": 900,
        **_options(plan),
        "candidate_json": f', "--candidate", {json.dumps(label)}' if label else "",
        "candidate_yaml": f", --candidate, {json.dumps(label)}" if label else "",
        "candidate_shell": f" --candidate {json.dumps(label)}" if label else "",
        "promised": ", ".join(f"{name} {value:.4g}" for name, value in sorted(plan.promise.items())) or "nothing",
        "install": _install(plan),
        "require_hashes": "--require-hashes " if plan.hashes else "",
        "hashes_readme": _HASHED.format(platform.machine()) if plan.hashes else _UNHASHED,
        "rows_file": "" if plan.rows is None else "earwitness.toml ",
        "rows_install": "" if plan.rows is None else " earwitness.toml",
        "devices": "# PrivateDevices is left out: the model is on a GPU." if plan.on_gpu else "PrivateDevices=yes",
        **_resources(plan),
        **_weights(plan),
    }


def _requirements(plan: DeploymentPlan) -> str:
    hashes = {name: f" --hash=sha256:{sha256}" for name, sha256 in plan.hashes.items()}
    return "".join(f"{name}=={version}{hashes.get(name, '')}\n" for name, version in sorted(plan.packages.items()))


def _options(plan: DeploymentPlan) -> dict[str, str]:
    """Return the limits, hosts and proxies as each file writes the options of a command."""
    limits = ["--max-seconds", str(plan.max_audio_s), "--timeout", str(plan.timeout_s)]
    hosts = [word for name in plan.allowed_hosts for word in ("--allowed-host", name)]
    proxies = [word for name in plan.proxies for word in ("--trusted-proxy", name)]
    # Prometheus, the canary and, in a cluster, other pods ask for the server by the name of its service.
    service = ["--allowed-host", SERVICE]
    cluster = [word for name in (SERVICE, *_CLUSTER) for word in ("--allowed-host", name)] if hosts else []
    return {
        "options_systemd": shlex.join(limits + hosts + proxies),
        "options_docker": json.dumps(limits + hosts + proxies)[1:-1],
        "options_compose": json.dumps(limits + service + hosts + proxies)[1:-1],
        "options_kubernetes": json.dumps(limits + cluster + hosts + proxies)[1:-1],
    }


def _install(plan: DeploymentPlan) -> str:
    lines = ["COPY earwitness.toml ./"] if plan.rows is not None else []
    runs = [f"/opt/earwitness/bin/earwitness engines install {plan.engine}"] if plan.own_environment else []
    if plan.baked and plan.weights_sha256 is not None and plan.folder is None:
        runs.append(f'/opt/earwitness/bin/earwitness models pull "{plan.model_id}"')
    if runs:
        lines.append("RUN " + " \\\n && ".join(runs))
    return "".join(f"{line}\n" for line in lines)


def _resources(plan: DeploymentPlan) -> dict[str, str]:
    gpu = '              nvidia.com/gpu: "1"' if plan.on_gpu else ""
    gpu_compose = (
        "\n    deploy:\n      resources:\n        reservations:\n"
        "          devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]"
    )
    cpus = f"{plan.cpus} CPU{'s' if plan.cpus != 1 else ''}"
    found = {
        "asked_for": f"{cpus}, memory unknown",
        "memory_told": "not measured, so no limit is set",
        "memory_compose": "",
        "gpu_compose": gpu_compose if plan.on_gpu else "",
        "memory_systemd": "# MemoryMax is left out: memory was not measured.",
        "requests_kubernetes": "              # memory was not measured",
        "limits_kubernetes": gpu or "              # memory was not measured",
    }
    request, limit, peak = plan.request_bytes, plan.limit_bytes, plan.peak_rss_bytes
    longest = plan.longest_peak_bytes
    if request is None or limit is None or peak is None or longest is None:
        return found
    least, most = math.ceil(request / _MIB), math.ceil(limit / _MIB)
    times = f"{plan.n_workers} worker{'s' if plan.n_workers != 1 else ''} of {math.ceil(peak / _MIB)} MiB"
    return found | {
        "asked_for": f"{cpus}, {least} MiB of memory, at most {most} MiB",
        "memory_told": f"{times} at the most that was measured, and {SERVER_BYTES // _MIB} MiB for the server. The "
        f"limit is computed for the longest accepted audio, {plan.max_audio_s} s, for which a worker may take "
        f"{math.ceil(longest / _MIB)} MiB, and {HEADROOM:g} times that; the longest clips that were measured in number "
        f"have {plan.measured_s:.0f} s",
        "memory_compose": f"\n    mem_limit: {most}m",
        "memory_systemd": f"MemoryMax={most}M",
        "requests_kubernetes": f"              memory: {least}Mi",
        "limits_kubernetes": f"              memory: {most}Mi" + (f"\n{gpu}" if gpu else ""),
    }


def _weights(plan: DeploymentPlan) -> dict[str, str]:
    pull = "" if plan.weights_sha256 is None or plan.folder else f'earwitness models pull "{plan.model_id}"'
    found = {
        "weights_compose": "",
        "weights_mount": "",
        "weights_volume": "",
        "weights_readme": "",
        "weights_kubernetes_readme": "",
        "weights_systemd": f"$ EARWITNESS_CACHE=/opt/earwitness/cache /opt/earwitness/bin/{pull}\n" if pull else "",
    }
    if plan.mounted is None:
        return found
    source, target = plan.mounted
    return found | {
        "weights_compose": f"\n      - {source}:{target}:ro",
        "weights_mount": f"\n            - {{name: weights, mountPath: {target}, readOnly: true}}",
        "weights_volume": "\n        - name: weights\n          persistentVolumeClaim: {claimName: earwitness-weights}",
        "weights_readme": f"$ EARWITNESS_CACHE=./cache {pull}\n" if pull else "",
        "weights_kubernetes_readme": f"$ kubectl get pvc earwitness-weights   # holds what is in {source} here\n",
    }
