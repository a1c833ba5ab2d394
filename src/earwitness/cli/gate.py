"""``earwitness gate``: runs against a baseline, for continuous integration."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.compare.decision import Decision
    from earwitness.compare.gate import Verdict
    from earwitness.runs.record import Run

app = new_app("Hold runs against a baseline: exit 1 when something got worse.")

Absolute = Annotated[
    float, typer.Option(min=0, help="Rise of WER that is let through when not significant; 0.005 is half a point.")
]
Relative = Annotated[float, typer.Option(min=0, help="The same as a share of the baseline's; the larger one counts.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Entries of the baseline without a run are let through; --update keeps them.")
]
ByPolicy = Annotated[
    str | None,
    typer.Option("--policy", help="Fail on a broken gate of this policy; the default is that of earwitness.toml."),
]
Github = Annotated[
    bool | None,
    typer.Option("--github/--no-github", help="Print annotations; the default is where GITHUB_ACTIONS is true."),
]


@app.command()
def gate(
    records: Annotated[list[Path], typer.Argument(help="Records, or folders that hold some, such as runs/.")],
    baseline: Annotated[Path, typer.Option(help="The file that says what runs came to when they were good.")],
    update: Annotated[bool, typer.Option("--update", help="Write the baseline from these runs.")] = False,
    absolute: Absolute = 0.005,
    relative: Relative = 0.05,
    slower: Annotated[float, typer.Option(min=1, help="Ratio of times that is let through, on one machine.")] = 1.5,
    cluster: Annotated[str, typer.Option(help="What varies: recording or speaker.")] = "recording",
    partial: Partial = False,
    policy: ByPolicy = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a comment with the worst clips to this file.")] = None,
    github: Github = None,
    as_json: AsJson = False,
) -> None:
    """Fail when WER rose significantly or beyond tolerance, clips vanished or fail, or speed fell on the same machine.

    With a policy, also when a gate of it is broken. Errors are paired clip by clip with those of the baseline. A model
    that the baseline does not have is said and not judged. Examples:

        earwitness gate runs --baseline baseline.json --update

        earwitness gate runs --baseline baseline.json --junit gate.xml --markdown gate.md
    """
    from earwitness.api.comparing import cluster_name
    from earwitness.compare.baseline import read
    from earwitness.compare.gate import Tolerance
    from earwitness.compare.gate import gate as held_against
    from earwitness.report import gate as shown
    from earwitness.runs.store import write_text

    runs = _newest(records)
    if update:
        _update(runs, baseline, partial=partial, as_json=as_json)
        return
    verdict = held_against(
        runs,
        read(baseline),
        tolerance=Tolerance(absolute, relative, slower),
        by=cluster_name(cluster),
        partial=partial,
        decision=_decision([path for path, _ in runs], policy),
    )
    for path, text in ((junit, shown.junit), (markdown, shown.markdown)):
        if path is not None:
            write_text(path, text(verdict))
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


def _newest(records: list[Path]) -> list[tuple[Path, Run]]:
    from earwitness.compare.baseline import current
    from earwitness.compare.table import newest
    from earwitness.runs.store import find_records

    left_out: list[str] = []
    runs = current(newest(find_records(records), left_out), left_out)
    for reason in left_out:
        console(stderr=True).print(f"Left out: {reason}", markup=False)
    return runs


def _decision(records: list[Path], typed: str | None) -> Decision | None:
    from earwitness.api import studyfile
    from earwitness.compare.decide import decide
    from earwitness.compare.policy import load

    policy = typed or studyfile.policy()
    if policy is None or not records:
        return None
    # Nothing is written: the path only says what the records are relative to.
    return decide(records, load(policy), out=Path("decision.json"))


def _update(runs: list[tuple[Path, Run]], path: Path, *, partial: bool, as_json: bool) -> None:
    from earwitness.compare import baseline as baselines
    from earwitness.errors import ComparisonError
    from earwitness.report.gate import label
    from earwitness.runs.store import read_clips, write_text

    if not runs:
        raise ComparisonError("There is no complete run to make a baseline of. Make one: earwitness run DATA --model M")
    before = baselines.read(path).entries if path.exists() else ()
    entries = [baselines.entry_of(run, read_clips(record)) for record, run in runs]
    what = {entry.what for entry in entries}
    gone = [entry for entry in before if entry.what not in what]
    write_text(path, baselines.render(baselines.baseline_of([*entries, *(gone if partial else ())])))
    if as_json:
        gone_labels = [] if partial else [label(entry) for entry in gone]
        print_json({"baseline": str(path), "entries": [label(entry) for entry in entries], "taken_out": gone_labels})
        return
    for entry in entries:
        console().print(f"{label(entry)}: {len(entry.clips)} clips", markup=False)
    for entry in gone:
        console().print(f"{'kept' if partial else 'taken out'}: {label(entry)}", markup=False)
    console().print(str(path), markup=False, soft_wrap=True)


def _plain(verdict: Verdict) -> dict[str, Any]:
    from earwitness.report.gate import label, sentence

    return {
        "passed": verdict.passed,
        "policy": [{**asdict(rule), "outcome": rule.outcome} for rule in verdict.rules],
        "judged": [
            {
                "what": label(judged.entry),
                "record": str(judged.record),
                "checks": [{**asdict(check), "in_words": sentence(check)} for check in judged.checks],
                "new_weights": judged.new_weights,
                "n_worse": judged.n_worse,
                "worst": [asdict(worst) for worst in judged.worst],
            }
            for judged in verdict.judged
        ],
        "without_baseline": [label(entry) for entry in verdict.without],
        "missing": [label(entry) for entry in verdict.missing],
    }
