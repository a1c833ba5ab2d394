"""Groups records into candidates: models that can be served, each with all of its runs.

What a record says is held against its clips file: numbers that somebody typed in are said, and left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from earwitness.comparison.dataset_names import dataset_names
from earwitness.counts import quantity
from earwitness.decision.evidence import MeasuredValue
from earwitness.decision.measures import MEASURES, RuleScope
from earwitness.errors import ComparisonError
from earwitness.records.listing import none_complete
from earwitness.records.record import ClipResult, DatasetInfo, Run
from earwitness.records.rescore import options_of
from earwitness.records.select import (
    Relabel,
    RunWithClips,
    candidate_key,
    clean_sha256,
    labels_of,
    machine_of,
    newest,
    refuse_unequal_signatures,
)
from earwitness.records.store import read_clips
from earwitness.scoring import summarize
from earwitness.types import Settings, Target

_PRESET = "matched"
"""The preset whose settings are those of ``Settings()``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model on an engine, with its weights, settings, device and machine, and all its runs."""

    label: str
    """The model, made longer where several share it."""
    runs: tuple[RunWithClips, ...]
    """By dataset, those over audio as it was recorded first."""
    terms: tuple[str, ...] = ()
    """Key terms of the policy."""
    _taken: dict[tuple[str | None, ...], MeasuredValue] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def take(
        self,
        measure: str,
        *,
        dataset: str | None = None,
        condition: str | None = None,
        slice_: str | None = None,
        target: Target | None = None,
    ) -> MeasuredValue:
        """Return a measure of the runs of a rule; each is computed once.

        Args:
            measure: Name of it.
            dataset: Name of the only dataset; ``None`` for all together.
            condition: The condition; ``None`` for none.
            slice_: What the clips are grouped by, for a measure of groups.
            target: What an error rate is to be of; ``None`` for what there is enough for.
        """
        key = (measure, dataset, condition, slice_, target)
        if key not in self._taken:
            case = self.case(dataset=dataset, condition=condition)
            case = replace(case, terms=self.terms, slice=slice_, target=target)
            self._taken[key] = MEASURES[measure].take(case)
        return self._taken[key]

    @property
    def run(self) -> Run:
        """Its latest run, which describes it."""
        return max(self.runs, key=lambda heard: (heard.run.created_at, heard.run.id)).run

    @property
    def clean(self) -> tuple[RunWithClips, ...]:
        """Its runs over audio as it was recorded."""
        return tuple(heard for heard in self.runs if heard.run.dataset.condition is None)

    @property
    def altered(self) -> tuple[RunWithClips, ...]:
        """Its runs under conditions."""
        return tuple(heard for heard in self.runs if heard.run.dataset.condition is not None)

    def case(self, *, dataset: str | None = None, condition: str | None = None) -> RuleScope:
        """Return the runs that a rule is about.

        Args:
            dataset: Name of the only dataset, without its condition; ``None`` for all together.
            condition: The condition; ``None`` for none.
        """
        clean = tuple(heard for heard in self.clean if dataset in (None, heard.run.dataset.name))
        hashes = {heard.run.dataset.sha256 for heard in clean}
        altered = tuple(heard for heard in self.altered if dataset is None or clean_sha256(heard.run) in hashes)
        if condition is None:
            return RuleScope(clean, clean, altered)
        under = tuple(h for h in altered if h.run.dataset.condition and h.run.dataset.condition.name == condition)
        return RuleScope(under, clean, under)

    @property
    def machine(self) -> tuple[str, int]:
        """Processor and cores of the machine that it ran on."""
        return machine_of(self.run)


@dataclass(frozen=True, slots=True)
class Candidates:
    """All candidates that can be judged together."""

    candidates: tuple[Candidate, ...]
    """By label."""
    datasets: tuple[DatasetInfo, ...]
    """What any of them heard, clean before altered, by name; no two have one name (``names.dataset_names``)."""
    left_out: tuple[str, ...]
    """A sentence for each record that is not taken into account."""
    alike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names that several datasets share, and what each of those is called here to tell them apart."""

    @property
    def clean(self) -> tuple[DatasetInfo, ...]:
        """The datasets as they were recorded."""
        return tuple(data for data in self.datasets if data.condition is None)


def gather(records: Sequence[Path], relabel: Relabel = list, terms: tuple[str, ...] = ()) -> Candidates:
    """Read records and sort them into candidates.

    Of runs that differ in nothing but time and scoring, the newest counts. Left out, with a sentence each: runs that
    did not end, and records that were changed by hand, be it the clips file (its hash does not fit) or the scores
    (they do not follow from the clips file).

    Args:
        records: Paths of records.
        relabel: Puts labels beside the data over the runs.
        terms: Key terms of the policy.

    Raises:
        ComparisonError: When nothing is left; when two candidates have no dataset in common; when datasets of one name
            have different references of one clip, or scores were made in different ways.
        RecordError: For a record that cannot be read, or is from a newer Earwitness.
    """
    left_out: list[str] = []
    sound: list[RunWithClips] = []
    for path, run in newest(records, left_out):
        results = tuple(read_clips(path))
        wrong = seal_breaks(run, results)
        if wrong is not None:
            left_out.append(f"{path}: {wrong}. Score it again: earwitness rescore {path}")
            continue
        sound.append(RunWithClips(path, run, results))
    groups = _by_candidate(relabel(sound))
    if not any(heard.run.dataset.condition is None for group in groups.values() for heard in group):
        raise ComparisonError(none_complete("decide on", left_out, "run over clean audio"))
    named, alike = _named_apart(list(groups.values()))
    everything = [heard for group in named for heard in group]
    refuse_unequal_signatures([(heard.path, heard.run) for heard in everything])
    datasets = {heard.run.dataset.sha256: heard.run.dataset for heard in everything}
    ordered = sorted(datasets.values(), key=lambda data: (data.condition is not None, data.name, data.sha256))
    made = [c for c in _labelled(named, terms) if c.clean or _without_clean(c, left_out)]
    _refuse_lonely(made)
    return Candidates(tuple(made), tuple(ordered), tuple(left_out), alike)


def _by_candidate(runs: Sequence[RunWithClips]) -> dict[Any, list[RunWithClips]]:
    groups: dict[Any, list[RunWithClips]] = defaultdict(list)
    for one in runs:
        engine = (one.run.engine.name, one.run.engine.python, tuple(sorted(one.run.engine.packages.items())))
        groups[(*candidate_key(one.run), engine)].append(one)
    return groups


def seal_breaks(run: Run, results: Sequence[ClipResult]) -> str | None:
    """Return how a record's numbers differ from what its clips file counts, or ``None`` when they follow from it."""
    if len(results) != run.dataset.n_clips:
        return f"it says {quantity(run.dataset.n_clips, 'clip')} and its clips file has {len(results)}"
    # Counts are what is held against the record; one round of the bootstrap is the least that can be asked for.
    options = replace(options_of(run.scoring), rounds=1)
    from_clips = {score.metric: score for score in summarize([(r.clip, r.score) for r in results], options)}
    for score in run.scores:
        again = from_clips.get(score.metric)
        if again is None:
            continue
        if (score.value, score.edits, score.n_clips, score.n_failed) != (
            again.value, again.edits, again.n_clips, again.n_failed,
        ):  # fmt: skip
            return (
                f"its {score.metric} is {_shown(score.value)} and its clips file counts {_shown(again.value)}, "
                "so it was changed by hand"
            )
    return None


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"


def _without_clean(candidate: Candidate, left_out: list[str]) -> bool:
    left_out.extend(
        f"{heard.path}: {heard.run.model.id!r} has no run on the same data without a condition."
        for heard in candidate.runs
    )
    return False


def _labelled(groups: Sequence[Sequence[RunWithClips]], terms: tuple[str, ...]) -> list[Candidate]:
    groups = sorted(groups, key=lambda group: (group[0].run.model.id, min(h.run.created_at for h in group)))
    runs = [group[0].run for group in groups]
    labels = labels_of(runs)
    made = [
        Candidate(label, tuple(sorted(group, key=_by_dataset)), terms)
        for label, group in zip(labels, groups, strict=True)
    ]
    return sorted(made, key=lambda candidate: candidate.label)


def _by_dataset(run: RunWithClips) -> tuple[bool, str, str]:
    data = run.run.dataset
    return data.condition is not None, data.name, data.sha256


def _named_apart(
    groups: Sequence[Sequence[RunWithClips]],
) -> tuple[list[list[RunWithClips]], dict[str, tuple[str, ...]]]:
    """Give datasets of one name a name each, and return which names were shared.

    Raises:
        ComparisonError: When datasets of one name have different references of one clip.
    """
    everything = [heard for group in groups for heard in group]
    _refuse_other_texts(everything)
    names = dataset_names(heard.run.dataset for heard in everything)
    return [[_renamed(heard, names) for heard in group] for group in groups], _alike(everything, names)


def _alike(everything: Sequence[RunWithClips], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    by_name: dict[str, dict[str, None]] = defaultdict(dict)
    for heard in everything:
        by_name[heard.run.dataset.name][names[heard.run.dataset.sha256]] = None
    return {name: tuple(labels) for name, labels in by_name.items() if len(labels) > 1}


def _renamed(run: RunWithClips, names: Mapping[str, str]) -> RunWithClips:
    data = run.run.dataset
    return replace(run, run=replace(run.run, dataset=replace(data, name=names[data.sha256])))


def _refuse_other_texts(everything: Sequence[RunWithClips]) -> None:
    """Refuse two editions of a dataset: clips are put together, and one clip cannot have two references."""
    texts: dict[tuple[object, ...], tuple[str | None, RunWithClips]] = {}
    datasets = {heard.run.dataset.sha256: heard for heard in everything if heard.run.dataset.condition is None}
    for heard in datasets.values():
        for clip in (result.clip for result in heard.results if result.clip.audio_sha256):
            span = (heard.run.dataset.name, clip.audio_sha256, clip.start_s, clip.duration_s, clip.channel)
            reference, other = texts.setdefault(span, (clip.reference, heard))
            if reference != clip.reference:
                raise ComparisonError(
                    f"Clip {clip.id!r} of {heard.run.dataset.name!r} has one reference in {other.path} (sha256 "
                    f"{other.run.dataset.sha256[:12]}) and another in {heard.path} ({heard.run.dataset.sha256[:12]}). "
                    "Run the models on the same data, or name only the records that belong together."
                )


def _refuse_lonely(candidates: Sequence[Candidate]) -> None:
    heard = {c.label: {one.run.dataset.sha256: one.run.dataset.name for one in c.clean} for c in candidates}
    shared = set.intersection(*(set(found) for found in heard.values()))
    if not shared:
        each = "; ".join(f"{label!r} ran on {', '.join(map(repr, found.values()))}" for label, found in heard.items())
        raise ComparisonError(
            f"Runs on different data are not compared, and no dataset was run by all models: {each}. "
            "Run the models on the same data."
        )


def repeat_command(run: Run, *more: str, dataset: DatasetInfo | None = None) -> str:
    """Return the command that repeats a run, or runs it over another dataset.

    Args:
        run: What to do again.
        more: Options to be added.
        dataset: The other dataset; ``None`` for the run's own.
    """
    import shlex

    selection = (dataset or run.dataset).selection
    words = [
        *("earwitness", "run", selection.source, "--model", run.model.id, "--device", run.device_asked),
        *_option("--limit", selection.limit),
        *_pairs("--tag", selection.tags),
        *_option("--language", selection.language or None),
        *_option("--channel", selection.channel),
        *_pairs("--column", selection.columns),
        *(_option("--preset", run.preset) if run.preset != _PRESET else _pairs("--set", _changes(run.settings_asked))),
        *more,
    ]
    return shlex.join(words)


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]


def _pairs(option: str, values: Mapping[str, object]) -> list[str]:
    return [word for key, value in values.items() for word in (option, f"{key}={value}")]


def _changes(settings: Settings) -> dict[str, str]:
    """Return the settings that differ from the preset's, as on the command line."""
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)}
    usual = {field.name: field.default for field in fields(Settings)}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value != usual[name]
    }
