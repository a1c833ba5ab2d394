"""With what an archive is transcribed: the weights, settings and device of a decision, or of a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from earwitness import weights
from earwitness.counts import quantity
from earwitness.decision.decision import Decision, Verdict
from earwitness.decision.decision_file import read_decision, verdict_of
from earwitness.engines.catalog import Model, find
from earwitness.engines.devices import here, require_device, split
from earwitness.engines.registry import get_engine, parse_settings, preset_settings, require_options, require_settings
from earwitness.errors import EngineError, RecordError
from earwitness.records.environment import usable_cores
from earwitness.records.record import RunLimits
from earwitness.records.store import read_run
from earwitness.runs.pool import PoolSpec
from earwitness.types import Settings
from earwitness.workers.environments import python_of
from earwitness.workers.worker import LoadedInfo

_LIMITS = RunLimits(warmup=0, max_deaths=10)
_WORKER_BYTES = 300 << 20
"""Of a worker beside its weights, with a batch of short clips."""
BLOCK_S = 30.0
"""Longest block of a recording, for a model that was not measured: Whisper's window. All workers then share it."""
_WITHOUT = ("threads",)
"""Settings in force on which no text depends."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that texts come from, and how the machine is used."""

    pool: PoolSpec
    """What each worker is."""
    workers: int
    """How many processes."""
    in_force: Mapping[str, Any] | None = None
    """Settings as they were measured; ``None`` for a model that was not."""
    device_used: str | None = None
    """Where it was measured."""
    promise: Mapping[str, float] = field(default_factory=dict)
    """What the decision measured."""
    remarks: tuple[str, ...] = ()
    """Sentences for the user."""
    is_flexible: bool = False
    """Whether nobody said how many workers there are to be, so that few recordings may have fewer with more threads."""

    @property
    def key(self) -> str:
        """Hash of all that a text depends on; not of the number of workers, their threads, and the device asked for."""
        settings = asdict(replace(self.pool.settings, threads=None))
        model = self.pool.model
        parts = [model.id, self.pool.weights_sha256, dict(model.options), settings]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def of_model(
    model_id: str, device: str, preset: str, assignments: Sequence[str], workers: int | None, threads: int | None
) -> Recipe:
    """Return the recipe of a model that was not measured, whose recordings are cut into short blocks.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    model = find(model_id)
    settings = archive_settings(model, preset, assignments)
    return _recipe(model, device, settings, workers, threads or settings.threads)


def archive_settings(model: Model, preset: str, assignments: Sequence[str]) -> Settings:
    """Return the settings of a model that was not measured.

    Under ``matched``, an engine that cuts recordings gets blocks of ``BLOCK_S``, unless ``chunk_s`` is assigned.

    >>> fast, pocket = find("faster-whisper:base"), find("pocketsphinx:en-us")
    >>> [archive_settings(fast, preset, []).chunk_s for preset in ("matched", "native")]
    [30.0, 600.0]
    >>> archive_settings(fast, "matched", ["chunk_s=600"]).chunk_s, archive_settings(pocket, "matched", []).chunk_s
    (600.0, 600.0)

    Raises:
        SettingsError: For settings that the engine does not have.
    """
    settings, names = parse_settings(list(assignments))
    spec = get_engine(model.engine).spec
    require_settings(spec, settings, names)
    settings = preset_settings(spec, preset, settings, names)
    if spec.cuts and preset == "matched" and "chunk_s" not in names:
        return replace(settings, chunk_s=BLOCK_S)
    return settings


def of_decision(
    path: Path, candidate: str | None, workers: int | None, threads: int | None, *, accept: bool = False
) -> Recipe:
    """Return the recipe of a decision: the weights, settings and device that were measured.

    Args:
        path: Of the decision.
        candidate: Label; ``None`` for the one that was chosen.
        workers: How many; ``None`` for what was measured to be best, else as many as the cores bear.
        threads: Of each; ``None`` likewise.
        accept: Whether other weights than those that were measured are taken, with a remark.

    Raises:
        RecordError: When the decision cannot be read.
        UsageError: When there is no such candidate, or none was chosen.
        EngineError: When the weights are others.
    """
    decision = read_decision(path)
    verdict = verdict_of(decision, path, candidate)
    model = replace(find(verdict.model.id), options=dict(verdict.model.options))
    if workers is None and threads is None:
        workers, threads = _best_division(decision, verdict, path)
    made = _recipe(model, verdict.device_asked, verdict.settings_asked, workers, threads)
    remarks = []
    if made.pool.weights_sha256 != verdict.model.weights_sha256:
        said = (
            f"The weights of {model.id!r} here are not those that were measured (sha256 {made.pool.weights_sha256}, "
            f"and {verdict.model.weights_sha256} in {str(path)!r})."
        )
        if not accept:
            raise EngineError(f"{said} Pull those, measure these, or go on with --accept.")
        remarks.append(said)
    return replace(
        made,
        in_force=verdict.settings_in_force,
        device_used=verdict.device_used,
        promise=verdict.promise,
        remarks=tuple(remarks),
    )


def differences(recipe: Recipe, info: LoadedInfo) -> list[str]:
    """Return a sentence for each thing in which a worker differs from what was measured; none without a decision."""
    found = []
    if recipe.device_used is not None and info.device != recipe.device_used:
        found.append(f"The model is on {info.device!r} here, and was measured on {recipe.device_used!r}.")
    for name, measured in (recipe.in_force or {}).items():
        if name not in _WITHOUT and info.in_force.get(name) != measured:
            found.append(f"It runs with {name}={info.in_force.get(name)!r}, and was measured with {measured!r}.")
    return found


def _recipe(model: Model, device: str, settings: Settings, workers: int | None, threads: int | None) -> Recipe:
    spec = get_engine(model.engine).spec
    python_of(spec)
    require_device(spec, device)
    require_options(spec, model.id, model.options)
    is_flexible = workers is None and threads is None
    folder = weights.require(model)
    held = weights.local_weights(model)
    cores = usable_cores()
    kinds = here() if device == "auto" else {split(device)[0]}
    on_cpu = not any(kind != "cpu" and spec.devices[kind].level != "unsupported" for kind in kinds)
    if workers is None:
        free = _room(held.size_bytes if held else 0)
        workers = max(1, min(cores // (threads or 1), free)) if on_cpu else 1
    threads = int(spec.fixed.get("threads") or threads or max(1, cores // workers))
    pool = PoolSpec(
        model=model,
        folder=folder,
        weights_sha256=weights.fingerprint(model),
        device=device,
        settings=replace(settings, threads=threads),
        limits=_LIMITS,
    )
    return Recipe(pool, workers, is_flexible=is_flexible and on_cpu)


def with_enough(recipe: Recipe, pieces: int) -> Recipe:
    """Return a recipe without workers that would have nothing to do; the others share their cores.

    Args:
        recipe: Of the archive.
        pieces: Into which all that is left can be cut for several workers.
    """
    spec = get_engine(recipe.pool.model.engine).spec
    workers = max(1, min(recipe.workers, pieces))
    if not recipe.is_flexible or workers == recipe.workers or "threads" in spec.fixed:
        return recipe
    threads = max(1, usable_cores() // workers)
    pool = replace(recipe.pool, settings=replace(recipe.pool.settings, threads=threads))
    return replace(recipe, pool=pool, workers=workers)


def _room(weights_bytes: int) -> int:
    """Return for how many workers there is memory."""
    import psutil

    return max(1, int(psutil.virtual_memory().available // (2 * weights_bytes + _WORKER_BYTES)))


def _best_division(decision: Decision, verdict: Verdict, path: Path) -> tuple[int | None, int | None]:
    """Return workers and threads of the best throughput among the decision's records, measured on as many cores."""
    found: list[tuple[float, int, int]] = []
    for evidence in decision.evidence:
        if evidence.candidate != verdict.candidate:
            continue
        try:
            run = read_run(path.parent / evidence.record)
        except RecordError:
            continue  # the decision travels without its records, too
        best = run.measurements.throughput if run.measurements else None
        if best is not None and best.rtfx is not None and run.environment.cores == usable_cores():
            found.append((best.rtfx, best.workers, best.threads))
    if not found:
        return None, None
    _, workers, threads = max(found)
    return workers, threads


def division(recipe: Recipe) -> str:
    """Return workers and threads in words.

    >>> from earwitness.engines.catalog import find
    >>> spec = PoolSpec(find("fake:echo"), None, None, settings=Settings(threads=1))
    >>> division(Recipe(spec, 2))
    '2 workers of 1 thread'
    """
    threads = recipe.pool.settings.threads or 1
    return f"{quantity(recipe.workers, 'worker')} of {quantity(threads, 'thread')}"
