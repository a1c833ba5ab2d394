"""Finds records that already have the results of a job, so that nothing is measured twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from earwitness.records.environment import environment
from earwitness.records.record import Run
from earwitness.records.store import seal_fits
from earwitness.runs.drive import settings_of
from earwitness.runs.job import Job

StoredRun = tuple[Path, Run]


def satisfies(run: Run, job: Job, *, speech: bool | None = None) -> bool:
    """Return whether a run on this machine has, or began to get, the results that a job needs.

    It does when ``differences`` names nothing: the same data under the same condition, weights, options of the catalog
    row, settings and device as asked for, limits, scoring, processor and number of cores; and every protocol of speed
    that the job asks for, in the same time. Versions of engines are not compared: the record says which it was.

    Args:
        run: From a record.
        job: What is asked for.
        speech: Whether speech has to be looked for (``True``) or not (``False``); ``None`` takes both.
    """
    return not differences(run, job, speech=speech)


def differences(run: Run, job: Job, *, speech: bool | None = None) -> list[str]:
    """Return in which parts a run differs from a job, such as ``settings`` or ``data``.

    Args:
        run: From a record.
        job: What is asked for.
        speech: As for ``satisfies``.
    """
    here = environment()
    equal = {
        "model": run.model.id == job.model.id,
        "data": run.dataset.sha256 == job.dataset.sha256,
        "weights": run.model.weights_sha256 == job.weights_sha256,
        "model's options": dict(run.model.options) == dict(job.model.options),
        "settings": run.settings_asked == settings_of(job),
        "device": run.device_asked == job.device,
        "limits": run.limits == job.limits,
        "scoring": run.scoring == job.scoring,
        "machine": (run.environment.cpu, run.environment.cores) == (here.cpu, here.cores),
        "protocols of speed": _has_protocols(run, job),
        "search for speech": speech in (None, run.speech.model is not None),
    }
    return [what for what, same in equal.items() if not same]


def best(job: Job, records: Sequence[StoredRun], *, speech: bool | None = None) -> StoredRun | None:
    """Return the record for a job: the newest complete one, otherwise the newest that can be continued.

    A complete record whose texts were changed since is no answer.

    Args:
        job: What is asked for.
        records: To choose from.
        speech: As for ``satisfies``.
    """
    fitting = [(path, run) for path, run in records if satisfies(run, job, speech=speech)]
    newest = sorted(fitting, key=lambda held: held[1].created_at, reverse=True)
    complete = (held for held in newest if held[1].status == "complete" and seal_fits(*held))
    begun = (held for held in newest if held[1].status != "complete")
    return next(complete, None) or next(begun, None)


def _has_protocols(run: Run, job: Job) -> bool:
    wanted = job.measure.protocols
    return not wanted or (set(wanted) <= set(run.measure.protocols) and run.measure.budget_s == job.measure.budget_s)
