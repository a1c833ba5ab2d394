"""The protocols of speed, drift and batches as sentences. No arithmetic here."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.comparison.settings_parity import BatchChange
from earwitness.counts import NOTHING, number, percent, percentage, quantity, with_interval
from earwitness.records.record import Run
from earwitness.records.speed import Cold, Drift, Latency, Load, LoadStep, Order, Throughput
from earwitness.records.spread import Spread


def seconds(spread: Spread | None) -> str:
    """Show a median with its range.

    >>> seconds(Spread(5, 0.54321, 0.5, 0.61, 0.03)), seconds(None)
    ('0.543 s [0.5 to 0.61]', '–')
    """
    if spread is None:
        return NOTHING
    return f"{number(spread.median)} s [{number(spread.min)} to {number(spread.max)}]"


def _sentences(run: Run) -> list[str]:
    found = []
    if run.measurements is not None:
        cold, latency, throughput = run.measurements.cold, run.measurements.latency, run.measurements.throughput
        found += [_cold(cold)] if cold else []
        found += [_latency(latency)] if latency else []
        found += [_throughput(throughput)] if throughput else []
        found += load_sentences(run.measurements.load) if run.measurements.load else []
    return found + _drift(run.drift) + _order(run.order)


def rows_sentences(runs: Sequence[tuple[str, Run]]) -> list[str]:
    """Return the results of the protocols in several runs, with warnings about drift and order.

    What is the same of several runs, as a drift while they took turns, is said once.
    """
    labels: dict[str, list[str]] = {}
    for label, run in runs:
        for sentence in _sentences(run):
            labels.setdefault(sentence, []).append(label)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in labels.items()]


def _cold(cold: Cold) -> str:
    failed = f", {cold.n_failed} failed" if cold.n_failed else ""
    return (
        f"cold start, {quantity(len(cold.starts), 'time')}{failed}: {seconds(cold.first_text_s)} to the first text "
        f"(spawn {seconds(cold.spawn_s)}, load {seconds(cold.load_s)}, first clip {seconds(cold.first_clip_s)})"
    )


def _latency(latency: Latency) -> str:
    speed = latency.speed
    cv = "unknown" if latency.cv_last is None else percentage(latency.cv_last)
    many = len(latency.pass_wall_s)
    steady = "steady" if latency.steady else "not steady within the budget"
    clips = quantity(latency.texts_changed, "clip")
    changed = f"; the text changed between passes in {clips}" if latency.texts_changed else ""
    return (
        f"warm latency over {quantity(many, 'pass', 'passes')}, {steady} (variation of the last ones {cv}): "
        f"RTF {number(speed.rtf)}, p50 {number(speed.latency_p50_s)} s, p90 {number(speed.latency_p90_s)} s, "
        f"p95 {number(speed.latency_p95_s)} s, p99 {number(speed.latency_p99_s)} s{changed}"
    )


def _throughput(throughput: Throughput) -> str:
    if throughput.rtfx is None:
        return f"throughput could not be measured: {throughput.reason}"
    compared = quantity(throughput.n_compared, "clip")
    every_clip = "the one clip" if throughput.n_compared == 1 else f"all {compared}"
    texts = (
        f"ANOTHER TEXT than one clip at a time in {throughput.texts_differ} of {compared}"
        if throughput.texts_differ
        else f"the same text as one clip at a time in {every_clip}"
    )
    failed = f"; {quantity(throughput.n_failed, 'clip')} failed" if throughput.n_failed else ""
    return (
        f"throughput {number(throughput.rtfx)} times real time (workers: {throughput.workers}, threads "
        f"of each: {throughput.threads}), {number(throughput.sequential_rtfx)} one clip at a time; {texts}{failed}"
        + (f"; {throughput.reason}" if throughput.reason else "")
    )


def load_sentences(load: Load) -> list[str]:
    """Return the results of each load, and the highest load that meets the target."""
    found = [_step(step, load) for step in load.steps]
    target = load.plan.target_p95_s
    if load.best is not None:
        note = f" ({load.reason})" if load.reason else ""
        found.append(f"95 % of requests are answered within {target:g} s up to {_loaded(load.best, load)}{note}")
    elif load.reason is not None:
        found.append(f"under load: {load.reason}")
    return found


def _loaded(value: float, load: Load) -> str:
    if load.plan.arrivals == "poisson":
        return f"{number(value)} requests a second"
    return f"{value:g} client{'s' if value != 1 else ''} at once"


def _step(step: LoadStep, load: Load) -> str:
    failed = ", ".join(f"{count} {kind}" for kind, count in step.errors.items())
    differ = f"; ANOTHER TEXT than alone in {quantity(step.texts_differ, 'answer')}" if step.texts_differ else ""
    target = f"; {load.plan.target_p95_s:g} s for 95 %: {step.verdict}" if step.verdict else ""
    return (
        f"{_loaded(step.load, load)}: p50 {with_interval(step.latency_p50_s, step.latency_p50_ci95_s)} s, "
        f"p95 {with_interval(step.latency_p95_s, step.latency_p95_ci95_s)} s, "
        f"p99 {with_interval(step.latency_p99_s, step.latency_p99_ci95_s)} s, "
        f"{number(step.rtfx)} times real time, {step.n_answered} of {quantity(step.n_requests, 'request')} answered"
        + (f" ({failed})" if failed else "")
        + target
        + differ
        + (f"; {step.reason}" if step.reason else "")
    )


def _drift(drift: Drift | None) -> list[str]:
    if drift is None or not drift.large:
        return []
    times = f"{number(drift.min)} to {number(drift.max)} times as long as at the beginning"
    clocks = f"median {number(drift.median)}, {quantity(drift.n, 'clock')}"
    return [f"the machine drifted: the same work took {times} ({clocks})"]


def _order(order: Order | None) -> list[str]:
    if order is None or order.reason is None:
        return []
    return [f"run after the other models and not in turn with them, since {order.reason}"]


def batch_sentence(change: BatchChange) -> str:
    """Return how another batch size changed the texts."""
    small, large = change.batch_sizes
    head = f"{change.second} against {change.first}: batch_size {large} in place of {small} "
    if not change.n_differ:
        return f"{head}changed no text of {quantity(change.n_clips, 'clip')}"
    first, second = change.wer
    return (
        f"{head}CHANGED THE TEXT of {change.n_differ} of {quantity(change.n_clips, 'clip')}; "
        f"WER {percent(second)} in place of {percent(first)}"
    )
