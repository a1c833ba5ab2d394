"""``earwitness canary`` as functions: send reference clips through a live API, once or on a schedule."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource
from earwitness.errors import EngineError, RecordError, UsageError
from earwitness.server.watch.canary import seconds as seconds

if TYPE_CHECKING:
    from earwitness.server.watch.canary import Promise, Round


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """One round of reference clips, and the promise of the decision."""

    round: Round
    """What came of the clips."""
    promise: Promise | None
    """What the decision says of WER; ``None`` without a decision."""

    @property
    def beyond(self) -> bool:
        """Whether the WER exceeds the promise by more than chance."""
        return self.round.beyond(self.promise)


def canary(
    url: str,
    data: RecordSource,
    *,
    decision: RecordSource | None = None,
    candidate: str | None = None,
    model: str | None = None,
    key_env: str | None = None,
    response_format: str | None = None,
    limit: int | None = None,
    timeout_s: float = 60,
    out: RecordSource | None = None,
    command: tuple[str, ...] = ("earwitness.canary",),
) -> CanaryResult:
    """Send reference clips through a live API, once, and compare the WER with that of a decision.

    Args:
        url: Of the server, such as ``http://127.0.0.1:8000``.
        data: Clips with references.
        decision: What promises a WER; ``None`` compares with nothing.
        candidate: Of the decision; ``None`` for the one that was chosen.
        model: Its name at the server; ``None`` for the first that the server names.
        key_env: Name of the environment variable that holds the server's key.
        response_format: ``verbose_json`` or ``json``; ``None`` for the engine's own.
        limit: Only the first so many clips.
        timeout_s: Seconds for an answer, or ten times the clip's audio.
        out: Folder in which the record is kept; ``None`` keeps none.
        command: For the record.

    Raises:
        UsageError: For an address that is none, or a decision without a WER.
        EarwitnessError: When the decision or the data cannot be read.
    """
    from earwitness.runs.remote import base_of, jobs_at, model_at
    from earwitness.server.watch.canary import Round

    base_of(url)
    promise = promise_of(Path(decision), candidate, str(data), limit) if decision is not None else None
    try:
        model_there = model_at(url, model, key_env, response_format)
    except EngineError as error:
        return CanaryResult(Round(0, {}, reason=str(error)), promise)
    (job,) = jobs_at(model_there, [str(data)], limit=limit, command=command, speech=False)
    job = replace(job, limits=replace(job.limits, warmup=0, timeout_floor_s=timeout_s))
    from earwitness.runs.drive import start

    with tempfile.TemporaryDirectory(prefix="earwitness-canary-") as folder:
        record = start(job, Path(folder) if out is None else Path(out), lambda *_: None)
        return CanaryResult(_round(record, is_kept=out is not None), promise)


def watch_canary(
    url: str,
    every_s: float,
    address: str,
    send: Callable[[], CanaryResult],
    promise: Promise | None,
    listening: Callable[[str], None],
) -> None:
    """Send clips on a schedule, with metrics for Prometheus and a line of JSON for each round, until Ctrl-C.

    Args:
        url: Of the server.
        every_s: Seconds from the beginning of a round to that of the next.
        address: To listen on, such as ``127.0.0.1:9109``.
        send: Makes a round.
        promise: Of the decision.
        listening: Called with the address of the metrics.

    Raises:
        UsageError: For an address that is none.
    """
    from earwitness.server.logs import set_up
    from earwitness.server.watch.canary import Canary, go_round

    host, port = _address(address)
    state = Canary(url, every_s, promise)
    set_up()
    listening(f"http://{host}:{state.listen(host, port)}/metrics")
    with suppress(KeyboardInterrupt):
        go_round(state, lambda: send().round, threading.Event())


def log_round(url: str, every_s: float, result: CanaryResult) -> None:
    """Write the JSON line of a single round."""
    from earwitness.server.logs import set_up
    from earwitness.server.watch.canary import Canary

    set_up()
    Canary(url, every_s, result.promise).add(result.round)


def promise_of(path: Path, candidate: str | None, data: str, limit: int | None) -> Promise:
    """Return the WER that a decision promises: that of these clips if it was made from them, otherwise that of all.

    Args:
        path: Of the decision.
        candidate: Label; ``None`` for the one that was chosen.
        data: As it is sent.
        limit: Only the first so many clips.

    Raises:
        UsageError: When it promises no WER, or there is no such candidate.
        EarwitnessError: When the decision or the data cannot be read.
    """
    from earwitness.decision.decision_file import read_decision, verdict_of
    from earwitness.records.record import Selection
    from earwitness.records.store import read_run
    from earwitness.runs.plan import load
    from earwitness.server.watch.canary import Promise

    decision = read_decision(path)
    verdict = verdict_of(decision, path, candidate)
    sha256 = load(Selection(data, limit)).sha256
    for evidence in decision.evidence:
        if (evidence.candidate, evidence.dataset_sha256) == (verdict.candidate, sha256):
            try:
                wer = read_run(path.parent / evidence.record).score("wer")
            except RecordError:
                continue  # the records are not where they were; the decision still promises what it does
            if wer is not None and wer.value is not None:
                return Promise(wer.value, wer.ci95[1] if wer.ci95 else None, same_clips=True)
    if "wer" not in verdict.promise:
        raise UsageError(f"{str(path)!r} has no WER of {verdict.candidate!r}. Leave out --decision.")
    value = verdict.promise["wer"]
    ends = [rule.ci95[1] for rule in verdict.rules if rule.measure == "wer" and rule.measured == value and rule.ci95]
    return Promise(value, max(ends, default=None))


def _round(record: Path, *, is_kept: bool) -> Round:
    from earwitness.records.store import read_clips, read_run
    from earwitness.server.watch.canary import Round

    run, results = read_run(record), read_clips(record)
    failed = {r.clip.id: r.hypothesis.failure.message for r in results if r.hypothesis.failure is not None}
    wer, speed = run.score("wer"), run.speed
    reason = run.failure.message if run.failure else None
    if reason is None and len(failed) == len(results):
        reason = "no clip came back"
    return Round(
        n_clips=run.dataset.n_clips,
        failed=failed,
        wer=wer.value if wer and not run.failure else None,
        wer_ci95=wer.ci95 if wer and not run.failure else None,
        latency_p50_s=speed.latency_p50_s if speed else None,
        latency_p95_s=speed.latency_p95_s if speed else None,
        record=str(record) if is_kept else None,
        reason=reason,
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{text!r} is not an address to listen on. Write one such as 127.0.0.1:9109.")
    return host.strip("[]"), int(port)
