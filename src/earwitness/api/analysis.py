"""``earwitness analyze`` as functions: where the errors are, and how firm a ranking is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from earwitness.api.compare import cluster_name
from earwitness.api.records import RecordSource, RecordSources, paths
from earwitness.api.terms import TermReport, read_list, term_report
from earwitness.errors import UsageError
from earwitness.records.record import ClipResult, Run, SpeechInfo
from earwitness.types import Clip, ClipScore, Hypothesis

if TYPE_CHECKING:
    from earwitness.comparison.ranking import PairTest
    from earwitness.records.select import RunWithClips
    from earwitness.scoring.metrics.entities import EntityReport
    from earwitness.scoring.metrics.number_gain import NumberGain
    from earwitness.scoring.metrics.sensitivity import Flip, Level
    from earwitness.scoring.metrics.slices import Driver, Gap, Slice
    from earwitness.scoring.stats.clusters import ClusterBy
    from earwitness.scoring.stats.mapsswe import MatchedPairs

_FEWEST, _MOST = 2, 20


@dataclass(frozen=True, slots=True)
class ModelSlices:
    """The slices of one run."""

    slices: tuple[Slice, ...]
    """Bands in their order, other slices worst first."""
    gap: Gap | None
    """Between the worst and the best; ``None`` with fewer than two."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """The slices that make up the difference between two runs."""

    model: str
    """Label of one."""
    against: str
    """Label of the other, which has the lowest WER."""
    slices: tuple[Driver, ...]
    """What each slice adds, most first."""


@dataclass(frozen=True, slots=True)
class SliceReport:
    """Error rates of some runs, by slice."""

    by: str
    """What: a tag, ``speaker``, ``language``, ``channel``, ``recording``, ``duration``, ``rate`` or ``snr``."""
    models: Mapping[str, ModelSlices]
    """By label."""
    drivers: tuple[Drivers, ...]
    """Of every run against the first."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The ranking under each normalization."""

    models: tuple[str, ...]
    """Labels, in the order of ``Level.wer``."""
    levels: tuple[Level, ...]
    """Raw, light, full."""
    flips: tuple[Flip, ...]
    """Pairs of models that change places."""
    numbers: tuple[NumberGain, ...] = ()
    """By model: errors with and without ``--numbers``; none without the package num2words or a language it knows."""


@dataclass(frozen=True, slots=True)
class PairTests:
    """All significance tests of two runs."""

    test: PairTest
    """Permutation and paired bootstrap over recordings, corrected; what decides."""
    mapsswe: MatchedPairs
    """Matched pairs of segments, which takes errors as independent."""


@dataclass(frozen=True, slots=True)
class ClipFinding:
    """Something that is wrong with a text."""

    clip: str
    """Id of the clip."""
    kind: str
    """Such as ``repeated_ngram``."""
    start_s: float | None
    """From the clip's beginning; ``None`` where there is no place in time."""
    end_s: float | None
    """From the clip's beginning; ``None`` where there is no place in time."""
    detail: str
    """What was found, in a few words."""
    cause: str | None
    """Why the clip's own WER is above 100 %; ``None`` when it is not."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is wrong with the texts of a run."""

    speech: SpeechInfo
    """How speech was looked for."""
    clips: int
    """How many there are."""
    speech_s: float | None
    """Seconds of speech; ``None`` when it was not looked for."""
    counts: Mapping[str, int]
    """Clips by kind of finding; kinds that were not found are left out."""
    cause: str | None
    """Why the WER is above 100 %; ``None`` when it is not."""
    findings: tuple[ClipFinding, ...]
    """Clip by clip."""


def slices(
    records: RecordSources = "runs",
    *,
    by: str | Iterable[str] = (),
    cluster: str = "recording",
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[SliceReport]:
    """Return WER by slice with intervals, the gap between worst and best, and the slices behind a difference.

    Args:
        records: Records over the same data, or folders that hold some.
        by: ``speaker``, ``language``, ``channel``, ``recording``, ``duration``, ``rate``, ``snr``, or a tag; one or
            several. Without, everything but ``recording`` and ``snr`` that has two to twenty values. For ``snr`` the
            audio is read once, and the estimates are kept.
        cluster: What is resampled: ``recording`` or ``speaker``.
        progress: Called with how many clips are done, of how many, while audio is read.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        ScoringError: When no clip has such a tag.
        UsageError: When the clips do not differ in anything, or for a cluster that there is not.
    """
    runs = _selected(records)
    clusters = cluster_name(cluster)
    names = [by] if isinstance(by, str) else list(by)
    names = names or _what_varies(_pairs(runs[0]))
    measured = _snr(runs[0], progress) if "snr" in names else {}
    return [_sliced(runs, name, measured, clusters) for name in names]


def sensitivity(records: RecordSources = "runs") -> Sensitivity:
    """Rank the models under four normalizers, Whisper's among them, and show where the rank flips.

    Args:
        records: Records over the same data, or folders that hold some.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        ScoringError: When no clip has a reference.
    """
    from earwitness.scoring.metrics.sensitivity import flips, levels

    runs = _selected(records)
    found = levels([sorted(_texts(run), key=lambda pair: pair[0].id) for run in runs])
    return Sensitivity(tuple(run.label for run in runs), found, tuple(flips(found)), _number_gains(runs))


def _number_gains(runs: Sequence[RunWithClips]) -> tuple[NumberGain, ...]:
    from importlib.util import find_spec

    from earwitness.records.rescore import options_of
    from earwitness.scoring.metrics.number_gain import number_gain

    if find_spec("num2words") is None:
        return ()
    gains = [number_gain(_texts(run), options_of(run.run.scoring)) for run in runs]
    return tuple(gain for gain in gains if gain is not None)


def terms(records: RecordSources = "runs", *, terms: RecordSource | Iterable[str] = ()) -> dict[str, TermReport]:
    """Return, by label, the error rate on numbers, recall and precision of key terms, punctuation and case error.

    Args:
        records: Records over the same data, or folders that hold some.
        terms: Key terms, or a file with one a line.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        ScoringError: When the file cannot be read, or holds no term.
    """
    wanted = read_list(terms)
    return {run.label: term_report(_texts(run), wanted, run.run.scoring.normalizer) for run in _selected(records)}


def entities(records: RecordSources = "runs") -> dict[str, EntityReport]:
    """Return, by label, the entity error rate: e-mail addresses, telephone numbers, dates and the like, by kind.

    Args:
        records: Records over the same data, or folders that hold some.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
    """
    from earwitness.scoring.metrics.entities import entity_report

    return {run.label: entity_report(_texts(run)) for run in _selected(records)}


def pairs(records: RecordSources = "runs", *, cluster: str = "recording") -> list[PairTests]:
    """Test every pair of models: permutation, paired bootstrap, matched pairs (MAPSSWE).

    Args:
        records: Records over the same data, or folders that hold some.
        cluster: What is resampled: ``recording`` or ``speaker``.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        UsageError: When there is only one run, or for a cluster that there is not.
    """
    from earwitness.comparison.ranking import rank
    from earwitness.scoring.stats.mapsswe import mapsswe_of_texts

    left_out: list[str] = []
    runs = _selected(records, left_out)
    if len(runs) < 2:
        others = f"Left out: {' '.join(left_out)}" if left_out else "Run another model on the same data."
        raise UsageError(f"There is only one run to compare, {runs[0].label!r}. {others}")
    texts = {run.label: {clip.id: (clip, hypothesis) for clip, hypothesis in _texts(run)} for run in runs}
    results = {run.label: run.results for run in runs}
    tested = rank(results, by=cluster_name(cluster), scoring=runs[0].run.scoring).pairs
    norm = runs[0].run.scoring.normalizer
    segments = [
        mapsswe_of_texts(
            ((clip, heard, texts[pair.first][key][1]) for key, (clip, heard) in texts[pair.second].items()), norm
        )
        for pair in tested
    ]
    return [PairTests(*both) for both in zip(tested, segments, strict=True)]


def completeness(records: RecordSources = "runs") -> dict[str, Completeness]:
    """Return, by label, what is wrong with the texts, with times: left out, invented, looped, in another language.

    Speech is looked for by ``run(speech=True)``; a record of a run without it has fewer kinds.

    Args:
        records: Records over the same data, or folders that hold some.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
    """
    return {run.label: completeness_of(run.run, run.results) for run in _selected(records)}


def completeness_of(run: Run, results: Sequence[ClipResult]) -> Completeness:
    """Return the findings of a run, which its clips file contains."""
    from earwitness.scoring.findings.coverage import total_s
    from earwitness.scoring.findings.kinds import KINDS
    from earwitness.scoring.findings.wer_cause import cause

    counts = Counter(kind for result in results for kind in result.score.flags)
    known = [result.speech for result in results if result.speech is not None]
    return Completeness(
        speech=run.speech,
        clips=len(results),
        speech_s=round(sum(map(total_s, known)), 3) if known else None,
        counts={kind: counts[kind] for kind in KINDS if counts[kind]},
        cause=cause([result.score for result in results]),
        findings=tuple(
            ClipFinding(result.clip.id, found.kind, found.start_s, found.end_s, found.detail, cause([result.score]))
            for result in results
            for found in result.score.findings
        ),
    )


def _selected(records: RecordSources, left_out: list[str] | None = None) -> list[RunWithClips]:
    from earwitness.records.select import newest_with_clips

    return newest_with_clips(paths(records), left_out)


def _pairs(run: RunWithClips) -> list[tuple[Clip, ClipScore]]:
    return [(result.clip, result.score) for result in run.results]


def _texts(run: RunWithClips) -> list[tuple[Clip, Hypothesis]]:
    return [(result.clip, result.hypothesis) for result in run.results]


def _what_varies(pairs: Sequence[tuple[Clip, ClipScore]]) -> list[str]:
    """Return the fields with two to twenty values; not snr, which needs the audio."""
    from earwitness.scoring.metrics.slices import BANDS, OFTEN, UNKNOWN, slicer

    tags = sorted({tag for clip, _ in pairs for tag in clip.tags} - set(BANDS) - {"snr_db"})
    names = dict.fromkeys(["duration", "rate", *OFTEN, *tags])
    labelled = [pair for pair in pairs if pair[1].words is not None]
    kept = [name for name in names if _FEWEST <= len({slicer(name)(*pair) for pair in labelled} - {UNKNOWN}) <= _MOST]
    if not kept:
        raise UsageError("The clips do not differ in anything to slice by. Name a tag with --by, or try --by snr.")
    return kept


def _snr(run: RunWithClips, progress: Callable[[int, int], None]) -> dict[str, float]:
    from earwitness.files.fetch import cache_dir
    from earwitness.runs.snr import snr_of

    clips = [result.clip for result in run.results]
    return snr_of(clips, cache_dir() / "snr", run.run.dataset.sha256[:32], progress)


def _sliced(runs: Sequence[RunWithClips], by: str, values: Mapping[str, float], cluster: ClusterBy) -> SliceReport:
    from earwitness.scoring.metrics import slices as cut

    models = {
        run.label: ModelSlices(
            cut.slices(_pairs(run), by, values=values, cluster=cluster),
            cut.gap(_pairs(run), by, numbers=values, cluster=cluster),
        )
        for run in runs
    }
    first, *others = runs
    driving = [
        Drivers(
            other.label,
            first.label,
            cut.drivers(_pairs(other), _pairs(first), by, values=values, cluster=cluster),
        )
        for other in others
    ]
    return SliceReport(by, models, tuple(driving))
