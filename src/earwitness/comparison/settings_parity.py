"""Settings parity: which differences between settings in force prevent a rank, and how batches change texts.

A rank says that one model is better. Where two runs were decoded in different ways, the way may be what is better, so
a rank is given only across differences that were accepted. Why which setting counts, and what is accepted unasked:
docs/decisions/0005-no-rank-across-settings.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from earwitness.errors import UsageError
from earwitness.files.nearest import nearest
from earwitness.records.record import ClipResult, Run, texts_of
from earwitness.types import Score

MATTERS = (
    "language",
    "beam_size",
    "temperature_fallback",
    "context",
    "vad",
    "batch_size",
    "precision",
    "chunk_s",
)
"""Settings that can change a text; ``threads`` and ``timestamps`` are for speed and for places in time."""
ACCEPTED = frozenset({"precision", "chunk_s"})
"""Differences that are part of what is compared: each engine's arithmetic, and the longest piece that it can take."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class BatchChange:
    """How another batch size changed the texts of one model."""

    first: str
    """Label of the row with the smaller batch."""
    second: str
    """Label of the row with the larger one."""
    batch_sizes: tuple[int, int]
    """Of the first and of the second."""
    n_clips: int
    """Clips that both have heard."""
    n_differ: int
    """Of these, clips with another raw text."""
    wer: tuple[Score | None, Score | None]
    """Of the first and of the second, over all of their clips."""


def accepted_settings(choices: Iterable[str]) -> frozenset[str]:
    """Return the settings that may differ between ranked rows: those given, and those that always may.

    Raises:
        UsageError: For a name that is no such setting.

    >>> sorted(accepted_settings(["beam_size,vad"]))
    ['beam_size', 'chunk_s', 'precision', 'vad']
    """
    names = [name.strip() for text in choices for name in text.split(",")]
    for name in names:
        if name not in (*MATTERS, ALL):
            raise UsageError(f"There is no difference {name!r} to accept.{nearest(name, (*MATTERS, ALL))}")
    return frozenset(MATTERS) if ALL in names else ACCEPTED.union(names)


def no_rank_reason(runs: Mapping[str, Run], accept: frozenset[str] = ACCEPTED) -> str | None:
    """Return why runs are not ranked, in one sentence, or ``None`` when they are.

    A setting that does not apply to an engine does not differ from anything.

    Args:
        runs: By label.
        accept: Settings that may differ, as ``accepted_settings`` returns them.
    """
    found = setting_differences(runs, accept)
    if not found:
        return None
    return f"Not ranked: {'; '.join(found.values())}. Run them alike, or accept it: --accept {','.join(found)}"


def setting_differences(runs: Mapping[str, Run], accept: frozenset[str] = ACCEPTED) -> dict[str, str]:
    """Return the settings that can change a text and differ, each with its values in words.

    Args:
        runs: By label.
        accept: Settings that may differ, as ``accepted_settings`` returns them.
    """
    found = {}
    for name in MATTERS:
        if name in accept:
            continue
        values: dict[str, list[str]] = {}
        for label, run in runs.items():
            value = run.settings_in_force.get(name)
            if value is not None:
                values.setdefault(str(value).lower() if isinstance(value, bool) else str(value), []).append(label)
        if len(values) > 1:
            each = (f"{value} in {', '.join(labels)}" for value, labels in values.items())
            found[name] = f"{name} is " + ", and ".join(each)
    return found


def batch_changes(runs: Mapping[str, Run], results: Mapping[str, Sequence[ClipResult]]) -> tuple[BatchChange, ...]:
    """Return how batches changed texts, for any two runs of the same weights on the same engine with other batch sizes.

    Args:
        runs: By label.
        results: Their clips, by label.
    """
    found = []
    for pair in combinations(runs, 2):
        if len({(runs[label].model.id, runs[label].model.weights_sha256) for label in pair}) > 1:
            continue
        sizes = {label: runs[label].settings_in_force.get("batch_size") or 1 for label in pair}
        first, second = sorted(pair, key=lambda label: sizes[label])
        if sizes[first] == sizes[second] or _others(runs[first]) != _others(runs[second]):
            continue
        texts = [texts_of(results[label]) for label in (first, second)]
        both = texts[0].keys() & texts[1].keys()
        found.append(
            BatchChange(
                first=first,
                second=second,
                batch_sizes=(sizes[first], sizes[second]),
                n_clips=len(both),
                n_differ=sum(texts[0][key] != texts[1][key] for key in both),
                wer=(runs[first].score("wer"), runs[second].score("wer")),
            )
        )
    return tuple(found)


def _others(run: Run) -> dict[str, object]:
    return {name: run.settings_in_force.get(name) for name in MATTERS if name != "batch_size"}
