"""Turns a decision or model ids into served models, and refuses everything that can be refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from earwitness import weights
from earwitness.decision.decision import Verdict
from earwitness.decision.decision_file import read_decision, verdict_of
from earwitness.engines.catalog import Model, find
from earwitness.engines.devices import require_device
from earwitness.engines.registry import (
    get_engine,
    parse_settings,
    preset_settings,
    require_options,
    require_settings,
)
from earwitness.errors import EngineError, UsageError
from earwitness.records.environment import usable_cores
from earwitness.server.config import ServedModel
from earwitness.types import Settings
from earwitness.workers.environments import python_of


def of_model(
    model_id: str,
    device: str,
    preset: str,
    assignments: Sequence[str],
    threads: int | None,
    n_workers: int | None,
) -> ServedModel:
    """Return a model that was not measured, with settings as in a run.

    Without numbers of workers or threads, every core has a worker of one thread, which gives the most throughput; with
    one of the numbers, the cores are shared out.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    settings, asked = parse_settings(list(assignments))
    model = find(model_id)
    spec = get_engine(model.engine).spec
    python_of(spec)
    require_device(spec, device)
    require_options(spec, model.id, model.options)
    require_settings(spec, settings, asked)
    settings = preset_settings(spec, preset, settings, asked)
    threads = threads or settings.threads or max(1, usable_cores() // (n_workers or usable_cores()))
    return _served(model, device, replace(settings, threads=threads), n_workers)


def of_decision(path: Path, candidates: Sequence[str], n_workers: int | None) -> tuple[ServedModel, ...]:
    """Return the models of a decision, with exactly the settings, device and weights that were measured.

    Args:
        path: Of the decision.
        candidates: Labels of those to serve; none for the one that was chosen.
        n_workers: For each; ``None`` for as many as the cores bear.

    Raises:
        RecordError: When the decision cannot be read.
        UsageError: When there is no such candidate, none that may be served, or two with the same model.
        EngineError: When what is here is not what was measured.
    """
    decision = read_decision(path)
    labels: list[str | None] = [*dict.fromkeys(candidates)] or [None]
    verdicts = [verdict_of(decision, path, label) for label in labels]
    ids = [verdict.model.id for verdict in verdicts]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise UsageError(
                f"Two of the candidates are model {id_!r}, so a request could not choose between them. Name one."
            )
    return tuple(_as_measured(verdict, path, n_workers) for verdict in verdicts)


def _as_measured(verdict: Verdict, path: Path, n_workers: int | None) -> ServedModel:
    model = replace(find(verdict.model.id), options=dict(verdict.model.options))
    spec = get_engine(model.engine).spec
    python_of(spec)
    require_device(spec, verdict.device_asked)
    require_options(spec, model.id, model.options)
    served = replace(
        _served(model, verdict.device_asked, verdict.settings_asked, n_workers),
        in_force=verdict.settings_in_force,
        device_used=verdict.device_used,
        promise=verdict.promise,
        by_length=verdict.by_length,
        status=verdict.status,
        grade=verdict.grade,
    )
    if served.weights_sha256 != verdict.model.weights_sha256:
        raise EngineError(
            f"The weights of {model.id!r} here are not those that were measured (sha256 {served.weights_sha256}, and "
            f"{verdict.model.weights_sha256} in {str(path)!r}). Pull those, or measure these."
        )
    return served


def _served(model: Model, device: str, settings: Settings, n_workers: int | None) -> ServedModel:
    folder = weights.require(model)
    held = weights.local_weights(model)
    fixed = get_engine(model.engine).spec.fixed.get("threads")
    threads = fixed or settings.threads or usable_cores()
    return ServedModel(
        model=model,
        folder=folder,
        weights_sha256=weights.fingerprint(model),
        weights_bytes=held.size_bytes if held else 0,
        device=device,
        settings=settings,
        n_workers=n_workers or max(1, usable_cores() // int(threads)),
    )
