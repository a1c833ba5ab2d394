"""``earwitness canary``: reference clips through a live API, on a schedule."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json, stop_on_sigterm

if TYPE_CHECKING:
    from earwitness.server.watch.canary import Canary, Promise, Round

app = new_app("Reference clips through a live API, on a schedule.")


@app.command()
def canary(
    url: Annotated[str, typer.Argument(help="Of the server, such as http://127.0.0.1:8000.", metavar="URL")],
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="Corpus, manifest or folder with references.")
    ] = None,
    every: Annotated[str, typer.Option(help="From one round to the next: 90s, 15m, 1h.")] = "15m",
    once: Annotated[bool, typer.Option("--once", help="One round; 1 if it is not as promised.")] = False,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="For Prometheus.")] = "127.0.0.1:9109",
    decision: Annotated[Path | None, typer.Option(metavar="FILE", help="What promises a WER.")] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate of the decision than the chosen.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Its name there; else the first named.")] = None,
    key_env: options.KeyEnv = None,
    response_format: options.ResponseFormatOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for an answer; ten times its audio.")] = 60,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the record of every round.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send reference clips through a live API, and tell WER, latency and failures, as metrics and as lines of JSON.

    WER is that of earwitness run, over the API, as a client gets it; over the decision's 95 % interval it is beyond the
    promise. With --once, the exit code is 1 when it is, or when nothing came back. Examples:

        earwitness canary http://127.0.0.1:8000 --data librivox-mini --decision decision.json --every 15m

        earwitness canary http://127.0.0.1:8000 --data my-recordings/ --decision decision.json --once
    """
    from earwitness.cli.server_address import base_of
    from earwitness.errors import UsageError
    from earwitness.server.logs import set_up
    from earwitness.server.watch.canary import Canary, seconds

    if data is None:
        raise UsageError("Name the reference clips: --data my-recordings/, a manifest, or a corpus.")
    base_of(url)
    watched = Canary(url, seconds(every), promise_of(decision, candidate, data, limit) if decision else None)

    def ask() -> Round:
        return _round(url, data, model, key_env, response_format, limit=limit, timeout_s=timeout, out=out)

    stop_on_sigterm()
    set_up()
    if once:
        raise typer.Exit(_once(watched, ask, as_json=as_json))
    _watch(watched, ask, *_address(listen), as_json=as_json)


def _once(canary: Canary, ask: Callable[[], Round], *, as_json: bool) -> int:
    from dataclasses import asdict

    one, promise = ask(), canary.promise
    canary.add(one)
    if as_json:
        print_json({**asdict(one), "beyond": one.beyond(promise), "promise": promise and asdict(promise)})
    return int(one.beyond(promise) or one.reason is not None)


def _watch(canary: Canary, ask: Callable[[], Round], host: str, port: int, *, as_json: bool) -> None:
    from earwitness.server.watch.canary import go_round

    address = f"http://{host}:{canary.listen(host, port)}/metrics"
    if as_json:
        print_json({"metrics": address})
    else:
        console().print(f"Metrics on {address}", markup=False)
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        go_round(canary, ask, threading.Event())


def _round(
    url: str,
    data: str,
    model: str | None,
    key_env: str | None,
    response_format: str | None,
    *,
    limit: int | None,
    timeout_s: float,
    out: Path | None,
) -> Round:
    """Run the clips through the server, and return what came of it; what cannot be had is a round without a number."""
    import tempfile

    from earwitness.cli.server_address import jobs_at, model_at
    from earwitness.errors import EngineError
    from earwitness.runs.drive import start
    from earwitness.server.watch.canary import Round

    try:
        found = model_at(url, model, key_env, response_format)
    except EngineError as error:
        return Round(0, {}, reason=str(error))
    (job,) = jobs_at(found, [data], limit=limit, command=sys.argv[1:], speech=False)
    job = replace(job, limits=replace(job.limits, warmup=0, timeout_floor_s=timeout_s))
    with tempfile.TemporaryDirectory(prefix="earwitness-canary-") as folder:
        record = start(job, out or Path(folder), lambda *_: None)
        return _told(record, is_kept=out is not None)


def _told(record: Path, *, is_kept: bool) -> Round:
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


def promise_of(path: Path, candidate: str | None, data: str, limit: int | None) -> Promise:
    """Return what a decision promises of some clips: their own WER where they were heard for it, else that of all.

    Args:
        path: Of the decision.
        candidate: Label; ``None`` for the one that was chosen.
        data: As it is sent.
        limit: Only the first so many clips.

    Raises:
        UsageError: When it promises no WER, or there is no such candidate.
        EarwitnessError: When the decision or the data cannot be read.
    """
    from earwitness.decision.decision_file import read_decision
    from earwitness.errors import RecordError, UsageError
    from earwitness.records.record import Selection
    from earwitness.records.store import read_run
    from earwitness.runs.plan import load
    from earwitness.server.plan import verdict_of
    from earwitness.server.watch.canary import Promise

    decision = read_decision(path)
    verdict = verdict_of(decision, path, candidate)
    sent = load(Selection(data, limit)).sha256
    for evidence in decision.evidence:
        if (evidence.candidate, evidence.dataset_sha256) == (verdict.candidate, sent):
            try:
                wer = read_run(path.parent / evidence.record).score("wer")
            except RecordError:
                continue  # the records are not where they were; the decision still promises what it does
            if wer is not None and wer.value is not None:
                return Promise(wer.value, wer.ci95[1] if wer.ci95 else None, same_clips=True)
    if "wer" not in verdict.promise:
        raise UsageError(f"{str(path)!r} promises no WER of {verdict.candidate!r}. Leave out --decision.")
    value = verdict.promise["wer"]
    ends = [rule.ci95[1] for rule in verdict.rules if rule.measure == "wer" and rule.measured == value and rule.ci95]
    return Promise(value, max(ends, default=None))


def _address(text: str) -> tuple[str, int]:
    from earwitness.errors import UsageError

    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{text!r} is no address to listen on. It looks like 127.0.0.1:9109.")
    return host.strip("[]"), int(port)
