"""``earwitness serve``: the chosen model behind an API, and the keys that may ask it."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from earwitness.api.serve import ServeSpec, run_server
from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.options import takes

app = new_app("An API like OpenAI's for a model, with the settings that were measured.")
keys_app = new_app("Keys that may ask the API: add, list, remove.\n\nExample: earwitness serve keys add reception")
app.add_typer(keys_app, name="keys")
KEYS = Path("earwitness-keys.json")
File = Annotated[Path, typer.Option("--keys", metavar="FILE", help="File of the keys; it holds their hashes.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Who has the key; shown in logs.")]


@app.callback(invoke_without_command=True)
@takes(ServeSpec)
def serve(context: typer.Context, spec: ServeSpec, as_json: AsJson = False) -> None:  # noqa: ARG001 - for ``takes``
    """Serve a model over HTTP, as OpenAI's clients expect it, until it is told to stop.

    The first model is loaded at once, others when they are asked for. Logs are JSON lines on standard error. After
    SIGTERM, /readyz says 503, requests are still taken for --linger seconds, and then come to their end. SIGHUP, or a
    change of the decision, takes the new one over. Examples:

        earwitness serve --decision decision.json

        earwitness serve --model faster-whisper:base --set beam_size=5 --port 9000

        earwitness serve --decision decision.json --host 0.0.0.0 --keys earwitness-keys.json --rate 60
    """
    run_server(spec, partial(_announce, as_json=as_json))


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
    from earwitness.api.keys import add_key

    secret = add_key(file, name, rate)
    if as_json:
        print_json({"name": name, "key": secret, "file": str(file)})
        return
    console().print(secret, markup=False, soft_wrap=True)
    console(stderr=True).print(f"Its hash is in {str(file)!r}: earwitness serve --keys {file}", markup=False)


@keys_app.command("list")
def list_(file: File = KEYS, as_json: AsJson = False) -> None:
    """List the keys by name. Example: earwitness serve keys list."""
    from earwitness.api.keys import read_keys

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
    from earwitness.api.keys import remove_key

    remove_key(file, name)
    if as_json:
        print_json({"removed": name, "file": str(file)})
        return
    console().print(f"{name}: removed", markup=False)
