"""``earwitness models`` as functions: the catalog, and weights on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from earwitness.engines.catalog import Model

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
        """Whether it can run without a download."""
        return self.folder is not None or not self.model.sources


def list_models() -> list[ModelStatus]:
    """Return all known models: the built-in catalog, then ``earwitness.toml`` of the working folder.

    >>> next(row.model.languages for row in list_models() if row.model.id == "faster-whisper:tiny.en")
    ('en',)
    """
    from earwitness.engines.catalog import models as rows

    return [model_here(model) for model in rows()]


def model_here(model: Model) -> ModelStatus:
    """Return which weights of a model are on this machine."""
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
