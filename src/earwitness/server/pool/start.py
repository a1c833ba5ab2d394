"""Starts a worker for the server, checks that it is as measured, and has it transcribe a probe."""

from __future__ import annotations

from collections.abc import Callable

from earwitness.server.config import ServedModel
from earwitness.workers.supervisor import AudioFile
from earwitness.workers.worker import LoadedInfo, Worker

LOAD_S = 900.0
"""That the first worker gets to load its model in."""
_LEAST_S = 30.0
_TIMES_THE_FIRST = 10
_DOUBLINGS = 5


def load_budget_s(first_s: float | None, n_failed: int) -> float:
    """Return how long a worker may take to start.

    Ten times the first one's time, so that one that hangs is soon ended; twice as long after each failure, so that a
    machine that has become slow gets its worker in the end.

    >>> load_budget_s(None, 0), load_budget_s(1.5, 0), load_budget_s(20.0, 0)
    (900.0, 30.0, 200.0)
    >>> load_budget_s(1.5, 2), load_budget_s(1.5, 9)
    (120.0, 900.0)

    Args:
        first_s: Seconds that the first worker took; ``None`` before there was one.
        n_failed: Workers that did not come up since the last that did.
    """
    if first_s is None:
        return LOAD_S
    return min(LOAD_S, max(_LEAST_S, _TIMES_THE_FIRST * first_s) * (1 << min(n_failed, _DOUBLINGS)))


class NotAsMeasuredError(Exception):
    """A worker whose device or settings differ from those measured."""


def start_worker(
    model: ServedModel, probe: tuple[AudioFile, str | None], on_spawn: Callable[[Worker], None], budget_s: float
) -> Worker:
    """Return a worker that has transcribed the probe.

    Args:
        model: The model.
        probe: Audio, and its language.
        on_spawn: Called once the process runs and before its model loads, so that another thread can end it.
        budget_s: That the model may take to load, and then the probe.

    Raises:
        NotAsMeasuredError: When its settings or its device are not those that were measured.
        WorkerFailedError: When it does not come up, or not with the probe. Nothing stays behind.
    """
    audio, language = probe
    worker = Worker(
        model.model.engine,
        model.id,
        model.folder,
        model.device,
        model.settings,
        options=model.model.options,
        budget_s=budget_s,
        on_spawn=on_spawn,
    )
    try:
        _require_as_measured(model, worker.info)
        worker.transcribe(
            audio.path, audio.n_samples, audio.sample_rate_hz, language, budget_s=budget_s, on_segment=lambda _: None
        )
    except BaseException:
        worker.kill()
        raise
    return worker


def _require_as_measured(model: ServedModel, info: LoadedInfo) -> None:
    if model.device_used is not None and info.device != model.device_used:
        raise NotAsMeasuredError(
            f"Model {model.id!r} is on {info.device!r} here, but was measured on {model.device_used!r}. Measure it "
            "on this machine, or serve it where it was measured."
        )
    for name, measured in (model.in_force or {}).items():
        if info.in_force.get(name) != measured:
            raise NotAsMeasuredError(
                f"Model {model.id!r} runs here with {name}={info.in_force.get(name)!r}, but was measured with "
                f"{measured!r}. Measure it on this machine, or serve it where it was measured."
            )
