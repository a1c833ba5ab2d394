"""A bundle: datasets and a study in one zip file, with the same data on every machine.

    bundle.json                       the study, the datasets with their fingerprints, the sha256 of every other file
    data/<name>/manifest.jsonl        the clips, in NeMo's form, with everything that their fingerprint is made of
    data/<name>/corpus.json           name, licence, attribution, whether it is synthetic
    data/<name>/audio/<sha256>.<ext>  each audio file once, unchanged
    data/<name>/copyright             and other notices that lie beside the data

Unpacked by hand, ``data/<name>`` is a dataset like any other. Audio goes by its hash: the bundle says nothing of the
folders in which it lay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earwitness.data.clips import MANIFEST, fingerprint, to_clips
from earwitness.data.readers import nemo
from earwitness.data.rows import DataRow
from earwitness.errors import ArchiveError, DataNotFoundError
from earwitness.files import archive
from earwitness.files.fetch import cache_dir, stage
from earwitness.files.schema import Strict, require_version, validate

INDEX = "bundle.json"
VERSION = 3


@dataclass(frozen=True, slots=True)
class BundledData(Strict):
    """A dataset in a bundle."""

    folder: str
    """Its folder's name under ``data/``."""
    name: str
    """As in tables."""
    sha256: str
    """The fingerprint of its clips, here and wherever the bundle is opened."""
    n_clips: int
    """How many clips."""
    audio_s: float
    """Seconds of audio in them."""
    license: str
    """As its publisher states it."""
    synthetic: bool
    """True for synthesised speech."""


@dataclass(frozen=True, slots=True)
class Bundle(Strict):
    """The contents of ``bundle.json``."""

    bundle_version: int
    """Of this layout."""
    earwitness: str
    """Version of the Earwitness that packed it."""
    study: Mapping[str, Any]
    """What is to be made of the data."""
    datasets: tuple[BundledData, ...]
    """In the order in which they were named."""
    files: Mapping[str, str]
    """Name in the zip -> sha256, of every file but this one."""


def read(path: Path) -> Bundle:
    """Return the index of a bundle without unpacking it.

    Raises:
        ArchiveError: When it is no bundle, or one of a newer Earwitness.
    """
    with archive.reading(path) as zipped:
        return _index(zipped)


def is_bundle(path: Path) -> bool:
    """Return whether a path is a zip file; ``read`` checks whether it is a bundle."""
    return path.is_file() and archive.is_zip(path)


def split(source: str | Path) -> tuple[Path, str] | None:
    """Return the zip and the dataset's name of ``study.zip/telephony-en``; the name is empty for ``study.zip``.

    ``None`` for anything that is not, or is not inside, a zip file.
    """
    path = Path(source).expanduser()
    for zipped, inside in ((path, ""), (path.parent, path.name)):
        if is_bundle(zipped):
            return zipped, inside
    return None


def open_dataset(path: Path, name: str = "") -> Path:
    """Return the folder of a dataset of a bundle, which is unpacked into the cache the first time.

    Every file is checked against the index, and the clips against the fingerprint, before the folder is there.

    Args:
        path: The bundle.
        name: The dataset; may be empty where the bundle has one.

    Raises:
        ArchiveError: When the bundle is damaged or not what its index says; nothing of it is kept.
        DataNotFoundError: When it has no such dataset, or several and none was named.
    """
    with archive.reading(path) as zipped:
        bundle = _index(zipped)
        held = {dataset.folder: dataset for dataset in bundle.datasets}
        if not name and len(held) == 1:
            (name,) = held
        if name not in held:
            each = " or ".join(f"{path}/{folder}" for folder in held)
            raise DataNotFoundError(f"Bundle {str(path)!r} does not have exactly one dataset {name!r}. Name {each}")
        root = cache_dir() / "bundles" / hashlib.sha256(zipped.read(INDEX)).hexdigest()
        if not root.is_dir():
            with stage(root) as fresh:
                _unpack(zipped, bundle, fresh)
    return root / "data" / name


def sources(path: Path) -> tuple[str, ...]:
    """Return the name of each dataset of a bundle on the command line, such as ``study.zip/telephony-en``."""
    return tuple(f"{path}/{dataset.folder}" for dataset in read(path).datasets)


def _unpack(source: archive.Archive, bundle: Bundle, root: Path) -> None:
    listed, held = set(bundle.files), set(source.names) - {INDEX}
    for name in sorted(listed ^ held):
        where = "is in the zip and not in its index" if name in held else "is in its index and not in the zip"
        raise ArchiveError(f"{str(source.path)!r}: {name!r} {where}. Pack it again.")
    for name, sha256 in bundle.files.items():
        if source.unpack(name, root) != sha256:
            raise ArchiveError(
                f"{str(source.path)!r}: {name!r} has changed since it was packed. Copy or download it again."
            )
    for dataset in bundle.datasets:
        manifest = f"data/{dataset.folder}/{MANIFEST}"
        rows = list(nemo.read(root / manifest)) if manifest in listed else []
        # A row that cannot be read, or whose audio lies elsewhere, is left out here and missed by the fingerprint.
        inside = [
            row for row in rows if isinstance(row, DataRow) and row.audio.resolve().is_relative_to(root.resolve())
        ]
        if fingerprint(to_clips(inside)) != dataset.sha256:
            raise ArchiveError(
                f"{str(source.path)!r}: the clips of {dataset.name!r} differ from those that were packed. "
                "Pack it again."
            )


def _index(source: archive.Archive) -> Bundle:
    where = repr(str(source.path))
    if INDEX not in source.names:
        raise ArchiveError(f"{where} is a zip, but no bundle. Make one: earwitness bundle DATA --out FILE")
    index = source.read(INDEX)
    try:
        data = json.loads(index)
    except ValueError as error:
        raise ArchiveError(f"{where}: {INDEX} is not JSON: {error}.") from None
    require_version(data, "bundle_version", VERSION, f"{where} is a bundle of version", ArchiveError)
    return validate(Bundle, data, f"{where}: {INDEX} does not fit", error=ArchiveError)
