"""``earwitness cluster``: the nodes of a cluster, and what is missing where."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.counts import quantity

if TYPE_CHECKING:
    from earwitness.api.cluster import ClusterStatus

app = new_app("Show the nodes of a cluster, their engines and devices, and what is missing where.")


@app.command()
def cluster(
    on: Annotated[
        str,
        typer.Option(metavar="CLUSTER", help="ray (this machine alone, or RAY_ADDRESS), or ray://HOST:PORT."),
    ] = "ray",
    models: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Say which nodes can run this model; repeat for several."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps or tpu.")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Show every node; exit 1 if there is none, or if a model can run on none.

    On one machine, make a token with 'ray get-auth-token --generate', copy ~/.ray/auth_token to the others, and start
    Ray with 'RAY_AUTH_MODE=token ray start --head'; on the others, with 'RAY_AUTH_MODE=token ray start --address
    HOST:6379'. Example:

        earwitness cluster --on ray://10.0.0.1:6379 --model faster-whisper:base
    """
    from earwitness.api.cluster import list_nodes

    status = list_nodes(on=on, models=models or (), device=device)
    if as_json:
        print_json(asdict(status))
    else:
        _show(status)
    runs_nowhere = [model for model, unfit in status.unfit.items() if len(unfit) == len(status.nodes)]
    if not status.nodes or runs_nowhere:
        raise typer.Exit(1)


def _show(status: ClusterStatus) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("Node", "Address", "Processor", "Memory free", "Devices", "Engines", box=None, pad_edge=False)
    for node in status.nodes:
        cells = (
            node.name,
            node.host,
            f"{node.environment.cpu}, {quantity(node.environment.cores, 'core')}",
            f"{node.available_bytes / 1e9:.1f} GB",
            ", ".join(kind if n == 1 else f"{n} x {kind}" for kind, n in node.devices.items()),
            ", ".join(node.packages),
        )
        table.add_row(*(Text(cell) for cell in cells))
    screen = console()
    screen.print(table)
    for problem in status.problems:
        screen.print(problem, markup=False, soft_wrap=True)
    for model, unfit in status.unfit.items():
        n_fit = len(status.nodes) - len(unfit)
        screen.print(f"{model}: {n_fit} of {quantity(len(status.nodes), 'node')} can run it.", markup=False)
        for name, reason in unfit.items():
            screen.print(f"  {name}: {reason}", markup=False, soft_wrap=True)
