"""The scorecard: a comparison as columns, which the command line shows as a table and this module as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from earwitness.compare.table import Comparison, Row, Table
from earwitness.report.format import count, duration, megabytes, number, percent
from earwitness.report.statistics import pair_sentences


class Column(NamedTuple):
    """A column of the scorecard."""

    heading: str
    """With the unit."""
    show: Callable[[Row], str]
    """The cell of a row."""
    meaning: str
    """For the legend."""


def _of(value: object, name: str) -> Any:
    return getattr(value, name, None)


def _shown(row: Row, metric: str, show: Callable[..., str]) -> str:
    return show(row.run.score(metric))


COLUMNS = (
    Column("Model", lambda row: row.label, "engine:weights"),
    Column("WER", lambda row: _shown(row, "wer", percent), "word error rate with its 95 % interval; less is better"),
    Column("Rank", lambda row: row.rank, "by WER; a range where the tests cannot tell models apart"),
    Column("CER", lambda row: _shown(row, "cer", percent), "character error rate with its 95 % interval"),
    Column("RTF", lambda row: number(_of(row.run.speed, "rtf")), "seconds of work per second of audio"),
    Column("p50 s", lambda row: number(_of(row.run.speed, "latency_p50_s")), "median time of a clip"),
    Column("p95 s", lambda row: number(_of(row.run.speed, "latency_p95_s")), "95 % of clips took less"),
    Column("Load s", lambda row: number(_of(row.run.workers, "load_s")), "loading the model, once"),
    Column(
        "Peak MB",
        lambda row: megabytes(_of(row.run.workers, "peak_rss_bytes")),
        "most memory of the worker",
    ),
    Column("Failed", lambda row: _shown(row, "failed_clips", count), "clips without a transcript, scored as empty"),
    Column("Empty", lambda row: _shown(row, "empty_on_speech", count), "clips with speech and no text"),
    Column("Invented", lambda row: _shown(row, "words_on_silence", count), "words on clips in which nobody speaks"),
    Column("Loops", lambda row: _shown(row, "repeated_ngram", count), "clips in which the text repeats itself"),
    Column(
        "Length",
        lambda row: number(_of(row.run.score("length_ratio"), "value")),
        "words heard per word spoken; far under 1, something is missing",
    ),
)


def title(table: Table) -> str:
    """Return a table's heading, which says so when the speech is synthetic."""
    data = table.dataset
    synthetic = ", synthetic speech" if data.synthetic else ""
    return f"{data.name}: {data.n_clips} clips, {duration(data.audio_s)}{synthetic}"


def notes(table: Table) -> list[str]:
    """Return what to keep in mind when reading a table, a sentence each."""
    found = [
        f"{row.label} on the {row.wer_on_shared.n_clips} clips that every model finished: "
        f"WER {percent(row.wer_on_shared)}"
        for row in table.rows
        if row.wer_on_shared
    ]
    reasons = {score.reason for row in table.rows for score in row.run.scores if score.metric == "wer" and score.reason}
    return pair_sentences(table.pairs) + found + [f"WER: {reason}" for reason in sorted(reasons)]


def signatures(table: Table) -> list[str]:
    """Return the recipes of the table's scores; they are the same in every row."""
    scores = (table.rows[0].run.score(metric) for metric in ("wer", "cer"))
    return [score.signature for score in scores if score]


def markdown(comparison: Comparison) -> str:
    """Return the whole comparison as a Markdown document."""
    parts = ["# Scorecard\n"]
    for table in comparison.tables:
        parts += [f"## {title(table)}\n", _markdown_table(table)]
        if table.differences:
            parts += ["What differs besides the model:\n", _differences(table)]
        parts += [f"- {_escaped(note)}" for note in notes(table)]
        parts += [f"- `{signature}`" for signature in signatures(table)]
        parts += [
            f"- measured on {env.cpu}, {env.cores} cores, {env.memory_bytes / 2**30:.0f} GiB, {env.platform}, "
            f"Python {env.python}, Earwitness {env.earwitness}"
            for env in table.environments
        ]
        parts += [f"- data: {table.dataset.license or 'licence unknown'}, sha256 `{table.dataset.sha256[:16]}`", ""]
    parts += ["## What the columns mean\n", *(f"- **{column.heading}**: {column.meaning}" for column in COLUMNS)]
    if comparison.left_out:
        parts += ["\n## Left out\n", *(f"- {_escaped(reason)}" for reason in comparison.left_out)]
    return "\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    rows = [[column.show(row) for column in COLUMNS] for row in table.rows]
    return _grid([column.heading for column in COLUMNS], rows)


def _differences(table: Table) -> str:
    rows = [[d.what, *(d.values[row.label] for row in table.rows)] for d in table.differences]
    return _grid(["In force", *(row.label for row in table.rows)], rows)


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = "|---" + "|--:" * (len(header) - 1) + "|"
    body = ("| " + " | ".join(map(_escaped, row)) + " |" for row in (header, *rows))
    first, *rest = body
    return "\n".join([first, rule, *rest, ""])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
