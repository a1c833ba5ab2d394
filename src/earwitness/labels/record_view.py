"""Records as their labels show them: finds the overlay of each dataset, and puts it over tables and runs in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

from earwitness.comparison.ranking import PairTest, Ranking, rank
from earwitness.comparison.settings_parity import ACCEPTED, no_rank_reason
from earwitness.comparison.table import Comparison, ModelRow, Table
from earwitness.counts import NOTHING
from earwitness.errors import UsageError
from earwitness.labels.estimate import LabelEstimates
from earwitness.labels.over_runs import RunsWithLabels, overlay_of, with_labels
from earwitness.labels.overlay import plan_path, read_labels
from earwitness.labels.plan_file import read_plan
from earwitness.records.record import ClipResult, Run
from earwitness.records.select import RunWithClips
from earwitness.records.store import read_clips
from earwitness.scoring.findings.wer_cause import cause
from earwitness.scoring.metrics.normalizer_gaps import normalizer_gaps
from earwitness.scoring.stats.ranks import PairVerdict, rank_label, ranks
from earwitness.scoring.stats.significance import Difference, holm
from earwitness.scoring.stats.survey import SurveyEstimate

BY_HAND = (
    "Not ranked: a person chose which clips to label, so the labelled clips may be unlike the others. Let a plan "
    "choose them: earwitness label DATA --runs RUNS --plan"
)


class RecordView:
    """Reads each overlay once, and keeps what it was put over."""

    def __init__(self, overlay: Path | None = None) -> None:
        """Take the overlay of all datasets that have its clips; ``None`` looks beside the data of each."""
        self.groups: list[RunsWithLabels] = []
        """Those with labels, in the order in which they were seen."""
        self._overlay = overlay
        self._results: dict[Path, tuple[ClipResult, ...]] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the numbers are about, and what to look at, for each dataset with labels."""
        return tuple(dict.fromkeys(line for group in self.groups for line in (group.note, *group.problems)))

    def clips(self, record: Path) -> list[ClipResult]:
        """Return the clips of a record, with labels if they were put over it."""
        return list(self._results.get(record) or read_clips(record))

    def relabel(self, runs: Sequence[RunWithClips]) -> list[RunWithClips]:
        """Put labels over runs; those of a dataset without labels stay as they are."""
        by_data: dict[object, list[RunWithClips]] = {}
        for run in runs:
            by_data.setdefault((run.run.dataset.sha256, str(run.run.scoring)), []).append(run)
        changed: dict[Path, RunWithClips] = {}
        for group in by_data.values():
            found = self._over(group)
            changed |= {run.path: run for run in (found.runs if found else group)}
        self._refuse_unused()
        return [changed[run.path] for run in runs]

    def read_all(self, runs: Sequence[tuple[Path, Run]]) -> None:
        """Put labels over runs, so that ``clips`` returns them."""
        self.relabel([RunWithClips(path, run, tuple(read_clips(path))) for path, run in runs])

    def adjust(self, comparison: Comparison, accept: frozenset[str] = ACCEPTED) -> Comparison:
        """Put labels over tables: error rates, ranks and pairs are those by the labels."""
        tables = tuple(self._adjust(table, accept) for table in comparison.tables)
        self._refuse_unused()
        return replace(comparison, tables=tables)

    def _refuse_unused(self) -> None:
        if self._overlay is not None and not self.groups:
            raise UsageError(
                f"No label of {str(self._overlay)!r} is of a clip of these records. Name the overlay of their data."
            )

    def _over(self, runs: Sequence[RunWithClips]) -> RunsWithLabels | None:
        path = self._overlay or overlay_of(runs[0])
        if path is None:
            return None
        if self._overlay is not None and not path.is_file():
            raise UsageError(f"There is no overlay {str(path)!r}. Name a file of labels.")
        plan_file = plan_path(path)
        named = [run if run.label else replace(run, label=str(place)) for place, run in enumerate(runs)]
        made = with_labels(named, read_labels(path), read_plan(plan_file) if plan_file.is_file() else None)
        if not made.n_labels:
            return None
        made = replace(
            made, runs=tuple(replace(run, label=old.label) for run, old in zip(made.runs, runs, strict=True))
        )
        self.groups.append(made)
        self._results |= {run.path: run.results for run in made.runs}
        return made

    def _adjust(self, table: Table, accept: frozenset[str]) -> Table:
        runs = [RunWithClips(row.record, row.run, tuple(read_clips(row.record)), row.label) for row in table.rows]
        made = self._over(runs)
        return table if made is None else _with_labels(table, made, accept)


def _with_labels(table: Table, group: RunsWithLabels, accept: frozenset[str]) -> Table:
    why_not = no_rank_reason({run.label: run.run for run in group.runs}, accept)
    if why_not is None and group.is_partial and group.estimates is None:
        why_not = BY_HAND
    ranking = None if why_not else _ranking(group)
    why_not = why_not or (ranking.why_none if ranking else None)
    rows = [
        _row(row, run, str(ranking.ranks[row.label]) if ranking and why_not is None else NOTHING)
        for row, run in zip(table.rows, group.runs, strict=True)
    ]
    rows.sort(key=lambda row: (row.wer is None, row.wer or 0.0, row.label))
    return replace(
        table,
        rows=tuple(rows),
        pairs=ranking.pairs if ranking else (),
        unranked=why_not,
        labels=(group.note, *group.problems),
    )


def _row(row: ModelRow, run: RunWithClips, place: str) -> ModelRow:
    kept = [score for score in row.run.scores if run.pool_score(score.metric) is None]
    return replace(
        row,
        run=replace(row.run, scores=(*run.pool_scores, *kept)),
        rank=place,
        wer_on_shared=None,
        cause=cause([result.score for result in run.results]),
        unfolded=normalizer_gaps([(r.clip, r.hypothesis, r.score) for r in run.results], row.run.scoring.normalizer),
    )


def _ranking(group: RunsWithLabels) -> Ranking:
    if group.estimates is None:
        return rank({run.label: run.results for run in group.runs})
    return estimated_ranking(group.estimates)


def estimated_ranking(estimates: LabelEstimates) -> Ranking:
    """Rank models by the differences that labels of a plan estimate for the pool.

    A difference counts where its 95 % interval leaves out 0; for several pairs, p is taken from the interval as if
    the estimate were normal, and corrected by Holm.

    Args:
        estimates: Of WER.
    """
    values = {one.label: one.estimate.value for one in estimates.models}
    order = sorted(values, key=lambda label: (values[label] is None, values[label] or 0.0, label))
    places = list(combinations(range(len(order)), 2))
    found = {(one.first, one.second): one.estimate for one in estimates.differences}
    tests = [_difference(found, order[b], order[a]) for a, b in places]
    corrected = holm([test.p for test in tests])
    pairs = [
        PairTest(order[a], order[b], test, p, rank_label(test.value, p), None)
        for (a, b), test, p in zip(places, tests, corrected, strict=True)
    ]
    verdicts = [
        PairVerdict(a, b, None if test.value is None else -test.value, p)
        for (a, b), test, p in zip(places, tests, corrected, strict=True)
    ]
    return Ranking(dict(zip(order, ranks(len(order), verdicts), strict=True)), tuple(pairs))


def _difference(pairs: Mapping[tuple[str, str], SurveyEstimate], worse: str, better: str) -> Difference:
    one, sign = pairs.get((worse, better)), 1
    if one is None:
        one, sign = pairs[(better, worse)], -1
    value = None if one.value is None else sign * one.value
    if value is None or one.ci95 is None:
        return Difference(value, None, None, None, one.n_labels, 0, one.reason, one.target)
    low, high = sorted(sign * end for end in one.ci95)
    z = 2 * NormalDist().inv_cdf(0.975) * abs(value) / (high - low)
    p = 2 * (1 - NormalDist().cdf(z))
    return Difference(value, (low, high), p, None, one.n_labels, one.n_labels, target=one.target)
