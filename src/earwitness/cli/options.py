"""Options that mean the same in every command that makes, packs or plans a run."""

from __future__ import annotations

from typing import Annotated

import typer

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
Normalizer = Annotated[str, typer.Option(help="auto, whisper-english, basic or none.")]
Compounds = Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")]
Warmup = Annotated[int, typer.Option(min=0, help="Unmeasured transcriptions by every new worker.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds that a clip gets at least; ten times its audio.")]
