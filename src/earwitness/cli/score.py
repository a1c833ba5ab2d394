"""``earwitness score``: two transcript files, no engine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from rich.text import Text

    from earwitness.scoring import ScoringOptions
    from earwitness.types import Clip, ClipScore

app = new_app("Score two transcript files.")


@app.command()
def score(
    reference: Annotated[Path, typer.Argument(metavar="REF", help="What was said: plain lines, trn or JSONL.")],
    hypothesis: Annotated[Path, typer.Argument(metavar="HYP", help="What was heard, in the same format.")],
    language: Annotated[str, typer.Option(help="Of the transcripts; decides the normalizer.")] = "en",
    normalizer: Annotated[str, typer.Option(help="auto, whisper-english, basic or none.")] = "auto",
    compounds: Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")] = False,
    format_: Annotated[str | None, typer.Option("--format", help="plain, trn or jsonl; else it is found out.")] = None,
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="A reference without hypothesis counts as failed.")
    ] = False,
    terms: Annotated[
        Path | None, typer.Option(help="Key terms, one a line: their recall and precision, numbers, punctuation, case.")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="Show so many of the worst pairs.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Print WER and CER with intervals, counts and signatures.

    Every pair is taken as a recording of its own. For example:

        earwitness score reference.txt whisper.txt --language en
    """
    from earwitness.cli.terms import show, term_report
    from earwitness.errors import UsageError
    from earwitness.scoring import ScoringOptions, score_clip, summarize
    from earwitness.scoring.files import FORMATS, read_pairs
    from earwitness.scoring.terms import read_terms
    from earwitness.types import Clip, Failure, Hypothesis, Transcript

    form = next((known for known in FORMATS if known == format_), None)
    if format_ is not None and form is None:
        raise UsageError(f"There is no format {format_!r}. There are: {', '.join(FORMATS)}.")
    options = ScoringOptions(normalizer, compounds)
    absent = Failure("transcribe", "error", "there is no hypothesis")
    scored = []
    pairs = []
    texts: dict[str, str] = {}
    for key, said, heard in read_pairs(reference, hypothesis, format=form, missing_as_empty=missing_as_empty):
        clip = Clip(key, "", "", 0.0, 0.0, said, language, recording=key)
        transcript = None if heard is None else Transcript(heard)
        found = Hypothesis(key, transcript, absent if heard is None else None, audio_s=0.0)
        scored.append((clip, score_clip(clip, found, options)))
        pairs.append((clip, found))
        texts[key] = heard or ""
    scores = summarize(scored, options)
    extra = term_report(pairs, read_terms(terms), normalizer) if terms else None
    if as_json:
        all_scores = (*scores, *(extra.scores if extra else ()))
        answer: dict[str, Any] = {score.metric: asdict(score) for score in all_scores}
        print_json({**answer, "terms": [asdict(term) for term in extra.terms]} if extra else answer)
        return
    _show(scores)
    if extra:
        show({"Rate [95 %]": extra})
    _show_worst(scored, texts, options, worst)


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

    from earwitness.scoring.align import spans
    from earwitness.text import normalizer

    norm = normalizer(options.normalizer)
    said, got = norm.words(clip.reference or "", clip.language), norm.words(heard, clip.language)
    line = Text(f"{clip.id}: ", style="bold")
    for span in spans(said, got):
        old, new = " ".join(said[slice(*span.reference)]), " ".join(got[slice(*span.hypothesis)])
        if span.kind == "equal":
            line.append(old + " ", style="not bold")
            continue
        if old:
            line.append(f"[-{old}-] ", style="not bold red")
        if new:
            line.append(f"[+{new}+] ", style="not bold green")
    return line
