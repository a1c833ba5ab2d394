"""What ``earwitness score`` and ``earwitness export`` print about files for sclite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from earwitness.scoring.formats.sclite import ScliteFiles


def lines(files: ScliteFiles) -> tuple[str, ...]:
    """Return the commands that run sclite on the files, and notes about the files."""
    return (*files.commands, *files.notes)


def plain(files: ScliteFiles) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "trn": [str(path) for path in files.trn],
        "stm": files.stm and str(files.stm),
        "ctm": files.ctm and str(files.ctm),
        "commands": list(files.commands),
        "notes": list(files.notes),
    }
