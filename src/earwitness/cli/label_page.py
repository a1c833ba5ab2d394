"""``earwitness label``: the options of the page, and what is printed at its begin and its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import console, print_json

if TYPE_CHECKING:
    from earwitness.api.label_page import LabelSummary

ClipList = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Label these clips, one id a line, in this order and without a plan or estimate."
    ),
]
DraftChoice = Annotated[
    str,
    typer.Option(
        metavar="DRAFT",
        help="What the box starts with: empty; hidden: the text of a model of the runs at random; reference; or "
        "the record of a model that is not among the runs.",
    ),
]
SecondOpinion = Annotated[
    float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of clips that a second person labels, too.")
]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, metavar="N", help="Port; if it is in use, the next free one.")]
AllowNetwork = Annotated[
    bool, typer.Option("--allow-network", help="Let --host be an address that other machines reach.")
]
WithBrowser = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in your browser, if there is a display.")
]


def show_address(host: str, first_port: int, url: str, port: int, *, with_browser: bool) -> None:
    """Print the address of the page, and open it."""
    from earwitness.api.label_page import is_loopback, open_browser

    screen = console(stderr=True)
    if first_port not in (0, port):
        screen.print(f"Port {first_port} is in use, so the page has port {port}.", markup=False)
    if not is_loopback(host):
        screen.print(
            f"Warning: everybody who reaches {host} and has this address can listen to the recordings. "
            "The connection is not encrypted.",
            markup=False,
        )
    if not (with_browser and open_browser(url)):
        screen.print("Open this address in a browser. Whoever has it can label:", markup=False)
    screen.print(url, markup=False)
    screen.print("Each label is saved at once. Ctrl-C ends.", markup=False)


def show_summary(summary: LabelSummary, *, as_json: bool) -> None:
    """Print what was labelled and the estimate so far."""
    from earwitness.counts import duration, quantity

    if as_json:
        names = ("n_labels", "n_done", "n_planned", "units", "minutes", "estimate")
        print_json({name: getattr(summary, name) for name in names} | {"overlay": str(summary.overlay)})
        return
    screen = console()
    screen.print(
        f"{quantity(summary.n_labels, 'label')} in {duration(60 * summary.minutes)} of work; "
        f"{summary.n_done:,} of {summary.n_planned:,} {summary.units} have one.",
        markup=False,
    )
    for line in summary.estimate:
        screen.print(line, markup=False)
    if summary.n_done:
        screen.print(f"Labels: {summary.overlay}", markup=False)
