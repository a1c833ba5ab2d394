"""Groups runs by dataset, refuses runs that must not be compared, and lists the differences of the rest.

Numbers are taken from the records as they stand; the one thing computed here is the WER on the clips that every model
finished, which no single record can know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.comparison.dataset_names import dataset_names
from earwitness.comparison.ranking import PairTest, rank
from earwitness.comparison.reference_remark import reference_remark
from earwitness.comparison.settings_parity import ACCEPTED, BatchChange, batch_changes, no_rank_reason
from earwitness.comparison.within import with_targets
from earwitness.counts import NOTHING
from earwitness.errors import ComparisonError
from earwitness.records.listing import none_complete
from earwitness.records.record import ClipResult, DatasetInfo, Environment, Run
from earwitness.records.rescore import score_run
from earwitness.records.select import (
    RunWithClips,
    clean_sha256,
    labels_of,
    machine_of,
    newest,
    places_of,
    refuse_unequal_signatures,
    setting,
    setting_names,
)
from earwitness.records.store import read_clips
from earwitness.scoring.findings.wer_cause import cause
from earwitness.scoring.metrics.key_terms import TermScores
from earwitness.scoring.metrics.normalizer_gaps import NormalizerGap, normalizer_gaps
from earwitness.types import Score, Target

Reader = Callable[[Path], list[ClipResult]]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One run in a table."""

    label: str
    """The model, with its device where the table has several."""
    record: Path
    """Where the run's record is."""
    run: Run
    """The run."""
    place: str
    """Where it ran: the device, and the machine where the table has several, such as ``cuda:0 of machine B``."""
    wer_on_shared: Score | None
    """WER on the clips that every model of the table finished; ``None`` when all finished all."""
    rank: str
    """The rank by WER, or the range of ranks, that the tests leave open; a dash where the table is not ranked."""
    cause: str | None = None
    """Why the WER is above 100 %; ``None`` when it is not."""
    unfolded: tuple[NormalizerGap, ...] = ()
    """Kinds of difference, such as accents, that cost a good part of the WER."""

    @property
    def wer(self) -> float | None:
        """The WER of the run; ``None`` without references."""
        score = self.run.score("wer")
        return score.value if score else None

    terms: TermScores | None = None
    """Recall and precision of key terms, where a list was given."""


@dataclass(frozen=True, slots=True)
class RunDifference:
    """A difference between rows of a table, besides the model."""

    what: str
    """A setting in force, or a part of the environment."""
    values: Mapping[str, str]
    """By row label."""


@dataclass(frozen=True, slots=True)
class Table:
    """Runs over one dataset, best WER first."""

    name: str
    """What the dataset is called: its name, made longer where another table has other data of the same name."""
    dataset: DatasetInfo
    """What they transcribed."""
    rows: tuple[ModelRow, ...]
    """One a run."""
    differences: tuple[RunDifference, ...]
    """What to keep in mind when reading the rows against each other."""
    environments: tuple[Environment, ...]
    """The machines; one, unless the table mixes them: then the first is machine A, the second machine B."""
    pairs: tuple[PairTest, ...]
    """Every two rows, tested on the same clips; none without references, or where settings differ."""
    unranked: str | None
    """Why rows have no rank: no references, settings that differ, too few recordings; ``None`` when they have one."""
    batch_changes: tuple[BatchChange, ...]
    """What decoding in batches did to the texts, for each model that was run both ways."""
    references: str | None = None
    """Why the references do not belong to the audio, in one sentence; ``None`` where nothing shows it."""
    labels: tuple[str, ...] = ()
    """What the error rates are about where they come from labels beside the data, and what to look at in these."""

    @property
    def target(self) -> Target | None:
        """What ranks and intervals of WER are about; ``None`` where there is no WER."""
        scores = [row.run.score("wer") for row in self.rows]
        return next((score.target for score in scores if score and score.target), None)

    @property
    def places(self) -> tuple[str, ...]:
        """Where the rows ran, each once; numbers of speed and memory from different ones do not rank models."""
        return tuple(dict.fromkeys(row.place for row in self.rows))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table per dataset, and what was left out."""

    tables: tuple[Table, ...]
    """In the order in which the datasets were first seen."""
    left_out: tuple[str, ...]
    """A sentence for each run that is in no table."""


def compare(
    records: Sequence[Path], *, accept: frozenset[str] = ACCEPTED, alone: bool = False, read: Reader = read_clips
) -> Comparison:
    """Compare runs.

    Of several complete runs that differ in nothing but time and scoring, the newest is taken. Runs that did not end
    are left out, with a sentence.

    Args:
        records: Paths of records.
        accept: Settings that may differ between ranked rows, as ``parity.accepted`` returns them.
        alone: Whether a dataset with one run makes a table of one row.
        read: Reads the clips of a record; for callers that need them too, and would read them again.

    Raises:
        ComparisonError: When a dataset has one run only (it then has nothing to be compared with) and ``alone`` does
            not allow that, or scores of one dataset were made in different ways. The message says which differ and how.
        RecordError: For a record that cannot be read.
    """
    left_out: list[str] = []
    groups: dict[str, list[tuple[Path, Run]]] = defaultdict(list)
    for path, run in newest(records, left_out):
        groups[run.dataset.sha256].append((path, run))
    _refuse_lonely(groups, left_out, alone=alone)
    names = dataset_names(run.dataset for group in groups.values() for _, run in group)
    tables = (_table(names[sha256], group, accept, read) for sha256, group in groups.items())
    return Comparison(tuple(tables), tuple(left_out))


def _refuse_lonely(groups: Mapping[str, Sequence[tuple[Path, Run]]], left_out: Sequence[str], *, alone: bool) -> None:
    if not groups:
        raise ComparisonError(none_complete("compare", left_out))
    lonely = [group[0] for group in groups.values() if len(group) == 1]
    if not lonely or alone:
        return
    if len(groups) == 1:
        raise ComparisonError(_why_one_run(*lonely[0], left_out))
    runs = [run for _, run in lonely]
    if len(runs) == len(groups) and _is_one_dataset_under_conditions(runs):
        raise ComparisonError(_why_one_run_a_condition(runs))
    each = "; ".join(f"{run.model.id!r} ran on {run.dataset.name!r} (sha256 {run.dataset.sha256[:12]})" for run in runs)
    raise ComparisonError(f"Runs on different data are not compared: {each}. Run the models on the same data.")


def _why_one_run(path: Path, run: Run, left_out: Sequence[str]) -> str:
    others = f"Left out: {' '.join(left_out)}" if left_out else "Run another model on the same data."
    return f"There is only one run to compare, {run.model.id!r} ({path}). {others}"


def _is_one_dataset_under_conditions(runs: Sequence[Run]) -> bool:
    return len({clean_sha256(run) for run in runs}) == 1 and any(run.dataset.condition for run in runs)


def _why_one_run_a_condition(runs: Sequence[Run]) -> str:
    conditions = [run.dataset.condition for run in runs]
    names = ", ".join(condition.name if condition else "clean" for condition in conditions)
    return (
        f"There is one run under each condition ({names}), and a table compares runs under the same one. "
        "For how a model holds, run: earwitness robustness RUN... For a table, run another model too."
    )


def _table(name: str, group: Sequence[tuple[Path, Run]], accept: frozenset[str], read: Reader) -> Table:
    refuse_unequal_signatures(group)
    group = sorted(group, key=lambda pair: pair[1].created_at)
    runs = [run for _, run in group]
    machines = {machine_of(run): run.environment for run in runs}
    places = places_of(runs)
    labels = labels_of(runs)
    shared = _wer_on_shared(group, read)
    results = {label: read(path) for label, (path, _) in zip(labels, group, strict=True)}
    by_label = dict(zip(labels, runs, strict=True))
    unranked = _without_references(group) or no_rank_reason(by_label, accept)
    ranking = rank(results, scoring=runs[0].scoring) if unranked is None else None
    unranked = unranked or (ranking.why_none if ranking else None)
    rows = [
        ModelRow(
            label,
            path,
            with_targets(run, results[label]),
            place,
            shared.get(path),
            str(ranking.ranks[label]) if ranking and unranked is None else NOTHING,
            cause([result.score for result in results[label]]),
            normalizer_gaps([(r.clip, r.hypothesis, r.score) for r in results[label]], run.scoring.normalizer),
        )
        for label, place, (path, run) in zip(labels, places, group, strict=True)
    ]
    rows.sort(key=lambda row: (_wer(row.run) is None, _wer(row.run) or 0.0, row.label))
    return Table(
        name=name,
        dataset=group[0][1].dataset,
        rows=tuple(rows),
        differences=tuple(_differences(rows)),
        environments=tuple(machines.values()),
        pairs=ranking.pairs if ranking else (),
        unranked=unranked,
        batch_changes=batch_changes(by_label, results),
        references=_reference_remark(labels, group, results),
    )


def _reference_remark(
    labels: Sequence[str], group: Sequence[tuple[Path, Run]], results: Mapping[str, Sequence[ClipResult]]
) -> str | None:
    pairs = zip(labels, group, strict=True)
    return reference_remark([RunWithClips(path, run, tuple(results[label]), label) for label, (path, run) in pairs])


def _without_references(group: Sequence[tuple[Path, Run]]) -> str | None:
    """Explain that there is no error rate, and what to do; ``None`` if there are references."""
    scores = [run.score("wer") for _, run in group]
    if any(score is None or score.n_clips for score in scores):
        return None
    return (
        "Not ranked: no clip has a reference, so there is no error rate. What is known without references: speed, "
        "memory, failures, how complete the texts are, and who agrees with whom (earwitness rank). For an "
        "error rate, label some of the clips: earwitness label."
    )


def _wer(run: Run) -> float | None:
    score = run.score("wer")
    return score.value if score else None


def _differences(rows: Sequence[ModelRow]) -> list[RunDifference]:
    runs = [row.run for row in rows]
    facts: dict[str, Callable[[Run], str]] = {
        "preset": lambda run: run.preset,
        "device": lambda run: run.device_used or "?",
        "processor": lambda run: run.environment.cpu,
        "cores": lambda run: str(run.environment.cores),
        "Python of the engine": lambda run: run.engine.python,
        "Earwitness": lambda run: run.environment.earwitness,
    }
    candidates = [
        *(RunDifference(name, {row.label: setting(row.run, name) for row in rows}) for name in setting_names(runs)),
        *(RunDifference(name, {row.label: fact(row.run) for row in rows}) for name, fact in facts.items()),
    ]
    return [difference for difference in candidates if len(set(difference.values.values())) > 1]


def _wer_on_shared(group: Sequence[tuple[Path, Run]], read: Reader) -> dict[Path, Score]:
    if not any(score.n_failed for _, run in group if (score := run.score("wer"))):
        return {}
    results = {path: read(path) for path, _ in group}
    finished = [{r.clip.id for r in rows if r.hypothesis.ok} for rows in results.values()]
    shared = set.intersection(*finished)
    found = {}
    for path, run in group:
        kept = [result for result in results[path] if result.clip.id in shared]
        score = next((s for s in score_run(kept, run.scoring) if s.metric == "wer"), None)
        if score is not None:
            found[path] = score
    return found
