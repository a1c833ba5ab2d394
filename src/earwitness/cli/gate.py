"""``earwitness gate``: compare runs with a baseline, for continuous integration."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.options import OverlayOption
from earwitness.counts import quantity

if TYPE_CHECKING:
    from earwitness.api.gate import BaselineUpdate
    from earwitness.decision.gate_verdict import GateVerdict

app = new_app("Compare runs with a baseline: exit 1 if something got worse.")

Absolute = Annotated[
    float,
    typer.Option(
        min=0, metavar="RATIO", help="Allow WER to rise by this much if not significantly; 0.005 is half a point."
    ),
]
Relative = Annotated[
    float,
    typer.Option(min=0, metavar="SHARE", help="Also allow this share of the baseline's WER; the larger limit counts."),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Let entries of the baseline without a run pass; --update keeps them.")
]
ByPolicy = Annotated[
    str | None,
    typer.Option(
        "--policy", metavar="NAME|FILE", help="Also apply the gates of a policy; default: that of earwitness.toml."
    ),
]
Github = Annotated[
    bool | None,
    typer.Option("--github/--no-github", help="Print annotations for GitHub; default: if GITHUB_ACTIONS is true."),
]


@app.command()
def gate(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS", help="Run records, or folders of them, such as runs/.")
    ],
    baseline: Annotated[
        Path, typer.Option(metavar="FILE", help="File with the accepted results to compare with.")
    ] = Path("baseline.json"),
    update: Annotated[bool, typer.Option("--update", help="Write the baseline from these runs.")] = False,
    absolute: Absolute = 0.005,
    relative: Relative = 0.05,
    slower: Annotated[
        float,
        typer.Option(min=1, metavar="RATIO", help="Allow speed to get worse by this factor, on the same machine."),
    ] = 1.5,
    cluster: Annotated[str, typer.Option(metavar="UNIT", help="Independent unit: recording or speaker.")] = "recording",
    partial: Partial = False,
    policy: ByPolicy = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML to this file.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a Markdown comment with the worst clips.")
    ] = None,
    github: Github = None,
    overlay: OverlayOption = None,
    as_json: AsJson = False,
) -> None:
    """Fail if WER rose significantly or beyond tolerance, clips are missing or fail, or the same machine got slower.

    With a policy, also fail if a model breaks one of its gates. Errors are paired clip by clip with those of the
    baseline. A model that is not in the baseline is listed and not judged. Examples:

        earwitness gate runs --update

        earwitness gate runs --junit gate.xml --markdown gate.md
    """
    from earwitness.api import gate
    from earwitness.reports import gate as shown

    if update:
        made = gate.baseline(records, baseline, partial=partial, overlay=overlay)
        _note(made.left_out)
        _show_baseline(made, partial=partial, as_json=as_json)
        return
    verdict = gate.gate(
        records, baseline=baseline, absolute=absolute, relative=relative, slower=slower, cluster=cluster,
        partial=partial, policy=policy, junit=junit, markdown=markdown, overlay=overlay,
    )  # fmt: skip
    _note(verdict.left_out)
    if github or (github is None and os.environ.get("GITHUB_ACTIONS") == "true"):
        for line in shown.commands(verdict):
            typer.echo(line, err=as_json)
    if as_json:
        print_json(_plain(verdict))
    else:
        for line in shown.lines(verdict):
            console().print(line, markup=False, soft_wrap=True)
    if not verdict.passed:
        raise typer.Exit(1)


def _note(left_out: tuple[str, ...]) -> None:
    for reason in left_out:
        console(stderr=True).print(f"Left out: {reason}", markup=False)


def _show_baseline(update: BaselineUpdate, *, partial: bool, as_json: bool) -> None:
    from earwitness.reports.gate import label

    entries, gone = [label(entry) for entry in update.entries], [label(entry) for entry in update.gone]
    if as_json:
        print_json({"baseline": str(update.baseline), "entries": entries, "taken_out": [] if partial else gone})
        return
    for name, entry in zip(entries, update.entries, strict=True):
        console().print(f"{name}: {quantity(len(entry.clips), 'clip')}", markup=False)
    for name in gone:
        console().print(f"{'kept' if partial else 'taken out'}: {name}", markup=False)
    console().print(str(update.baseline), markup=False, soft_wrap=True)


def _plain(verdict: GateVerdict) -> dict[str, object]:
    from earwitness.reports.gate import label, sentence

    return {
        "passed": verdict.passed,
        "policy": [{**asdict(rule), "outcome": rule.outcome} for rule in verdict.rules],
        "judged": [
            {
                "what": label(judged.entry, verdict.ambiguous),
                "record": str(judged.record),
                "checks": [{**asdict(check), "in_words": sentence(check)} for check in judged.checks],
                "new_weights": judged.new_weights,
                "n_worse": judged.n_worse,
                "worst": [asdict(worst) for worst in judged.worst],
            }
            for judged in verdict.judged
        ],
        "without_baseline": [label(entry, verdict.ambiguous) for entry in verdict.without],
        "missing": [label(entry, verdict.ambiguous) for entry in verdict.missing],
    }
