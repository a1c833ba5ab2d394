"""Errors for people to read: the most frequent ones as a table, and clips with marked words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from earwitness.cli.common import console
from earwitness.counts import quantity

if TYPE_CHECKING:
    from rich.text import Text

    from earwitness.api.mistakes import ConfusionCount, WorstClip
    from earwitness.scoring.metrics.mistakes import Mistakes, Piece

_NOTHING = "(nothing)"
_LONG = 12
"""Words of a piece without an error that are shown in full; of a longer one, the ends."""
_END = 4


def show_confusions(rows: Sequence[ConfusionCount]) -> None:
    """Print confusions as a table, with a column for each model."""
    from rich import box
    from rich.table import Table

    if not rows:
        console().print("No model made an error.")
        return
    labels = list(rows[0].by_model)
    table = Table("Said", "Written", box=box.SIMPLE_HEAD, pad_edge=False)
    for label in labels:
        table.add_column(label, justify="right", overflow="fold")
    if len(labels) > 1:
        table.add_column("All", justify="right")
    for row in rows:
        counts = [str(n or "–") for n in row.by_model.values()]
        total = [str(row.n)] if len(labels) > 1 else []
        table.add_row(row.reference or _NOTHING, row.hypothesis or _NOTHING, *counts, *total)
    console().print(table, markup=False)
    console().print(f"{_NOTHING} under Written: the word was left out; under Said: the word was added.", markup=False)


def show_worst(clips: Sequence[WorstClip]) -> None:
    """Print clips with their audio and span, and every model's text with its errors marked."""
    screen = console()
    if not clips:
        screen.print("No model made an error.")
        return
    for place, one in enumerate(clips, start=1):
        clip = one.clip
        end_s = clip.start_s + clip.duration_s
        screen.print(f"{place}. {clip.id}: {quantity(one.errors, 'error')}", markup=False, style="bold")
        where = f"   {clip.audio_path}, {clip.start_s:.2f} to {end_s:.2f} s"
        where += f", channel {clip.channel}" if clip.channel is not None else ""
        screen.print(where, markup=False, highlight=False, soft_wrap=True)
        for label, found in one.models.items():
            e = found.words
            head = f"   {label}, {quantity(e.errors, 'error')} in {quantity(e.length, 'word')}: "
            screen.print(marked(head, found, in_full=False))
    screen.print("\\[-word-] was said and not written; \\[+word+] was written and not said.", style="dim")


def marked(head: str, mistakes: Mistakes, *, in_full: bool = True) -> Text:
    """Return a text with ``[-words that were missed-]`` and ``[+words that were added+]``, and colour beside that."""
    from rich.text import Text

    line = Text(head, style="bold" if in_full else "")
    for piece in mistakes.pieces:
        if piece.kind == "equal":
            line.append((piece.reference if in_full else _shortened(piece)) + " ", style="not bold")
            continue
        if piece.reference:
            line.append(f"[-{piece.reference}-] ", style="not bold red")
        if piece.hypothesis:
            line.append(f"[+{piece.hypothesis}+] ", style="not bold green")
    return line


def _shortened(piece: Piece) -> str:
    words = piece.reference.split()
    return piece.reference if len(words) <= _LONG else " ".join([*words[:_END], "…", *words[-_END:]])
