"""Writes a bundle: data, references and the study in one zip with the sha256 of everything."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from earwitness import __version__
from earwitness.data.bundle import INDEX, VERSION, Bundle, BundledData
from earwitness.data.clips import MANIFEST
from earwitness.data.dataset import about_folder, locate
from earwitness.data.readers import nemo
from earwitness.errors import UsageError
from earwitness.files import archive
from earwitness.types import Clip, Dataset

_NOTICES = re.compile(r"(?i)(copyright|copying|licen[cs]e|notice|attribution)([.-].*)?")


def pack(datasets: Sequence[Dataset], study: Mapping[str, Any], target: Path) -> Bundle:
    """Write a bundle and return its index. The same data and study give the same bytes.

    Args:
        datasets: As loaded; what was left out by a limit or a tag is not packed.
        study: What is to be made of them.
        target: The zip to make.

    Raises:
        UsageError: For a clip whose audio is not there.
        ArchiveError: When the zip cannot be written.
    """
    members: dict[str, bytes | archive.ArchiveEntry] = {}
    bundled: list[BundledData] = []
    for dataset in datasets:
        folder = _folder(dataset.name, {other.folder for other in bundled})
        members |= {f"data/{folder}/{name}": content for name, content in _members(dataset).items()}
        bundled.append(
            BundledData(
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


def _members(dataset: Dataset) -> dict[str, bytes | archive.ArchiveEntry]:
    path = locate(dataset.source)
    beside = path if path.is_dir() else path.parent
    about = {**about_folder(path), "name": dataset.name, "license": dataset.license, "synthetic": dataset.synthetic}
    found: dict[str, bytes | archive.ArchiveEntry] = {}
    rows = [_row(clip, dataset) for clip in dataset.clips]
    found[MANIFEST] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    found["corpus.json"] = _json(about)
    for notice in sorted(beside.iterdir()):
        if notice.is_file() and _NOTICES.fullmatch(notice.name):
            found[notice.name] = notice.read_bytes()
    audio = {row["audio_filepath"]: clip for row, clip in zip(rows, dataset.clips, strict=True)}
    for name in sorted(audio):
        found[name] = archive.ArchiveEntry(Path(audio[name].audio_path), audio[name].audio_sha256)
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


def _folder(name: str, names: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "data"
    return next(s for n in range(1, len(names) + 2) if (s := stem if n == 1 else f"{stem}-{n}") not in names)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
