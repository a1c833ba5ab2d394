"""``earwitness compare``, ``decide``, ``robustness`` and ``plan`` as functions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earwitness.api.label_records import record_view
from earwitness.api.records import RecordSource, RecordSources, paths, several
from earwitness.errors import UsageError
from earwitness.types import Score, Target

if TYPE_CHECKING:
    from earwitness.comparison.matrix import Matrix
    from earwitness.comparison.ranking import PairTest
    from earwitness.comparison.robustness import Robustness
    from earwitness.comparison.table import Comparison, Table
    from earwitness.decision.decision import Decision
    from earwitness.decision.rules import Policy
    from earwitness.scoring.stats.clusters import ClusterBy
    from earwitness.scoring.stats.power import AudioPlan

DECISION_FILE = "decision.json"


@dataclass(frozen=True, slots=True)
class AudioNeeds:
    """How much audio is needed."""

    audio_s: float
    """Seconds of labelled audio that every run heard."""
    n_clusters: int
    """Recordings (or speakers) in it."""
    wer: Mapping[str, Score | None]
    """By label of the run, lowest first."""
    width: Mapping[str, AudioPlan]
    """By label: what it takes to narrow the interval of its WER to the wished width."""
    pairs: tuple[PairTest, ...]
    """Every two runs; ``pair.plan`` says what it takes to tell them apart, where they tie."""
    target: Target = "recordings like these"
    """Of what audio there has to be more; of fewer than four recordings, nothing says how others would differ."""


def compare(
    records: RecordSources = "runs",
    *,
    accept: str | Iterable[str] = (),
    overlay: RecordSource | None = None,
    terms: RecordSource | Iterable[str] | None = None,
) -> Comparison:
    """Compare runs over the same data: one table per dataset, with ranks, ties and differences.

    Args:
        records: Records, or folders that hold some.
        accept: Settings that may differ between ranked runs, such as ``beam_size``; or ``all``.
        overlay: Labels of clips; ``None`` for those that lie beside the data.
        terms: Key terms, or a file with one a line, for their recall and precision; ``None`` for those of
            ``earwitness.toml``, or of the policy that it names, if any.

    Raises:
        ComparisonError: For runs over different data, scored in different ways, or only one run.
        RecordError: For a record that cannot be read.
        ScoringError: When the file of the terms cannot be read.
    """
    from earwitness.api.terms import list_or_study
    from earwitness.comparison.settings_parity import accepted_settings
    from earwitness.comparison.table import compare as compared
    from earwitness.comparison.terms import with_terms

    accepted = accepted_settings([accept] if isinstance(accept, str) else list(accept))
    view = record_view(overlay)
    comparison = view.adjust(compared(paths(records), accept=accepted), accepted)
    return with_terms(comparison, list_or_study(terms), read=view.clips)


def decide(
    records: RecordSources = "runs",
    *,
    policy: str = "transcription-batch",
    out: RecordSource | None = None,
    command: Sequence[str] = (),
    overlay: RecordSource | None = None,
) -> Decision:
    """Judge every model by a policy: what it may be used for, with the rules, numbers and records behind it.

    Args:
        records: Records, or folders that hold some.
        policy: Name of a shipped policy, or the path of a file.
        out: Where to write the decision as JSON; ``None`` writes nothing.
        command: As typed, for the decision.
        overlay: Labels of clips; ``None`` for those that lie beside the data.

    Raises:
        ComparisonError: When there is nothing to judge, or runs that must not be compared.
        PolicyError: For a policy that there is not, or that does not make sense.
        RecordError: For a record that cannot be read.
        FileError: When the decision cannot be written.
    """
    from earwitness.decision.decide import decide as judge
    from earwitness.decision.decision_file import write_decision

    target = Path(out or DECISION_FILE)
    view = record_view(overlay)
    decision = judge(paths(records), read_policy(policy), out=target, command=command, relabel=view.relabel)
    if out is not None:
        write_decision(target, decision)
    return decision


def read_policy(name: str) -> Policy:
    """Return a built-in policy, or the policy of a file.

    Raises:
        PolicyError: For a policy that there is not, or that does not make sense.
    """
    from earwitness.decision.policy import load

    return load(name)


def decision_path(records: RecordSources) -> Path:
    """Return the path for a decision on records: in the one folder given, or in the nearest one above all of them.

    Raises:
        RecordError: For a path that is not there, or a folder without any record.
    """
    sources, files = [Path(source) for source in several(records)], paths(records)
    if len(sources) == 1 and sources[0].is_dir():
        return sources[0] / DECISION_FILE
    return Path(os.path.commonpath([path.absolute().parent for path in files])) / DECISION_FILE


def plain_decision(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON values, as its file has them."""
    from earwitness.decision.decision_file import plain_decision as plain

    return plain(decision)


def device_matrix(table: Table) -> Matrix:
    """Return models by devices: measured, not run, or unsupported."""
    from earwitness.comparison.matrix import matrix

    return matrix(table)


def robustness(records: RecordSources = "runs", *, points: float = 10.0) -> Robustness:
    """Return WER by severity of conditions, and where each model breaks.

    Args:
        records: Records, or folders that hold some: clean ones, and under conditions.
        points: A model is broken so many points of WER over clean.

    Raises:
        ComparisonError: When no model was run both clean and under a condition, or conditions of one name were made in
            different ways.
        UsageError: For points that are not above 0.
    """
    from earwitness.comparison.robustness import robustness as drawn

    if not points > 0:
        raise UsageError(f"points must be above 0, not {points!r}.")
    return drawn(paths(records), limit=points / 100)


def plan(records: RecordSources = "runs", *, width: float = 0.02, cluster: str = "recording") -> AudioNeeds:
    """Estimate how much more audio would separate each pair of models and narrow each WER.

    Told apart means: with a chance of 80 %, at 5 % over all pairs.

    Args:
        records: Records over the same data, or folders that hold some.
        width: Wished width of the WER's interval; 0.02 is two points.
        cluster: What varies: ``recording`` or ``speaker``.

    Raises:
        ComparisonError: When the runs are over different data or scored in different ways.
        UsageError: For a width outside of 0 to 1, or a cluster that there is not.
    """
    from earwitness.comparison.ranking import rank, shared_counts
    from earwitness.comparison.within import with_targets, within_plan
    from earwitness.records.select import newest_with_clips
    from earwitness.scoring.stats.clusters import FEWEST
    from earwitness.scoring.stats.power import narrow

    if not 0 < width <= 1:
        raise UsageError(f"width must be above 0 and at most 1, not {width!r}.")
    by = cluster_name(cluster)
    runs = newest_with_clips(paths(records))
    results = {run.label: run.results for run in runs}
    counts, lengths, clusters, audio_s = shared_counts(results, by)
    scoring = runs[0].run.scoring
    few = len(set(clusters)) < FEWEST
    return AudioNeeds(
        audio_s=audio_s,
        n_clusters=len(set(clusters)),
        wer={run.label: with_targets(run.run, run.results).score("wer") for run in runs},
        width={
            label: within_plan(results[label], scoring, width, by=by)
            if few
            else narrow(errors, lengths, clusters, audio_s=audio_s, width=width)
            for label, errors in counts.items()
        },
        pairs=rank(results, by=by, scoring=scoring).pairs if len(runs) > 1 else (),
        target="these recordings" if few else "recordings like these",
    )


def cluster_name(name: str) -> ClusterBy:
    """Return the unit by which clips are summed.

    Raises:
        UsageError: When it is neither recording nor speaker.
    """
    if name == "recording":
        return "recording"
    if name == "speaker":
        return "speaker"
    raise UsageError(f"There is no unit {name!r}. Choose recording or speaker.")
