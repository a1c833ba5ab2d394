"""``earwitness serve``: the chosen model behind an API, and the keys that may ask it."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("An API like OpenAI's for a model, with the settings that were measured.")
keys_app = new_app("Keys that may ask the API: add, list, remove.\n\nExample: earwitness serve keys add reception")
app.add_typer(keys_app, name="keys")
KEYS = Path("earwitness-keys.json")
File = Annotated[Path, typer.Option("--keys", metavar="FILE", help="File of the keys; it holds their hashes.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Who has the key; shown in logs.")]

Workers = Annotated[int | None, typer.Option(min=1, help="Processes for each model; else as many as the cores bear.")]
CandidateOption = Annotated[
    list[str] | None, typer.Option(help="Of the decision, in place of the chosen one; may be given again.")
]
AllowedHostsOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="A host name of this server, such as asr.example.org.")
]
TrustedProxiesOption = Annotated[
    list[str] | None, typer.Option(metavar="ADDRESS", help="A proxy whose X-Forwarded-* headers are believed.")
]
RootPath = Annotated[str, typer.Option(metavar="PATH", help="A proxy passes on requests under this path.")]
ConnectionsOption = Annotated[int, typer.Option(min=2, help="Most connections at once.")]
KeepAlive = Annotated[float, typer.Option(min=1, help="Seconds that an idle connection is kept.")]
LogText = Annotated[bool, typer.Option("--log-text", help="Include transcripts in the log (off by default).")]
OpenaiNames = Annotated[
    bool, typer.Option("--openai-names/--no-openai-names", help="whisper-1 and the like mean the first model.")
]


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    decision: Annotated[Path | None, typer.Option(metavar="FILE", help="What earwitness decide wrote.")] = None,
    candidate: CandidateOption = None,
    model: options.ModelsOption = None,
    device: options.Device = "auto",
    preset: options.Preset = "matched",
    set_: options.Assignments = None,
    host: Annotated[str, typer.Option(help="Address to bind; 0.0.0.0 opens it to others.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    workers: Workers = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each worker; a decision has its own.")] = None,
    queue: Annotated[int, typer.Option(min=0, help="Requests that may wait beside those worked on.")] = 16,
    max_seconds: Annotated[float | None, typer.Option(min=0.1, help="Longest audio; else what fits.")] = None,
    max_mb: Annotated[float, typer.Option(min=0.001, help="Largest upload, in MiB.")] = 100,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds from the upload's end to the answer.")] = 300,
    drain: Annotated[float, typer.Option(min=1, help="Seconds for requests to end in, at the end.")] = 30,
    linger: Annotated[float, typer.Option(min=0, help="Seconds after SIGTERM in which requests are still taken.")] = 0,
    memory_mb: Annotated[float | None, typer.Option(min=1, help="For all models; else most of what is free.")] = None,
    keys: Annotated[Path | None, typer.Option(metavar="FILE", help="Only these keys may ask.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Requests a minute for each key.")] = None,
    cors: Annotated[list[str] | None, typer.Option(metavar="ORIGIN", help="A web page that may ask.")] = None,
    allowed_host: AllowedHostsOption = None,
    trusted_proxy: TrustedProxiesOption = None,
    root_path: RootPath = "",
    connections: ConnectionsOption = 1000,
    keep_alive: KeepAlive = 75,
    openai_names: OpenaiNames = True,
    log_text: LogText = False,
    as_json: AsJson = False,
) -> None:
    """Serve a model over HTTP, as OpenAI's clients expect it, until it is told to stop.

    The first model is loaded at once, others when they are asked for. Logs are JSON lines on standard error. After
    SIGTERM, /readyz says 503, requests are still taken for --linger seconds, and then come to their end. SIGHUP, or a
    change of the decision, takes the new one over. Examples:

        earwitness serve --decision decision.json

        earwitness serve --model faster-whisper:base --set beam_size=5 --port 9000

        earwitness serve --decision decision.json --host 0.0.0.0 --keys earwitness-keys.json --rate 60
    """
    if context.invoked_subcommand is not None:
        return
    from earwitness.api.serve import serve as run_server

    run_server(
        decision=decision, candidate=candidate or (), model=model or (), device=device, preset=preset,
        settings=options.parse_assignments(set_ or ()), host=host, port=port, workers=workers, threads=threads,
        queue=queue,
        max_seconds=max_seconds, max_mb=max_mb, timeout=timeout, drain=drain, linger=linger, memory_mb=memory_mb,
        keys=keys, rate=rate, cors=cors or (), allowed_host=allowed_host or (), trusted_proxy=trusted_proxy or (),
        root_path=root_path, connections=connections, keep_alive=keep_alive, openai_names=openai_names,
        log_text=log_text, progress=partial(_announce, as_json=as_json),
    )  # fmt: skip


def _announce(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url})
    else:
        console().print(f"Listening on {url}", markup=False)
    sys.stdout.flush()  # whoever started the server may be reading


@keys_app.command("add")
def add(
    name: KeyName,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Requests a minute; else the server's.")] = None,
    file: File = KEYS,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it; it is kept as a hash, and cannot be shown again.

    Example: earwitness serve keys add reception --rate 120
    """
    from earwitness.server.keys import add_key

    secret = add_key(file, name, rate)
    if as_json:
        print_json({"name": name, "key": secret, "file": str(file)})
        return
    console().print(secret, markup=False, soft_wrap=True)
    console(stderr=True).print(f"Its hash is in {str(file)!r}: earwitness serve --keys {file}", markup=False)


@keys_app.command("list")
def list_(file: File = KEYS, as_json: AsJson = False) -> None:
    """List the keys by name. Example: earwitness serve keys list."""
    from earwitness.server.keys import read_keys

    rows = [{"name": k.name, "created_at": k.created_at, "rate_per_minute": k.rate_per_minute} for k in read_keys(file)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        rate = f", {row['rate_per_minute']:g} a minute" if row["rate_per_minute"] else ""
        console().print(f"{row['name']}: since {row['created_at']}{rate}", markup=False)


@keys_app.command("remove")
def remove(name: KeyName, file: File = KEYS, as_json: AsJson = False) -> None:
    """Remove a key; a running server refuses it within a second. Example: earwitness serve keys remove reception."""
    from earwitness.server.keys import remove_key

    remove_key(file, name)
    if as_json:
        print_json({"removed": name, "file": str(file)})
        return
    console().print(f"{name}: removed", markup=False)
