"""Finds records that are no longer needed, and moves them to a trash folder and back.

    runs/.trash/<YYYY-MM-DD_HH-MM-SS>/<model>/asr/<record>

A folder whose name begins with a dot is passed over by everything that looks for records.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from earwitness.files.atomic import write_errors
from earwitness.records.listing import state
from earwitness.records.record import Run
from earwitness.records.select import run_key
from earwitness.records.store import clips_path

TRASH = ".trash"
PruneKind = Literal["superseded", "failed", "any"]
KINDS: tuple[PruneKind, ...] = get_args(PruneKind)


@dataclass(frozen=True, slots=True)
class Surplus:
    """A record that may be pruned."""

    path: Path
    """Where it is."""
    run: Run
    """What it holds."""
    why: str
    """In a few words."""


def setting_of(run: Run) -> tuple[Any, ...]:
    """Return the key of a run, which a newer run with the same key supersedes: candidate, data and request."""
    return (*run_key(run), run.settings_asked, run.device_asked, run.scoring, run.measure.protocols)


def surplus(
    records: Sequence[tuple[Path, Run]],
    kinds: Collection[PruneKind],
    *,
    before: datetime | None = None,
    even_newest: bool = False,
) -> list[Surplus]:
    """Return the records that may be pruned, in the order given.

    A run that is at work is never among them, and the newest complete one of a setting only when that is asked for.

    Args:
        records: All there are: which is the newest is told from them.
        kinds: ``superseded``: there is a newer complete record of the same setting. ``failed``: it was given up.
            ``any``: every other one, too.
        before: Only those that were begun before that.
        even_newest: Whether the newest complete record of a setting may go as well.
    """
    newest: dict[tuple[Any, ...], tuple[str, Path]] = {}
    states = {path: state(path, run) for path, run in records}
    for path, run in records:
        if states[path] == "complete":
            key = setting_of(run)
            newest[key] = max(newest.get(key, ("", path)), (run.created_at, path))
    found = []
    for path, run in records:
        is_at_work = states[path] == "running"
        is_too_new = before is not None and datetime.fromisoformat(run.created_at) >= before
        last = newest.get(setting_of(run))
        is_kept = last is not None and last[1] == path and not even_newest
        is_superseded = last is not None and last > (run.created_at, path)
        why = None if is_at_work or is_too_new or is_kept else _why(states[path], kinds, is_superseded=is_superseded)
        found += [Surplus(path, run, why)] if why else []
    return found


def _why(became: str, kinds: Collection[PruneKind], *, is_superseded: bool) -> str | None:
    if "superseded" in kinds and is_superseded:
        return "superseded"
    return became if "any" in kinds or (became == "failed" and "failed" in kinds) else None


def throw_away(records: Sequence[Path], roots: Sequence[Path]) -> list[Path]:
    """Move records into the trash folders of their roots, and return their new paths.

    Args:
        records: The ``.json`` files.
        roots: The folders that they were found in; a record that is in none is thrown away beside itself.

    Raises:
        FileError: When one cannot be moved; those before it were.
    """
    moment = datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    moved = []
    for record in records:
        root = next((root for root in roots if root.is_dir() and record.is_relative_to(root)), record.parent)
        trash = root / TRASH
        folders = (trash / (moment if n == 1 else f"{moment}-{n}") for n in range(1, 1000))
        target = next(t for folder in folders if not (t := folder / record.relative_to(root)).exists())
        _move(record, target)
        moved.append(target)
    return moved


def bring_back(roots: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Move everything in the trash folders below the roots back to its place, the latest first.

    Returns:
        The records that are back, and those that stay because their place is taken.

    Raises:
        FileError: When one cannot be moved; those before it were.
    """
    back, left = [], []
    for trash in sorted({trash for root in roots for trash in root.rglob(TRASH) if trash.is_dir()}):
        for thrown in sorted(trash.iterdir(), reverse=True):
            for record in sorted(path for path in thrown.rglob("*.json") if clips_path(path).exists()):
                place = trash.parent / record.relative_to(thrown)
                if place.exists() or clips_path(place).exists():
                    left.append(record)
                    continue
                _move(record, place)
                back.append(place)
        _sweep(trash)
    return back, left


def _move(record: Path, target: Path) -> None:
    with write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        clips_path(record).rename(clips_path(target))
        record.rename(target)


def _sweep(trash: Path) -> None:
    """Remove the folders that nothing is left in."""
    for folder in sorted((path for path in trash.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    if not any(trash.iterdir()):
        trash.rmdir()
