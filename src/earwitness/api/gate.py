"""``earwitness gate`` as functions: compare runs with a baseline, and write the baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.compare import cluster_name
from earwitness.api.label_records import record_view
from earwitness.api.records import RecordSource, RecordSources, paths
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.decision.baseline import Entry
    from earwitness.decision.decision import Decision
    from earwitness.decision.gate_verdict import GateVerdict
    from earwitness.records.record import Run
    from earwitness.records.select import Relabel


@dataclass(frozen=True, slots=True)
class BaselineUpdate:
    """A baseline that was written."""

    baseline: Path
    """The file."""
    entries: tuple[Entry, ...]
    """One for each run."""
    gone: tuple[Entry, ...]
    """Entries of the file that was there without a run now: taken out, or with ``partial`` kept."""
    left_out: tuple[str, ...]
    """A sentence for each run that another one stands for."""


def gate(
    records: RecordSources = "runs",
    *,
    baseline: RecordSource = "baseline.json",
    absolute: float = 0.005,
    relative: float = 0.05,
    slower: float = 1.5,
    cluster: str = "recording",
    partial: bool = False,
    policy: str | None = None,
    junit: RecordSource | None = None,
    markdown: RecordSource | None = None,
    overlay: RecordSource | None = None,
) -> GateVerdict:
    """Compare runs with a baseline; ``passed`` of the result has the answer.

    It fails when WER rose significantly or beyond tolerance, clips vanished or fail, or speed fell on the same machine.

    Args:
        records: Records, or folders that hold some.
        baseline: The file that ``baseline`` wrote when the runs were good.
        absolute: Rise of WER that is let through when it is not significant; 0.005 is half a point.
        relative: The same as a share of the baseline's; the larger one counts.
        slower: Ratio of times that is let through, on one machine.
        cluster: What varies: ``recording`` or ``speaker``.
        partial: Whether entries of the baseline without a run are let through.
        policy: It also fails on a broken gate of this policy; ``None`` takes that of ``earwitness.toml``, if any.
        junit: A file to write JUnit XML to.
        markdown: A file to write a comment to, with the worst clips.
        overlay: Labels of clips; ``None`` for those that lie beside the data.

    Raises:
        ComparisonError: When a run was scored in another way than its entry, or a clip is not the one that it was.
        PolicyError: For a policy that there is not, or that does not make sense.
        RecordError: For a record or a baseline that cannot be read.
        FileError: When a file cannot be written.
        UsageError: For a tolerance that is none, or a cluster that there is not.
    """
    from earwitness.decision.baseline import read
    from earwitness.decision.gate import gate as held_against
    from earwitness.decision.gate_verdict import Tolerance
    from earwitness.files.atomic import write_text
    from earwitness.reports import gate as shown

    _refuse_tolerance(absolute, relative, slower)
    runs, left_out = _newest(records)
    view = record_view(overlay, runs)
    verdict = held_against(
        runs,
        read(Path(baseline)),
        tolerance=Tolerance(absolute, relative, slower),
        by=cluster_name(cluster),
        partial=partial,
        decision=_decision([path for path, _ in runs], policy, view.relabel),
        read=view.clips,
    )
    for path, text in ((junit, shown.junit), (markdown, shown.markdown)):
        if path is not None:
            write_text(Path(path), text(verdict))
    return replace(verdict, left_out=left_out)


def _refuse_tolerance(absolute: float, relative: float, slower: float) -> None:
    for name, value, least in (("absolute", absolute, 0), ("relative", relative, 0), ("slower", slower, 1)):
        if not value >= least:
            raise UsageError(f"{name} must be at least {least}, not {value!r}.")


def baseline(
    records: RecordSources = "runs",
    out: RecordSource = "baseline.json",
    *,
    partial: bool = False,
    overlay: RecordSource | None = None,
) -> BaselineUpdate:
    """Write the results of good runs as the baseline; ``--update`` of the command.

    The same records give the same bytes.

    Args:
        records: Records, or folders that hold some.
        out: The file; what is in it is replaced.
        partial: Whether entries without a run now stay.
        overlay: Labels of clips; ``None`` for those that lie beside the data.

    Raises:
        ComparisonError: When there is no complete run.
        RecordError: For a record, or a baseline that is there, that cannot be read.
        FileError: When the baseline cannot be written.
    """
    from earwitness.decision import baseline as baselines
    from earwitness.errors import ComparisonError
    from earwitness.files.atomic import write_text
    from earwitness.records.listing import none_complete

    path = Path(out)
    runs, left_out = _newest(records)
    if not runs:
        raise ComparisonError(none_complete("make a baseline of", left_out))
    view = record_view(overlay, runs)
    before = baselines.read(path).entries if path.exists() else ()
    entries = tuple(baselines.entry_of(run, view.clips(record)) for record, run in runs)
    replaced = {base.key for base in baselines.match(entries, before) if base is not None}
    gone = tuple(entry for entry in before if entry.key not in replaced)
    write_text(path, baselines.render(baselines.baseline_of([*entries, *(gone if partial else ())])))
    return BaselineUpdate(path, entries, gone, left_out)


def _newest(records: RecordSources) -> tuple[list[tuple[Path, Run]], tuple[str, ...]]:
    from earwitness.decision.baseline import current
    from earwitness.records.select import newest

    left_out: list[str] = []
    return current(newest(paths(records), left_out), left_out), tuple(left_out)


def _decision(records: list[Path], name: str | None, relabel: Relabel) -> Decision | None:
    from earwitness.decision.decide import decide
    from earwitness.decision.policy import load
    from earwitness.runs import study_file

    policy = name or study_file.policy()
    if policy is None or not records:
        return None
    # Nothing is written: the path only says what the records are relative to.
    return decide(records, load(policy), out=Path("decision.json"), relabel=relabel)
