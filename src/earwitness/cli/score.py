"""``earwitness score``: two transcript files, no engine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from rich.text import Text

    from earwitness.scoring import ScoringOptions
    from earwitness.scoring.align import Method
    from earwitness.scoring.files import Pair
    from earwitness.types import Clip, ClipScore

app = new_app("Score two transcript files.")


@app.command()
def score(
    reference: Annotated[Path, typer.Argument(metavar="REF", help="What was said: plain lines, JSONL, trn or stm.")],
    hypothesis: Annotated[
        Path, typer.Argument(metavar="HYP", help="What was heard, in the same format; a ctm beside an stm.")
    ],
    language: Annotated[str, typer.Option(help="Of the transcripts; decides the normalizer.")] = "en",
    normalizer: Annotated[str, typer.Option(help="auto, whisper-english, basic or none.")] = "auto",
    compounds: Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")] = False,
    method: Annotated[str, typer.Option("--align", help="levenshtein, or sclite for its costs.")] = "levenshtein",
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="{a / b} in a reference is either; trn and stm always have it.")
    ] = False,
    format_: Annotated[
        str | None, typer.Option("--format", help="plain, jsonl, trn or stm; else it is found out.")
    ] = None,
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="A reference without hypothesis counts as failed.")
    ] = False,
    export_sclite: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the compared words there, as trn for sclite.")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="Show so many of the worst pairs.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Print WER and CER with intervals, counts and signatures.

    Every pair is taken as a recording of its own, unless an stm says more. For example:

        earwitness score reference.txt whisper.txt --language en

        earwitness score reference.stm whisper.ctm --align sclite
    """
    from earwitness.errors import UsageError
    from earwitness.scoring import ScoringOptions, summarize
    from earwitness.scoring.files import FORMATS, read_pairs, sniff

    form = next((known for known in FORMATS if known == format_), None)
    if format_ is not None and form is None:
        raise UsageError(f"There is no format {format_!r}. There are: {', '.join(FORMATS)}.")
    known_as = form or sniff(reference)
    options = ScoringOptions(
        normalizer, compounds, method=cast("Method", method), alternatives=alternatives or known_as in ("trn", "stm")
    )
    pairs = read_pairs(reference, hypothesis, format=form, missing_as_empty=missing_as_empty)
    scored = _scored(pairs, language, options)
    scores = summarize(scored, options)
    written = _export(pairs, language, options, export_sclite) if export_sclite else ""
    if as_json:
        print_json({score.metric: asdict(score) for score in scores})
        return
    _show(scores)
    _show_worst(scored, {pair.id: pair.hypothesis or "" for pair in pairs}, options, worst)
    if written:
        console().print(written, markup=False)


def _scored(pairs: list[Pair], language: str, options: ScoringOptions) -> list[tuple[Clip, ClipScore]]:
    from earwitness.scoring import score_clip
    from earwitness.types import Clip, Failure, Hypothesis, Transcript

    absent = Failure("transcribe", "error", "there is no hypothesis")
    scored = []
    for key, said, heard, recording in pairs:
        clip = Clip(key, "", "", 0.0, 0.0, said, language, recording=recording)
        transcript = None if heard is None else Transcript(heard)
        found = Hypothesis(key, transcript, absent if heard is None else None, audio_s=0.0)
        scored.append((clip, score_clip(clip, found, options)))
    return scored


def _export(pairs: list[Pair], language: str, options: ScoringOptions, folder: Path) -> str:
    """Write what was compared, and return how sclite is asked about it."""
    from earwitness.scoring import alternatives
    from earwitness.scoring.files import write_trn
    from earwitness.text import normalizer

    def words(text: str) -> list[str]:
        return normalizer(options.normalizer).words(text, language)

    def said(text: str) -> str:
        return alternatives.written(alternatives.parse(text), words) if options.alternatives else " ".join(words(text))

    rows = [(pair.id, said(pair.reference), " ".join(words(pair.hypothesis or ""))) for pair in pairs]
    reference, hypothesis = write_trn(rows, folder)
    return f"sctk sclite -s -e utf-8 -i rm -r {reference} trn -h {hypothesis} trn"


def _show(scores: Any) -> None:
    from rich import box
    from rich.table import Table

    from earwitness.report.format import percent

    table = Table("", "Rate [95 %]", "Hits", "Subst.", "Del.", "Ins.", box=box.SIMPLE_HEAD, pad_edge=False)
    screen = console()
    for score in scores[:2]:
        e = score.edits
        table.add_row(
            score.metric.upper(), percent(score), *map(str, (e.hits, e.substitutions, e.deletions, e.insertions))
        )
    screen.print(table)
    for score in scores[:2]:
        screen.print(score.signature, markup=False, style="dim")
        if score.reason:
            screen.print(f"{score.metric.upper()}: {score.reason}", markup=False)
    others = [f"{score.value:g} {score.metric.replace('_', ' ')}" for score in scores[3:-1] if score.value]
    screen.print(f"{scores[0].n_clips} pairs" + "".join(f", {text}" for text in others), markup=False)


def _show_worst(
    scored: list[tuple[Clip, ClipScore]], texts: dict[str, str], options: ScoringOptions, worst: int
) -> None:
    ranked = sorted(scored, key=lambda pair: -(pair[1].words.errors if pair[1].words else 0))
    for clip, found in ranked[:worst]:
        if found.words and found.words.errors:
            console().print(_diff(clip, texts[clip.id], options))


def _diff(clip: Clip, heard: str, options: ScoringOptions) -> Text:
    from rich.text import Text

    from earwitness.scoring.clip import reference_words
    from earwitness.scoring.spans import spans
    from earwitness.text import normalizer

    got = normalizer(options.normalizer).words(heard, clip.language)
    said = reference_words(clip.reference or "", got, clip.language, options)
    line = Text(f"{clip.id}: ", style="bold")
    for span in spans(said, got, options.method):
        old, new = " ".join(said[slice(*span.reference)]), " ".join(got[slice(*span.hypothesis)])
        if span.kind == "equal":
            line.append(old + " ", style="not bold")
            continue
        if old:
            line.append(f"[-{old}-] ", style="not bold red")
        if new:
            line.append(f"[+{new}+] ", style="not bold green")
    return line
