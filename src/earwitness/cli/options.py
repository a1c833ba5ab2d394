"""Options that mean the same in every command that makes, packs or plans a run, and the request that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from earwitness.cli.jobs import Request

KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="The environment variable that holds the server's key.")
]
ResponseFormat = Annotated[
    str | None, typer.Option(help="verbose_json, which is asked for else, or json where the server has no other.")
]
Models = Annotated[list[str] | None, typer.Option("--model", "-m", help="Model id; may be given again.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps or tpu.")]
Preset = Annotated[
    str, typer.Option(help="matched: all alike, greedy, no fall-back; native: each engine as its authors ship it.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting on top of the preset, such as beam_size=5."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")]
Tags = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only clips with this tag.")]
Language = Annotated[str | None, typer.Option(help="Language of clips that state none, such as en.")]
Channel = Annotated[int | None, typer.Option(min=0, help="Which channel of clips that state none; else the mean.")]
Normalizer = Annotated[
    str, typer.Option(help="auto, whisper-english, leaderboard, basic, none, or a TOML file of rules.")
]
Compounds = Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")]
Method = Annotated[str, typer.Option("--align", help="levenshtein, or sclite for its costs.")]
Alternatives = Annotated[bool, typer.Option("--alternatives", help="{a / b} in a reference is either.")]
Warmup = Annotated[int, typer.Option(min=0, help="Unmeasured transcriptions by every new worker.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds that a clip gets at least; ten times its audio.")]
Conditions = Annotated[
    list[str] | None,
    typer.Option("--condition", metavar="NAME", help="Alter the audio, as in noise:10dB or mulaw; may be repeated."),
]
NoClean = Annotated[bool, typer.Option("--no-clean", help="With --condition: leave out the audio as it is.")]

Speech = Annotated[
    bool | None,
    typer.Option(
        "--speech/--no-speech",
        help="Look for speech in the audio, to find what a text left out; the default is where it can be done.",
        show_default=False,
    ),
]
Measure = Annotated[
    list[str] | None,
    typer.Option(metavar="PROTOCOL,...", help="Also measure speed by protocol: cold, latency, throughput."),
]
Interleave = Annotated[
    bool, typer.Option("--interleave/--one-by-one", help="Models take turns, or one runs after the other.")
]
BudgetS = Annotated[float, typer.Option("--budget-s", min=1, help="Seconds that each protocol may take.")]


def request(**given: Any) -> Request:
    """Return what was typed as a Request: lists become tuples, and one that was left out is empty."""
    from dataclasses import fields

    from earwitness.cli.jobs import Request
    from earwitness.text import normalizer

    # A file of rules stays here; what is in it goes into the study and the record.
    given["normalizer"] = normalizer(given["normalizer"]).name
    many = {field.name for field in fields(Request) if str(field.type).startswith("tuple")}
    values: Any = {name: tuple(value or ()) if name in many else value for name, value in given.items()}
    return Request(**values)
