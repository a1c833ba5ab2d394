"""``earwitness serve``: the chosen model behind an API, and the keys of that API."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from earwitness.api.serve import ServeSpec, run_server
from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.options import takes

app = new_app()
keys_app = new_app("Keys for the API: add, list, remove.\n\nExample: earwitness serve keys add reception")
app.add_typer(keys_app, name="keys")
KEYS = Path("earwitness-keys.json")
File = Annotated[Path, typer.Option("--keys", metavar="FILE", help="File of the keys, which are stored as hashes.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the holder, which logs show.")]


@app.callback(invoke_without_command=True)
@takes(ServeSpec)
def serve(context: typer.Context, spec: ServeSpec, as_json: AsJson = False) -> None:  # noqa: ARG001 - for ``takes``
    """Serve a model behind an OpenAI-compatible API, with the settings that were measured, until Ctrl-C or SIGTERM.

    The first model is loaded at once, others on their first request. Logs are JSON lines on standard error. After
    SIGTERM, /readyz answers 503; the server takes requests for --linger seconds more, then finishes those in progress.
    On SIGHUP, or when the decision file changes, it switches to the new decision. Examples:

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
    rate: Annotated[
        float | None, typer.Option(min=0.01, metavar="N", help="Requests per minute; default: the server's --rate.")
    ] = None,
    file: File = KEYS,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it once; the file keeps only its hash.

    Example: earwitness serve keys add reception --rate 120
    """
    from earwitness.api.keys import add_key

    secret = add_key(file, name, rate)
    if as_json:
        print_json({"name": name, "key": secret, "file": str(file)})
        return
    console().print(secret, markup=False, soft_wrap=True)
    console(stderr=True).print(
        f"Its hash is in {str(file)!r}. To serve with it: earwitness serve --keys {file}", markup=False
    )


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
