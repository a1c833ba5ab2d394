"""Files for sclite, as ``earwitness score`` and ``earwitness export`` tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from earwitness.scoring.formats.sclite import ScliteFiles


def lines(files: ScliteFiles) -> tuple[str, ...]:
    """Return how sclite is asked about the files, and what is to be known of them."""
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
