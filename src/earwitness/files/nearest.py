"""The nearest name to one that was mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, choices: Iterable[str], *, n: int = 1, cutoff: float = 0.6) -> str:
    """Return a question with the nearest names, or nothing where none is near.

    Args:
        name: As typed.
        choices: Names that there are.
        n: How many to suggest at most.
        cutoff: How near a name must be, from 0 to 1.

    >>> did_you_mean("beamsize", ["beam_size", "vad"]), did_you_mean("x", ["beam_size"])
    (" Did you mean 'beam_size'?", '')
    """
    near = difflib.get_close_matches(name, list(choices), n=n, cutoff=cutoff)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return the second half of a refusal: the nearest name, or all that there are.

    >>> nearest("beamsize", ["beam_size", "vad"]), nearest("x", ["beam_size", "vad"])
    (" Did you mean 'beam_size'?", ' There are: beam_size, vad.')
    """
    names = list(choices)
    return did_you_mean(name, names) or f" There are: {', '.join(names)}."
