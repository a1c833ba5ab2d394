"""What the distance between two models' texts proves about their errors, whatever was said.

The edit distance with unit costs is a metric, so by the triangle inequality, for any reference R of a clip,
``|lev(A, R) - lev(B, R)| <= lev(A, B) <= lev(A, R) + lev(B, R)``. Summed over clips, with D the summed distance of the
two models and E their errors:

- ``|E_A - E_B| <= D``: they cannot differ by more errors than D. Clips with equal texts contribute nothing.
- ``E_A + E_B >= D``: at least one of them makes half of D.

Both hold for every reference, and need none. An error *rate* also needs N, the words of the reference, which are not
known. Lengths are bounded in the same way: ``|N - W_A| <= E_A``, with W_A the words of A. So if the WER of A is at most
w, N is between ``W_A / (1 + w)`` and ``W_A / (1 - w)``, and everything said here in percent with a given w is proven.
In percent of the consensus words it is approximate: it takes them for N.

None of this holds for other costs: sclite's alignment, compounds, or references with alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from earwitness.scoring.metrics.clip import ScoringInfo


@dataclass(frozen=True, slots=True)
class DistanceBound:
    """The distance of two models over the same clips, and what it bounds."""

    errors: int
    """D: the most errors by which they can differ; both together make at least as many."""
    n_clips: int
    """Clips with unequal texts: all others contribute 0 to the difference."""
    words: tuple[int, int]
    """Words of the first model's texts, and of the second's."""

    def points(self, wer: float) -> float:
        """Return the most by which the two error rates can differ, a ratio, if either is at most ``wer``.

        Args:
            wer: An error rate that at least one of the two does not exceed, a ratio.

        >>> DistanceBound(errors=4, n_clips=3, words=(200, 190)).points(0.1)
        0.0231...
        """
        return self.errors * (1 + wer) / min(self.words) if min(self.words) else float("inf") if self.errors else 0.0

    def second_wer(self, first_wer: float) -> tuple[float, float]:
        """Return between which error rates the second lies, if the WER of the first is at most ``first_wer``.

        >>> low, high = DistanceBound(errors=60, n_clips=30, words=(100, 90)).second_wer(0.1)
        >>> round(low, 3), round(high, 3)
        (0.44, 0.76)
        """
        if not self.words[0]:
            return 0.0, float("inf")
        low = self.errors * max(0.0, 1 - first_wer) / self.words[0] - first_wer
        return max(0.0, low), self.errors * (1 + first_wer) / self.words[0] + first_wer

    @property
    def reversal_wer(self) -> float:
        """The WER of the first, a ratio, under which the second is certain to make more errors.

        ``E_B - E_A >= D - 2 E_A``, and ``most_errors(w, W_A)`` is less than ``D / 2`` if ``w < D / (2 W_A + D)``.

        >>> DistanceBound(errors=60, n_clips=30, words=(100, 90)).reversal_wer
        0.23...
        """
        return self.errors / (2 * self.words[0] + self.errors) if self.errors else 0.0


def most_errors(wer: float, words: int) -> float:
    """Return the most errors of a model whose WER is at most ``wer``, below 1, and whose texts have so many words.

    ``E <= w N`` and ``N <= words + E``.

    >>> round(most_errors(0.1, 90), 9)
    10.0
    """
    return wer * words / (1 - wer)


def distance_bound(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> DistanceBound:
    """Return the bound for two models.

    Args:
        first: Normalized words of each clip, one model's; a failed clip has none.
        second: The other's, of the same clips in the same order.

    >>> distance_bound([["a", "b"], ["c"]], [["a"], ["c"]])
    DistanceBound(errors=1, n_clips=1, words=(3, 2))
    """
    distances = clip_distances(first, second)
    return DistanceBound(
        errors=sum(distances),
        n_clips=sum(distance > 0 for distance in distances),
        words=(sum(map(len, first)), sum(map(len, second))),
    )


def clip_distances(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> list[int]:
    """Return the edit distance of two models' texts for each clip.

    >>> clip_distances([["a", "b"], ["c"]], [["a"], ["c"]])
    [1, 0]
    """
    from rapidfuzz.distance import Levenshtein

    return [0 if a == b else Levenshtein.distance(a, b) for a, b in zip(first, second, strict=True)]


def why_no_bound(scoring: ScoringInfo) -> str | None:
    """Explain why distances bound nothing under this scoring; ``None`` if they do.

    >>> why_no_bound(ScoringInfo()), why_no_bound(ScoringInfo(compounds=True))
    (None, 'No bounds: they hold for unit costs only, and these runs merge compounds.')
    """
    uses = [
        *(["use the costs of sclite"] if scoring.method == "sclite" else []),
        *(["merge compounds"] if scoring.compounds else []),
        *(["allow alternatives in references"] if scoring.alternatives else []),
    ]
    return f"No bounds: they hold for unit costs only, and these runs {' and '.join(uses)}." if uses else None
