"""``earwitness rank`` as a function: what can be said of models without references."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from earwitness.api.records import RecordSources, paths
from earwitness.errors import ComparisonError, UsageError

if TYPE_CHECKING:
    from earwitness.comparison.agreement import Agreement


@dataclass(frozen=True, slots=True)
class Agreements:
    """Who agrees with whom, for each dataset."""

    datasets: tuple[Agreement, ...]
    """One a dataset with at least two runs."""
    left_out: tuple[str, ...]
    """A sentence for each run that is in none."""


def rank(
    records: RecordSources = "runs", *, wer_at_most: Mapping[str, float] | None = None, clips: int = 10
) -> Agreements:
    """Say what can be said of models without references: bounds, agreement, ranks, and which clips to hear first.

    Neither references nor labels beside the data are looked at, so the answer is the same with and without them.

    Args:
        records: Records, or folders that hold some.
        wer_at_most: By label of a run, such as ``faster-whisper:base``: a WER, as a ratio, that it is known not to
            exceed. It turns distances into proven ranks.
        clips: Clips to hear first, at most.

    Raises:
        ComparisonError: When there are no two runs over the same data, or they were scored in different ways.
        RecordError: For a record that cannot be read.
        UsageError: For a run in ``wer_at_most`` that there is not, or a number that is no ratio.
    """
    from earwitness.comparison.agreement import agreement
    from earwitness.records.select import labels_of, newest, refuse_unequal_signatures
    from earwitness.records.store import read_clips

    if clips < 0:
        raise UsageError(f"clips must be at least 0, not {clips}.")
    left_out: list[str] = []
    groups: dict[str, list[int]] = {}
    found = newest(paths(records), left_out)
    for n, (_, run) in enumerate(found):
        groups.setdefault(run.dataset.sha256, []).append(n)
    tables = []
    for group in groups.values():
        runs = [found[n] for n in group]
        if len(runs) == 1:
            left_out.append(f"{runs[0][0]} is the only run on {runs[0][1].dataset.name!r}.")
            continue
        refuse_unequal_signatures(runs)
        labels = labels_of([run for _, run in runs])
        tables.append([(label, path, run, read_clips(path)) for label, (path, run) in zip(labels, runs, strict=True)])
    every = {label for rows in tables for label, *_ in rows}
    datasets = [
        agreement(rows, premises=_about(wer_at_most or {}, [label for label, *_ in rows], every), most=clips)
        for rows in tables
    ]
    if not datasets:
        raise ComparisonError(
            "Agreement takes two complete runs over the same data. Run another model, with other weights, on it. "
            f"Left out: {' '.join(left_out) or 'none'}"
        )
    return Agreements(tuple(datasets), tuple(left_out))


def _about(premises: Mapping[str, float], labels: Sequence[str], every: Collection[str]) -> dict[str, float]:
    """Return the premises about these runs, and those about no run at all, which are refused."""
    return {label: wer for label, wer in premises.items() if label in labels or label not in every}
