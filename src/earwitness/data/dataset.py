"""Loads a Dataset from a name or a path: finds the format, reads the rows, measures and hashes the audio."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from earwitness.data import corpora
from earwitness.data.clips import MANIFEST, ReadProgress, fingerprint, to_clips
from earwitness.data.default_names import dataset_name, with_distinct_names
from earwitness.data.flaws import refuse_flaws
from earwitness.data.lines import PACKED, read_text
from earwitness.data.readers import folder, kaldi, lhotse, librispeech, nemo, table
from earwitness.data.readers.columns import require_roles
from earwitness.data.rows import AUDIO_SUFFIXES, DataRow, Remark, Rows, is_data
from earwitness.errors import DataError, DataNotFoundError, ManifestError
from earwitness.files.fetch import cache_dir
from earwitness.types import Dataset

SAMPLE = "sample"
_WITH_COLUMNS: Mapping[str, Callable[[Path, Mapping[str, str]], Rows]] = {
    "nemo": nemo.read,
    "table": table.read,
    "folder": folder.read,
}
_WITHOUT_COLUMNS: Mapping[str, Callable[[Path], Rows]] = {
    "kaldi": kaldi.read,
    "librispeech": librispeech.read,
    "lhotse": lhotse.read,
}
FORMATS = (*_WITH_COLUMNS, *_WITHOUT_COLUMNS)
_JSON_LINES = frozenset([".jsonl", ".json", ".ndjson"])


def load(
    source: str | Path,
    *,
    limit: int | None = None,
    tags: Mapping[str, str] | None = None,
    language: str | None = None,
    channel: int | None = None,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,  # noqa: A002 - the word that users type
    progress: ReadProgress | None = None,
) -> Dataset:
    """Load a dataset.

    Args:
        source: ``sample``, the name of a pulled corpus or of a joined recording, a path, or a dataset of a bundle,
            such as ``study.zip/telephony-en``.
        limit: Only the first so many clips, after choosing by tags.
        tags: Only clips that have all of these.
        language: For clips that state none.
        channel: For clips that state none.
        columns: Which column of a table, or key of JSON lines, has what: ``{"text": "Wording"}``.
        format: One of ``FORMATS``; ``None`` finds out.
        progress: Told how many clips are done, of how many.

    A clip whose audio is missing or cannot be read is kept, with an empty hash: running it is a failure of that clip,
    and ``check`` names it.

    Raises:
        DataNotFoundError: When there is no such thing.
        ManifestError: For the first line that cannot be read, or an id that is there twice.
    """
    path = locate(source)
    every: list[DataRow] = []
    remarks: list[str] = []
    for row in read_rows(path, format, columns or {}):
        if isinstance(row, ManifestError):
            raise row
        if isinstance(row, Remark):
            remarks.append(str(row))
        else:
            every.append(row)
    if not every:
        raise DataError(" ".join([f"There are no clips in {str(source)!r}.", *remarks]))
    wanted = (tags or {}).items()
    rows = [row for row in with_distinct_names(every) if all(row.tags.get(key) == value for key, value in wanted)]
    clips = to_clips(rows[:limit], language, channel, progress)
    about = about_folder(path)
    name = _text(about.get("name")) or dataset_name(path)
    shown = "".join(f"[{key}={value}]" for key, value in (tags or {}).items())
    return Dataset(
        name=name + shown + (f"[:{limit}]" if limit is not None and limit < len(rows) else ""),
        clips=clips,
        sha256=fingerprint(clips),
        source=str(source),
        license=_text(about.get("license")),
        synthetic=bool(about.get("synthetic", False)),
        remarks=tuple(remarks),
    )


def locate(source: str | Path) -> Path:
    """Return the path of a dataset; one in a bundle is unpacked into the cache first.

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


def read_rows(path: Path, format: str | None = None, columns: Mapping[str, str] | None = None) -> Rows:  # noqa: A002
    """Yield the rows of a dataset on disk, remarks on it, and an error for every line that cannot be read.

    Raises:
        DataError: When nothing here can be recognised, or columns are stated of what has none.
    """
    kind = format or sniff(path)
    if kind not in FORMATS:
        raise DataError(f"There is no format {kind!r}. There are: {', '.join(FORMATS)}.")
    if kind in ("nemo", "lhotse") and path.is_dir():
        path = next(p for pattern in (MANIFEST, "cuts.jsonl*") for p in sorted(path.glob(pattern)))
    if kind in _WITH_COLUMNS:
        require_roles(columns or {})
        return refuse_flaws(_WITH_COLUMNS[kind](path, columns or {}), str(path))
    if columns:
        raise DataError(f"{str(path)!r} has no columns to name: it is read as {kind}. Leave --column out.")
    return refuse_flaws(_WITHOUT_COLUMNS[kind](path), str(path))


def sniff(path: Path) -> str:
    """Return the format of the data at a path.

    Raises:
        DataError: When it is none that can be read.
    """
    if path.is_dir():
        return _sniff_folder(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in PACKED:
        raise DataError(f"{str(path)!r} is packed as {suffix}. Unpack it first; of packed files, only .gz is read.")
    if suffix in (".csv", ".tsv"):
        return "table"
    if suffix in AUDIO_SUFFIXES:
        return "folder"
    if suffix in _JSON_LINES:
        return "lhotse" if lhotse.is_cuts(path) else "nemo"
    raise DataError(f"{str(path)!r} is not a manifest: it is none of .jsonl, .csv, .tsv, a folder or an audio file.")


def _sniff_folder(path: Path) -> str:
    signs = {
        "nemo": MANIFEST,
        "kaldi": "wav.scp",
        "lhotse": "cuts.jsonl*",
        "librispeech": f"**/{librispeech.TRANSCRIPTS}",
    }
    for kind, pattern in signs.items():
        if any(is_data(file, path) for file in path.glob(pattern)):
            return kind
    if any(p.suffix.lower() in AUDIO_SUFFIXES and is_data(p, path) for p in path.rglob("*")):
        return "folder"
    raise DataError(f"There is no audio and no manifest in {str(path)!r}. Name the folder that holds the recordings.")


def about_folder(path: Path) -> dict[str, object]:
    """Return the contents of ``corpus.json`` beside a manifest: name, licence, whether it is synthetic."""
    file = (path if path.is_dir() else path.parent) / "corpus.json"
    try:
        found = json.loads(read_text(file)) if file.is_file() else {}
    except (DataError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    """Return a text that fits into a record, or an empty one."""
    try:
        return value if isinstance(value, str) and value.encode() else ""
    except UnicodeEncodeError:
        return ""
