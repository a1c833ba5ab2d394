"""``earwitness models`` as functions: the catalog, and weights on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.engines.catalog import Model

if TYPE_CHECKING:
    from earwitness.weights.store import Origin

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
    memory_bytes: int | None
    """About how much memory a worker takes on the device that was asked about, or else on the CPU; ``None`` where the
    catalog does not know the size of the model."""
    origin: Origin
    """Where the weights are to be had: ``here``, ``none needed``, from a package ``registry``, from the ``hub``, in a
    ``folder`` that is missing, or by an ``export`` with a program of Earwitness's repository."""
    is_pinned: bool | None
    """Whether the hub's revision is fixed, and not the newest at the time of the pull; ``None`` if not from the hub."""

    @property
    def here(self) -> bool:
        """Whether it can run without a download."""
        return self.folder is not None or not self.model.sources


def list_models(
    *,
    language: str | None = None,
    device: str | None = None,
    license: str | None = None,  # noqa: A002 - the name of the option
    max_memory: str | None = None,
    engine: str | None = None,
    reachable: bool = False,
) -> list[ModelStatus]:
    """Return the known models: the built-in catalog, then ``earwitness.toml`` of the working folder.

    Args:
        language: Only models that know it, or that know many; a BCP 47 tag such as ``de``.
        device: Only models whose engine runs on it: ``cpu``, ``cuda``, ``mps`` or ``tpu``.
        license: Only models with it: a name such as ``MIT``, or ``commercial`` for all that allow commercial use.
        max_memory: Only models of which a worker is estimated to take at most this, such as ``2GB``; models of unknown
            size are left out.
        engine: Only models of this engine.
        reachable: Only models whose weights are here, or can be had from here: the hub and the package registry are
            asked whether they answer.

    Raises:
        UsageError: For a device or a size that there is not.

    >>> next(row.model.languages for row in list_models() if row.model.id == "faster-whisper:tiny.en")
    ('en',)
    >>> [row.model.id for row in list_models(language="ru", license="MIT", engine="onnx-asr", max_memory="1.2GB")]
    ['onnx-asr:whisper-base']
    """
    from earwitness.engines import needs
    from earwitness.engines.catalog import models as rows
    from earwitness.engines.devices import split
    from earwitness.errors import UsageError

    kind = split(device)[0] if device else "cpu"
    if kind == "auto":
        raise UsageError("Ask about one device: cpu, cuda, mps or tpu.")
    most = None if max_memory is None else needs.parse_bytes(max_memory)
    found = [
        model_here(model, kind)
        for model in rows()
        if engine in (None, model.engine) and needs.suits(model, language, kind if device else None, license)
    ]
    if most is not None:
        found = [row for row in found if row.memory_bytes is not None and row.memory_bytes <= most]
    return _reachable(found) if reachable else found


def _reachable(rows: list[ModelStatus]) -> list[ModelStatus]:
    origins = {"here", "none needed", *reachable_origins({row.origin for row in rows})}
    return [row for row in rows if row.origin in origins]


def reachable_origins(origins: Iterable[Origin]) -> set[Origin]:
    """Return those of some origins that answer from here, asked now: the hub, and pip's package registry."""
    from earwitness.files.fetch import hub_answers, registry_answers

    ask = {"hub": hub_answers, "registry": registry_answers}
    return {origin for origin in origins if origin in ask and ask[origin]()}


def model_here(model: Model, kind: str = "cpu") -> ModelStatus:
    """Return which weights of a model are on this machine.

    Args:
        model: A row of the catalog.
        kind: The kind of device that the memory is estimated for.
    """
    from earwitness import weights
    from earwitness.engines.needs import memory_bytes

    found = weights.local_weights(model)
    return ModelStatus(
        model=model,
        folder=found.folder if found else None,
        came_from=found.source if found else None,
        revision=found.revision if found else None,
        size_bytes=found.size_bytes if found else None,
        weights_sha256=weights.fingerprint(model),
        memory_bytes=memory_bytes(model, kind),
        origin="here" if found else weights.origin_of(model),
        is_pinned=weights.is_pinned(model),
    )


def model_status(model_id: str) -> ModelStatus:
    """Return everything that is known about a model.

    Raises:
        UnknownModelError: For an id that there is not.
    """
    from earwitness.engines.catalog import find

    return model_here(find(model_id))


def pull(name: str | Iterable[str], *, progress: Tell = lambda _: None) -> dict[str, Path | None]:
    """Download weights and corpora into the cache and check them; those already there are left unchanged.

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
    """Remove downloaded weights and corpora from the cache.

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


def convert(model: str, to: str, out: str | Path, *, progress: Tell = lambda _: None) -> Path:
    """Convert a CTranslate2 Whisper model to another engine's format; missing weights are downloaded first.

    Args:
        model: Id, such as ``faster-whisper:base``.
        to: ``openai``, ``huggingface``, ``ggml`` or ``mlx``.
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
