"""From a name or a path to a Dataset: finds the format, reads the rows, measures and hashes the audio."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from earwitness.data import corpora, jsonl, lhotse, table, trees
from earwitness.data.rows import AUDIO_SUFFIXES, Row, Rows
from earwitness.errors import AudioError, DataError, DataNotFoundError, EarwitnessError, ManifestError
from earwitness.fetch import cache_dir, sha256_of
from earwitness.types import Clip, Dataset

SAMPLE = "sample"
MANIFEST = "manifest.jsonl"
FORMATS: Mapping[str, Callable[[Path], Rows]] = {
    "nemo": jsonl.read,
    "table": table.read,
    "folder": trees.read_folder,
    "kaldi": trees.read_kaldi,
    "librispeech": trees.read_librispeech,
    "lhotse": lhotse.read,
}
Progress = Callable[[int, int], None]
_LONGEST_NAME = 255
"""Bytes of one part of a path, on every common file system."""


def load(
    source: str | Path,
    *,
    limit: int | None = None,
    tags: Mapping[str, str] | None = None,
    language: str | None = None,
    channel: int | None = None,
    format: str | None = None,  # noqa: A002 - the word that users type
    report: Progress | None = None,
) -> Dataset:
    """Load a dataset.

    Args:
        source: ``sample``, the name of a pulled corpus or of a joined recording, a path, or a dataset of a bundle,
            such as ``study.zip/telephony-en``.
        limit: Only the first so many clips, after choosing by tags.
        tags: Only clips that have all of these.
        language: For clips that state none.
        channel: For clips that state none.
        format: One of ``FORMATS``; ``None`` finds out.
        report: Told how many clips are done, of how many.

    A clip whose audio is missing or cannot be read is kept, with an empty hash: running it is a failure of that clip,
    and ``check`` names it.

    Raises:
        DataNotFoundError: When there is no such thing.
        ManifestError: For the first line that cannot be read, or an id that is there twice.
    """
    path = locate(source)
    rows = []
    for row in read_rows(path, format):
        if isinstance(row, ManifestError):
            raise row
        if all(row.tags.get(key) == value for key, value in (tags or {}).items()):
            rows.append(row)
    clips = to_clips(rows[:limit], language, channel, report)
    about = about_folder(path)
    name = str(about.get("name") or path.stem or path.name)
    shown = "".join(f"[{key}={value}]" for key, value in (tags or {}).items())
    return Dataset(
        name=name + shown + (f"[:{limit}]" if limit is not None and limit < len(rows) else ""),
        clips=clips,
        sha256=fingerprint(clips),
        source=str(source),
        license=str(about.get("license", "")),
        synthetic=bool(about.get("synthetic", False)),
    )


def locate(source: str | Path) -> Path:
    """Return where a dataset is; one in a bundle is unpacked into the cache first.

    Raises:
        DataNotFoundError: With the command that gets it, where there is one.
        ArchiveError: For a bundle that is damaged.
    """
    from earwitness.data import bundle

    name = str(source)
    if name == SAMPLE:
        return Path(str(files("earwitness.data").joinpath(SAMPLE)))
    if name in corpora.CORPORA:
        return corpora.folder(name)
    in_bundle = bundle.split(source)
    if in_bundle is not None:
        return bundle.open_dataset(*in_bundle)
    path = Path(source).expanduser()
    if path.exists():
        return path
    joined = cache_dir() / "joined" / name
    if "/" not in name and joined.is_dir():
        return joined
    raise DataNotFoundError(
        f"There is no data {name!r}: no such path, corpus or joined recording. See: earwitness data list"
    )


def read_rows(path: Path, format: str | None = None) -> Rows:  # noqa: A002
    """Yield the rows of a dataset on disk, and an error for every line that cannot be read.

    Raises:
        DataError: When nothing here can be recognised.
    """
    kind = format or sniff(path)
    if kind not in FORMATS:
        raise DataError(f"There is no format {kind!r}. There are: {', '.join(FORMATS)}.")
    if kind in ("nemo", "lhotse") and path.is_dir():
        path = next(p for pattern in (MANIFEST, "cuts.jsonl*") for p in sorted(path.glob(pattern)))
    return _usable(FORMATS[kind](path), path)


def _usable(rows: Rows, path: Path) -> Rows:
    """Yield the rows, with an error in place of each that nothing could be made of later on."""
    try:
        for row in rows:
            yield _flaw(row) or row if isinstance(row, Row) else row
    except OSError as error:
        if isinstance(error, EarwitnessError):
            raise
        yield ManifestError(f"{str(error.filename or path)!r} cannot be read: {error.strerror or error}.")


def _flaw(row: Row) -> ManifestError | None:
    audio = str(row.audio)
    if not _is_whole(audio):
        return ManifestError(f"{row.where!r}: the name of the audio file {audio!r} is not UTF-8. Rename the file.")
    if "\0" in audio or any(len(part.encode()) > _LONGEST_NAME for part in row.audio.parts):
        return ManifestError(f"{row.where}: {audio[:80]!r} can be no path of a file. Correct the line.")
    # Neither a record nor a report could hold half a character.
    texts = {"id": row.id, "text": row.reference, "language": row.language, "speaker": row.speaker}
    texts |= {"recording": row.recording or row.name, **row.tags, **{f"name of {key!r}": key for key in row.tags}}
    for name, text in texts.items():
        if not isinstance(text, str | None):
            return ManifestError(f"{row.where}: {name} must be text, not {text!r}. Correct the line.")
        if text is not None and not _is_whole(text):
            return ManifestError(f"{row.where}: {name} holds half of a character ({text[:40]!r}). Correct the line.")
    return None


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def sniff(path: Path) -> str:
    """Return the format of what is at a path.

    Raises:
        DataError: When it is none that can be read.
    """
    if path.is_dir():
        signs = {"nemo": MANIFEST, "kaldi": "wav.scp", "lhotse": "cuts.jsonl*", "librispeech": "**/*.trans.txt"}
        for kind, pattern in signs.items():
            if next(path.glob(pattern), None):
                return kind
        if any(p.suffix.lower() in AUDIO_SUFFIXES for p in path.rglob("*")):
            return "folder"
        raise DataError(
            f"There is no audio and no manifest in {str(path)!r}. Name the folder that holds the recordings."
        )
    suffix = path.with_suffix("").suffix.lower() if path.suffix == ".gz" else path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return "table"
    if suffix in AUDIO_SUFFIXES:
        return "folder"
    if suffix in (".jsonl", ".json", ".ndjson"):
        first = next((line for _, line in jsonl.lines(path)), "")
        return "lhotse" if '"recording"' in first and '"audio_filepath"' not in first else "nemo"
    raise DataError(f"{str(path)!r} is not a manifest: it is none of .jsonl, .csv, .tsv, a folder or an audio file.")


def to_clips(
    rows: Iterable[Row], language: str | None = None, channel: int | None = None, report: Progress | None = None
) -> tuple[Clip, ...]:
    """Make clips of rows: ids and recordings filled in, durations measured, files hashed once each.

    Raises:
        ManifestError: For an id that is there twice; both places are named.
    """
    rows = list(rows)
    seen: dict[str, str] = {}
    measured: dict[Path, tuple[str, float]] = {}
    clips = []
    for done, row in enumerate(rows, start=1):
        clip = _clip(row, measured)
        if clip.id in seen:
            raise ManifestError(f"{row.where}: id {clip.id!r} is there already, at {seen[clip.id]}. Rename one.")
        seen[clip.id] = row.where
        clip = replace(
            clip, language=clip.language or language, channel=channel if clip.channel is None else clip.channel
        )
        clips.append(clip)
        if report:
            report(done, len(rows))
    return tuple(clips)


def clip_id(row: Row) -> str:
    """Return a row's id: the stated one, or its file's name, with the place in time when it is only a part."""
    return row.id or (f"{row.name}@{row.start_s:g}" if row.start_s else row.name)


def _clip(row: Row, measured: dict[Path, tuple[str, float]]) -> Clip:
    audio = Path(os.path.realpath(row.audio))  # Path.resolve raises at a link that leads to itself
    if audio not in measured:
        measured[audio] = _measure(audio)
    sha256, file_s = measured[audio]
    duration_s = row.duration_s if row.duration_s is not None else max(0.0, file_s - row.start_s)
    return Clip(
        id=clip_id(row),
        audio_path=str(audio),
        audio_sha256=sha256,
        start_s=row.start_s,
        duration_s=duration_s,
        reference=row.reference,
        language=row.language,
        speaker=row.speaker,
        recording=row.recording or row.name,
        channel=row.channel,
        tags=row.tags,
    )


def _measure(path: Path) -> tuple[str, float]:
    from earwitness.audio import probe

    try:
        duration_s = probe(path).duration_s or 0.0
    except AudioError:
        duration_s = 0.0
    try:
        return sha256_of(path) if path.is_file() else "", duration_s
    except OSError:
        return "", duration_s


def fingerprint(clips: Iterable[Clip]) -> str:
    """Return the sha256 over every clip's id, audio, span, channel, reference and language, in order."""
    lines = (
        [c.id, c.audio_sha256, c.start_s, c.duration_s, c.reference, c.language, c.channel]  # one line a clip
        for c in clips
    )
    return hashlib.sha256("\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()).hexdigest()


def about_folder(path: Path) -> dict[str, object]:
    """Return what ``corpus.json`` beside a manifest says: name, licence, whether it is synthetic."""
    file = (path if path.is_dir() else path.parent) / "corpus.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
