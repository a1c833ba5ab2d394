"""The gate: compares runs with a baseline, check by check: failed, passed, or not judged here.

*Words*: the errors of every clip are paired with those of the baseline and tested over recordings, corrected for the
number of entries (``scoring/significance.py``). A significant rise of WER fails, however small. A rise that is not
significant fails beyond ``max(absolute, relative * baseline)``: a small test set has no power, and a large rise in it
is no proof that nothing happened.

*Speed* is judged by ratios, on the same class of machine only. A difference has to be large (``slower``) and long
enough to be no hiccup (``_LEAST_S``); where the fixed work that runs beside every measurement says that the machine
itself was slower this time, that much more is allowed. Where it says that the machine drifted during a run, the ratio
may be as much larger or smaller: if that range holds the limit, speed is not judged. Nor is it across data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from earwitness.counts import quantity
from earwitness.decision.baseline import Baseline, Entry, Pace, entry_of, match
from earwitness.decision.decision import Decision
from earwitness.decision.gate_verdict import (
    Clips,
    EntryVerdict,
    Failures,
    GateOutcome,
    GateRule,
    GateVerdict,
    SpeedChange,
    Tolerance,
    WordChange,
    Worst,
)
from earwitness.errors import ComparisonError
from earwitness.records.record import ClipResult, Run
from earwitness.records.store import read_clips
from earwitness.scoring.stats.clusters import ClusterBy, cluster_of
from earwitness.scoring.stats.ranks import rank_label
from earwitness.scoring.stats.significance import Difference, difference, holm
from earwitness.types import Edits

_USUAL = Tolerance()
_ROUNDS = 4000
_MOST_WORST = 10
_LEAST_S = {"rtf": 1.0, "latency_p95_s": 0.1, "cold_s": 0.5, "saturated_rtf": 1.0}


def gate(
    runs: Sequence[tuple[Path, Run]],
    baseline: Baseline,
    *,
    tolerance: Tolerance = _USUAL,
    by: ClusterBy = "recording",
    partial: bool = False,
    decision: Decision | None = None,
    read: Callable[[Path], list[ClipResult]] = read_clips,
) -> GateVerdict:
    """Compare runs with a baseline.

    A run is held against the entry of its model, dataset and settings: that of its device where there is one, else that
    of another device, and then speed is not judged.

    Args:
        runs: Complete ones, with their paths.
        baseline: What they are held against.
        tolerance: What is let through.
        by: What clips are summed by.
        partial: Whether entries without a run are let through.
        decision: The same runs judged by a policy, whose gates are then checks, too.
        read: Reads the clips of a record, with labels beside the data where there are some.

    Raises:
        ComparisonError: When a run was scored in another way than its entry, or a clip is not the one that it was.
        RecordError: When texts cannot be read.
    """
    heard = {path: read(path) for path, _ in runs}
    entries = [entry_of(run, heard[path]) for path, run in runs]
    bases = match(entries, baseline.entries)
    both = zip((path for path, _ in runs), entries, bases, strict=True)
    pairs = [(path, entry, base) for path, entry, base in both if base is not None]
    for _, entry, base in pairs:
        _refuse_unequal(entry, base)
    tests = [_tested(entry, base, heard[path], by) for path, entry, base in pairs]
    judged = [
        _judged(path, entry, base, heard[path], _words(entry, base, test, p, tolerance), tolerance)
        for (path, entry, base), test, p in zip(pairs, tests, holm([test.p for test in tests]), strict=True)
    ]
    # An entry of another device is not missed where the same thing was run on this one.
    found = {base.key for _, _, base in pairs}
    missing = tuple(base for base in baseline.entries if base.key not in found)
    without = tuple(entry for entry, base in zip(entries, bases, strict=True) if base is None)
    return GateVerdict(tuple(judged), without, missing, partial, _rules(decision))


def _rules(decision: Decision | None) -> tuple[GateRule, ...]:
    verdicts = decision.verdicts if decision else ()
    return tuple(GateRule(v.candidate, result) for v in verdicts for result in v.rules if result.kind == "gate")


def _judged(
    path: Path, entry: Entry, base: Entry, results: Sequence[ClipResult], words: WordChange, tolerance: Tolerance
) -> EntryVerdict:
    audio_s = sum(result.clip.duration_s for result in results)
    speed = _speed(entry, base, tolerance, audio_s)
    worse = _worse(entry, base, results)
    return EntryVerdict(
        entry=entry,
        record=path,
        checks=(_clips(entry, base), _failures(entry, base), words, *speed),
        worst=tuple(worse[:_MOST_WORST]),
        n_worse=len(worse),
        new_weights=entry.weights_sha256 != base.weights_sha256,
    )


def _shared(entry: Entry, base: Entry) -> list[str]:
    return [key for key in base.clips if key in entry.clips]


def _refuse_unequal(entry: Entry, base: Entry) -> None:
    if entry.signature != base.signature:
        raise ComparisonError(
            f"WER of {entry.model!r} on {entry.dataset!r} was computed differently from the baseline: "
            f"{entry.signature}, not {base.signature}. Score them alike: earwitness rescore RUN..., or rewrite the "
            "baseline with --update"
        )
    for key in _shared(entry, base):
        if entry.clips[key].clip != base.clips[key].clip:
            raise ComparisonError(
                f"Clip {key!r} of {entry.dataset!r} differs from the baseline in audio, span, reference or "
                "language. Run on the data of the baseline, or rewrite the baseline with --update"
            )


def _tested(entry: Entry, base: Entry, results: Sequence[ClipResult], by: ClusterBy) -> Difference:
    both = _edits(entry, base)
    clusters = {result.clip.id: cluster_of(result.clip, by) for result in results}
    return difference(
        [now.errors for _, now, _ in both],
        [then.errors for _, _, then in both],
        [then.length for _, _, then in both],
        [clusters[key] for key, _, _ in both],
        rounds=_ROUNDS,
    )


def _edits(entry: Entry, base: Entry) -> list[tuple[str, Edits, Edits]]:
    found = []
    for key in _shared(entry, base):
        now, then = entry.clips[key].edits, base.clips[key].edits
        if now is not None and then is not None:
            found.append((key, now, then))
    return found


def _clips(entry: Entry, base: Entry) -> Clips:
    vanished = tuple(key for key in base.clips if key not in entry.clips)
    new = tuple(key for key in entry.clips if key not in base.clips)
    return Clips("failed" if vanished else "passed", vanished, new)


def _failures(entry: Entry, base: Entry) -> Failures:
    failed = tuple(k for k in _shared(entry, base) if entry.clips[k].text is None and base.clips[k].text is not None)
    return Failures("failed" if failed else "passed", failed)


def _words(entry: Entry, base: Entry, test: Difference, p: float | None, tolerance: Tolerance) -> WordChange:
    both, shared = _edits(entry, base), _shared(entry, base)
    length = sum(then.length for _, _, then in both)
    errors_before = sum(then.errors for _, _, then in both)
    errors_now = sum(now.errors for _, now, _ in both)
    significant = rank_label(test.value, p)
    tolerated = tolerance.of(errors_before / length) if length else None
    outcome: GateOutcome = "passed" if both else "not judged"
    if test.value is None or tolerated is None:
        # Without a reference word there is no rate; what was invented on silence is counted all the same.
        outcome = "failed" if errors_now > errors_before else outcome
    elif test.value > 0 and (significant or test.value > tolerated):
        outcome = "failed"
    return WordChange(
        outcome=outcome,
        errors=(errors_before, errors_now),
        length=length,
        difference=test,
        p=p,
        significant=significant,
        tolerated=tolerated,
        n_clips=len(both),
        n_texts_changed=sum(entry.clips[key].text != base.clips[key].text for key in shared),
    )


def _speed(entry: Entry, base: Entry, tolerance: Tolerance, audio_s: float) -> list[SpeedChange]:
    reason = _why_not(entry, base)
    slowdown = _slowdown(entry.pace, base.pace)
    found = []
    for name, least_s in _LEAST_S.items():
        now, before = getattr(entry.pace, name), getattr(base.pace, name)
        if now is None or before is None:
            continue
        if reason:
            found.append(SpeedChange("not judged", name, before, now, reason=reason))
            continue
        limit = tolerance.slower * slowdown
        longer_s = (now - before) * (audio_s if name.endswith("rtf") else 1.0)
        ratio = now / before if before > 0 and longer_s > least_s else 0.0
        low, high = (ratio * end for end in _left_open(entry.pace, base.pace))
        if low <= limit < high:
            found.append(SpeedChange("not judged", name, before, now, limit, _drifted(entry.pace, base.pace)))
            continue
        beside = f"the machine itself was {slowdown:.2f} times slower" if slowdown > 1 else ""
        found.append(SpeedChange("failed" if ratio > limit else "passed", name, before, now, limit, beside))
    return found


def _left_open(now: Pace, before: Pace) -> tuple[float, float]:
    """Return the range of a ratio of times, as multiples of the measured one, when the machine drifted."""
    least, most = now.drift or (1.0, 1.0)
    least_before, most_before = before.drift or (1.0, 1.0)
    return least_before / most, most_before / least


def _drifted(now: Pace, before: Pace) -> str:
    when = [(pace.drift, name) for pace, name in ((before, "the baseline's run"), (now, "this run")) if pace.drift]
    each = " and ".join(f"{low:.2f} to {high:.2f} times its median in {name}" for (low, high), name in when)
    return f"the machine drifted, and the limit lies in what that leaves open: the same work took {each}"


def _why_not(entry: Entry, base: Entry) -> str:
    if entry.dataset_sha256 != base.dataset_sha256:
        return "its data are not those of the baseline, and speed holds only for the data that it was measured on"
    if entry.machine != base.machine:
        ours, theirs = (f"{m.device} of {m.cpu}, {quantity(m.cores, 'core')}" for m in (entry.machine, base.machine))
        return f"another class of machine: {ours}; the baseline was made on {theirs}"
    return "the time of a server elsewhere is not this machine's" if entry.machine.device == "remote" else ""


def _slowdown(now: Pace, before: Pace) -> float:
    if not now.fixed_work_s or not before.fixed_work_s:
        return 1.0
    return max(1.0, now.fixed_work_s / before.fixed_work_s)


def _worse(entry: Entry, base: Entry, results: Sequence[ClipResult]) -> list[Worst]:
    heard = {result.clip.id: result for result in results}
    found = []
    for key, now, then in _edits(entry, base):
        if now.errors > then.errors:
            transcript = heard[key].hypothesis.transcript
            found.append(Worst(heard[key].clip, then.errors, now.errors, transcript.text if transcript else None))
    return sorted(found, key=lambda worst: (worst.errors_before - worst.errors_now, worst.clip.id))
