"""``earwitness deploy``: a decision as files that put it into service elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Files that put a decision into service elsewhere.")


@app.command()
def deploy(
    decision: Annotated[Path, typer.Option(metavar="FILE", help="What earwitness decide wrote.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")],
    candidate: Annotated[str | None, typer.Option(help="Another candidate of the decision than the chosen.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    max_seconds: Annotated[
        float | None, typer.Option(min=1, help="Longest audio; else 3600, or what fits in time.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", "--timeout", min=1, help="Seconds from the upload's end to the answer.")
    ] = 300,
    weights: Annotated[str, typer.Option(help="baked: pulled into the image; mounted: from a folder.")] = "baked",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On the machine that serves.")] = 8000,
    program: Annotated[str, typer.Option(help="Where systemd finds earwitness.")] = "/opt/earwitness/bin/earwitness",
    allowed_hosts: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="A host name of this server, such as asr.example.org."),
    ] = None,
    trusted_proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy", metavar="ADDRESS", help="A proxy whose X-Forwarded-* headers the server believes."
        ),
    ] = None,
    hashes: Annotated[
        bool, typer.Option("--hashes/--no-hashes", help="Pin each package by the sha256 of its wheel, as pip finds it.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a Dockerfile, a compose file with Prometheus and Grafana, a systemd unit and Kubernetes manifests.

    Model, versions, settings and threads are those of the decision; the memory limit is reckoned for the longest audio
    let in. Nothing is started, and nothing that is there is overwritten. README.md in the folder has the commands.

    Examples:
        earwitness deploy --decision decision.json --out deployment

        earwitness deploy --decision decision.json --out deployment --workers 2 --weights mounted

        earwitness deploy --decision decision.json --out deployment --allowed-host asr.example.org
    """
    from earwitness.api.serve import deploy as deployed

    made = deployed(
        decision, out, candidate=candidate, workers=workers, max_seconds=max_seconds, timeout_s=timeout_s,
        weights=weights, port=port, program=program, allowed_hosts=allowed_hosts or (),
        trusted_proxies=trusted_proxies or (), hashes=hashes, force=force,
    )  # fmt: skip
    if as_json:
        memory = {"request_bytes": made.request_bytes, "limit_bytes": made.limit_bytes}
        print_json({"out": str(out), "files": list(made.files), "model": made.model, "cpus": made.cpus, **memory})
        return
    console().print(
        f"{made.model}: {len(made.files)} files in {out}; the commands are in {out / 'README.md'}", markup=False
    )
