"""The scorecard: a comparison as columns, which the command line shows as a table and this module as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from earwitness.comparison.agreement import of_table
from earwitness.comparison.agreement_lines import short_lines
from earwitness.comparison.matrix import matrix
from earwitness.comparison.table import Comparison, ModelRow, Table
from earwitness.counts import count, duration, megabytes, number, percent, quantity
from earwitness.records.select import machine_name
from earwitness.reports.markdown import grid, safe
from earwitness.reports.matrix import legend, matrix_grid
from earwitness.reports.speed import batch_sentence, rows_sentences
from earwitness.reports.statistics import normalizer_gap_sentence, pair_sentences, target_sentences
from earwitness.scoring.findings.kinds import KINDS, OTHER
from earwitness.types import Score


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the scorecard."""

    heading: str
    """With the unit."""
    of: Callable[[ModelRow], Any]
    """What a row has there: a score, a number, a text, or ``None``."""
    shown: Callable[[Any], str]
    """How that is written."""
    meaning: str
    """For the legend."""

    def show(self, row: ModelRow) -> str:
        """Return the cell of a row."""
        return self.shown(self.of(row))

    def key(self, row: ModelRow) -> float | str | None:
        """Return the sort key of rows; ``None`` goes last."""
        found = self.of(row)
        key: float | str | None = found.value if isinstance(found, Score) else found
        return key


def _score(metric: str) -> Callable[[ModelRow], Score | None]:
    return lambda row: row.run.score(metric)


def _field(*path: str) -> Callable[[ModelRow], Any]:
    def cells(row: ModelRow) -> Any:
        value: object = row.run
        for name in path:
            value = getattr(value, name, None)
        return value

    return cells


_CER = Column("CER", _score("cer"), percent, "character error rate with its 95 % interval")
_RTF = Column("RTF", _field("speed", "rtf"), number, "seconds of work per second of audio")
COLUMNS = (
    Column("Model", lambda row: row.label, str, "engine:weights"),
    Column("WER", _score("wer"), percent, "word error rate with its 95 % interval; less is better"),
    Column("Rank", lambda row: row.rank, str, "by WER; a range where the tests cannot separate models"),
    _CER,
    Column("Perfect", _score("perfect_share"), percent, "share of clips without any error, with its 95 % interval"),
    _RTF,
    Column("p50 s", _field("speed", "latency_p50_s"), number, "median time of a clip"),
    Column("p95 s", _field("speed", "latency_p95_s"), number, "95 % of clips took less"),
    Column("Load s", _field("workers", "load_s"), number, "loading the model, once"),
    Column("Peak MB", _field("workers", "peak_rss_bytes"), megabytes, "most memory of the worker"),
    *(Column(k.column[0], _score(k.amount), count, k.column[1]) for k in KINDS.values() if k.column),
    Column(
        "Coverage",
        _score("length_ratio"),
        lambda score: number(score.value if score else None),
        "words in the text per word spoken; far under 1, something is missing",
    ),
)
TERMS = (
    Column("Term recall", lambda row: row.terms and row.terms.recall, percent,
           "key terms written where they were said"),
    Column("Term precision", lambda row: row.terms and row.terms.precision, percent,
           "key terms said where they were written"),
)  # fmt: skip
_BY_REFERENCE = ("Rank", "CER", "Empty", "Hallucinated", "Coverage")
"""Columns that a table without references does not have; its WER is a dash, and a note says why."""
MIXED = Column(
    "Mixed",
    _score("mixed_error_rate"),
    percent,
    "mixed error rate, by character in scripts such as Han and by word in others, with its 95 % interval",
)
_WHERE_SCORED = {"Mixed": "mixed_error_rate", "Perfect": "perfect_share"}
"""Columns that a table has only if a record in it has the score: older ones do not, nor does every dataset."""
DEVICE = Column("Device", lambda row: row.place, str, "where the model's parameters really were, and on which machine")
THROUGHPUT = Column(
    "RTFx all cores",
    _field("measurements", "throughput", "rtfx"),
    number,
    "seconds of audio per second with the machine saturated",
)


_UNLABELLED = "empty_on_speech_unlabelled"
_NOTES = {_UNLABELLED: "no words where somebody speaks, without a reference,"}
"""A score and a clause for each rare finding: a note in the tables that have some, and no column."""
_NOTES |= {kind.metric: kind.meaning[0].lower() + kind.meaning[1:-1] for kind in KINDS.values() if not kind.column}
_PROBLEMS = [(kind.amount, kind.problem) for kind in KINDS.values() if kind.problem != OTHER]
_RARE = {kind.amount: kind.short for kind in KINDS.values() if kind.problem == OTHER}
_RARE |= {_UNLABELLED: "no words on speech"}


def problems(row: ModelRow) -> str:
    """Return the problems of some clips in a few words."""
    counts: dict[str, int] = {}
    for metric, words in _PROBLEMS:
        score = row.run.score(metric)
        counts[words] = counts.get(words, 0) + round(score.value or 0 if score else 0)
    found = [quantity(n, words) for words, n in counts.items() if n]
    for metric, words in _RARE.items():
        score = row.run.score(metric)
        found += [f"{words} in {quantity(round(score.value), 'clip')}"] if score and score.value else []
    return ", ".join(found) or "none"


PROBLEMS = Column("Problems", problems, str, "what went wrong, and how often")
_MAIN = ("Model", "Device", "WER", "Rank", "RTF", "RTFx all cores", "p95 s", "Peak MB")


def main_columns(table: Table) -> tuple[Column, ...]:
    """Return the main columns, by which most people decide."""
    return (*(column for column in columns(table) if column.heading in _MAIN), PROBLEMS)


def columns(table: Table) -> tuple[Column, ...]:
    """Return all columns of a table; where rows ran in different places, or at full throughput, that is one."""
    first, *rest = COLUMNS
    found = [first, DEVICE, *rest] if len(table.places) > 1 else [*COLUMNS]
    found.insert(found.index(_CER) + 1, MIXED)
    if any(row.run.measurements and row.run.measurements.throughput for row in table.rows):
        found.insert(found.index(_RTF) + 1, THROUGHPUT)
    if any(row.terms for row in table.rows):
        found += TERMS
    return tuple(column for column in found if _is_shown(column, table))


def _is_shown(column: Column, table: Table) -> bool:
    metric = _WHERE_SCORED.get(column.heading)
    if metric is not None:
        scores = [row.run.score(metric) for row in table.rows]
        return any(score is not None and score.n_clips for score in scores)
    return column.heading not in _BY_REFERENCE or _has_references(table)


def _has_references(table: Table) -> bool:
    scores = [row.run.score("wer") for row in table.rows]
    return any(score is None or score.n_clips for score in scores)


def title(table: Table) -> str:
    """Return a table's heading, which mentions synthetic speech."""
    data = table.dataset
    synthetic = ", synthetic speech" if data.synthetic else ""
    return f"{table.name}: {quantity(data.n_clips, 'clip')}, {duration(data.audio_s)}{synthetic}"


def notes(table: Table) -> list[str]:
    """Return the notes on a table, one sentence each."""
    return [
        *([table.references] if table.references else ()),
        *table.labels,
        *target_sentences(table.target, table.dataset.audio_s),
        *([table.unranked] if table.unranked else pair_sentences(table.pairs)),
        *(batch_sentence(change) for change in table.batch_changes),
        *(sentence for of_row in (_shared_note, _network_note) for row in table.rows for sentence in of_row(row)),
        *(sentence for row in table.rows for sentence in _finding_notes(row)),
        *(f"{row.label}: {row.cause}" for row in table.rows if row.cause),
        *(f"{row.label}: {normalizer_gap_sentence(one)}" for row in table.rows for one in row.unfolded),
        *(_interval_notes(table) if _has_references(table) else ()),
        *rows_sentences([(row.label, row.run) for row in table.rows]),
        *_place_notes(table),
    ]


def without_references(table: Table) -> list[str]:
    """Return what the distances between texts bound, where there are no references; else nothing."""
    found = of_table(table)
    return short_lines(found, [row.record for row in table.rows]) if found else []


def _shared_note(row: ModelRow) -> list[str]:
    shared = row.wer_on_shared
    if shared is None:
        return []
    clips = quantity(shared.n_clips, "clip")
    return [f"{row.label} on the {clips} that every model finished: WER {percent(shared)}"]


def _network_note(row: ModelRow) -> list[str]:
    speed = row.run.speed
    if speed is None or speed.network_s is None:
        return []
    return [f"{row.label}: of {speed.wall_s:.1f} s, the network took {speed.network_s:.1f} s"]


def _finding_notes(row: ModelRow) -> list[str]:
    scores = [(row.run.score(metric), meaning) for metric, meaning in _NOTES.items()]
    return [
        f"{row.label}: {meaning} in {count(score)} of {quantity(score.n_clips, 'clip')}"
        for score, meaning in scores
        if score and score.value
    ]


def _interval_notes(table: Table) -> list[str]:
    wers = [row.run.score("wer") for row in table.rows]
    return [f"WER: {reason}" for reason in sorted({score.reason for score in wers if score and score.reason})]


def _place_notes(table: Table) -> list[str]:
    if len(table.places) == 1:
        return []
    where = f"These rows ran on {len(table.places)} devices or machines ({'; '.join(table.places)})."
    return [
        f"{where} WER and CER compare across them; RTF, times and memory compare only between rows of the same one."
    ]


def machines(table: Table) -> list[str]:
    """Return a description of each machine, with its letter if there are several."""
    several = len(table.environments) > 1
    return [
        f"{f'{machine_name(number)}:' if several else 'measured on'} {env.cpu}, {quantity(env.cores, 'core')}, "
        f"{env.memory_bytes / 2**30:.0f} GiB, {env.platform}, Python {env.python}, Earwitness {env.earwitness}"
        for number, env in enumerate(table.environments)
    ]


def signatures(table: Table) -> list[str]:
    """Return the recipes of the table's scores; they are the same in every row."""
    scores = (table.rows[0].run.score(metric) for metric in ("wer", "cer"))
    return [score.signature for score in scores if score]


def markdown(comparison: Comparison, *, with_matrix: bool = False) -> str:
    """Return the whole comparison as a Markdown document, with a matrix of models and devices where it is wanted."""
    parts = ["# Scorecard\n"]
    for table in comparison.tables:
        parts += [f"## {title(table)}\n", _markdown_table(table)]
        if with_matrix:
            made = matrix(table)
            parts += [
                "Models and devices:\n",
                grid(*matrix_grid(made)),
                *(f"- {safe(m)}" for m in legend(made)),
                "",
            ]
        if table.differences:
            parts += ["What differs besides the model:\n", _differences(table)]
        parts += [f"- {safe(note)}" for note in notes(table)]
        parts += [f"- {safe(line)}" for line in without_references(table)]
        parts += [f"- `{signature}`" for signature in signatures(table)]
        parts += [f"- {safe(machine)}" for machine in machines(table)]
        parts += [f"- data: {table.dataset.license or 'licence unknown'}, sha256 `{table.dataset.sha256[:16]}`", ""]
    parts += [
        "## What the columns mean\n",
        *(f"- **{c.heading}**: {c.meaning}" for c in (*COLUMNS, DEVICE, THROUGHPUT, *TERMS)),
    ]
    if comparison.left_out:
        parts += ["\n## Left out\n", *(f"- {safe(reason)}" for reason in comparison.left_out)]
    return "\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    shown = columns(table)
    rows = [[column.show(row) for column in shown] for row in table.rows]
    return grid([column.heading for column in shown], rows)


def _differences(table: Table) -> str:
    rows = [[d.what, *(d.values[row.label] for row in table.rows)] for d in table.differences]
    return grid(["In force", *(row.label for row in table.rows)], rows)
