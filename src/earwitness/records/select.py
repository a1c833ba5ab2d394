"""Selects records: the newest complete and unchanged one of each candidate, and labels for candidates.

Everything that compares, analyses, decides, judges or prunes asks here, so that all see the same runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earwitness.errors import ComparisonError
from earwitness.records.listing import none_complete, why_not_comparable
from earwitness.records.merge import not_merged
from earwitness.records.record import ClipResult, Run
from earwitness.records.store import read_clips, read_run
from earwitness.types import Score

_METRICS = ("wer", "cer")


@dataclass(frozen=True, slots=True)
class RunWithClips:
    """A run with the results of its clips."""

    path: Path
    """Where the record is."""
    run: Run
    """The run."""
    results: tuple[ClipResult, ...]
    """In the order of the record."""
    label: str = ""
    """The model, made longer until labels differ, where runs stand side by side."""
    pool_scores: tuple[Score, ...] = ()
    """Error rates by what people wrote for clips beside the data; empty where they are those of the run."""
    label_note: str = ""
    """What these rates are about, in one sentence; empty without labels, or where every clip has a reference."""

    def pool_score(self, metric: str) -> Score | None:
        """Return the error rate by labels beside the data; ``None`` without labels."""
        return next((score for score in self.pool_scores if score.metric == metric), None)


Relabel = Callable[[Sequence[RunWithClips]], Sequence[RunWithClips]]
"""Puts labels beside the data over runs, in memory."""


def machine_of(run: Run) -> tuple[str, int]:
    """Return the identity of a machine: a container's share of a processor is another machine to a clock."""
    return run.environment.cpu, run.environment.cores


def candidate_key(run: Run) -> tuple[Any, ...]:
    """Return the identity of a candidate: weights, options, device, settings in force, and machine."""
    return (
        run.model.id,
        run.model.weights_sha256,
        json.dumps(dict(run.model.options), sort_keys=True),
        run.device_used,
        tuple(sorted((name, str(value)) for name, value in run.settings_in_force.items())),
        machine_of(run),
    )


def clean_sha256(run: Run) -> str:
    """Return the hash of the data of a run before any condition was applied."""
    return run.dataset.condition.clean_sha256 if run.dataset.condition else run.dataset.sha256


def run_key(run: Run) -> tuple[Any, ...]:
    """Return the key of a run, which a newer run with the same key replaces: candidate and data."""
    return (run.dataset.sha256, *candidate_key(run))


def newest(records: Sequence[Path], left_out: list[str]) -> list[tuple[Path, Run]]:
    """Return the complete runs with unchanged texts; of runs with the same key, the newest.

    Args:
        records: Paths of records.
        left_out: Gets a sentence for each run that is not returned.

    Raises:
        RecordError: For a record that cannot be read.
    """
    found: dict[tuple[Any, ...], tuple[Path, Run]] = {}
    shards: list[tuple[Path, Run]] = []
    # Without the suffix: the second record of a second, ".._20-31-2.json", would else stand before the first.
    for path in sorted(records, key=lambda path: path.with_suffix("")):
        run = read_run(path)
        if run.dataset.shard is not None:
            shards.append((path, run))
            continue
        why = why_not_comparable(path, run)
        if why is not None:
            left_out.append(why)
            continue
        first = found.setdefault(run_key(run), (path, run))
        if first[1] is not run:
            older, newer = sorted((first, (path, run)), key=lambda pair: pair[1].created_at)
            found[run_key(run)] = newer
            left_out.append(f"{older[0]} was measured or scored again later.")
    merged_ids = frozenset(machine.run_id for _, run in found.values() for machine in run.machines)
    left_out += not_merged(shards, merged_ids)
    return list(found.values())


def newest_with_clips(records: Sequence[Path], left_out: list[str] | None = None) -> list[RunWithClips]:
    """Read the newest runs over the same data with their clips, lowest WER first.

    Args:
        records: Paths of records.
        left_out: Gets a sentence for each run that is not returned.

    Raises:
        ComparisonError: When no run is complete, or they are over different data or scored in different ways.
        RecordError: For a record that cannot be read.
    """
    left_out = [] if left_out is None else left_out
    found = newest(records, left_out)
    if not found:
        raise ComparisonError(none_complete("analyze", left_out))
    found.sort(key=lambda pair: (_wer(pair[1]), pair[1].model.id, pair[1].created_at))
    _refuse_other_data([run for _, run in found])
    refuse_unequal_signatures(found)
    labels = labels_of([run for _, run in found])
    return [
        RunWithClips(path, run, tuple(read_clips(path)), label)
        for label, (path, run) in zip(labels, found, strict=True)
    ]


def _wer(run: Run) -> float:
    score = run.score("wer")
    return float("inf") if score is None or score.value is None else score.value


def _refuse_other_data(runs: Sequence[Run]) -> None:
    data = {run.dataset.sha256: run.dataset.name for run in runs}
    if len(data) > 1:
        each = ", ".join(f"{name!r} (sha256 {sha256[:12]})" for sha256, name in data.items())
        raise ComparisonError(f"The runs are over different data: {each}. Name runs over the same data.")


def refuse_unequal_signatures(group: Sequence[tuple[Path, Run]]) -> None:
    """Refuse runs that were scored in different ways.

    Raises:
        ComparisonError: With the signatures, and a record of each.
    """
    for metric in _METRICS:
        signatures: dict[str, Path] = {}
        for path, run in group:
            score = run.score(metric)
            if score is not None:
                signatures.setdefault(score.signature, path)
        if len(signatures) > 1:
            each = "; ".join(f"{path}: {signature}" for signature, path in signatures.items())
            raise ComparisonError(
                f"{metric.upper()} was computed in different ways and is not compared. {each}. "
                "Score them alike: earwitness rescore RUN... --normalizer auto"
            )


def machine_name(number: int) -> str:
    """Return the name of the n-th machine of a table.

    >>> machine_name(0), machine_name(27)
    ('machine A', 'machine 28')
    """
    return f"machine {chr(ord('A') + number)}" if number < 26 else f"machine {number + 1}"


def places_of(runs: Sequence[Run]) -> list[str]:
    """Return the place of each run: its device, and the machine if there are several."""
    devices = [run.device_used or "?" for run in runs]
    machines = list(dict.fromkeys(map(machine_of, runs)))
    if len(machines) == 1:
        return devices
    names = [machine_name(machines.index(machine_of(run))) for run in runs]
    return [f"{device} of {name}" for device, name in zip(devices, names, strict=True)]


def labels_of(runs: Sequence[Run]) -> list[str]:
    """Return distinct labels: model ids, made longer by place, then settings, then a number if needed."""
    places = places_of(runs)
    labels = [run.model.id for run in runs]
    labels = [f"{label} on {places[n]}" if labels.count(label) > 1 else label for n, label in enumerate(labels)]
    alike = {label: [run for run, other in zip(runs, labels, strict=True) if other == label] for label in labels}
    labels = [label + _varying(run, alike[label]) for label, run in zip(labels, runs, strict=True)]
    return [label if labels.count(label) == 1 else f"{label} #{n}" for n, label in enumerate(labels, start=1)]


def _varying(run: Run, others: Sequence[Run]) -> str:
    names = [name for name in setting_names(others) if len({setting(other, name) for other in others}) > 1]
    return f" ({', '.join(f'{name}={setting(run, name)}' for name in names)})" if names else ""


def setting_names(runs: Sequence[Run]) -> list[str]:
    """Return the settings that are in force in any of the runs, each once."""
    return list(dict.fromkeys(name for run in runs for name in run.settings_in_force))


def setting(run: Run, name: str) -> str:
    """Return a setting in force, as people read it."""
    value = run.settings_in_force.get(name)
    return "does not apply" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
