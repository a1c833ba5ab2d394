"""``earwitness compare``, ``decide``, ``robustness`` and ``plan`` as functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSource, RecordSources, paths
from earwitness.errors import UsageError
from earwitness.types import Score

if TYPE_CHECKING:
    from earwitness.comparison.ranking import PairTest
    from earwitness.comparison.robustness import Robustness
    from earwitness.comparison.table import Comparison
    from earwitness.decision.decision import Decision
    from earwitness.scoring.stats.clusters import ClusterBy
    from earwitness.scoring.stats.power import AudioPlan


@dataclass(frozen=True, slots=True)
class AudioNeeds:
    """How much audio it takes."""

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


def compare(records: RecordSources = "runs", *, accept: str | Iterable[str] = ()) -> Comparison:
    """Put runs over the same data side by side: one table a dataset, with ranks, ties, differences.

    Args:
        records: Records, or folders that hold some.
        accept: Settings that may differ between ranked runs, such as ``beam_size``; or ``all``.

    Raises:
        ComparisonError: For runs over different data, scored in different ways, or only one run.
        RecordError: For a record that cannot be read.
    """
    from earwitness.comparison.settings_parity import accepted_settings
    from earwitness.comparison.table import compare as compared

    return compared(paths(records), accept=accepted_settings([accept] if isinstance(accept, str) else list(accept)))


def decide(
    records: RecordSources = "runs", *, policy: str = "transcription-batch", out: RecordSource | None = None
) -> Decision:
    """Judge every model by a policy: what it may be used for, with the rules, numbers and records behind it.

    Args:
        records: Records, or folders that hold some.
        policy: Name of a shipped policy, or the path of a file.
        out: Where to write the decision as JSON; ``None`` writes nothing.

    Raises:
        ComparisonError: When there is nothing to judge, or runs that must not be compared.
        PolicyError: For a policy that there is not, or that does not make sense.
        RecordError: For a record that cannot be read.
        FileError: When the decision cannot be written.
    """
    from earwitness.decision.decide import decide as decided
    from earwitness.decision.decision_file import write_decision
    from earwitness.decision.policy import load

    target = Path(out or "decision.json")
    decision = decided(paths(records), load(policy), out=target)
    if out is not None:
        write_decision(target, decision)
    return decision


def robustness(records: RecordSources = "runs", *, points: float = 10.0) -> Robustness:
    """Draw WER against the severity of conditions, and say where each model breaks.

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
    """Say how much more audio would tell each two models apart, and narrow each WER.

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
    from earwitness.records.select import newest_with_clips
    from earwitness.scoring.stats.power import narrow

    if not 0 < width <= 1:
        raise UsageError(f"width must be above 0 and at most 1, not {width!r}.")
    by = cluster_name(cluster)
    runs = newest_with_clips(paths(records))
    results = {run.label: run.results for run in runs}
    counts, lengths, clusters, audio_s = shared_counts(results, by)
    return AudioNeeds(
        audio_s=audio_s,
        n_clusters=len(set(clusters)),
        wer={run.label: run.run.score("wer") for run in runs},
        width={
            label: narrow(errors, lengths, clusters, audio_s=audio_s, width=width) for label, errors in counts.items()
        },
        pairs=rank(results, by=by).pairs if len(runs) > 1 else (),
    )


def cluster_name(name: str) -> ClusterBy:
    """Return what clips are summed by.

    Raises:
        UsageError: When it is neither recording nor speaker.
    """
    if name == "recording":
        return "recording"
    if name == "speaker":
        return "speaker"
    raise UsageError(f"Errors cannot be summed by {name!r}. There are: recording, speaker.")
