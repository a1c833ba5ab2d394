"""The best candidate of each category, with those that cannot be separated from it.

Accuracy and completeness are tested on the same clips, by recordings, as ``compare`` does. Latency: the paired
bootstrap of the difference of 95th percentiles, recordings drawn together. Cold start and robustness: ranges, or
intervals, that overlap are a tie. Throughput and memory are one number each, and the better one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from earwitness.comparison.ranking import rank
from earwitness.comparison.settings_parity import setting_differences
from earwitness.counts import are
from earwitness.decision.candidates import Candidate
from earwitness.decision.decision import Winner
from earwitness.decision.evidence import MeasuredValue, pool
from earwitness.decision.measures import MEASURES, Measure, RuleScope, cold_starts, incomplete_s, wall_of
from earwitness.decision.rules import CATEGORIES
from earwitness.records.record import ClipResult
from earwitness.records.select import RunWithClips
from earwitness.scoring.metrics.clip import ScoringInfo
from earwitness.scoring.stats.clusters import FEWEST, cluster_of
from earwitness.scoring.stats.quantiles import quantile_difference
from earwitness.scoring.stats.ranks import rank_label
from earwitness.scoring.stats.significance import difference, holm

NOT_COMPARED = "they cannot be compared"
"""How the note of a winner begins where there was too little for a test; several candidates are then no tie."""
_Lines = Mapping[str, Sequence[ClipResult]]


def winner(category: str, candidates: Sequence[Candidate], losers: Sequence[Candidate] = ()) -> Winner:
    """Return the best candidates of a category.

    Only what all of those who compete heard is compared: datasets, conditions, clips.

    Args:
        category: Of ``CATEGORIES``.
        candidates: Who competes.
        losers: Who does not: being first at what nobody may use is no prize. Their values are told.
    """
    measure = MEASURES[CATEGORIES[category].measure]
    everyone = [*candidates, *losers]
    cases = _shared(candidates, everyone)
    found = {candidate.label: _taken(measure, candidate, cases[candidate.label]) for candidate in everyone}
    values = {label: one.value for label, one in found.items() if isinstance(one.value, float)}
    notes = _not_measured(candidates, values, measure)
    apart = _machines_apart(candidates, measure)
    notes += apart
    competing = {} if apart else {c.label: values[c.label] for c in candidates if c.label in values}
    if not competing:
        return Winner(category, measure.name, (), values, "; ".join(notes) or "every candidate is rejected")
    sign = 1 if measure.better == "less" else -1
    best = min(competing, key=lambda label: (sign * competing[label], label))
    tied, why = _tied(category, best, competing, found, cases)
    notes += [why] if why else []
    notes += _as_good([c.label for c in losers if c.label in values], values, best, sign)
    notes += _settings_apart(candidates) if category == "accuracy" else []
    return Winner(category, measure.name, tuple(sorted({best, *tied})), values, "; ".join(notes) or None)


def _not_measured(candidates: Sequence[Candidate], values: Mapping[str, float], measure: Measure) -> list[str]:
    missing = [candidate.label for candidate in candidates if candidate.label not in values]
    ask = f"; measured by earwitness run {measure.ask}" if measure.ask else ""
    return [f"not measured of {', '.join(missing)}{ask}"] if missing else []


def _machines_apart(candidates: Sequence[Candidate], measure: Measure) -> list[str]:
    n_machines = len({candidate.machine for candidate in candidates})
    if measure.about != "speed" or n_machines < 2:
        return []
    return [f"measured on {n_machines} machines, whose times and sizes do not compare"]


def _settings_apart(candidates: Sequence[Candidate]) -> list[str]:
    return list(setting_differences({candidate.label: candidate.run for candidate in candidates}).values())


def _taken(measure: Measure, candidate: Candidate, case: RuleScope) -> MeasuredValue:
    return candidate.take(measure.name) if case == candidate.case() else measure.take(case)


def _as_good(losers: Sequence[str], values: Mapping[str, float], best: str, sign: int) -> list[str]:
    """Return a note on rejected candidates that are as good as the best, or better."""
    first = [label for label in losers if sign * values[label] <= sign * values[best]]
    verb = "is" if len(first) == 1 else "are"
    return [f"{', '.join(first)} {verb} as good or better, and rejected"] if first else []


def _shared(candidates: Sequence[Candidate], everyone: Sequence[Candidate]) -> dict[str, RuleScope]:
    """Return the runs over data and conditions that all candidates have."""
    hashes = [{heard.run.dataset.sha256 for heard in candidate.runs} for candidate in candidates or everyone]
    common = set.intersection(*hashes) if hashes else set()

    def of_the_dataset(runs: Sequence[RunWithClips]) -> tuple[RunWithClips, ...]:
        return tuple(heard for heard in runs if heard.run.dataset.sha256 in common)

    return {
        c.label: RuleScope(of_the_dataset(c.clean), of_the_dataset(c.clean), of_the_dataset(c.altered))
        for c in everyone
    }


def _tied(
    category: str,
    best: str,
    values: Mapping[str, float],
    evidence: Mapping[str, MeasuredValue],
    cases: Mapping[str, RuleScope],
) -> tuple[list[str], str | None]:
    """Return the candidates that cannot be separated from the best, and why not."""
    others = [label for label in values if label != best]
    if not others:
        return [], None
    lines = {label: pool(cases[label].clean) for label in values}
    if category == "accuracy":
        return _by_words(lines, best, evidence, cases)
    if category == "completeness":
        return _by_flags(lines, best, others)
    if category == "latency":
        return _by_percentile(lines, best, others)
    if category in ("throughput", "memory"):
        return [label for label in others if values[label] == values[best]], "one number each, without an interval"
    ranges = {label: evidence[label].ci95 for label in values}
    if category == "cold_start":
        starts = {label: cold_starts(cases[label].clean) for label in values}
        ranges = {label: (min(times), max(times)) for label, times in starts.items()}
    return _by_overlap(ranges, best, others)


def _by_words(
    lines: _Lines, best: str, evidence: Mapping[str, MeasuredValue], cases: Mapping[str, RuleScope]
) -> tuple[list[str], str | None]:
    """Return ties by tests on the same clips; by intervals where rates are estimates from labels of some clips."""
    if any(run.label_note for case in cases.values() for run in case.clean):
        return _by_overlap(
            {label: evidence[label].ci95 for label in lines}, best, [one for one in lines if one != best]
        )
    return _by_rank(lines, best, cases[best].clean[0].run.scoring)


def _by_rank(lines: _Lines, best: str, scoring: ScoringInfo) -> tuple[list[str], str | None]:
    ranking = rank(lines, scoring=scoring)
    tied = [label for label, ranks in ranking.ranks.items() if ranks.best == 1 and label != best]
    pairs = {pair.second if pair.first == best else pair.first: pair for pair in ranking.pairs
             if best in (pair.first, pair.second)}  # fmt: skip
    is_tested = any(pair.comparable for pair in pairs.values())
    why = _cannot(tied, _reasons({label: pair.difference.reason for label, pair in pairs.items()}), is_tested=is_tested)
    if ranking.target != "these recordings" or not is_tested:
        return tied, why
    return tied, f"{why}, on these recordings" if why else "on these recordings"


def _by_flags(lines: _Lines, best: str, others: Sequence[str]) -> tuple[list[str], str | None]:
    columns, clusters = _columns(lines, incomplete_s)
    seconds = _columns(lines, lambda line: line.hypothesis.audio_s)[0][best]
    tests = [difference(columns[label], columns[best], seconds, clusters) for label in others]
    corrected = holm([test.p for test in tests])
    told = zip(others, tests, corrected, strict=True)
    tied = [label for label, test, p in told if not rank_label(test.value, p)]
    reasons = _reasons({label: test.reason for label, test in zip(others, tests, strict=True)})
    return tied, _cannot(tied, reasons, is_tested=any(test.p is not None for test in tests))


def _reasons(of_labels: Mapping[str, str | None]) -> set[str]:
    """Return why the best is not told from others; one that does not hold of all is said with the names."""
    by_reason: dict[str, list[str]] = {}
    for label, reason in of_labels.items():
        if reason:
            by_reason.setdefault(reason, []).append(label)
    return {
        reason if len(labels) == len(of_labels) else f"with {', '.join(labels)}: {reason}"
        for reason, labels in by_reason.items()
    }


def _by_percentile(lines: _Lines, best: str, others: Sequence[str]) -> tuple[list[str], str | None]:
    columns, clusters = _columns(lines, wall_of)
    n = len(set(clusters))
    if n < FEWEST:
        reason = f"it takes at least {FEWEST} recordings, and there {are(n)}"
        return list(others), _cannot(others, {reason}, is_tested=False)
    tied = []
    for label in others:
        low, _ = quantile_difference(columns[label], columns[best], clusters, 0.95, alpha=0.05 / len(others))
        if low <= 0:
            tied.append(label)
    return tied, _cannot(tied, set())


def _by_overlap(
    ranges: Mapping[str, tuple[float, float] | None], best: str, others: Sequence[str]
) -> tuple[list[str], str | None]:
    first = ranges[best]
    tied = []
    for label in others:
        other = ranges[label]
        if first is None or other is None or other[0] <= first[1]:
            tied.append(label)
    return tied, "a tie: their ranges overlap" if tied else None


def _columns(
    lines: _Lines, value_of: Callable[[ClipResult], float | None]
) -> tuple[dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]], list[str]]:
    """Return a number for every clip that all have one of, by label, and what the clips are clustered by."""
    by_id = {
        label: {line.clip.id: (line, value) for line in found if (value := value_of(line)) is not None}
        for label, found in lines.items()
    }
    first = next(iter(by_id.values()))
    kept = [key for key in first if all(key in found for found in by_id.values())]
    columns = {label: np.array([found[key][1] for key in kept], np.float64) for label, found in by_id.items()}
    return columns, [cluster_of(first[key][0].clip) for key in kept]


def _cannot(ties: Sequence[str], reasons: Collection[str], *, is_tested: bool = True) -> str | None:
    """Explain that the best tie, or that no test is possible, so that there is no winner."""
    if not ties:
        return None
    why = "; ".join(sorted(reasons))
    said = "a tie: the tests cannot separate them" if is_tested else NOT_COMPARED
    return said + (f" ({why})" if why else "")
