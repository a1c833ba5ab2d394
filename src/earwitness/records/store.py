"""Paths of records, and writing them so that nothing is lost.

    runs/<model>/asr/<YYYY-MM-DD_HH-MM-SS>.json          the Run, written to a temporary name and moved into place
    runs/<model>/asr/<YYYY-MM-DD_HH-MM-SS>.clips.jsonl   a ClipResult a line, appended and flushed as it goes

A process killed at any moment leaves a Run with status ``running`` and, at worst, half a last line, which reading
passes over and resuming cuts off.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from earwitness.errors import RecordError
from earwitness.files.atomic import RESUME, atomic_write, write_errors, write_text
from earwitness.files.garbage import pause_collection
from earwitness.files.schema import parse, read_document, require_file, schema_of, to_json, validate
from earwitness.records.record import SCHEMA_VERSION, ClipResult, ClipsFile, Run
from earwitness.scoring.text.old_names import current_name

CLIPS_SUFFIX = ".clips.jsonl"
_BLOCK_BYTES = 1 << 20


def model_folder(model_id: str) -> str:
    """Return a model's folder name.

    >>> model_folder("faster-whisper:tiny.en")
    'faster-whisper-tiny.en'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", model_id).strip("-.") or "model"


def record_folder(root: Path, model_id: str) -> Path:
    """Return the folder of a model's records.

    >>> record_folder(Path("runs"), "whisper:base").as_posix()
    'runs/whisper-base/asr'
    """
    return root / model_folder(model_id) / "asr"


def new_record_path(folder: Path) -> Path:
    """Reserve the path of a new record, named after the time.

    Two runs that begin in the same second get different names.

    Raises:
        FileError: When nothing can be written there.
    """
    return reserve(folder, datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S"))


def reserve(folder: Path, stem: str) -> Path:
    """Reserve the path ``<stem>.json`` of a record by creating its empty clips file; a taken name gets a number.

    Raises:
        FileError: When nothing can be written there.
    """
    with write_errors(folder, then=RESUME):
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
            path = folder / f"{stem}{suffix}.json"
            if path.exists():
                continue
            try:
                clips_path(path).touch(exist_ok=False)
            except FileExistsError:
                continue
            return path
    raise RecordError(f"There are a thousand records {stem!r} in {str(folder)!r}. Move some elsewhere.")


def clips_path(record: Path) -> Path:
    """Return the path of the clips file beside a record."""
    return record.with_name(record.stem + CLIPS_SUFFIX)


def new_run_id(model_id: str) -> str:
    """Return a fresh id: model, time, and eight random hex digits."""
    return f"{model_folder(model_id)}/{now()}/{secrets.token_hex(4)}"


def now() -> str:
    """Return the time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write_run(path: Path, run: Run) -> None:
    """Write a Run in one step: readers see the old one or the new one, never half of one.

    Raises:
        FileError: When it cannot be written; the old one is then still there.
    """
    write_text(path, to_json(run, indent=1), then=RESUME)


def read_run(path: Path) -> Run:
    """Read a Run. Older records have ``auto`` for today's ``whisper``; this is translated, in rules as well.

    Raises:
        RecordError: When it is not there, not JSON, from a newer schema, or does not fit the schema (the first
            field that does not is named).
    """
    run = read_document(
        Run,
        path,
        SCHEMA_VERSION,
        what="a run record",
        missing="record",
        remedy="Records are the .json files under runs/.",
    )
    return _with_stored_rules(run)


def _with_stored_rules(run: Run) -> Run:
    """Name the rules with which a record was scored, so that rules that now have this name are not applied."""
    name = current_name(run.scoring.normalizer, [score.signature for score in run.scores])
    return replace(run, scoring=replace(run.scoring, normalizer=name))


def append(file: IO[bytes], result: ClipResult) -> None:
    """Append one line and hand it to the operating system, so that killing this process cannot lose it."""
    file.write(_line_of(result))
    file.flush()


def write_clips(record: Path, results: Iterable[ClipResult]) -> None:
    """Write the clips file of a record anew, in one step.

    Raises:
        FileError: When it cannot be written; the old one is then still there.
    """
    with atomic_write(clips_path(record), then=RESUME) as target, target.open("wb") as file:
        file.writelines(map(_line_of, results))


def _line_of(result: ClipResult) -> bytes:
    return to_json(result).encode()


def read_clips(record: Path) -> list[ClipResult]:
    """Read every complete line of the clips file; a later line for a clip replaces an earlier one.

    Raises:
        RecordError: For a line, other than an unfinished last one, that is not a ClipResult; its number is named.
    """
    with pause_collection():
        return list({result.clip.id: result for result in stream_clips(record)}.values())


def stream_clips(record: Path) -> Iterator[ClipResult]:
    """Yield every complete line of the clips file, of which one at a time is in memory.

    Raises:
        RecordError: As ``read_clips``.
    """
    return (result for _, result in locate_clips(record))


def locate_clips(record: Path) -> Iterator[tuple[int, ClipResult]]:
    """Yield every complete line of the clips file, and at which byte it begins.

    Raises:
        RecordError: As ``read_clips``.
    """
    path, begin = clips_path(record), 0
    for number, line in _lines(path):
        yield begin, _result(path, number, line)
        begin += len(line)


def reorder_clips(record: Path, begins: Iterable[int], note: Callable[[ClipResult], None]) -> None:
    """Write the clips file of a record anew, in one step, with the lines that begin at some bytes, as they are.

    Args:
        record: The record.
        begins: Where each line begins, in the new order.
        note: Called with every result.

    Raises:
        FileError: When it cannot be written; the old one is then still there.
    """
    path = clips_path(record)
    with path.open("rb") as source, atomic_write(path, then=RESUME) as target, target.open("wb") as file:
        for number, begin in enumerate(begins, start=1):
            source.seek(begin)
            line = source.readline()
            note(_result(path, number, line))
            file.write(line)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield every complete line with its number; what follows the last newline was never finished."""
    try:
        require_file(path)
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield number, line
    except FileNotFoundError:
        raise RecordError(f"The record's texts are missing: there is no {str(path)!r}.") from None
    except OSError as error:
        raise RecordError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from None


def _result(path: Path, number: int, line: bytes) -> ClipResult:
    # One step takes less than half the time of the two that name a fault.
    result = parse(ClipResult, line)
    if result is not None:
        return result
    where = f"{path}:{number}"
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where} is not JSON: {error}.") from None
    return validate(ClipResult, data, f"{where} does not fit the record's schema")


def copy_clips(records: Sequence[Path], target: Path, note: Callable[[ClipResult], None]) -> ClipsFile:
    """Write the lines of several records into one file, as they are, and return its seal.

    Args:
        records: In the order of their lines.
        target: The file.
        note: Called with every result.

    Raises:
        RecordError: For a line that is not a ClipResult; its number is named.
    """
    sha256, n_lines = hashlib.sha256(), 0
    with target.open("wb") as file:
        for path in map(clips_path, records):
            for number, line in _lines(path):
                note(_result(path, number, line))
                file.write(line)
                sha256.update(line)
                n_lines += 1
    return ClipsFile(target.name, sha256.hexdigest(), n_lines)


def cut_unfinished_line(path: Path) -> None:
    """Remove what follows the last newline, which a killed process may have left."""
    with write_errors(path, then=RESUME), path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - _BLOCK_BYTES)
            file.seek(begin)
            last = file.read(end - begin).rfind(b"\n")
            if last >= 0:
                file.truncate(begin + last + 1)
                return
            end = begin
        file.truncate(0)


def seal_record(record: Path, run: Run) -> Run:
    """Return the run with the hash and the number of lines of its clips file."""
    sha256, n_lines = hashlib.sha256(), 0
    for block in _blocks(clips_path(record)):
        sha256.update(block)
        n_lines += block.count(b"\n")
    return replace(run, clips_file=ClipsFile(clips_path(record).name, sha256.hexdigest(), n_lines))


def count_lines(record: Path) -> int:
    """Return how many lines the clips file of a record has."""
    return sum(block.count(b"\n") for block in _blocks(clips_path(record)))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def seal_fits(record: Path, run: Run) -> bool:
    """Return whether the clips file still matches the seal of the run; true for a run without a seal."""
    seal = run.clips_file
    return seal.sha256 is None or seal_record(record, run).clips_file == seal


def find_records(paths: list[Path]) -> list[Path]:
    """Return the record files among and below the paths, sorted, each once, but for those in hidden folders.

    Raises:
        RecordError: For a path that is not there, or a folder that holds no record.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*.json") if _is_record(p) and not _is_hidden(p, path))
            if not inside:
                raise RecordError(f"There is no run record in {str(path)!r}. Make one: earwitness run DATA --model M")
            found |= dict.fromkeys(inside)
        elif path.exists():
            found[path] = None
        else:
            raise RecordError(f"There is no record {str(path)!r}. Records are the .json files under runs/.")
    return list(found)


def _is_record(path: Path) -> bool:
    return path.is_file() and clips_path(path).is_file()


def _is_hidden(record: Path, root: Path) -> bool:
    # What was pruned lies in a folder of this kind.
    return any(part.startswith(".") for part in record.relative_to(root).parts[:-1])


def run_schema() -> dict[str, Any]:
    """Return the JSON Schema of the Run."""
    return schema_of(Run, "Earwitness run record")


def clips_schema() -> dict[str, Any]:
    """Return the JSON Schema of one line of the clips file."""
    return schema_of(ClipResult, "Earwitness clip result, one line of a .clips.jsonl file")
