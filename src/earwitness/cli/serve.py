"""``earwitness serve``: the chosen model behind an API, and the keys that may ask it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.serve.values import Limits, Served, Site

app = new_app("An API like OpenAI's for a model, with the settings that were measured.")
keys_app = new_app("Keys that may ask the API: add, list, remove.\n\nExample: earwitness serve keys add reception")
app.add_typer(keys_app, name="keys")
_NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
KEYS = Path("earwitness-keys.json")
File = Annotated[Path, typer.Option("--keys", metavar="FILE", help="File of the keys; it holds their hashes.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Who has the key; shown in logs.")]


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    decision: Annotated[Path | None, typer.Option(metavar="FILE", help="What earwitness decide wrote.")] = None,
    candidate: Annotated[
        list[str] | None, typer.Option(help="Of the decision, in place of the chosen one; may be given again.")
    ] = None,
    model: options.Models = None,
    device: options.Device = "auto",
    preset: options.Preset = "matched",
    set_: options.Assignments = None,
    host: Annotated[str, typer.Option(help="Address to bind; 0.0.0.0 opens it to others.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for each model; else as many as the cores bear.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each worker; a decision has its own.")] = None,
    queue: Annotated[int, typer.Option(min=0, help="Requests that may wait beside those worked on.")] = 16,
    max_seconds: Annotated[float, typer.Option(min=0.1, help="Longest audio of a request.")] = 3600,
    max_mb: Annotated[float, typer.Option(min=0.001, help="Largest upload, in MiB.")] = 100,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds from the upload's end to the answer.")] = 300,
    drain: Annotated[float, typer.Option(min=1, help="Seconds for requests to end in, at the end.")] = 30,
    memory_mb: Annotated[float | None, typer.Option(min=1, help="For all models; else most of what is free.")] = None,
    keys: Annotated[Path | None, typer.Option(metavar="FILE", help="Only these keys may ask.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Requests a minute for each key.")] = None,
    cors: Annotated[list[str] | None, typer.Option(metavar="ORIGIN", help="A web page that may ask.")] = None,
    log_text: Annotated[bool, typer.Option("--log-text", help="Log transcripts, which are not logged else.")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a model over HTTP, as OpenAI's clients expect it, until it is told to stop.

    The first model is loaded at once, others when they are asked for. Logs are JSON lines on standard error. SIGTERM
    lets requests come to their end; SIGHUP, or a change of the decision, takes the new one over. Examples:

        earwitness serve --decision decision.json

        earwitness serve --model faster-whisper:base --set beam_size=5 --port 9000

        earwitness serve --decision decision.json --host 0.0.0.0 --keys earwitness-keys.json --rate 60
    """
    if context.invoked_subcommand is not None:
        return
    from earwitness.serve.values import Limits, Site

    limits = Limits(
        queue=queue, max_bytes=round(max_mb * (1 << 20)), max_audio_s=max_seconds, timeout_s=timeout, drain_s=drain,
        rate_per_minute=rate, memory_bytes=None if memory_mb is None else round(memory_mb * (1 << 20)),
    )  # fmt: skip
    read = _read(
        decision, tuple(candidate or ()), tuple(model or ()), device, preset, tuple(set_ or ()), threads, workers
    )
    _run(read, limits, Site(host, port, keys, tuple(cors or ()), log_text, decision), as_json=as_json)


@keys_app.command("add")
def add(
    name: Name,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Requests a minute; else the server's.")] = None,
    file: File = KEYS,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it; it is kept as a hash, and cannot be shown again.

    Example: earwitness serve keys add reception --rate 120
    """
    from earwitness.serve.keys import add_key

    secret = add_key(file, name, rate)
    if as_json:
        print_json({"name": name, "key": secret, "file": str(file)})
        return
    console().print(secret, markup=False, soft_wrap=True)
    console(stderr=True).print(f"Its hash is in {str(file)!r}: earwitness serve --keys {file}", markup=False)


@keys_app.command("list")
def list_(file: File = KEYS, as_json: AsJson = False) -> None:
    """List the keys by name. Example: earwitness serve keys list."""
    from earwitness.serve.keys import read_keys

    rows = [{"name": k.name, "created_at": k.created_at, "rate_per_minute": k.rate_per_minute} for k in read_keys(file)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        rate = f", {row['rate_per_minute']:g} a minute" if row["rate_per_minute"] else ""
        console().print(f"{row['name']}: since {row['created_at']}{rate}", markup=False)


@keys_app.command("remove")
def remove(name: Name, file: File = KEYS) -> None:
    """Remove a key; a running server refuses it within a second. Example: earwitness serve keys remove reception."""
    from earwitness.serve.keys import remove_key

    remove_key(file, name)
    console().print(f"{name}: removed", markup=False)


def _run(read: Callable[[], Sequence[Served]], limits: Limits, site: Site, *, as_json: bool) -> None:
    from earwitness.errors import UsageError
    from earwitness.runs.hear import scratch_folder
    from earwitness.serve.run import serve as run_server

    missing = next((name for name in _NEEDED if find_spec(name) is None), None)
    if missing is not None:
        raise UsageError(f"A server needs {missing!r}, which is not here. Run: pip install 'earwitness[serve]'")

    def listening(url: str) -> None:
        if as_json:
            print_json({"url": url})
        else:
            console().print(f"Listening on {url}", markup=False)
        sys.stdout.flush()  # whoever started the server may be reading

    with scratch_folder() as scratch:
        run_server(read, limits, site, scratch, listening)


def _read(
    decision: Path | None,
    candidates: tuple[str, ...],
    models: tuple[str, ...],
    device: str,
    preset: str,
    assignments: tuple[str, ...],
    threads: int | None,
    workers: int | None,
) -> Callable[[], Sequence[Served]]:
    from earwitness.cli.served import of_decision, of_model
    from earwitness.errors import UsageError

    if (decision is None) == (not models):
        raise UsageError("Say what to serve: --decision decision.json, or --model such as faster-whisper:base.")
    if decision is None:
        if candidates:
            raise UsageError("Candidates are those of a decision: name it with --decision.")
        return lambda: [of_model(one, device, preset, assignments, threads, workers) for one in dict.fromkeys(models)]
    if assignments or threads is not None or device != "auto" or preset != "matched":
        raise UsageError("A decision is served as it was measured: leave out --set, --threads, --device and --preset.")
    return lambda: of_decision(decision, candidates, workers)
