"""What a node has, as it says itself, and whether a model can run there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from earwitness.engines.base import EngineSpec
from earwitness.engines.catalog import Model
from earwitness.engines.devices import require_device
from earwitness.engines.registry import engine_names, get_engine
from earwitness.errors import EarwitnessError
from earwitness.records.record import Environment
from earwitness.runs.pool import PoolSpec

WORKER_BYTES = 256_000_000
"""What a worker is taken to need beside twice its weights."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A machine of the cluster."""

    id: str
    """As Ray names it."""
    name: str
    """For people, such as ``node 2``; records hold no host name."""
    host: str
    """Its address; shown, and not written into records."""
    environment: Environment
    """The machine and its Earwitness."""
    packages: Mapping[str, Mapping[str, str]]
    """Versions of the packages of each engine that is installed there."""
    devices: Mapping[str, int]
    """How many devices of each kind."""
    available_bytes: int
    """Memory that was free when it was asked."""
    missing: Mapping[str, str]
    """Engines that are not installed there, each with the reason."""


def describe(node_id: str, name: str, host: str) -> NodeInfo:
    """Describe the machine on which this is called."""
    import psutil

    from earwitness.engines.devices import here
    from earwitness.records.environment import environment
    from earwitness.workers.environments import packages_of, place_of, why_not_here

    specs: dict[str, EngineSpec] = {engine: get_engine(engine).spec for engine in engine_names()}
    installed = {engine: spec for engine, spec in specs.items() if place_of(spec) is not None}
    return NodeInfo(
        id=node_id,
        name=name,
        host=host,
        environment=environment(),
        packages={engine: packages_of(spec) for engine, spec in installed.items()},
        devices=dict(here()),
        available_bytes=int(psutil.virtual_memory().available),
        missing={engine: why_not_here(spec) or "" for engine, spec in specs.items() if engine not in installed},
    )


def why_unfit(node: NodeInfo, spec: PoolSpec, version: str) -> str | None:
    """Return why a model cannot run on a node, with the command to type there; ``None`` if it can.

    Args:
        node: The machine.
        spec: The model, its device and its settings.
        version: Of the Earwitness that asks: clips and results pass between equal versions alone.
    """
    engine = spec.model.engine
    if node.environment.earwitness != version:
        theirs = node.environment.earwitness
        return (
            f"it has Earwitness {theirs}, and this machine has {version}. Type there: pip install earwitness=={version}"
        )
    if engine not in node.packages:
        return f"engine {engine!r} is not installed. Type there: earwitness engines install {engine}"
    try:
        require_device(get_engine(engine).spec, spec.device, node.devices)
    except EarwitnessError as error:
        return str(error)
    needed = needed_bytes(spec)
    if needed > node.available_bytes:
        return (
            f"the model needs about {needed / 1e9:.1f} GB, and {node.available_bytes / 1e9:.1f} GB of memory are free"
        )
    return None


def slots(node: NodeInfo, spec: PoolSpec, *, whole_node: bool = False) -> int:
    """Return how many workers of a model a node takes.

    One for each CUDA device that it can use; without one, as many as its cores hold threads, if a number of threads was
    asked for, otherwise one.

    Args:
        node: The machine.
        spec: The model, its device and its settings.
        whole_node: Whether times count, so that there is one worker beside no other on the processor.
    """
    kind, _, index = spec.device.partition(":")
    n_cuda = node.devices.get("cuda", 0) if "cuda" in get_engine(spec.model.engine).spec.devices else 0
    if kind in ("auto", "cuda") and n_cuda:
        return 1 if index else n_cuda
    threads = spec.settings.threads
    return 1 if whole_node or not threads else max(1, node.environment.cores // threads)


def needed_bytes(spec: PoolSpec) -> int:
    """Return the memory that a worker is taken to need: twice its weights, and what Python and libraries take."""
    return 2 * _size_bytes(spec.folder) + WORKER_BYTES


def _size_bytes(folder: Path | None) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder else 0


def weights_here(model: Model, folder: Path | None, sha256: str | None) -> Path | None:
    """Return the folder of a model's weights on this node, after comparing them with those of the driver.

    Args:
        model: The catalog row.
        folder: Where the driver has them; a shared disk shows them there, too.
        sha256: Of the driver's files; ``None`` for a model without files.

    Raises:
        EarwitnessError: When they are not here, or are others; with the command to type.
    """
    from dataclasses import replace

    from earwitness import weights
    from earwitness.errors import UnknownModelError

    if sha256 is None:
        return None
    own = weights.require(model) if not _is_path(model) else None
    if own is not None and weights.fingerprint(model) == sha256:
        return own
    if folder is not None and folder.is_dir():
        shared = replace(model, sources=(f"path:{folder}",))
        if weights.fingerprint(shared) == sha256:
            return folder
        raise UnknownModelError(f"The weights of {model.id!r} here are others than the driver's. Copy them again.")
    raise UnknownModelError(f"The weights of {model.id!r} are not here. Type here: earwitness models pull {model.id}")


def _is_path(model: Model) -> bool:
    return any(source.startswith("path:") for source in model.sources)
