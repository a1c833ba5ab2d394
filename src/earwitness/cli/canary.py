"""``earwitness canary``: send reference clips through a live API on a schedule."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json, stop_on_sigterm

if TYPE_CHECKING:
    from earwitness.api.canary import CanaryResult

app = new_app("Send reference clips through a live API on a schedule.")


@app.command()
def canary(
    url: options.ServerUrl,
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="Corpus, manifest or folder with references.")
    ] = None,
    every: Annotated[str, typer.Option(metavar="TIME", help="Time between rounds: 90s, 15m, 1h.")] = "15m",
    once: Annotated[
        bool, typer.Option("--once", help="Do one round; exit 1 if WER is worse than the decision says.")
    ] = False,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address for Prometheus to scrape.")
    ] = "127.0.0.1:9109",
    decision: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decision file: compare with the WER that it measured.")
    ] = None,
    candidate: options.CandidateName = None,
    model: options.ServerModel = None,
    key_env: options.KeyEnv = None,
    response_format: options.ResponseFormatOption = None,
    limit: options.FirstClips = None,
    timeout_s: options.AnswerTimeout = 60,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the record of every round in this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send reference clips through a live API and report WER, latency and failures, as metrics and as JSON lines.

    WER is computed as in earwitness run, from the texts that a client of the API gets. With --decision, the
    canary reports a WER above the decision's 95 % interval. With --once, the exit code is then 1; it is also 1 if the
    server answered no clip. Examples:

        earwitness canary http://127.0.0.1:8000 --data librivox-mini --decision decision.json --every 15m

        earwitness canary http://127.0.0.1:8000 --data my-recordings/ --decision decision.json --once
    """
    from earwitness.api.canary import canary as send
    from earwitness.api.canary import log_round, promise_of, seconds, watch_canary
    from earwitness.errors import UsageError

    if data is None:
        raise UsageError("Name the reference clips: --data my-recordings/, a manifest, or a corpus.")
    every_s = seconds(every)
    send_round = partial(
        send, url, data, model=model, key_env=key_env, response_format=response_format, limit=limit,
        timeout_s=timeout_s, out=out, command=tuple(sys.argv[1:]),
    )  # fmt: skip
    stop_on_sigterm()
    if not once:
        promise = promise_of(decision, candidate, data, limit) if decision else None
        watch_canary(url, every_s, listen, send_round, promise, partial(_announce, as_json=as_json))
        return
    result = send_round(decision=decision, candidate=candidate)
    log_round(url, every_s, result)
    if as_json:
        print_json(_plain(result))
    raise typer.Exit(int(result.beyond or result.round.reason is not None))


def _plain(result: CanaryResult) -> dict[str, object]:
    promise = result.promise and asdict(result.promise)
    return {**asdict(result.round), "beyond": result.beyond, "promise": promise}


def _announce(address: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"metrics": address})
    else:
        console().print(f"Metrics on {address}", markup=False)
    sys.stdout.flush()
