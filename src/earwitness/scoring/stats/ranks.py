"""Derives ranks with ties from tested pairs.

Being told apart is not transitive: A may tie with B, and B with C, while A is clearly better than C. Groups of equals
do not exist then, so every system gets the *range* of ranks that the tests leave open: the best rank is one more than
the number of systems that are significantly better, the worst is the number of all less those that are significantly
worse. With p-values corrected by Holm, all ranges hold the true ranks together in at least 95 % of cases (Mogstad,
Romano, Shaikh and Wilhelm, "Inference for ranks", Review of Economic Studies 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from earwitness.scoring.stats.significance import ALPHA


class PairVerdict(NamedTuple):
    """A tested pair of systems."""

    first: int
    """Place of one system."""
    second: int
    """Place of the other."""
    difference: float | None
    """Error rate of the first less that of the second."""
    p: float | None
    """Corrected for the number of pairs; ``None`` when it cannot be told."""


class Ranks(NamedTuple):
    """The ranks that a system may have."""

    best: int
    """From 1."""
    worst: int
    """At least ``best``."""

    def __str__(self) -> str:
        """Show one rank or a range.

        >>> str(Ranks(1, 1)), str(Ranks(1, 2))
        ('1', '1–2')
        """
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"


def ranks(n_systems: int, verdicts: Sequence[PairVerdict], *, alpha: float = ALPHA) -> tuple[Ranks, ...]:
    """Return the possible ranks of each system.

    A ties with B, B with C, and A is better than C:

    >>> pairs = [PairVerdict(0, 1, -0.01, 0.4), PairVerdict(1, 2, -0.01, 0.3), PairVerdict(0, 2, -0.02, 0.01)]
    >>> [str(r) for r in ranks(3, pairs)]
    ['1–2', '1–3', '2–3']
    """
    better, worse = [0] * n_systems, [0] * n_systems
    for verdict in verdicts:
        if not rank_label(verdict.difference, verdict.p, alpha=alpha):
            continue
        winner, loser = verdict.first, verdict.second
        if verdict.difference is not None and verdict.difference > 0:
            winner, loser = loser, winner
        worse[winner] += 1
        better[loser] += 1
    return tuple(Ranks(1 + b, n_systems - w) for b, w in zip(better, worse, strict=True))


def rank_label(difference: float | None, p: float | None, *, alpha: float = ALPHA) -> bool:
    """Return whether a difference is called: there is one, and its corrected p is at most ``alpha``."""
    return bool(difference) and p is not None and p <= alpha
