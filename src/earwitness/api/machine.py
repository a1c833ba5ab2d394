"""``earwitness models`` and ``list_engines`` as functions: what is on this machine, and what brings it here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from earwitness.engines.catalog import Model

if TYPE_CHECKING:
    from earwitness.engines.base import EngineSpec
    from earwitness.workers.environments import Stamp

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model of the catalog, and its weights on this machine."""

    model: Model
    """The row: id, engine, licence, languages, sources."""
    folder: Path | None
    """Where the weights are; ``None`` when they are not here, or the model needs none."""
    came_from: str | None
    """The source that they came from."""
    revision: str | None
    """Of that source."""
    size_bytes: int | None
    """Of the weights."""
    weights_sha256: str | None
    """Of their files."""

    @property
    def here(self) -> bool:
        """Whether it can be run without pulling anything."""
        return self.folder is not None or not self.model.sources


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine, and where it runs on this machine."""

    engine: str
    """Its name."""
    place: Literal["here", "own"] | None
    """``here``: in this Python; ``own``: in an environment of its own; ``None``: it is not installed."""
    why_not_here: str | None
    """Why this Python cannot run it; ``None`` when it can."""
    python: str | None
    """Version of the Python that runs it."""
    python_wanted: str
    """Versions that it works with."""
    packages: Mapping[str, str]
    """What it is made of, with versions."""
    requirements: tuple[str, ...]
    """What is installed for it."""
    folder: str | None
    """Of its own environment."""
    size_bytes: int | None
    """Of that environment."""
    expected_bytes: int | None
    """How large its lock says that it becomes."""
    environment: Stamp | None
    """How its own environment was made."""
    remedy: str
    """What to type where it is not installed; empty where it is."""


def list_models() -> list[ModelStatus]:
    """Return every model that is known: the built-in catalog, then ``earwitness.toml`` of the working folder.

    >>> next(row.model.languages for row in list_models() if row.model.id == "faster-whisper:tiny.en")
    ('en',)
    """
    from earwitness.engines.catalog import models as rows

    return [model_here(model) for model in rows()]


def model_here(model: Model) -> ModelStatus:
    """Return what this machine has of a model."""
    from earwitness import weights

    found = weights.local_weights(model)
    return ModelStatus(
        model=model,
        folder=found.folder if found else None,
        came_from=found.source if found else None,
        revision=found.revision if found else None,
        size_bytes=found.size_bytes if found else None,
        weights_sha256=weights.fingerprint(model),
    )


def list_engines() -> list[EngineStatus]:
    """Return every engine that is known, and where it runs.

    >>> next(row.place for row in list_engines() if row.engine == "fake")
    'here'
    """
    from earwitness.engines.registry import engine_names, get_engine

    return [engine_here(get_engine(name).spec) for name in engine_names()]


def engine_here(spec: EngineSpec) -> EngineStatus:
    """Return where an engine runs on this machine."""
    import platform

    from earwitness.workers.environments import folder_of, packages_of, place_of, stamp_of, why_not_here
    from earwitness.workers.install import lock_of

    place, stamp, lock = place_of(spec), stamp_of(spec), lock_of(spec)
    return EngineStatus(
        engine=spec.name,
        place=place,
        why_not_here=why_not_here(spec),
        python=platform.python_version() if place == "here" else stamp.python if stamp else None,
        python_wanted=spec.python,
        packages=packages_of(spec),
        requirements=spec.requirements,
        folder=str(folder_of(spec)) if stamp else None,
        size_bytes=stamp.size_bytes if stamp else None,
        expected_bytes=lock.size_bytes if lock else None,
        environment=stamp,
        remedy="" if place else f"earwitness engines install {spec.name}",
    )


def install(engine: str | Iterable[str], *, progress: Tell = lambda _: None) -> list[EngineStatus]:
    """Give engines environments of their own; nothing is done for those that this Python has, or that are whole.

    Args:
        engine: Names, such as ``whisper``; one or several.
        progress: Called with a line for every step of the installer.

    Raises:
        EngineError: When there is no such engine, or it cannot be installed.
    """
    from earwitness.engines.registry import get_engine
    from earwitness.workers import install as installing
    from earwitness.workers.environments import why_not_here

    specs = [get_engine(name).spec for name in ([engine] if isinstance(engine, str) else engine)]
    for plan in [installing.plan(spec) for spec in specs if why_not_here(spec)]:
        installing.install(plan, progress)
    return [engine_here(spec) for spec in specs]


def pull(name: str | Iterable[str], *, progress: Tell = lambda _: None) -> dict[str, Path | None]:
    """Get weights and corpora into the cache, checked; what is there already is left as it is.

    Args:
        name: Model ids, such as ``faster-whisper:base``, and names of corpora, such as ``telephony-en``.
        progress: Called with a line for every step.

    Returns:
        Their folders by name; ``None`` for a model that needs no weights.

    Raises:
        UnknownModelError: For an id that there is not.
        DataNotFoundError: For a corpus that there is not.
        FetchError: When something cannot be had.
    """
    from earwitness import weights
    from earwitness.data import corpora
    from earwitness.engines.catalog import find

    names = [name] if isinstance(name, str) else list(name)
    # Every name is looked up before the first byte is pulled.
    wanted = {one: find(one) if ":" in one else None for one in names}
    return {
        one: corpora.pull(one, progress) if model is None else weights.pull(model, progress)
        for one, model in wanted.items()
    }


def remove(name: str | Iterable[str]) -> dict[str, bool]:
    """Remove pulled weights and corpora from the cache.

    Args:
        name: Model ids and names of corpora, as for ``pull``.

    Returns:
        Whether each was there.

    Raises:
        UnknownModelError: For an id that there is not.
        DataNotFoundError: For a corpus that there is not.
    """
    from earwitness import weights
    from earwitness.data import corpora
    from earwitness.engines.catalog import find

    names = [name] if isinstance(name, str) else list(name)
    wanted = {one: find(one) if ":" in one else None for one in names}
    return {one: corpora.remove(one) if model is None else weights.remove(model) for one, model in wanted.items()}


def uninstall(engine: str | Iterable[str]) -> dict[str, bool]:
    """Remove environments of engines; packages in this Python stay.

    Args:
        engine: Names, such as ``whisper``; one or several.

    Returns:
        Whether each had one.

    Raises:
        EngineError: When there is no such engine.
    """
    from earwitness.engines.registry import get_engine
    from earwitness.workers import environments

    specs = [get_engine(name).spec for name in ([engine] if isinstance(engine, str) else engine)]
    return {spec.name: environments.remove(spec) for spec in specs}


def convert(model: str, to: str, out: str | Path, *, progress: Tell = lambda _: None) -> Path:
    """Write the weights of a CTranslate2 Whisper in another engine's format; they are pulled first when missing.

    Args:
        model: Id, such as ``faster-whisper:base``.
        to: ``openai``, ``huggingface`` or ``ggml``.
        out: A folder that is made.
        progress: Called with a line for every step of pulling.

    Raises:
        UsageError: For a model without weights.
        ConversionError: When they cannot be converted.
    """
    from earwitness import weights
    from earwitness.engines.catalog import find
    from earwitness.errors import UsageError

    source = weights.pull(find(model), progress)
    if source is None:
        raise UsageError(f"Model {model!r} has no weights to convert.")
    weights.convert(to, source, Path(out).resolve())
    return Path(out)
