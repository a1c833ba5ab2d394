"""Intervals and tests for *these recordings*: how far a rate would move if there were more of the same recordings.

Where there are fewer than four recordings, nothing is known about how recordings differ, and a rate of *recordings like
these* has no interval. How a rate varies within the recordings is known: from blocks (``blocks.py``), which are drawn
with replacement within each stratum. The rest is as for recordings: a bootstrap-t of the ratio of sums, with the
linearized standard error of a stratified sample (Cochran 1977, sections 5.3 and 6.4), in every round that of the round;
and Fisher's permutation of signs, here of blocks. The larger of the two p decides: a model whose own bursts of
errors reach over the end of a block makes the signs of blocks alike, and the permutation alone would call too many
differences.

What simulations say of it, and for how long a burst of errors it holds, stands in ``docs/statistics.md``.
"""

from __future__ import annotations

import numpy as np

from earwitness.counts import quantity
from earwitness.scoring.stats.blocks import FEWEST, FEWEST_S, FEWEST_WORDS, Blocks
from earwitness.scoring.stats.bootstrap_t import Interval
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.stats.significance import ALPHA, Difference, least_p, permutation

_TAIL = 0.025


def rate_within(
    blocks: Blocks,
    *,
    system: int = 0,
    audio_s: float = 0.0,
    fewest: int = FEWEST_WORDS,
    rounds: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return the 95 % interval of an error rate of these recordings; its lower end is never under 0.

    Args:
        blocks: From ``cut_blocks``.
        system: Which of its systems.
        audio_s: Seconds of the recordings, to say how many it takes where they are too short.
        fewest: Reference tokens that it takes.
        rounds: Of the bootstrap, and of the permutation where it is not exact.
        seed: The same seed gives the same interval.

    >>> from earwitness.scoring.stats.blocks import cut_blocks
    >>> from earwitness.scoring.stats.passages import Passage
    >>> blocks = cut_blocks([[Passage((n % 3,), 9) for n in range(40)]])
    >>> low, high = rate_within(blocks).ci95
    >>> low < 39 / 360 < high
    True
    >>> rate_within(cut_blocks([[Passage((1,), 20)] * 6]), audio_s=50.0).reason
    'no interval: it takes 100 s of recordings like this one, and there are 50 s'
    """
    short = too_short(blocks, audio_s, fewest)
    if short is not None:
        return Interval(None, f"no interval: {short}")
    e = blocks.errors[system]
    if not e.any():
        return Interval(None, "no interval: there is no error, so nothing says how far above 0 the rate may be")
    found, _ = _bootstrap(e, blocks, seed, rounds)
    if found is None:
        return Interval(None, f"no interval: all errors are in {np.count_nonzero(e)} of {quantity(len(e), 'block')}")
    return Interval((max(0.0, found[0]), found[1]), None)


def difference_within(
    blocks: Blocks,
    first: int,
    second: int,
    *,
    audio_s: float = 0.0,
    fewest: int = FEWEST_WORDS,
    rounds: int = 10_000,
    seed: int = 0,
) -> Difference:
    """Compare two systems on these recordings.

    Args:
        blocks: From ``cut_blocks``, of both systems at least.
        first: Place of one system.
        second: Place of the other.
        audio_s: Seconds of the recordings.
        fewest: Reference tokens that it takes.
        rounds: Of the bootstrap, and of the permutation where it is not exact.
        seed: Of the bootstrap.

    >>> from earwitness.scoring.stats.blocks import cut_blocks
    >>> from earwitness.scoring.stats.passages import Passage
    >>> found = difference_within(cut_blocks([[Passage((4 + n % 2, n % 3), 9) for n in range(40)]]), 0, 1)
    >>> round(found.value, 3), found.p < 0.05, found.target
    (0.392, True, 'these recordings')
    """
    d, n = blocks.errors[first] - blocks.errors[second], blocks.lengths
    differing = int(np.count_nonzero(d))

    def finding(
        value: float | None, reason: str | None, p: float | None = None, *, p_bootstrap: float | None = None
    ) -> Difference:
        return Difference(
            value, None, p, p_bootstrap, blocks.n_recordings, differing, reason, "these recordings", len(n)
        )

    if not n.sum():
        return finding(None, "the references have no words")
    value = float(d.sum() / n.sum())
    short = too_short(blocks, audio_s, fewest)
    if short is not None:
        return finding(value, short)
    if not differing:
        return finding(value, "their counts are the same in every part of the recordings", 1.0, p_bootstrap=1.0)
    ci95, p_bootstrap = _bootstrap(d, blocks, seed, rounds)
    p = max(permutation(d, rounds=rounds, seed=seed), p_bootstrap)
    reason = None if ci95 else "no interval: the parts of the recordings differ too evenly, or too few of them do"
    if least_p(differing) > ALPHA:
        reason = (
            f"they differ in only {quantity(differing, 'block')}, and p cannot be less than {least_p(differing):.2g}"
        )
    return Difference(value, ci95, p, p_bootstrap, blocks.n_recordings, differing, reason, "these recordings", len(n))


def too_short(blocks: Blocks, audio_s: float = 0.0, fewest: int = FEWEST_WORDS) -> str | None:
    """Say that the recordings are too short, and how long they have to be; ``None`` when they are not."""
    n = float(blocks.lengths.sum())
    if n >= fewest and len(blocks.lengths) >= FEWEST and (not audio_s or audio_s >= FEWEST_S):
        return None
    if not n or not audio_s:
        return f"it takes {fewest} words, and there are {n:.0f}"
    share = max(fewest / n, FEWEST_S / audio_s, FEWEST / max(1, len(blocks.lengths)))
    of = "recordings like this one" if blocks.n_recordings == 1 else "recordings like these"
    return f"it takes {_seconds(round(audio_s * share, 6))} of {of}, and there are {audio_s:.0f} s"


def _seconds(seconds: float) -> str:
    return f"{np.ceil(seconds):.0f} s"


def _bootstrap(e: Counts, blocks: Blocks, seed: int, rounds: int) -> tuple[tuple[float, float] | None, float]:
    """Return the interval of ``sum(e) / sum(lengths)``, and p of a ratio of 0, by a bootstrap-t within strata."""
    rng = np.random.default_rng(seed)
    parts = [np.flatnonzero(blocks.strata == number) for number in np.unique(blocks.strata)]
    ratio, error = _standard_error(e[None], blocks.lengths[None], parts)
    drawn = np.concatenate([part[rng.integers(0, len(part), (rounds, len(part)))] for part in parts], axis=1)
    order = np.concatenate(parts)
    places = np.split(np.arange(len(order)), np.cumsum([len(part) for part in parts])[:-1])
    ratios, errors = _standard_error(e[drawn], blocks.lengths[drawn], places)
    moved = ratios - ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(errors > 0, moved / errors, np.where(moved == 0, 0.0, np.copysign(np.inf, moved)))
        seen = abs(ratio[0] / error[0]) if error[0] > 0 else 0.0
    p = float((np.count_nonzero(np.abs(t) >= seen) + 1) / (rounds + 1))
    low, high = np.quantile(t, [_TAIL, 1 - _TAIL], method="nearest")
    if not error[0] > 0 or not (np.isfinite(low) and np.isfinite(high)):
        return None, p
    # Blocks drawn from K show the variety of K - 1, in each stratum (as in ``bootstrap_t.from_rounds``).
    wide = _standard_error(e[None], blocks.lengths[None], parts, widened=True)[1][0]
    return (float(ratio[0] - high * wide), float(ratio[0] - low * wide)), p


def _standard_error(
    e: Counts, n: Counts, parts: list[np.ndarray[tuple[int], np.dtype[np.intp]]], *, widened: bool = False
) -> tuple[Counts, Counts]:
    """Return ratio and standard error of each row, whose columns are divided into strata.

    The standard error is at least half of that of errors that are independent of each other: eight blocks that happen
    to have the same number of errors do not show that there is nothing to doubt.
    """
    total = n.sum(axis=1)
    ratio = e.sum(axis=1) / total
    off = e - ratio[:, None] * n
    variance = np.zeros(len(e))
    for part in parts:
        k = len(part)
        deviations = off[:, part] - off[:, part].mean(axis=1, keepdims=True)
        variance += (deviations**2).sum(axis=1) * (k / max(1, k - 1)) ** (2 if widened else 1)
    size = np.abs(e)
    with np.errstate(divide="ignore", invalid="ignore"):
        independent = np.where(size > 0, size * np.maximum(0.5, 1 - size / n), 0.0).sum(axis=1)
    # Below this, what is left is rounding.
    variance = np.maximum(np.where(variance > 1e-12 * (e**2).sum(axis=1), variance, 0.0), independent / 4)
    return ratio, np.sqrt(variance) / total
