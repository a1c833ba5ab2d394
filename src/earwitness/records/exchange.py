"""Moves records between machines: packs them on one, verifies and imports them on another.

A record that comes in keeps its id, its environment and its numbers: it was measured there, and says so. It is taken in
only when it is complete and whole, and nothing that is here is written over.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from earwitness.data.clips import fingerprint, sha256_under
from earwitness.errors import EarwitnessError, RecordError
from earwitness.files import archive
from earwitness.files.atomic import write_errors
from earwitness.files.cache import load
from earwitness.records import store
from earwitness.records.record import ClipResult, Run
from earwitness.records.rescore import options_of
from earwitness.scoring.formats.sclite import ScliteFiles, write_sclite
from earwitness.types import Edits

_LONGEST_JSON_BYTES = 64 << 20

ImportOutcome = Literal["imported", "renamed", "already here", "refused"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """The outcome of importing one record."""

    name: str
    """Its name where it came from."""
    outcome: ImportOutcome
    """``renamed``: taken in under another file name, because that one was taken."""
    reason: str
    """One sentence; empty for a record that was simply taken in."""
    record: Path | None = None
    """Where it is now; ``None`` when it was refused."""
    id: str | None = None
    """The run's id, once it could be read."""


def pack(records: Sequence[Path], target: Path) -> tuple[list[Path], list[str]]:
    """Write complete records into one zip.

    Args:
        records: The ``.json`` files.
        target: The zip to make.

    Returns:
        The records that are in it, and a sentence for each that was left out.

    Raises:
        RecordError: When not one of them can be packed, or one cannot be read.
        ArchiveError: When the zip cannot be written.
    """
    members: dict[str, bytes | archive.ArchiveEntry] = {}
    packed, left_out = [], []
    for path in records:
        run = store.read_run(path)
        try:
            verify(path, run)
        except RecordError as error:
            left_out.append(str(error))
            continue
        folder = store.record_folder(Path(), run.model.id)
        name, clips = (folder / path.name).as_posix(), (folder / store.clips_path(path).name).as_posix()
        if name in members:
            left_out.append(f"{str(path)!r}: there are two records of this name. Pack it on its own.")
            continue
        members[name] = path.read_bytes()
        members[clips] = archive.ArchiveEntry(store.clips_path(path), run.clips_file.sha256 or "")
        packed.append(path)
    if not packed:
        raise RecordError(f"There is no complete record to pack. {' '.join(left_out)}".strip())
    archive.write(target, members)
    return packed, left_out


def for_sclite(records: Sequence[Path], folder: Path) -> tuple[dict[Path, ScliteFiles], list[str]]:
    """Write the compared words of complete records as files for sclite, each record into a folder of its own.

    Args:
        records: The ``.json`` files.
        folder: Where to; a record's own folder in it is ``<model>/<record>``.

    Returns:
        The files by record, and a sentence for each that was left out.

    Raises:
        RecordError: When not one of them can be written, or one cannot be read.
        ScoringError: When ids do not fit, or a file cannot be written.
    """
    written: dict[Path, ScliteFiles] = {}
    left_out: list[str] = []
    taken: set[Path] = set()
    for path in records:
        run = store.read_run(path)
        target = folder / store.model_folder(run.model.id) / path.stem
        try:
            verify(path, run)
            if target in taken:
                raise RecordError(f"{str(path)!r}: there are two records of this name. Write it on its own.")
        except RecordError as error:
            left_out.append(str(error))
            continue
        taken.add(target)
        texts = [(result.clip, result.hypothesis) for result in store.read_clips(path)]
        written[path] = write_sclite(texts, options_of(run.scoring), target)
    if not written:
        raise RecordError(f"There is no complete record to write. {' '.join(left_out)}".strip())
    return written, left_out


def take_in(source: Path, out: Path) -> list[Arrival]:
    """Import records from a zip or a folder into ``out``; verify each and overwrite none.

    Args:
        source: A zip made by ``pack`` or by hand, or a folder that holds records.
        out: The folder of the records here.

    Returns:
        What became of each, in the order of their names.

    Raises:
        ArchiveError: When the zip is damaged or cannot be trusted; nothing of it was taken in.
        RecordError: When there is no record in it, or ``out`` cannot be written.
    """
    if source.is_dir():
        return _take_in(source, source, out)
    with write_errors(out):
        folder = tempfile.mkdtemp(prefix="earwitness-import-")
    try:
        with archive.reading(source) as zipped, write_errors(Path(folder)):
            for name in zipped.names:
                if _is_half(PurePosixPath(name)):
                    zipped.unpack(name, Path(folder))
        return _take_in(Path(folder), source, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def verify(path: Path, run: Run) -> None:
    """Refuse a record that is incomplete or damaged.

    Complete; its clips file has its name, its hash and its number of lines; the clips of the lines are those of the
    dataset's sha256; every score has a signature; and the word errors add up to what the lines say.

    Raises:
        RecordError: In one sentence, for the first thing that does not fit.
    """
    if run.status != "complete":
        raise RecordError(f"{str(path)!r} is {run.status}. Finish it where it was begun: earwitness run --resume")
    if run.clips_file.sha256 is None or not store.seal_fits(path, run):
        raise RecordError(
            f"{str(path)!r}: its clips file differs from the one that it was written with. Copy both again."
        )
    results = store.read_clips(path)
    sha256 = sha256_under(run.dataset.condition, fingerprint(result.clip for result in results))
    if len(results) != run.dataset.n_clips or sha256 != run.dataset.sha256:
        raise RecordError(f"{str(path)!r}: its clips do not match the sha256 of its dataset. Run it again.")
    unsigned = next((score.metric for score in run.scores if not score.signature), None)
    if unsigned is not None or run.score("wer") is None:
        what = unsigned or "wer"
        raise RecordError(f"{str(path)!r}: its {what!r} has no signature to compare by. Rescore it.")
    if not _adds_up(run, results):
        raise RecordError(f"{str(path)!r}: its WER does not follow from its texts' counts. Run or rescore it again.")


def _adds_up(run: Run, results: Sequence[ClipResult]) -> bool:
    score = run.score("wer")
    total = sum((result.score.words for result in results if result.score.words is not None), Edits())
    return score is not None and score.edits == total and score.value == total.rate


def _is_half(name: PurePosixPath) -> bool:
    # A Mac puts a shadow of every file into a zip, under __MACOSX and with a dot in front.
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return not hidden and name.name.endswith((".json", store.CLIPS_SUFFIX))


def _take_in(root: Path, source: Path, out: Path) -> list[Arrival]:
    here = {id_: path for path in sorted(out.rglob("*.json")) if (id_ := _id(path)) is not None}
    arrivals = []
    for path in _candidates(root):
        name = path.relative_to(root).as_posix()
        try:
            arrivals.append(_arrive(path, name, out, here))
        except EarwitnessError as error:
            reason = str(error).replace(str(path), name)
            arrivals.append(Arrival(name, "refused", reason))
    if not arrivals:
        raise RecordError(f"There is no run record in {str(source)!r}. Pack some: earwitness export runs --out FILE")
    return arrivals


def _candidates(root: Path) -> Iterator[Path]:
    """Every record, and the record that ought to stand beside a clips file."""
    files = {path for path in root.rglob("*") if path.is_file() and _is_half(PurePosixPath(path.relative_to(root)))}
    clips = {path.with_name(path.name.removesuffix(store.CLIPS_SUFFIX) + ".json") for path in files if _is_clips(path)}
    lone = {path for path in files if not _is_clips(path) and path.suffix == ".json" and path.parent.name == "asr"}
    yield from sorted(clips | lone)


def _is_clips(path: Path) -> bool:
    return path.name.endswith(store.CLIPS_SUFFIX)


def _arrive(path: Path, name: str, out: Path, here: dict[str, Path]) -> Arrival:
    if path.is_file() and path.stat().st_size > _LONGEST_JSON_BYTES:
        raise RecordError(f"{str(path)!r} is far too long for a record. Copy it again.")
    run = store.read_run(path)
    if not store.clips_path(path).is_file():
        raise RecordError(f"{str(path)!r} has no {store.CLIPS_SUFFIX!r} beside it. Copy both.")
    verify(path, run)
    if run.id in here:
        return _met(path, name, run, here[run.id])
    target = store.reserve(store.record_folder(out, run.model.id), path.stem)
    try:
        with write_errors(target):
            shutil.copyfile(store.clips_path(path), store.clips_path(target))
        named = replace(run, clips_file=replace(run.clips_file, name=store.clips_path(target).name))
        store.write_run(target, named)
    except BaseException:
        store.clips_path(target).unlink(missing_ok=True)
        raise
    here[run.id] = target
    if target.name == path.name:
        return Arrival(name, "imported", "", target, run.id)
    return Arrival(name, "renamed", f"there is another record {path.name!r} here", target, run.id)


def _met(path: Path, name: str, run: Run, mine: Path) -> Arrival:
    same = run.clips_file.sha256 == store.read_run(mine).clips_file.sha256
    if same:
        return Arrival(name, "already here", f"it is {str(mine)!r}", mine, run.id)
    raise RecordError(
        f"{str(path)!r} has the id {run.id!r} of {str(mine)!r}, but other texts. The existing record was kept."
    )


def _id(path: Path) -> str | None:
    if not path.is_file():  # a pipe would be waited for
        return None
    found = load(path)
    id_ = found.get("id") if isinstance(found, dict) else None
    return id_ if isinstance(id_, str) and store.clips_path(path).exists() else None
