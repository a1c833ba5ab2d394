"""What a decision says where no clip has a reference: what is bounded, and that nothing goes into production on it."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.comparison.agreement import agreement
from earwitness.comparison.agreement_lines import short_lines
from earwitness.decision.candidates import Candidate
from earwitness.records.select import RunWithClips

NO_REFERENCE = (
    "no clip has a reference, so its error rate is unknown; that models agree does not show that they are right"
)


def is_unlabelled(candidate: Candidate) -> bool:
    """Return whether none of a candidate's clips, as they were recorded, has a reference."""
    return not any(_has_references(one) for one in candidate.clean)


def bounds(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Return what is known of the error rates of candidates on data without references, a sentence each."""
    by_data: dict[str, list[tuple[str, RunWithClips]]] = {}
    for candidate in candidates:
        for one in candidate.clean:
            if not _has_references(one):
                by_data.setdefault(one.run.dataset.sha256, []).append((candidate.label, one))
    lines: list[str] = []
    for group in by_data.values():
        if len(group) > 1:
            rows = [(label, one.path, one.run, one.results) for label, one in group]
            lines += short_lines(agreement(rows, most=0), [one.path for _, one in group])
    return tuple(lines)


def _has_references(one: RunWithClips) -> bool:
    score = one.pool_score("wer") or one.run.score("wer")
    return score is None or score.n_clips > 0
