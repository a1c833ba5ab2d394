"""The measures that a policy can name: unit, direction, and how each is computed.

A measure about *speed* holds on the device and the machine of the candidate only. One that is not *sampled* is what it
is (the most memory that was seen, the words of a licence): it has no interval and is judged by its value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from earwitness.comparison.robustness import robustness
from earwitness.counts import NOTHING, are, megabytes, percentage, points, significant
from earwitness.decision import groups, key_terms
from earwitness.decision.evidence import MeasuredValue, ids, part_of, quantile, rate, ratio, share
from earwitness.decision.pool_rate import pool_rate
from earwitness.errors import ComparisonError
from earwitness.records.record import ClipResult
from earwitness.records.select import RunWithClips
from earwitness.scoring.findings.kinds import EMPTY_ON_SPEECH, REPEATED_NGRAM
from earwitness.scoring.metrics.perfect import is_perfect
from earwitness.scoring.stats.exact_intervals import quantile_interval, quantile_needs
from earwitness.types import Target

Unit = Literal["error rate", "difference of rates", "ratio", "share", "s", "bytes", "words/min", "times real time", ""]
_NO_CLIP = "no clip was finished"


@dataclass(frozen=True, slots=True)
class RuleScope:
    """The runs of a candidate that a rule applies to."""

    runs: tuple[RunWithClips, ...]
    """Those that are measured: over clean data, or under the rule's condition."""
    clean: tuple[RunWithClips, ...]
    """Those over the same data as it was recorded."""
    altered: tuple[RunWithClips, ...]
    """Those under conditions."""
    terms: tuple[str, ...] = ()
    """Key terms of the policy."""
    slice: str | None = None
    """What the clips are grouped by, for a measure of groups."""
    target: Target | None = None
    """What an error rate is to be of; ``None`` for recordings like these where there are enough of them."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a candidate."""

    name: str
    """In a policy."""
    words: str
    """In a sentence."""
    unit: Unit
    """Of its limits."""
    better: Literal["less", "more", "neither"]
    """Which way; ``neither`` for one that is good in the middle, or is no number."""
    about: Literal["texts", "speed", "model"]
    """What it says something of."""
    interval: str
    """How its interval is made."""
    meaning: str
    """For the documents."""
    take: Callable[[RuleScope], MeasuredValue]
    """From the runs."""
    sampled: bool = True
    """Whether another sample would give another number, so that a value without an interval is not enough."""
    ask: str | None = None
    """What to add to ``earwitness run`` to have it measured."""
    names_causes: bool = False
    """Whether its reason says what lies behind the value, such as the worst group."""
    of_groups: bool = False
    """Whether it is about the groups of a slice, which a rule has to name."""

    def show(self, value: float | str | None) -> str:
        """Return a value in words.

        >>> MEASURES["wer"].show(0.241), MEASURES["peak_rss_bytes"].show(742e6), MEASURES["rtf"].show(0.04567)
        ('24.1 %', '742 MB', '0.0457')
        >>> MEASURES["latency_p95_s"].show(1.25), MEASURES["wer"].show(None)
        ('1.25 s', '–')
        """
        if value is None or isinstance(value, str):
            return value or NOTHING
        if self.unit in ("share", "error rate"):
            return percentage(value)
        if self.unit == "difference of rates":
            return points(value)
        if self.unit == "bytes":
            return f"{megabytes(value)} MB"
        return f"{significant(value)} {self.unit}" if self.unit not in ("ratio", "") else significant(value)

    def show_with_interval(self, value: float | str | None, ci95: tuple[float, float] | None) -> str:
        """Return a value with its interval and one unit.

        >>> MEASURES["wer"].show_with_interval(0.241, (0.203, 0.28))
        '24.1 % [20.3, 28.0]'
        >>> MEASURES["rtf"].show_with_interval(0.04567, (0.041, 0.052))
        '0.0457 [0.041, 0.052]'
        >>> MEASURES["wer"].show_with_interval(0.241, None)
        '24.1 %'
        """
        if ci95 is None:
            return self.show(value)
        low, high = (self.show(end).partition(" ")[0] for end in ci95)
        return f"{self.show(value)} [{low}, {high}]"


def _wer(case: RuleScope) -> MeasuredValue:
    return pool_rate(case.runs, "wer") or rate(case.runs, lambda score: score.words, target=case.target)


def _cer(case: RuleScope) -> MeasuredValue:
    estimate = pool_rate(case.runs, "cer")
    return estimate or rate(case.runs, lambda score: score.chars, unit="letters", target=case.target)


def _worst_group(case: RuleScope) -> MeasuredValue:
    return groups.worst_rate(case.runs, case.slice)


def _gap(case: RuleScope) -> MeasuredValue:
    return groups.gap(case.runs, case.slice)


def _perfect(case: RuleScope) -> MeasuredValue:
    def has_reference(result: ClipResult) -> bool:
        return result.score.words is not None

    return share(case.runs, has_reference, lambda result: is_perfect(result.score), "no clip has a reference")


def _term_recall(case: RuleScope) -> MeasuredValue:
    return key_terms.recall(case.runs, case.terms)


def _term_precision(case: RuleScope) -> MeasuredValue:
    return key_terms.precision(case.runs, case.terms)


def _speaks(result: ClipResult) -> bool:
    words = result.score.words
    return bool(words.length if words is not None else result.speech)


def _failed(case: RuleScope) -> MeasuredValue:
    return share(case.runs, lambda _: True, lambda result: result.score.failed, "there is no clip")


def _empty(case: RuleScope) -> MeasuredValue:
    nothing = "no clip is known to have speech"
    return share(case.runs, _speaks, lambda result: EMPTY_ON_SPEECH in result.score.flags, nothing)


def _loops(case: RuleScope) -> MeasuredValue:
    return share(case.runs, lambda _: True, lambda result: REPEATED_NGRAM in result.score.flags, "there is no clip")


def _incomplete(case: RuleScope) -> MeasuredValue:
    return part_of(case.runs, lambda result: (incomplete_s(result), result.hypothesis.audio_s), "there is no audio")


def incomplete_s(result: ClipResult) -> float:
    """Return how much of a clip has findings, each second once: a clip of 15 minutes is not lost for one of them.

    A clip without any transcript is as incomplete as can be, and so is one with a finding that has no place in time.
    """
    audio_s = result.hypothesis.audio_s
    spans = [(one.start_s, one.end_s) for one in result.score.findings]
    if result.score.failed or (result.score.flags and not spans):
        return audio_s
    total, reached = 0.0, 0.0
    for start_s, end_s in sorted((0.0, audio_s) if a is None or b is None else (a, b) for a, b in spans):
        total += max(0.0, min(end_s, audio_s) - max(start_s, reached))
        reached = max(reached, end_s)
    return total


def _on_silence(case: RuleScope) -> MeasuredValue:
    def parts(result: ClipResult) -> tuple[float, float] | None:
        words = result.score.words
        silent = words is not None and not words.length
        return (result.score.hypothesis_words, result.hypothesis.audio_s / 60) if silent else None

    return ratio(case.runs, parts, "no clip is known to be silent (reference '')")


def _length_ratio(case: RuleScope) -> MeasuredValue:
    def parts(result: ClipResult) -> tuple[float, float] | None:
        words = result.score.words
        return (result.score.hypothesis_words, words.length) if words is not None and words.length else None

    return ratio(case.runs, parts, "no reference has words")


def _rtf(case: RuleScope) -> MeasuredValue:
    def parts(result: ClipResult) -> tuple[float, float] | None:
        wall_s = wall_of(result)
        return None if wall_s is None else (wall_s, result.hypothesis.audio_s)

    return ratio(case.runs, parts, _NO_CLIP)


def wall_of(result: ClipResult) -> float | None:
    """Return how long a clip took; ``None`` for one without a transcript."""
    return result.hypothesis.wall_s if result.hypothesis.ok else None


def _latency(q: float, case: RuleScope) -> MeasuredValue:
    return quantile(case.runs, q, wall_of, _NO_CLIP)


def _first_text(case: RuleScope) -> MeasuredValue:
    nothing = "the engine gives its text at the end, and not as it goes"
    return quantile(case.runs, 0.95, lambda result: result.hypothesis.first_text_s, nothing)


def _throughput(case: RuleScope) -> MeasuredValue:
    measured = [(h, h.run.measurements.throughput) for h in case.runs if h.run.measurements]
    kept = [(h, t) for h, t in measured if t is not None and t.rtfx is not None]
    if not kept:
        return MeasuredValue(None, reason="throughput was not asked for")
    value = sum(t.audio_s for _, t in kept) / sum(t.wall_s for _, t in kept)
    return MeasuredValue(value, evidence=ids([h for h, _ in kept]))


def _under_load(case: RuleScope) -> MeasuredValue:
    loads = [(h, h.run.measurements.load) for h in case.runs if h.run.measurements]
    found = [(h, step.rtfx) for h, load in loads if load for step in load.steps if step.n_answered == step.n_requests]
    kept = [(h, rtfx) for h, rtfx in found if rtfx is not None]
    if not kept:
        asked = any(load for _, load in loads)
        why = (
            "no load had every request answered"
            if asked
            else "it is no server that was put under load: earwitness load"
        )
        return MeasuredValue(None, reason=why)
    heard, rtfx = max(kept, key=lambda one: one[1])
    return MeasuredValue(rtfx, evidence=ids([heard]))


def _memory(case: RuleScope) -> MeasuredValue:
    kept = [(h, h.run.workers.peak_rss_bytes) for h in case.runs if h.run.workers]
    peaks = [peak for _, peak in kept if peak is not None]
    if not peaks:
        return MeasuredValue(None, reason="the system did not report the memory of the worker")
    return MeasuredValue(float(max(peaks)), evidence=ids([h for h, peak in kept if peak is not None]))


def cold_starts(runs: Sequence[RunWithClips]) -> list[float]:
    """Return the seconds from nothing to the first text of every cold start."""
    measured = [heard.run.measurements.cold for heard in runs if heard.run.measurements]
    return [start.spawn_s + start.load_s + start.first_clip_s for cold in measured if cold for start in cold.starts]


def _cold(case: RuleScope) -> MeasuredValue:
    starts = cold_starts(case.runs)
    if not starts:
        return MeasuredValue(None, reason="cold start was not asked for")
    ci95, needs = quantile_interval(starts, 0.5), quantile_needs(0.5)
    few = f"no interval: it takes at least {needs} starts, and there {are(len(starts))}"
    kept = [heard for heard in case.runs if heard.run.measurements and heard.run.measurements.cold]
    return MeasuredValue(float(np.median(starts)), ci95, None if ci95 else few, ids(kept))


def _increase(case: RuleScope) -> MeasuredValue:
    altered = case.runs if case.runs != case.clean else case.altered
    if not altered:
        return MeasuredValue(None, reason="it was not run under any condition")
    try:
        drawn = robustness([heard.path for heard in (*case.clean, *altered)])
    except ComparisonError:
        return MeasuredValue(None, reason="no run under a condition has one on the same data without it")
    points = [point for panel in drawn.panels for curve in panel.curves for point in curve.points]
    if not points:
        return MeasuredValue(None, reason="no run under a condition has a WER")
    worst = max(points, key=lambda point: (point.increase, point.condition))
    of = [heard for heard in altered if heard.path == worst.record]
    reason = None if worst.increase_ci95 else "no interval: it takes at least 2 recordings"
    return MeasuredValue(worst.increase, worst.increase_ci95, reason, (*ids(case.clean), *ids(of)))


def _licence(case: RuleScope) -> MeasuredValue:
    found = {heard.run.model.license for heard in case.runs}
    text = found.pop() if len(found) == 1 else ""
    return MeasuredValue(text or None, reason=None if text else "the record names no licence", evidence=ids(case.runs))


_BY_RECORDINGS = "bootstrap-t over recordings"
_AT_ONCE = "bootstrap-t over recordings, of all groups at once"
_BY_BLOCKS = f"{_BY_RECORDINGS}; of fewer than 4, over blocks within them"
_EXACT_SHARE = "Clopper-Pearson, as many trials as recordings"
_EXACT = "exact, between two of the sorted clips"
_NONE = "none: judged by its value"
_COLD, _FULL = "--measure cold", "--measure throughput"

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("wer", "WER", "error rate", "less", "texts", _BY_BLOCKS, "word error rate, failed clips as empty",
                _wer),
        Measure("cer", "CER", "error rate", "less", "texts", _BY_BLOCKS, "the same of characters", _cer),
        Measure(
            "wer_increase", "rise of WER", "difference of rates", "less", "texts", "paired bootstrap over recordings",
            "WER under a condition less WER without, of the same clips; the largest of those that were run, where the "
            "rule names none", _increase, ask="--condition noise:10dB",
        ),
        Measure("worst_group_wer", "WER of the worst group", "error rate", "less", "texts", _AT_ONCE, "the highest WER "
                "of the groups of a slice, which the rule names", _worst_group, names_causes=True, of_groups=True),
        Measure("wer_gap", "gap of WER", "difference of rates", "less", "texts", _AT_ONCE, "the highest less the "
                "lowest WER of the groups of a slice, which the rule names", _gap, names_causes=True, of_groups=True),
        Measure("perfect_share", "perfect clips", "share", "more", "texts", _EXACT_SHARE,
                "clips in which every word is right and none is added, of all with a reference", _perfect),
        Measure("term_recall", "recall of key terms", "share", "more", "texts", _BY_RECORDINGS, "of all places where a "
                "key term of the policy was said, those where it was written", _term_recall, names_causes=True),
        Measure("term_precision", "precision of key terms", "share", "more", "texts", _BY_RECORDINGS, "of all places "
                "where a key term was written, those where it was said", _term_precision, names_causes=True),
        Measure("failed_share", "failed clips", "share", "less", "texts", _EXACT_SHARE, "clips without a transcript",
                _failed),
        Measure("empty_share", "empty texts on speech", "share", "less", "texts", _EXACT_SHARE,
                "clips in which somebody speaks and no word was written, of all such clips", _empty),
        Measure("loop_share", "texts that loop", "share", "less", "texts", _EXACT_SHARE,
                "clips whose text repeats itself", _loops),
        Measure("incomplete_share", "audio with a finding", "share", "less", "texts", _EXACT_SHARE,
                "audio in which a finding of completeness lies, or that has no transcript, of all audio", _incomplete),
        Measure("words_on_silence_per_min", "words on silence", "words/min", "less", "texts", _BY_RECORDINGS,
                "words in clips in which nobody speaks, per minute of these", _on_silence),
        Measure("length_ratio", "words heard per word said", "ratio", "neither", "texts", _BY_RECORDINGS,
                "far under 1, something is missing; over 1, something was made up", _length_ratio),
        Measure("rtf", "RTF", "ratio", "less", "speed", _BY_RECORDINGS, "seconds of work per second of audio, one clip "
                "at a time", _rtf),
        Measure("latency_p50_s", "p50 latency", "s", "less", "speed", _EXACT, "half of the clips took less",
                partial(_latency, 0.50)),
        Measure("latency_p95_s", "p95 latency", "s", "less", "speed", _EXACT, "95 % of the clips took less",
                partial(_latency, 0.95)),
        Measure("latency_p99_s", "p99 latency", "s", "less", "speed", _EXACT, "99 % of the clips took less",
                partial(_latency, 0.99)),
        Measure("first_text_s", "time to the first text", "s", "less", "speed", _EXACT,
                "95 % of the clips had their first text before, of an engine that streams", _first_text),
        Measure("throughput_rtfx", "throughput", "times real time", "more", "speed", _NONE,
                "seconds of audio per second with the machine saturated", _throughput, sampled=False, ask=_FULL),
        Measure("load_rtfx", "throughput under load", "times real time", "more", "speed", _NONE, "seconds of audio per "
                "second that a server gave its clients under the best of the loads with every request answered",
                _under_load, sampled=False),
        Measure("peak_rss_bytes", "peak memory", "bytes", "less", "speed", _NONE,
                "the most resident memory of a worker", _memory, sampled=False),
        Measure("cold_start_s", "cold start", "s", "less", "speed", "exact, of the median of all starts",
                "from nothing to the first text", _cold, ask=_COLD),
        Measure("licence", "licence", "", "neither", "model", _NONE,
                "of the weights, as their publisher states it", _licence, sampled=False),
    )
}  # fmt: skip
"""Every measure, by name."""
