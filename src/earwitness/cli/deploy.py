"""``earwitness deploy``: write files that put a decision into service on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("Write files that put a decision into service on another machine.")
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout-s",
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Longest time from the end of the upload to the answer.",
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(min=1, metavar="SECONDS", help="Longest audio; default: 3600, or what fits in the timeout."),
]
TrustedProxies = Annotated[
    list[str] | None,
    typer.Option(
        "--trusted-proxy",
        metavar="ADDRESS",
        help="Address of a proxy whose X-Forwarded-* headers the server trusts.",
    ),
]
AllowedHosts = Annotated[
    list[str] | None,
    typer.Option("--allowed-host", metavar="NAME", help="Host name of the server, such as asr.example.org."),
]
Hashes = Annotated[
    bool,
    typer.Option("--hashes/--no-hashes", help="Pin each package by the sha256 of its wheel, which pip looks up."),
]


@app.command()
def deploy(
    decision: Annotated[Path, typer.Option(metavar="FILE", help="Decision file from earwitness decide.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")],
    candidate: options.CandidateName = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Worker processes.")] = 1,
    max_seconds: MaxSeconds = None,
    timeout_s: Timeout = 300,
    weights: Annotated[
        str, typer.Option(metavar="KIND", help="baked: downloaded into the image; mounted: from a folder.")
    ] = "baked",
    port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="PORT", help="Port on the machine that serves.")
    ] = 8000,
    program: Annotated[
        str, typer.Option(metavar="FILE", help="Program that systemd starts.")
    ] = "/opt/earwitness/bin/earwitness",
    allowed_hosts: AllowedHosts = None,
    trusted_proxies: TrustedProxies = None,
    hashes: Hashes = True,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a Dockerfile, a compose file with Prometheus and Grafana, a systemd unit and Kubernetes manifests.

    Model, versions, settings and threads come from the decision; the memory limit is computed for the longest audio
    that the server accepts. The command starts nothing, and overwrites files only with --force. README.md in the folder
    has the commands. Examples:

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
