"""A bundle: datasets and the study to be made of them in one zip, the same data wherever it is opened.

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
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from earwitness import __version__, archive
from earwitness.data.load import MANIFEST, about_folder, fingerprint, locate, to_clips
from earwitness.data.readers import nemo
from earwitness.data.rows import Row
from earwitness.data.study import Study
from earwitness.errors import ArchiveError, DataNotFoundError, UsageError
from earwitness.fetch import cache_dir, staged
from earwitness.types import Clip, Dataset

INDEX = "bundle.json"
VERSION = 2
_STRICT: dict[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}
_NOTICES = re.compile(r"(?i)(copyright|copying|licen[cs]e|notice|attribution)([.-].*)?")


@dataclass(frozen=True, slots=True)
class Bundled:
    """A dataset in a bundle."""

    __pydantic_config__ = _STRICT

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
class Bundle:
    """What ``bundle.json`` says."""

    __pydantic_config__ = _STRICT

    bundle_version: int
    """Of this layout."""
    earwitness: str
    """Version of the Earwitness that packed it."""
    study: Study
    """What is to be made of the data."""
    datasets: tuple[Bundled, ...]
    """In the order in which they were named."""
    files: Mapping[str, str]
    """Name in the zip -> sha256, of every file but this one."""


def pack(datasets: Sequence[Dataset], study: Study, target: Path) -> Bundle:
    """Write a bundle and return what its index says. The same data and study give the same bytes.

    Args:
        datasets: As loaded; what was left out by a limit or a tag is not packed.
        study: What is to be made of them.
        target: The zip to make.

    Raises:
        UsageError: For a clip whose audio is not there.
        ArchiveError: When the zip cannot be written.
    """
    members: dict[str, bytes | archive.Packed] = {}
    bundled: list[Bundled] = []
    for dataset in datasets:
        folder = _folder(dataset.name, {other.folder for other in bundled})
        members |= {f"data/{folder}/{name}": content for name, content in _members(dataset).items()}
        bundled.append(
            Bundled(
                folder=folder,
                name=dataset.name,
                sha256=dataset.sha256,
                n_clips=len(dataset.clips),
                audio_s=dataset.audio_s,
                license=dataset.license,
                synthetic=dataset.synthetic,
            )
        )
    files = {
        name: hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else content.sha256
        for name, content in members.items()
    }
    bundle = Bundle(VERSION, __version__, study, tuple(bundled), files)
    archive.write(target, {INDEX: _json(asdict(bundle)), **members})
    return bundle


def read(path: Path) -> Bundle:
    """Return what a bundle's index says, without unpacking anything.

    Raises:
        ArchiveError: When it is no bundle, or one of a newer Earwitness.
    """
    with archive.reading(path) as zipped:
        return _index(zipped)


def is_bundle(path: Path) -> bool:
    """Return whether a path is a zip file; ``read`` then says whether it is a bundle."""
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
            raise DataNotFoundError(f"Bundle {str(path)!r} has no one dataset {name!r}. Name {each}")
        root = cache_dir() / "bundles" / hashlib.sha256(zipped.read(INDEX)).hexdigest()
        if not root.is_dir():
            with staged(root) as fresh:
                _unpack(zipped, bundle, fresh)
    return root / "data" / name


def sources(path: Path) -> tuple[str, ...]:
    """Return what each dataset of a bundle is called on the command line, such as ``study.zip/telephony-en``."""
    return tuple(f"{path}/{dataset.folder}" for dataset in read(path).datasets)


def _unpack(zipped: archive.Archive, bundle: Bundle, root: Path) -> None:
    listed, held = set(bundle.files), set(zipped.names) - {INDEX}
    for name in sorted(listed ^ held):
        where = "is in the zip and not in its index" if name in held else "is in its index and not in the zip"
        raise ArchiveError(f"{str(zipped.path)!r}: {name!r} {where}. Pack it again.")
    for name, sha256 in bundle.files.items():
        if zipped.unpack(name, root) != sha256:
            raise ArchiveError(f"{str(zipped.path)!r}: {name!r} is not what was packed. Copy or download it again.")
    for dataset in bundle.datasets:
        manifest = f"data/{dataset.folder}/{MANIFEST}"
        rows = list(nemo.read(root / manifest)) if manifest in listed else []
        # A row that cannot be read, or whose audio lies elsewhere, is left out here and missed by the fingerprint.
        inside = [row for row in rows if isinstance(row, Row) and row.audio.resolve().is_relative_to(root.resolve())]
        if fingerprint(to_clips(inside)) != dataset.sha256:
            raise ArchiveError(
                f"{str(zipped.path)!r}: the clips of {dataset.name!r} are not those that were packed. Pack it again."
            )


def _index(zipped: archive.Archive) -> Bundle:
    from pydantic import TypeAdapter, ValidationError

    if INDEX not in zipped.names:
        raise ArchiveError(f"{str(zipped.path)!r} is a zip, but no bundle. Make one: earwitness bundle DATA --out FILE")
    try:
        data = json.loads(zipped.read(INDEX))
        version = data.get("bundle_version") if isinstance(data, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise ArchiveError(
                f"{str(zipped.path)!r} is a bundle of version {version}; this Earwitness reads up to {VERSION}. "
                "Upgrade it."
            )
        bundle: Bundle = TypeAdapter(Bundle).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ArchiveError(f"{str(zipped.path)!r}: {INDEX} does not fit: {field}: {first['msg']}.") from None
    except ValueError as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(f"{str(zipped.path)!r}: {INDEX} is not JSON: {error}.") from None
    return bundle


def _members(dataset: Dataset) -> dict[str, bytes | archive.Packed]:
    path = locate(dataset.source)
    beside = path if path.is_dir() else path.parent
    about = {**about_folder(path), "name": dataset.name, "license": dataset.license, "synthetic": dataset.synthetic}
    found: dict[str, bytes | archive.Packed] = {}
    rows = [_row(clip, dataset) for clip in dataset.clips]
    found[MANIFEST] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    found["corpus.json"] = _json(about)
    for notice in sorted(beside.iterdir()):
        if notice.is_file() and _NOTICES.fullmatch(notice.name):
            found[notice.name] = notice.read_bytes()
    audio = {row["audio_filepath"]: clip for row, clip in zip(rows, dataset.clips, strict=True)}
    for name in sorted(audio):
        found[name] = archive.Packed(Path(audio[name].audio_path), audio[name].audio_sha256)
    return found


def _row(clip: Clip, dataset: Dataset) -> dict[str, Any]:
    if not clip.audio_sha256:
        raise UsageError(
            f"Clip {clip.id!r} of {dataset.name!r} has no audio. See what is missing: earwitness data check"
        )
    suffix = Path(clip.audio_path).suffix.lower()
    suffix = suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
    row = {
        "audio_filepath": f"audio/{clip.audio_sha256}{suffix}",
        "text": clip.reference,
        "offset": clip.start_s,
        "duration": clip.span_s,
        "lang": clip.language,
        "id": clip.id,
        "speaker": clip.speaker,
        "recording": clip.recording,
        "channel": clip.channel,
    }
    # A tag that has the name of a key of the manifest would be read as that key.
    return {**{key: value for key, value in clip.tags.items() if key not in nemo.KNOWN}, **row}


def _folder(name: str, taken: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "data"
    return next(s for n in range(1, len(taken) + 2) if (s := stem if n == 1 else f"{stem}-{n}") not in taken)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
