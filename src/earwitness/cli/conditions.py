"""``earwitness conditions``: what may befall audio, and how it sounds."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app(
    "Conditions: list, show, apply.\n\nExample: earwitness conditions apply talk.wav -c noise:5dB --out 5.wav"
)
Name = Annotated[str, typer.Argument(metavar="CONDITION", help="Such as noise:10dB, or noise:10dB+mulaw.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every condition with an example of each and the values that it takes.

    For example:

    earwitness conditions list
    """
    from rich.table import Table
    from rich.text import Text

    from earwitness.audio.conditions import EFFECTS

    effects = [_about(effect) for effect in EFFECTS.values()]
    if as_json:
        print_json(effects)
        return
    table = Table("Example", "From, to", "Here", "What it does", box=None, pad_edge=False)
    for about in effects:
        table.add_row(*(Text(about[key]) for key in ("example", "range", "here", "summary")))
    console().print(table)
    console().print("\nSeveral in a row: noise:10dB+mulaw. Formulas and sources: docs/robustness.md", markup=False)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what a condition means: canonical name, family, severity, version.

    For example:

    earwitness conditions show noise:pink:5dB+mulaw
    """
    from earwitness.audio.conditions import EFFECTS, describe, parse

    condition = parse(name)
    about = {key: value for key, value in asdict(describe(condition, "")).items() if key != "clean_sha256"}
    if as_json:
        print_json(about)
        return
    console().print(condition.name, markup=False, style="bold")
    for step in condition.steps:
        console().print(f"  {step.name}: {EFFECTS[step.kind].summary}", markup=False)
    for key in ("family", "severity", "unit", "worse", "version"):
        if about[key] not in (None, ""):
            console().print(f"  {key}: {about[key]}", markup=False)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An audio file.")],
    condition: Annotated[str, typer.Option("--condition", "-c", help="Such as noise:10dB.")],
    out: Annotated[Path, typer.Option("--out", help="Wav file to write: mono, 16 kHz, 32-bit float.")],
    voices: Annotated[
        str | None, typer.Option(metavar="DATA", help="For babble: data to take the voices from.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a file under a condition, sample for sample what a model hears in a run on that file.

    For example:

    earwitness conditions apply talk.wav --condition reverb:0.8s+noise:10dB --out hall.wav
    """
    from earwitness import data
    from earwitness.audio import decode_to
    from earwitness.audio.conditions import parse, require
    from earwitness.errors import UsageError
    from earwitness.runs.conditions import put_under
    from earwitness.runs.store import writing

    wanted = parse(condition)
    if out.exists() and not force:
        raise UsageError(f"{str(out)!r} is there already. Name another file, or write over it with --force.")
    clips = data.load(file).clips
    if len(clips) != 1:
        raise UsageError(f"{str(file)!r} holds {len(clips)} clips. Name one audio file.")
    (clip,) = clips
    others = data.load(voices).clips if voices else ()
    require(wanted, others)
    with tempfile.TemporaryDirectory() as folder, writing(out):
        decoded = Path(folder) / "clip.f32"
        decode_to(clip.audio_path, decoded, channel=clip.channel)
        n_samples = put_under(wanted.name, clip, others, decoded)
        _write_wav(decoded, out)
    console(stderr=True).print(f"Written: {out}, {n_samples / 16_000:.2f} s of {wanted.name}", markup=False)


def _write_wav(decoded: Path, out: Path) -> None:
    import soundfile

    from earwitness.audio.track import RATE_HZ, on_disk

    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with soundfile.SoundFile(temporary, "w", RATE_HZ, 1, format="WAV", subtype="FLOAT") as file:
            for block in on_disk(decoded).blocks():
                file.write(block.astype("float32"))
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def _about(effect: Any) -> dict[str, Any]:
    from earwitness.audio.codec import CODECS, require_codec
    from earwitness.errors import UsageError

    here = "yes"
    if effect.kind in CODECS:
        try:
            require_codec(effect.kind)
        except UsageError:
            here = "no"
    limits = "" if effect.low is None else f"{effect.low:g} to {effect.high:g} {effect.unit}".strip()
    if effect.among:
        limits = ", ".join(f"{value:g}" for value in effect.among) + f" {effect.unit}"
    return {
        "kind": effect.kind,
        "example": effect.example,
        "range": limits,
        "here": here,
        "variants": list(effect.variants),
        "summary": effect.summary,
    }
