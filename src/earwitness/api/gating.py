"""``earwitness gate`` as functions: runs against a baseline, and the baseline itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.comparing import cluster_name
from earwitness.api.records import Source, Sources, paths
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.compare.baseline import Entry
    from earwitness.compare.decision import Decision
    from earwitness.compare.gate_verdict import GateVerdict
    from earwitness.runs.record import Run


@dataclass(frozen=True, slots=True)
class Baselined:
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
    records: Sources = "runs",
    *,
    baseline: Source = "baseline.json",
    absolute: float = 0.005,
    relative: float = 0.05,
    slower: float = 1.5,
    cluster: str = "recording",
    partial: bool = False,
    policy: str | None = None,
    junit: Source | None = None,
    markdown: Source | None = None,
) -> GateVerdict:
    """Hold runs against a baseline: look at ``passed`` of what is returned.

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

    Raises:
        ComparisonError: When a run was scored in another way than its entry, or a clip is not the one that it was.
        PolicyError: For a policy that there is not, or that does not make sense.
        RecordError: For a record or a baseline that cannot be read.
        FileError: When a file cannot be written.
        UsageError: For a tolerance that is none, or a cluster that there is not.
    """
    from earwitness.compare.baseline import read
    from earwitness.compare.gate import gate as held_against
    from earwitness.compare.gate_verdict import Tolerance
    from earwitness.files import write_text
    from earwitness.report import gate as shown

    for name, value, least in (("absolute", absolute, 0), ("relative", relative, 0), ("slower", slower, 1)):
        if not value >= least:
            raise UsageError(f"{name} must be at least {least}, not {value!r}.")
    runs, left_out = _newest(records)
    verdict = held_against(
        runs,
        read(Path(baseline)),
        tolerance=Tolerance(absolute, relative, slower),
        by=cluster_name(cluster),
        partial=partial,
        decision=_decision([path for path, _ in runs], policy),
    )
    for path, text in ((junit, shown.junit), (markdown, shown.markdown)):
        if path is not None:
            write_text(Path(path), text(verdict))
    return replace(verdict, left_out=left_out)


def baseline(records: Sources = "runs", out: Source = "baseline.json", *, partial: bool = False) -> Baselined:
    """Write what runs come to now that they are good; ``--update`` of the command.

    The same records give the same bytes.

    Args:
        records: Records, or folders that hold some.
        out: The file; what is in it is replaced.
        partial: Whether entries without a run now stay.

    Raises:
        ComparisonError: When there is no complete run.
        RecordError: For a record, or a baseline that is there, that cannot be read.
        FileError: When the baseline cannot be written.
    """
    from earwitness.compare import baseline as baselines
    from earwitness.errors import ComparisonError
    from earwitness.files import write_text
    from earwitness.runs.shelf import none_complete
    from earwitness.runs.store import read_clips

    path = Path(out)
    runs, left_out = _newest(records)
    if not runs:
        raise ComparisonError(none_complete("make a baseline of", left_out))
    before = baselines.read(path).entries if path.exists() else ()
    entries = tuple(baselines.entry_of(run, read_clips(record)) for record, run in runs)
    replaced = {base.key for base in baselines.matched(entries, before) if base is not None}
    gone = tuple(entry for entry in before if entry.key not in replaced)
    write_text(path, baselines.render(baselines.baseline_of([*entries, *(gone if partial else ())])))
    return Baselined(path, entries, gone, left_out)


def _newest(records: Sources) -> tuple[list[tuple[Path, Run]], tuple[str, ...]]:
    from earwitness.compare.baseline import current
    from earwitness.runs.select import newest

    left_out: list[str] = []
    return current(newest(paths(records), left_out), left_out), tuple(left_out)


def _decision(records: list[Path], asked: str | None) -> Decision | None:
    from earwitness.api import studyfile
    from earwitness.compare.decide import decide
    from earwitness.compare.policy import load

    policy = asked or studyfile.policy()
    if policy is None or not records:
        return None
    # Nothing is written: the path only says what the records are relative to.
    return decide(records, load(policy), out=Path("decision.json"))
