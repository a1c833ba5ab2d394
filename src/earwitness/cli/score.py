"""``earwitness score``: two transcript files, no engine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.api.run import RunSpec
from earwitness.cli.common import AsJson, console, new_app, print_json
from earwitness.cli.options import takes
from earwitness.counts import percent, quantity
from earwitness.types import Edits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from earwitness.api.score import ScoreResult
    from earwitness.scoring.metrics.mistakes import Mistakes
    from earwitness.types import Score

app = new_app("Score two transcript files.")
Alternatives = Annotated[
    bool,
    typer.Option("--alternatives", help="Accept a or b for {a / b} in a reference; always on for trn and stm."),
]
KeyTerms = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Key terms, one per line: adds recall and precision of terms, numbers, punctuation and case.",
    ),
]
ExportSclite = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Write the normalized words as files for sclite: trn, and stm and ctm if there are times.",
    ),
]
Errors = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="List the N pairs with the most errors instead, aligned word by word."),
]


@app.command()
@takes(RunSpec, "normalizer", "compounds", "align", "numbers", "spellings")
def score(
    reference: Annotated[
        Path, typer.Argument(metavar="REF", help="References: plain lines, JSONL, trn, stm or Kaldi's text.")
    ],
    hypothesis: Annotated[
        Path, typer.Argument(metavar="HYP", help="Hypotheses in the same format; for an stm reference, a ctm.")
    ],
    language: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="Language of the transcripts; decides the normalizer.")
    ] = "en",
    *,
    spec: RunSpec,
    alternatives: Alternatives = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="plain, jsonl, trn, stm or kaldi; default: as detected."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of both files, such as gb18030; default: UTF-8.")
    ] = None,
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="Count a reference without a hypothesis as failed.")
    ] = False,
    optional_words: Annotated[
        bool,
        typer.Option("--optional-words", help="In trn and stm, a missing '(word)' is no error, as with sclite -D."),
    ] = False,
    terms: KeyTerms = None,
    export_sclite: ExportSclite = None,
    worst: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many of the worst pairs to show, one line each.")
    ] = 3,
    errors: Errors = None,
    as_json: AsJson = False,
) -> None:
    """Print WER and CER with intervals, counts and signatures.

    Every pair counts as a recording of its own; an stm file names the recordings itself. Examples:

        earwitness score reference.txt whisper.txt --language en

        earwitness score reference.stm whisper.ctm --align sclite --export-sclite check/
    """
    from earwitness.api.score import score as scored

    found = scored(
        reference, hypothesis, language=language, normalizer=spec.normalizer, compounds=spec.compounds,
        align=spec.align, alternatives=alternatives, numbers=spec.numbers, spellings=spec.spellings,
        format=format_, encoding=encoding,
        missing_as_empty=missing_as_empty, optional_words=optional_words, terms=terms, export_sclite=export_sclite,
    )  # fmt: skip
    if as_json:
        print_json(_answer(found, errors))
    else:
        _print(found, worst, errors)


def _answer(result: ScoreResult, errors: int | None) -> dict[str, object]:
    from earwitness.cli.sclite import plain

    all_scores = (*result.scores, *(result.terms.scores if result.terms else ()))
    answer: dict[str, object] = {score.metric: asdict(score) for score in all_scores}
    if result.terms:
        answer["terms"] = [asdict(term) for term in result.terms.terms]
    if result.sclite is not None:
        answer["sclite"] = plain(result.sclite)
    if errors is not None:
        answer["errors"] = [asdict(one) for one in result.most_errors(errors)]
    answer["unfolded"] = [asdict(one) for one in result.unfolded]
    return answer | {"ignored": result.ignored, "notes": list(result.notes)}


def _print(result: ScoreResult, worst: int, errors: int | None) -> None:
    from earwitness.cli.sclite import lines
    from earwitness.cli.terms import show
    from earwitness.reports.statistics import normalizer_gap_sentence

    for note in result.notes:
        console().print(note, markup=False, soft_wrap=True)
    _show(result.scores)
    if result.ignored:
        what = "pair was" if result.ignored == 1 else "pairs were"
        console().print(f"{result.ignored} {what} left out: the reference says IGNORE_TIME_SEGMENT_IN_SCORING.")
    if result.terms:
        show({"Rate [95 %]": result.terms})
    for one in result.unfolded:
        console().print(f"Note: {normalizer_gap_sentence(one)}.", markup=False, soft_wrap=True, highlight=False)
    if errors is None:
        _show_worst(result, worst)
    else:
        _show_errors(result, errors)
    for line in lines(result.sclite) if result.sclite is not None else ():
        console().print(line, markup=False, soft_wrap=True)


def _show(scores: Sequence[Score]) -> None:
    from rich import box
    from rich.table import Table

    table = Table("", "Rate [95 %]", "Hits", "Subst.", "Del.", "Ins.", box=box.SIMPLE_HEAD, pad_edge=False)
    screen = console()
    rates = [*scores[:2], *(score for score in scores if score.metric in ("mer", "wil"))]
    for score in rates:
        e = score.edits or Edits()
        table.add_row(
            score.metric.upper(), percent(score), *map(str, (e.hits, e.substitutions, e.deletions, e.insertions))
        )
    screen.print(table)
    for score in scores[:2]:
        screen.print(score.signature, markup=False, style="dim")
        if score.reason:
            screen.print(f"{score.metric.upper()}: {score.reason}", markup=False)
    others = [
        f"{score.value:g} {score.metric.replace('_', ' ')}"
        for score in scores[3:]
        if score.unit != "ratio" and score.value
    ]
    screen.print(f"{scores[0].n_clips} pairs" + "".join(f", {text}" for text in others), markup=False)


def _show_worst(result: ScoreResult, worst: int) -> None:
    from earwitness.cli.mistakes import marked

    for one in result.most_errors(worst):
        console().print(marked(f"{one.id}: ", one))


def _show_errors(result: ScoreResult, n: int) -> None:
    for one in result.most_errors(n):
        for line in _columns(one):
            console().print(line, markup=False, soft_wrap=True, highlight=False)


def _columns(one: Mistakes) -> list[str]:
    """Return a pair as a heading and two lines, of which the second stands below the first word by word."""
    from rich.cells import cell_len

    e = one.words
    head = f"{one.id}: {quantity(e.errors, 'error')} in {quantity(e.length, 'word')}"
    head += f" ({e.substitutions} substituted, {e.deletions} deleted, {e.insertions} inserted)"
    sides: tuple[list[str], list[str]] = ([], [])
    for piece in one.pieces:
        said, heard = piece.reference.split(), piece.hypothesis.split()
        for place in range(max(len(said), len(heard))):
            cells = [words[place] if place < len(words) else "" for words in (said, heard)]
            cells = [cell or "*" * cell_len("".join(cells)) for cell in cells]
            cells = [cell.upper() if piece.kind != "equal" else cell for cell in cells]
            width = max(map(cell_len, cells))
            for side, cell in zip(sides, cells, strict=True):
                side.append(cell + " " * (width - cell_len(cell)))
    names = ("  said:  ", "  heard: ")
    return [head, *((name + " ".join(side)).rstrip() for name, side in zip(names, sides, strict=True))]
