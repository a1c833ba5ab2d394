"""``earwitness decide``: which model may be served."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_hanging, print_json
from earwitness.cli.options import OverlayOption

if TYPE_CHECKING:
    from earwitness.decision.decision import Decision
    from earwitness.decision.rules import Policy

app = new_app("Which model may be served, under a policy.")


@app.command()
def decide(
    records: Annotated[
        list[Path] | None, typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ] = None,
    policy: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="transcription-batch, live-captions, telephony, edge, or a file.")
    ] = "transcription-batch",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write; default: decision.json in the folder of the records."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the rules of the policy; without records, only these.")
    ] = False,
    overlay: OverlayOption = None,
    as_json: AsJson = False,
) -> None:
    """Judge every model by a policy: production, conditional, research, rejected or undecided, with grade and reasons.

    The decision is a JSON file, which names the records behind every number. The exit code is 0 if a model may be
    served (production or conditional) and 1 if none may. docs/policy.md explains policies. Examples:

        earwitness decide runs/

        earwitness decide runs/ --policy telephony --out decision.json

        earwitness decide --explain --policy my-policy.toml
    """
    from earwitness.api.compare import decide as judge
    from earwitness.api.compare import decision_path, plain_decision, read_policy
    from earwitness.errors import UsageError

    rules = read_policy(policy)
    if not records:
        if not explain:
            raise UsageError("Name run records or a folder of them: earwitness decide runs/")
        if as_json:
            print_json(asdict(rules))
        else:
            _explain(rules)
        return
    target = out or decision_path(records)
    decision = judge(records, policy=policy, out=target, command=sys.argv[1:], overlay=overlay)
    if as_json:
        print_json(plain_decision(decision))
    else:
        if explain:
            _explain(rules)
            console().print()
        _show(decision)
    console(stderr=True).print(f"Written: {target}", markup=False)
    raise typer.Exit(0 if decision.chosen is not None else 1)


def _explain(policy: Policy) -> None:
    from earwitness.reports.decision import explanation

    for line in explanation(policy):
        print_hanging(console(), line)


def _show(decision: Decision) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from earwitness.reports.decision import HEADER, answer, audio_line, rows, verdict_lines, winner_line

    screen = console()
    screen.print(answer(decision), markup=False, style="bold", soft_wrap=True)
    screen.print(audio_line(decision), markup=False, highlight=False, soft_wrap=True)
    table = Table(*HEADER, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows(decision):
        table.add_row(*map(Text, row))
    screen.print(table)
    lines = [line for verdict in decision.verdicts for line in (*verdict_lines(verdict), "")]
    lines += ["Without references:", *(f"  {line}" for line in decision.bounds), ""] if decision.bounds else []
    lines += ["Best in each category:", *(f"  {winner_line(one)}" for one in decision.winners)]
    lines += ["", *decision.guidance] if decision.guidance else []
    lines += ["", *(f"Left out: {reason}" for reason in decision.left_out)] if decision.left_out else []
    for line in lines:
        print_hanging(screen, line)
