"""``earwitness rank``: what can be said of models without references."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_hanging, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from earwitness.comparison.agreement import Agreement

app = new_app("What can be said of models without references.")


@app.command()
def rank(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    wer_at_most: Annotated[
        list[str] | None,
        typer.Option(
            "--wer-at-most",
            metavar="MODEL=RATIO",
            help="A WER that a model is known not to exceed, such as faster-whisper:base=0.1; repeat for several.",
        ),
    ] = None,
    clips: Annotated[int, typer.Option(min=0, metavar="N", help="Number of clips to hear first.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Say who agrees with whom, what that bounds for any reference, and which clips a person should hear first.

    The command looks neither at references nor at labels beside the data; compare does. It prints what is proven, what
    independent models testify, and what is only an estimate. Models with the same weights share one vote, and no model
    is judged by its own vote. Examples:

        earwitness rank runs/

        earwitness rank runs/ --wer-at-most faster-whisper:base=0.1 --clips 20
    """
    from earwitness.api.rank import rank as ranked
    from earwitness.reports.agreement import plain

    found = ranked(records, wer_at_most=_premises(wer_at_most or []), clips=clips)
    if as_json:
        print_json({"datasets": [plain(one) for one in found.datasets], "left_out": list(found.left_out)})
        return
    for one in found.datasets:
        show(one)
    for reason in found.left_out:
        print_hanging(console(), f"Left out: {reason}")


def _premises(options: Sequence[str]) -> dict[str, float]:
    from earwitness.errors import UsageError

    premises = {}
    for option in options:
        label, _, number = option.rpartition("=")
        try:
            premises[label] = float(number)
        except ValueError:
            raise UsageError(f"--wer-at-most takes MODEL=RATIO, such as whisper:base=0.1, not {option!r}.") from None
    return premises


def show(agreed: Agreement) -> None:
    """Print the agreement on one dataset: models, distances, sentences, and clips to hear."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from earwitness.reports import agreement as words

    screen = console()
    screen.print(words.title(agreed), markup=False, style="bold")
    for header, rows in ((words.HEADER, words.model_rows(agreed)), words.distance_grid(agreed)):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, head in enumerate(header):
            table.add_column(head, justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        screen.print(table)
    for line in words.sentences(agreed):
        print_hanging(screen, f"- {line}")
    if agreed.to_hear:
        screen.print("\nHear these clips first:", markup=False)
        for clip in agreed.to_hear:
            print_hanging(screen, f"  {words.clip_line(clip)}")
    screen.print()
