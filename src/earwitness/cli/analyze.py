"""``earwitness analyze``: where errors are, and how firmly a ranking stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json, progress
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.compare.select import Selected
    from earwitness.scoring.clusters import By
    from earwitness.types import Clip, ClipScore

app = new_app(
    "Where errors are, and how firmly a ranking stands: slices, sensitivity, terms, completeness, pairs.\n\n"
    "Example: earwitness analyze slices runs/ --by speaker"
)
Records = Annotated[list[Path], typer.Argument(help="Records over the same data, or folders that hold some.")]
Cluster = Annotated[str, typer.Option(help="What is resampled: recording or speaker.")]
_FEWEST, _MOST = 2, 20


def cluster_name(name: str) -> By:
    """Return what clips are summed by.

    Raises:
        UsageError: When it is neither recording nor speaker.
    """
    if name == "recording":
        return "recording"
    if name == "speaker":
        return "speaker"
    raise UsageError(f"Errors cannot be summed by {name!r}. There are: recording, speaker.")


@app.command()
def slices(
    records: Records,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="speaker, language, duration, rate, snr, or a tag; several times for several."),
    ] = None,
    cluster: Cluster = "recording",
    as_json: AsJson = False,
) -> None:
    """Print WER by slice with intervals, the gap between worst and best, and what drives the difference of two models.

    For snr, the audio is read once and the estimates are kept. Example:

        earwitness analyze slices runs/ --by snr --by kind
    """
    from earwitness.compare.select import selected
    from earwitness.runs.store import find_records

    runs = selected(find_records(records))
    clusters = cluster_name(cluster)
    names = by or _what_varies(_pairs(runs[0]))
    measured = _snr(runs[0], quiet=as_json) if "snr" in names else {}
    found = [_sliced(runs, name, measured, clusters) for name in names]
    if as_json:
        print_json(found)
        return
    for answer in found:
        _show_slices(answer, [run.label for run in runs])


@app.command()
def sensitivity(records: Records, as_json: AsJson = False) -> None:
    """Rank the models under raw, light and full normalization, and say where the rank flips.

    Example: earwitness analyze sensitivity runs/
    """
    from rich import box
    from rich.table import Table

    from earwitness.compare.select import selected
    from earwitness.runs.store import find_records
    from earwitness.scoring.sensitivity import flips, levels

    runs = selected(find_records(records))
    found = levels([sorted(_texts(run), key=lambda pair: pair[0].id) for run in runs])
    turned = flips(found)
    if as_json:
        print_json(
            {
                "models": [run.label for run in runs],
                "levels": [asdict(level) for level in found],
                "flips": [asdict(flip) for flip in turned],
            }
        )
        return
    table = Table(
        "Model", *(f"{level.name} ({level.normalizer})" for level in found), box=box.SIMPLE_HEAD, pad_edge=False
    )
    for place, run in enumerate(runs):
        table.add_row(run.label, *(f"{_percent(level.wer[place])}, rank {level.ranks[place]}" for level in found))
    console().print(table)
    for flip in turned:
        first, second = runs[flip.first].label, runs[flip.second].label
        where = f"significant under {' and '.join(flip.called)}" if flip.called else "significant nowhere"
        console().print(
            f"The rank flips: {first} is ahead of {second} under {' and '.join(flip.ahead_first)}, "
            f"behind it under {' and '.join(flip.ahead_second)}; the difference is {where}.",
            markup=False,
        )
    if not turned and len(runs) > 1:
        console().print("No rank flips.")


@app.command()
def terms(
    records: Records,
    terms_file: Annotated[Path | None, typer.Option("--terms", help="Key terms, one a line.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the error rate on numbers, recall and precision on key terms, and punctuation and case error.

    Example: earwitness analyze terms runs/ --terms names.txt
    """
    from earwitness.cli.terms import show, term_report
    from earwitness.compare.select import selected
    from earwitness.runs.store import find_records
    from earwitness.scoring.terms import read_terms

    wanted = read_terms(terms_file) if terms_file else ()
    runs = selected(find_records(records))
    found = {run.label: term_report(_texts(run), wanted, run.run.scoring.normalizer) for run in runs}
    if as_json:
        print_json(
            {
                label: {"scores": [asdict(s) for s in report.scores], "terms": [asdict(t) for t in report.terms]}
                for label, report in found.items()
            }
        )
        return
    show(found)


@app.command()
def pairs(records: Records, cluster: Cluster = "recording", as_json: AsJson = False) -> None:
    """Print every test of every two models: permutation, paired bootstrap, matched pairs (MAPSSWE).

    Permutation decides; matched pairs take errors as independent, and are there to agree with papers. Example:

        earwitness analyze pairs runs/
    """
    from rich import box
    from rich.table import Table

    from earwitness.compare.select import selected
    from earwitness.compare.ties import ranked
    from earwitness.report.statistics import p_value, points
    from earwitness.runs.store import find_records
    from earwitness.scoring.matched_pairs import matched_texts

    runs = selected(find_records(records))
    if len(runs) < 2:
        raise UsageError(f"There is only one run, {runs[0].label!r}. Run another model on the same data.")
    texts = {run.label: {clip.id: (clip, hypothesis) for clip, hypothesis in _texts(run)} for run in runs}
    tested = ranked({run.label: run.results for run in runs}, by=cluster_name(cluster)).pairs
    norm = runs[0].run.scoring.normalizer
    segments = [
        matched_texts(
            ((clip, heard, texts[pair.first][key][1]) for key, (clip, heard) in texts[pair.second].items()), norm
        )
        for pair in tested
    ]
    if as_json:
        print_json([{**asdict(pair), "mapsswe": found._asdict()} for pair, found in zip(tested, segments, strict=True)])
        return
    table = Table(
        "Better", "Worse", "Points of WER [95 %]", "Permutation, Holm", "Permutation", "Bootstrap", "MAPSSWE",
        "Segments", "Verdict", box=box.SIMPLE_HEAD, pad_edge=False,
    )  # fmt: skip
    for pair, found in zip(tested, segments, strict=True):
        d = pair.difference
        table.add_row(
            pair.first, pair.second, points(d.value, d.ci95), p_value(pair.p), p_value(d.p), p_value(d.p_bootstrap),
            p_value(found.p), str(found.n_segments), "differ" if pair.told_apart else "tie",
        )  # fmt: skip
    console().print(table)
    for reason in dict.fromkeys(pair.difference.reason for pair in tested if pair.difference.reason):
        console().print(reason, markup=False)


@app.command()
def completeness(records: Records, as_json: AsJson = False) -> None:
    """Print what is wrong with the texts, clip by clip with places in time: left out, invented, looped, foreign.

    Speech is looked for by earwitness run --speech; a record of a run without it has fewer kinds. Example:

        earwitness analyze completeness runs/
    """
    from earwitness.cli.completeness import completeness_of, show
    from earwitness.compare.select import selected
    from earwitness.runs.store import find_records

    found = {run.label: completeness_of(run.run, run.results) for run in selected(find_records(records))}
    if as_json:
        print_json(found)
        return
    show(found)


def _pairs(run: Selected) -> list[tuple[Clip, ClipScore]]:
    return [(result.clip, result.score) for result in run.results]


def _texts(run: Selected) -> list[Any]:
    return [(result.clip, result.hypothesis) for result in run.results]


def _what_varies(pairs: Sequence[tuple[Clip, ClipScore]]) -> list[str]:
    """Everything but snr, which means reading the audio, that has two to twenty values."""
    from earwitness.scoring.slices import BANDS, slicer

    tags = sorted({tag for clip, _ in pairs for tag in clip.tags} - set(BANDS) - {"snr_db"})
    names = ["duration", "rate", "language", "speaker", *tags]
    labelled = [pair for pair in pairs if pair[1].words is not None]
    kept = [name for name in names if _FEWEST <= len({slicer(name)(*pair) for pair in labelled}) <= _MOST]
    if not kept:
        raise UsageError("The clips do not differ in anything to slice by. Name a tag with --by, or try --by snr.")
    return kept


def _snr(run: Selected, *, quiet: bool) -> dict[str, float]:
    from earwitness.fetch import cache_dir
    from earwitness.runs.snr import snr_of

    clips = [result.clip for result in run.results]
    with progress("signal-to-noise", quiet=quiet) as report:
        return snr_of(clips, cache_dir() / "snr", run.run.dataset.sha256[:32], report)


def _sliced(runs: Sequence[Selected], by: str, measured: dict[str, float], cluster: By) -> dict[str, Any]:
    from earwitness.scoring.slices import drivers, gap, slices

    answer: dict[str, Any] = {"by": by, "models": {}, "drivers": []}
    for run in runs:
        found = gap(_pairs(run), by, measured=measured, cluster=cluster)
        parts = slices(_pairs(run), by, measured=measured, cluster=cluster)
        answer["models"][run.label] = {"slices": [asdict(part) for part in parts], "gap": found and asdict(found)}
    for other in runs[1:]:
        driving = drivers(_pairs(other), _pairs(runs[0]), by, measured=measured, cluster=cluster)
        answer["drivers"].append(
            {"model": other.label, "against": runs[0].label, "slices": [asdict(driver) for driver in driving]}
        )
    return answer


def _show_slices(answer: dict[str, Any], labels: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table

    from earwitness.report.statistics import points

    screen = console()
    parts = {label: {part["value"]: part for part in answer["models"][label]["slices"]} for label in labels}
    table = Table(answer["by"], "Clips", "Recordings", *labels, box=box.SIMPLE_HEAD, pad_edge=False)
    for value, part in parts[labels[0]].items():
        cells = [_percent(parts[label][value]["wer"], parts[label][value]["ci95"]) for label in labels]
        table.add_row(value, str(part["n_clips"]), str(part["n_clusters"]), *cells)
    screen.print(table)
    for label in labels:
        found = answer["models"][label]["gap"]
        if found:
            screen.print(
                f"  {label}: {found['worst']} is worse than {found['best']} by "
                f"{points(found['value'], found['ci95'])}, corrected for the choice of extremes",
                markup=False,
            )
    for driven in answer["drivers"]:
        most = [
            f"{part['value']} {points(part['points'], part['ci95'])}"
            + (f", {part['share']:.0%} of the difference" if part["share"] is not None else "")
            for part in driven["slices"][:3]
        ]
        screen.print(f"  {driven['model']} against {driven['against']}: {'; '.join(most)}", markup=False)
    screen.print()


def _percent(value: float | None, ci95: Sequence[float] | None = None) -> str:
    from earwitness.report.format import NOTHING

    if value is None:
        return NOTHING
    return f"{100 * value:.1f} %" + (f" [{100 * ci95[0]:.1f}, {100 * ci95[1]:.1f}]" if ci95 else "")
