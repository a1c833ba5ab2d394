"""``earwitness conditions``: list, preview and apply audio conditions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app(
    "Conditions: list, show, apply.\n\nExample: earwitness conditions apply talk.wav -c noise:5dB --out 5.wav"
)
ConditionName = Annotated[
    str, typer.Argument(metavar="CONDITION", help="A condition, such as noise:10dB or noise:10dB+mulaw.")
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every condition with an example and the values that it takes.

    For example:

    earwitness conditions list
    """
    from rich.table import Table
    from rich.text import Text

    from earwitness.api.audio import list_conditions

    kinds = list_conditions()
    if as_json:
        print_json([{**asdict(kind), "here": _yes(kind.here)} for kind in kinds])
        return
    table = Table("Example", "From, to", "Here", "What it does", box=None, pad_edge=False)
    for kind in kinds:
        table.add_row(*map(Text, (kind.example, kind.range, _yes(kind.here), kind.summary)))
    console().print(table)
    console().print("\nSeveral in a row: noise:10dB+mulaw. Formulas and sources: docs/robustness.md", markup=False)


@app.command()
def show(name: ConditionName, as_json: AsJson = False) -> None:
    """Show what a condition means: canonical name, family, severity, version.

    For example:

    earwitness conditions show noise:pink:5dB+mulaw
    """
    from earwitness.api.audio import canonical_condition, describe_condition

    meaning, steps = describe_condition(name)
    about = {key: value for key, value in asdict(meaning).items() if key != "clean_sha256"}
    if as_json:
        print_json(about)
        return
    console().print(canonical_condition(name), markup=False, style="bold")
    for step, summary in steps:
        console().print(f"  {step}: {summary}", markup=False)
    for key in ("family", "severity", "unit", "worse", "version"):
        if about[key] not in (None, ""):
            console().print(f"  {key}: {about[key]}", markup=False)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An audio file.")],
    condition: Annotated[
        str, typer.Option("--condition", "-c", metavar="CONDITION", help="A condition, such as noise:10dB.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Wav file to write: mono, 16 kHz, 32-bit float.")],
    voices: Annotated[
        str | None, typer.Option(metavar="DATA", help="For babble: data whose clips supply the voices.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Apply a condition to an audio file: the result has exactly the samples that a model gets in a run.

    For example:

    earwitness conditions apply talk.wav --condition reverb:0.8s+noise:10dB --out hall.wav
    """
    from earwitness.api.audio import apply as written
    from earwitness.api.audio import canonical_condition

    audio_s = written(file, condition, out, voices=voices, force=force)
    if as_json:
        print_json({"out": str(out), "audio_s": audio_s, "condition": canonical_condition(condition)})
        return
    console(stderr=True).print(f"Written: {out}, {audio_s:.2f} s of {canonical_condition(condition)}", markup=False)


def _yes(here: bool) -> str:
    return "yes" if here else "no"
