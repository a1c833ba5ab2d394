"""``earwitness report`` as a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from earwitness.api.collector import without_collector
from earwitness.api.label_records import record_view
from earwitness.api.records import RecordSource, RecordSources, paths

if TYPE_CHECKING:
    from earwitness.decision.decision import Decision
    from earwitness.reports.build import ReportFiles


def report(
    records: RecordSources = "runs",
    *,
    out: RecordSource = "report",
    decision: RecordSource | Decision | None = None,
    audio: Literal["embed", "link", "none"] = "embed",
    accept: str | Iterable[str] = (),
    overlay: RecordSource | None = None,
    terms: RecordSource | Iterable[str] | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ReportFiles:
    """Write one HTML page that works offline, and Markdown files, plots and a card.

    Args:
        records: Records, or folders that hold some.
        out: The folder that it is written into; files of an earlier report are replaced.
        decision: To stand on top: what ``decide`` returned, or the file that it wrote.
        audio: Sound: in the page (up to 24 MB, worst clips first), linked to its files, or left out.
        accept: Settings that may differ between ranked runs, such as ``beam_size``; or ``all``.
        overlay: Labels of clips; ``None`` for those that lie beside the data.
        terms: Key terms, or a file with one a line; ``None`` for those of the decision, or else of ``earwitness.toml``.
        progress: Called with how many clips have their sound, of how many.

    Raises:
        UsageError: When the extra ``report`` is not installed.
        ComparisonError: When scores of one dataset were made in different ways.
        RecordError: For a record that cannot be read.
        FileError: When a file cannot be written.
    """
    from earwitness.api.terms import list_or_study
    from earwitness.comparison.settings_parity import accepted_settings
    from earwitness.comparison.study import study
    from earwitness.decision.decision import Decision
    from earwitness.decision.decision_file import read_decision
    from earwitness.decision.stale_evidence import departures
    from earwitness.reports.build import build

    found = paths(records)
    decided = decision if decision is None or isinstance(decision, Decision) else read_decision(Path(decision))
    with without_collector():
        accepted = accepted_settings([accept] if isinstance(accept, str) else list(accept))
        view = record_view(overlay)
        of_decision = decided.policy.terms if decided is not None and terms is None else ()
        gathered = study(
            found,
            accept=accepted,
            adjust=lambda comparison: view.adjust(comparison, accepted),
            labelled=view.clips,
            terms=of_decision or list_or_study(terms),
        )
        warnings = () if decided is None else departures(decided, found)
        return build(gathered, Path(out), decision=decided, warnings=warnings, audio=audio, progress=progress)
