"""``earwitness analyze``: where the errors are, and how certain a ranking is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json, progress
from earwitness.counts import percentage, points

if TYPE_CHECKING:
    from earwitness.api.analysis import SliceReport
    from earwitness.comparison.ranking import PairTest

app = new_app(
    "Show where the errors are, and how certain a ranking is.\n\nExample: earwitness analyze slices runs/ --by speaker"
)
Records = Annotated[
    list[Path], typer.Argument(metavar="RECORDS", help="Run records over the same data, or folders of them.")
]
Cluster = Annotated[str, typer.Option(metavar="UNIT", help="Unit of resampling: recording or speaker.")]
Top = Annotated[int, typer.Option("--top", min=1, metavar="N", help="How many to show at most.")]


@app.command()
def slices(
    records: Records,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="NAME",
            help="speaker, language, channel, recording, duration, rate, snr, or a tag; repeat for several.",
        ),
    ] = None,
    cluster: Cluster = "recording",
    as_json: AsJson = False,
) -> None:
    """Print WER by slice with intervals, the gap between worst and best, and the slices that separate two models.

    The first analysis by snr reads the audio; later ones use the stored estimates. Example:

        earwitness analyze slices runs/ --by snr --by kind
    """
    from earwitness.api.analysis import slices as sliced

    with progress("signal-to-noise", quiet=as_json or "snr" not in (by or ())) as on_progress:
        found = sliced(records, by=by or (), cluster=cluster, progress=on_progress)
    if as_json:
        print_json([asdict(answer) for answer in found])
        return
    for answer in found:
        _show_slices(answer)


@app.command()
def sensitivity(records: Records, as_json: AsJson = False) -> None:
    """Rank the models under four normalizers, Whisper's among them, and show where the rank flips.

    Example: earwitness analyze sensitivity runs/
    """
    from rich import box
    from rich.table import Table

    from earwitness.api.analysis import sensitivity as ranked

    found = ranked(records)
    if as_json:
        print_json(asdict(found))
        return
    heads = (f"{level.name} ({level.normalizer})" for level in found.levels)
    table = Table("Model", *heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for place, model in enumerate(found.models):
        table.add_row(model, *(f"{percentage(level.wer[place])}, rank {level.ranks[place]}" for level in found.levels))
    console().print(table)
    for flip in found.flips:
        first, second = found.models[flip.first], found.models[flip.second]
        where = f"significant under {' and '.join(flip.called)}" if flip.called else "significant nowhere"
        console().print(
            f"The rank flips: {first} is ahead of {second} under {' and '.join(flip.ahead_first)}, "
            f"behind it under {' and '.join(flip.ahead_second)}; the difference is {where}.",
            markup=False,
        )
    if not found.flips and len(found.models) > 1:
        console().print("No rank flips.")
    for model, gain in zip(found.models, found.numbers, strict=False):
        before, after = (f"{edits.errors:,} errors ({percentage(edits.rate)})" for edits in (gain.plain, gain.equal))
        console().print(f"{model}: {before}; with --numbers {after}", markup=False)


@app.command()
def terms(
    records: Records,
    terms: Annotated[Path | None, typer.Option("--terms", metavar="FILE", help="Key terms, one per line.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the error rate on numbers, recall and precision on key terms, and errors in punctuation and case.

    Example: earwitness analyze terms runs/ --terms names.txt
    """
    from earwitness.api.analysis import terms as heard
    from earwitness.cli.terms import show

    found = heard(records, terms=terms or ())
    if as_json:
        print_json({label: asdict(report) for label, report in found.items()})
        return
    show(found)


@app.command()
def entities(records: Records, as_json: AsJson = False) -> None:
    """Print the error rate on e-mail addresses, telephone numbers, dates, times, amounts of money, codes and digits.

    An entity with any wrong word is wrong. In languages other than English, only e-mail addresses and digits in written
    form are searched for. Example:

        earwitness analyze entities runs/
    """
    from earwitness.api.analysis import entities as found_in
    from earwitness.cli.entities import show

    found = found_in(records)
    if as_json:
        print_json({label: asdict(report) for label, report in found.items()})
        return
    show(found)


@app.command()
def pairs(records: Records, cluster: Cluster = "recording", as_json: AsJson = False) -> None:
    """Print all tests for every pair of models: permutation, paired bootstrap, matched pairs (MAPSSWE).

    The permutation test decides. MAPSSWE assumes independent errors; it is there to compare with papers. Example:

        earwitness analyze pairs runs/
    """
    from rich import box
    from rich.table import Table

    from earwitness.api.analysis import pairs as tested
    from earwitness.reports.statistics import p_value

    found = tested(records, cluster=cluster)
    if as_json:
        print_json([{**asdict(both.test), "mapsswe": both.mapsswe._asdict()} for both in found])
        return
    table = Table(
        "Better", "Worse", "Points of WER [95 %]", "Permutation, Holm", "Permutation", "Bootstrap", "MAPSSWE",
        "Segments", "Verdict", box=box.SIMPLE_HEAD, pad_edge=False,
    )  # fmt: skip
    for both in found:
        pair, segments = both.test, both.mapsswe
        d = pair.difference
        table.add_row(
            pair.first, pair.second, points(d.value, d.ci95), p_value(pair.p), p_value(d.p), p_value(d.p_bootstrap),
            p_value(segments.p), str(segments.n_segments), _verdict(pair),
        )  # fmt: skip
    console().print(table)
    if targets := {both.test.difference.target for both in found}:
        console().print(f"WER is of {' and of '.join(sorted(targets))}.", markup=False)
    for reason in dict.fromkeys(both.test.difference.reason for both in found if both.test.difference.reason):
        console().print(reason, markup=False)


@app.command()
def confusions(records: Records, top: Top = 20, as_json: AsJson = False) -> None:
    """Print the most frequent errors: what was said, what was written instead, and how often by model.

    Words are as counted, after normalizing. Several models that make the same error share a row. Example:

        earwitness analyze confusions runs/ --top 30
    """
    from earwitness.api.mistakes import confusions as counted
    from earwitness.cli.mistakes import show_confusions

    found = counted(records, top=top)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    show_confusions(found)


@app.command()
def worst(records: Records, top: Top = 10, as_json: AsJson = False) -> None:
    """Print the clips with the most errors: the audio file and span to listen to, and each text with marked errors.

    Example: earwitness analyze worst runs/ --top 5
    """
    from earwitness.api.mistakes import worst_clips
    from earwitness.cli.mistakes import show_worst

    found = worst_clips(records, top=top)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    show_worst(found)


@app.command()
def completeness(records: Records, as_json: AsJson = False) -> None:
    """Print what is wrong with the texts, clip by clip and with times: left out, invented, looped, wrong language.

    Some findings need speech detection (earwitness run --speech); records without it have fewer kinds. Example:

        earwitness analyze completeness runs/
    """
    from earwitness.api.analysis import completeness as looked_over
    from earwitness.cli.completeness import show

    found = looked_over(records)
    if as_json:
        print_json({label: asdict(answer) for label, answer in found.items()})
        return
    show(found)


def _verdict(pair: PairTest) -> str:
    if not pair.comparable:
        return "cannot be compared"
    return "differ" if pair.told_apart else "tie"


def _show_slices(answer: SliceReport) -> None:
    from rich import box
    from rich.table import Table

    screen = console()
    parts = {label: {part.value: part for part in found.slices} for label, found in answer.models.items()}
    table = Table(answer.by, "Clips", "Recordings", *parts, box=box.SIMPLE_HEAD, pad_edge=False)
    for value, part in next(iter(parts.values())).items():
        cells = [percentage(found[value].wer, found[value].ci95) for found in parts.values()]
        table.add_row(value, str(part.n_clips), str(part.n_clusters), *cells)
    screen.print(table)
    for label, found in answer.models.items():
        if found.gap:
            screen.print(
                f"  {label}: {found.gap.worst} is worse than {found.gap.best} by "
                f"{points(found.gap.value, found.gap.ci95)}, corrected for the choice of extremes",
                markup=False,
            )
    for driven in answer.drivers:
        most = [
            f"{part.value} {points(part.points, part.ci95)}"
            + (f", {percentage(part.share, digits=0)} of the difference" if part.share is not None else "")
            for part in driven.slices[:3]
        ]
        screen.print(f"  {driven.model} against {driven.against}: {'; '.join(most)}", markup=False)
    screen.print()
