"""Makes the plan of a deployment from a decision, and refuses what cannot be deployed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path

from earwitness.decision.decision import Decision, Verdict
from earwitness.decision.decision_file import read_decision, verdict_of
from earwitness.deployment.deployment import DeploymentPlan
from earwitness.engines.catalog import USER_FILE, Model, find
from earwitness.engines.registry import get_engine
from earwitness.errors import RecordError, UsageError
from earwitness.records.store import read_run
from earwitness.server.config import LONGEST_S
from earwitness.server.fit import longest_s, rtf_of
from earwitness.server.http.access import door_of

_THERE = ("openai-api", "command")
"""Engines whose model is somewhere else."""


def plan_of(
    path: Path,
    candidate: str | None,
    *,
    n_workers: int,
    max_seconds: float | None = None,
    timeout: float = 300,
    with_weights: bool = True,
    port: int = 8000,
    program: str = "/opt/earwitness/bin/earwitness",
    allowed_hosts: Sequence[str] = (),
    proxies: Sequence[str] = (),
) -> DeploymentPlan:
    """Return the plan for a decision's candidate.

    Args:
        path: Of the decision.
        candidate: Label; ``None`` for the one that was chosen.
        n_workers: Processes.
        max_seconds: Longest audio of a request; ``None`` for an hour, or for less where the RTF allows no more.
        timeout: Seconds from the end of an upload to the answer.
        with_weights: Whether the weights go into the image.
        port: On the machine that serves.
        program: Where systemd finds earwitness.
        allowed_hosts: Names that the server answers to.
        proxies: Addresses or networks of proxies that the server trusts.

    Raises:
        RecordError: When the decision cannot be read.
        UsageError: When there is no such candidate, one that runs elsewhere, audio is let in that cannot be answered in
            time, or a host or a proxy is none.
    """
    door_of("0.0.0.0", allowed_hosts, (), proxies, loopback=False)  # noqa: S104 - checks the names, binds nothing
    decision = read_decision(path)
    verdict = verdict_of(decision, path, candidate)
    if verdict.engine.name in _THERE:
        raise UsageError(
            f"{verdict.candidate!r} runs outside Earwitness, which cannot deploy it. Deploy that server itself."
        )
    plan = _measured(decision, verdict, path, _longest(verdict, max_seconds, timeout), math.ceil(timeout))
    return replace(
        plan,
        n_workers=n_workers,
        baked=with_weights,
        port=port,
        program=program,
        allowed_hosts=tuple(allowed_hosts),
        proxies=tuple(proxies),
    )


def _measured(decision: Decision, verdict: Verdict, path: Path, max_audio_s: int, timeout_s: int) -> DeploymentPlan:
    """Return the part of the plan that the decision states."""
    model = find(verdict.model.id)
    spec = get_engine(model.engine).spec
    extra = model.engine if model.engine in (metadata("earwitness").get_all("Provides-Extra") or ()) else None
    threads = spec.fixed.get("threads") or verdict.settings_asked.threads or verdict.environment.cores
    of, measured = verdict.environment, verdict.engine.packages
    own = bool(spec.requirements) and extra is None
    return DeploymentPlan(
        model_id=verdict.model.id,
        weights_sha256=verdict.model.weights_sha256,
        license=verdict.model.license,
        engine=verdict.engine.name,
        extra=extra,
        own_environment=own,
        python=".".join((verdict.engine.python or of.python).split(".")[:2]),
        packages=_installed(("serve", *([extra] if extra else ()))) | ({} if own else _canonical(measured)),
        device=verdict.device_used,
        max_audio_s=max_audio_s,
        timeout_s=timeout_s,
        threads=int(threads),
        n_workers=1,
        peak_rss_bytes=_peak(decision, verdict, path),
        measured_s=longest_s(verdict.by_length),
        status=verdict.status,
        grade=verdict.grade,
        why=decision.why if verdict.candidate == decision.chosen else f"{verdict.candidate} was asked for.",
        created_at=decision.created_at,
        machine=f"{of.cpu} ({of.cores} cores, {of.platform})",
        promise=verdict.promise,
        candidate=None if verdict.candidate == decision.chosen else verdict.candidate,
        decision=path.read_text(encoding="utf-8"),
        folder=_folder(model),
        rows=_rows(model),
    )


def _installed(extras: Sequence[str]) -> dict[str, str]:
    """Return the versions of all packages that Earwitness needs with some extras, as they are installed here."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    seen: set[str] = set()
    left = [Requirement(f"earwitness[{','.join(extras)}]")]
    while left:
        wanted = left.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        try:
            package = distribution(wanted.name)
        except PackageNotFoundError:
            continue  # the engine's may be in an environment of its own
        found[canonicalize_name(wanted.name)] = package.version
        for text in package.requires or ():
            needs = Requirement(text)
            extra = needs.marker is not None and "extra" in str(needs.marker)
            if needs.marker is None or any(
                needs.marker.evaluate({"extra": name}) for name in (wanted.extras if extra else ("",))
            ):
                left.append(needs)
    found.pop("earwitness")
    return found


def _canonical(packages: Mapping[str, str]) -> dict[str, str]:
    from packaging.utils import canonicalize_name

    return {canonicalize_name(name): version for name, version in packages.items()}


def _longest(verdict: Verdict, max_seconds: float | None, timeout: float) -> int:
    """Return the longest audio of a request in whole seconds."""
    rtf = rtf_of(verdict.promise.get("rtf"), verdict.by_length)
    fitting = timeout / rtf if rtf else LONGEST_S
    if max_seconds is not None and rtf and max_seconds > fitting:
        takes_s = max_seconds * rtf
        raise UsageError(
            f"Audio of {max_seconds:g} s takes {verdict.candidate!r} {takes_s:.0f} s at an RTF of {rtf:.3g}, and a "
            f"request gets {timeout:g} s: set --max-seconds {math.floor(fitting)} or --timeout {math.ceil(takes_s)}."
        )
    return max(1, math.floor(min(fitting, LONGEST_S) if max_seconds is None else max_seconds))


def _peak(decision: Decision, verdict: Verdict, path: Path) -> int | None:
    """Return the most memory of a worker, as promised or else as its records have it."""
    if "peak_rss_bytes" in verdict.promise:
        return round(verdict.promise["peak_rss_bytes"])
    found = []
    for evidence in decision.evidence:
        if evidence.candidate != verdict.candidate:
            continue
        try:
            workers = read_run(path.parent / evidence.record).workers
        except RecordError:
            continue
        found.append(workers.peak_rss_bytes if workers else None)
    return max((peak for peak in found if peak is not None), default=None)


def _folder(model: Model) -> str | None:
    paths = [source.removeprefix("path:") for source in model.sources if source.startswith("path:")]
    return str(Path(paths[0]).absolute()) if paths else None


def _rows(model: Model) -> str | None:
    from earwitness.engines.catalog import models

    mine = Path(USER_FILE)
    listed = any(row.id == model.id for row in models())
    return mine.read_text(encoding="utf-8") if listed and mine.is_file() else None
