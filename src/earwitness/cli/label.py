"""``earwitness label``: a page to label clips in, the plan of what to label next, and files of other tools."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.label_exchange import (
    AgreementOption,
    AudioPrefixOption,
    AuthorOption,
    ExchangeOptions,
    ExportOption,
    FormatOption,
    ImportOption,
    exchange,
)
from earwitness.cli.label_page import (
    AllowNetwork,
    ClipList,
    DraftChoice,
    Host,
    Port,
    SecondOpinion,
    WithBrowser,
    show_address,
    show_summary,
)
from earwitness.cli.options import OverlayOption

if TYPE_CHECKING:
    from earwitness.labels.plan import LabelPlan

app = new_app("Label clips, in the order that teaches most.")
_FIRST = 10
GoalOption = Annotated[
    str,
    typer.Option(
        metavar="GOAL",
        help="wer: the WER of each model; difference: of two models; gate: a limit on the WER, planned as wer.",
    ),
]

DataArgument = Annotated[
    str, typer.Argument(metavar="DATA", help="The recordings: a corpus, a manifest, a folder or a file.")
]
RunsOption = Annotated[
    list[Path] | None,
    typer.Option("--runs", metavar="RECORDS", help="Run records over these recordings, or folders of them."),
]
LimitOption = Annotated[
    float | None, typer.Option(min=0, metavar="RATIO", help="The limit of a gate: a WER, such as 0.1.")
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option("--model", "-m", metavar="MODEL", help="Model that counts; twice for a difference; default: all."),
]


@app.command()
def label(
    data: DataArgument,
    runs: RunsOption = None,
    labels: Annotated[int, typer.Option(min=1, metavar="N", help="How many clips you want to label.")] = 60,
    plan: Annotated[bool, typer.Option("--plan", help="Print which clips to label, without opening a page.")] = False,
    goal: GoalOption = "wer",
    models: ModelsOption = None,
    limit: LimitOption = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed: the same one gives the same plan.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan to this file.")] = None,
    export: ExportOption = None,
    import_: ImportOption = None,
    format_: FormatOption = None,
    agreement: AgreementOption = False,
    audio_prefix: AudioPrefixOption = "",
    author: AuthorOption = None,
    overlay: OverlayOption = None,
    clips: ClipList = None,
    draft: DraftChoice = "empty",
    second_opinion: SecondOpinion = 0.1,
    host: Host = "127.0.0.1",
    port: Port = 8377,
    allow_network: AllowNetwork = False,
    browser: WithBrowser = True,
    as_json: AsJson = False,
) -> None:
    """Label clips in the browser, in the order that gives an honest WER from few labels. Examples:

    earwitness label calls/ --runs runs/ --labels 60

    earwitness label calls/ --runs runs/ --plan --goal difference -m faster-whisper:base -m pocketsphinx:en-us

    earwitness label calls/ --export tasks.json --format label-studio

    earwitness label calls/ --import export.json --agreement
    """  # noqa: D415 - the examples follow
    from earwitness.api.label_page import label_page, read_ids
    from earwitness.api.label_plan import label_plan, plain_plan

    files = ExchangeOptions(export, import_, format_, agreement, audio_prefix, author, overlay)
    if files.are_in_use:
        exchange(data, files, as_json=as_json)
        return
    if not plan:
        summary = label_page(
            data, runs=runs or (), clips=read_ids(clips) if clips is not None else (), labels=labels, goal=goal,
            models=models or (), limit=limit, seed=seed, overlay=overlay, author=author, draft=draft,
            second_opinion=second_opinion, host=host, port=port, allow_network=allow_network,
            on_listen=partial(show_address, host, port, with_browser=browser),
        )  # fmt: skip
        show_summary(summary, as_json=as_json)
        return
    made = label_plan(data, runs=runs or (), labels=labels, goal=goal, models=models or (), limit=limit, seed=seed,
                      out=out)  # fmt: skip
    if as_json:
        print_json(plain_plan(made))
        return
    show_plan(made)
    if out is not None:
        console(stderr=True).print(f"Written: {out}", markup=False)


def show_plan(plan: LabelPlan) -> None:
    """Print the strata of a plan with their labels, the first clips, and how narrow the interval may be."""
    from rich.table import Table

    from earwitness.api.label_plan import unit_noun
    from earwitness.counts import NOTHING, percentage, quantity

    screen = console()
    grid = Table("Stratum", box=None, header_style="bold")
    for heading in (unit_noun(plan.order).capitalize(), "Labels", "Probability"):
        grid.add_column(heading, justify="right")
    for stratum in plan.strata:
        chance = NOTHING if stratum.known else percentage(stratum.probability, digits=0)
        grid.add_row(stratum.name, f"{stratum.n_clips:,}", f"{stratum.n_labels:,}", chance)
    screen.print(grid)
    first = ", ".join(plan.clips[:_FIRST])
    more = plan.n_labels - _FIRST
    screen.print(f"Label first: {first}{f', and {more:,} more' if more > 0 else ''}.", markup=False)
    if plan.expected_half_width is not None:
        width = f"± {100 * plan.expected_half_width:.1f} points after {quantity(plan.n_labels, 'label')}"
        screen.print(f"Expected 95 % interval: {width}, guessed from how far the models are apart.", markup=False)
