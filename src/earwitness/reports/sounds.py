"""The sound of clips for the page: embedded, linked, or left out with a reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earwitness.comparison.study import Board
from earwitness.errors import AudioError
from earwitness.runs.sound import dataset_of, require_unchanged, small
from earwitness.types import Clip

How = Literal["embed", "link", "none"]
MOST_BYTES = 24_000_000
"""Of sound inside a page: some three hours. Clips with the most errors come first."""
_LEFT_OUT = "The report was made without sound (--audio none)."
_FULL = (
    f"The page holds {MOST_BYTES // 10**6} MB of sound, that of the clips with the most errors, and this clip is not "
    "among them. Make it with --audio link to hear all."
)


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a clip; exactly one of the three fields is set."""

    webm: bytes | None = None
    """Its sound, to be put into the page."""
    link: str | None = None
    """Where its file is, seen from the page; the clip may be a part of the file."""
    reason: str | None = None
    """Why it cannot be heard, a sentence."""


def sounds(board: Board, how: How, folder: Path, left: int, progress: Callable[[int, int], None]) -> dict[str, Sound]:
    """Return the sound of every clip of a dataset by its id.

    Args:
        board: The dataset.
        how: Whether to put it into the page, to link it, or to leave it out.
        folder: Where the page will be, for links.
        left: Bytes that the page has room for.
        progress: Called with how many clips are done, of how many.
    """
    clips = {result.clip.id: result.clip for rows in board.results.values() for result in rows}
    if how == "none":
        return dict.fromkeys(clips, Sound(reason=_LEFT_OUT))
    if how == "link":
        return {clip_id: _linked(clip, folder) for clip_id, clip in clips.items()}
    dataset = dataset_of(board.table.rows[0].run, tuple(clips.values()))
    found: dict[str, Sound] = {}
    full = Sound(reason=_FULL)
    for done, clip_id in enumerate(_worst_first(board, tuple(clips))):
        progress(done, len(clips))
        if left <= 0:
            found[clip_id] = full
            continue
        try:
            webm = small(clips[clip_id], dataset)
        except AudioError as error:
            found[clip_id] = Sound(reason=str(error))
            continue
        found[clip_id] = Sound(webm=webm) if len(webm) <= left else full
        left -= len(webm)
    return found


def _worst_first(board: Board, clip_ids: Sequence[str]) -> list[str]:
    errors = dict.fromkeys(clip_ids, 0)
    for rows in board.results.values():
        for result in rows:
            if result.score.words is not None:
                errors[result.clip.id] = max(errors[result.clip.id], result.score.words.errors)
    return sorted(clip_ids, key=lambda clip_id: -errors[clip_id])


def _linked(clip: Clip, folder: Path) -> Sound:
    from urllib.parse import quote

    try:
        path = require_unchanged(clip)
    except AudioError as error:
        return Sound(reason=str(error))
    try:
        return Sound(link=quote(Path(os.path.relpath(path, folder.resolve())).as_posix()))
    except ValueError:  # on another drive of Windows there is no way from here to there
        return Sound(link=path.resolve().as_uri())
