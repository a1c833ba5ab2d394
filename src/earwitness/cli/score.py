"""``earwitness score``: two transcript files, no engine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.cli import options
from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from rich.text import Text

    from earwitness.api.scoring import Scored
    from earwitness.runs.record import ClipResult
    from earwitness.scoring import ScoringOptions
    from earwitness.types import Clip

app = new_app("Score two transcript files.")


@app.command()
def score(
    reference: Annotated[
        Path, typer.Argument(metavar="REF", help="References: plain lines, JSONL, trn, stm or Kaldi's text.")
    ],
    hypothesis: Annotated[
        Path, typer.Argument(metavar="HYP", help="Hypotheses, in the same format; a ctm beside an stm.")
    ],
    language: Annotated[str, typer.Option(help="Of the transcripts; decides the normalizer.")] = "en",
    normalizer: options.Normalizer = "auto",
    compounds: options.Compounds = False,
    method: options.Method = "levenshtein",
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="{a / b} in a reference is either; trn and stm always have it.")
    ] = False,
    format_: Annotated[
        str | None, typer.Option("--format", help="plain, jsonl, trn, stm or kaldi; without it, the files decide.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of both files, such as gb18030; else UTF-8.")] = None,
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="A reference without hypothesis counts as failed.")
    ] = False,
    optional_words: Annotated[
        bool, typer.Option("--optional-words", help="In trn and stm, '(word)' may be left out, as with sclite -D.")
    ] = False,
    terms: Annotated[
        Path | None, typer.Option(help="Key terms, one a line: their recall and precision, numbers, punctuation, case.")
    ] = None,
    export_sclite: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the compared words there for sclite: trn, and with times stm and ctm."),
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="Show so many of the worst pairs.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Print WER and CER with intervals, counts and signatures.

    Every pair is a recording of its own, unless an stm says more. Examples:

        earwitness score reference.txt whisper.txt --language en

        earwitness score reference.stm whisper.ctm --align sclite --export-sclite check/
    """
    from earwitness.api.scoring import score as scored

    found = scored(
        reference, hypothesis, language=language, normalizer=normalizer, compounds=compounds, align=method,
        alternatives=alternatives, format=format_, encoding=encoding, missing_as_empty=missing_as_empty,
        optional_words=optional_words, terms=terms, export_sclite=export_sclite,
    )  # fmt: skip
    if as_json:
        print_json(_answer(found))
    else:
        _print(found, worst)


def _answer(found: Scored) -> dict[str, Any]:
    from earwitness.cli.sclite import plain

    all_scores = (*found.scores, *(found.terms.scores if found.terms else ()))
    answer: dict[str, Any] = {score.metric: asdict(score) for score in all_scores}
    if found.terms:
        answer["terms"] = [asdict(term) for term in found.terms.terms]
    if found.sclite is not None:
        answer["sclite"] = plain(found.sclite)
    return answer | {"ignored": found.ignored, "notes": list(found.notes)}


def _print(found: Scored, worst: int) -> None:
    from earwitness.cli.sclite import lines
    from earwitness.cli.terms import show

    for note in found.notes:
        console().print(note, markup=False, soft_wrap=True)
    _show(found.scores)
    if found.ignored:
        what = "pair was" if found.ignored == 1 else "pairs were"
        console().print(f"{found.ignored} {what} left out: the reference says IGNORE_TIME_SEGMENT_IN_SCORING.")
    if found.terms:
        show({"Rate [95 %]": found.terms})
    _show_worst(found, worst)
    for line in lines(found.sclite) if found.sclite is not None else ():
        console().print(line, markup=False, soft_wrap=True)


def _heard(one: ClipResult) -> str:
    return one.hypothesis.transcript.text if one.hypothesis.transcript else ""


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


def _show_worst(found: Scored, worst: int) -> None:
    ranked = sorted(found.clips, key=lambda one: -(one.score.words.errors if one.score.words else 0))
    for one in ranked[:worst]:
        if one.score.words and one.score.words.errors:
            console().print(_diff(one.clip, _heard(one), found.options))


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
