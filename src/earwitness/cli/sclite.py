"""Files for sclite, as ``earwitness score`` and ``earwitness export`` tell of them."""

from __future__ import annotations

from typing import Any

from earwitness.scoring.sclite import ScliteFiles


def lines(made: ScliteFiles) -> tuple[str, ...]:
    """Return how sclite is asked about the files, and what is to be known of them."""
    return (*made.commands, *made.notes)


def plain(made: ScliteFiles) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "trn": [str(path) for path in made.trn],
        "stm": made.stm and str(made.stm),
        "ctm": made.ctm and str(made.ctm),
        "commands": list(made.commands),
        "notes": list(made.notes),
    }
