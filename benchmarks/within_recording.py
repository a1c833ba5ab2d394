"""Measures how often intervals of one recording hold the truth, and how often equal models are told apart.

    python benchmarks/within_recording.py [--rounds 1000] [--seed 1]

Words of a recording are wrong with one probability while the line is quiet and with another in a burst of noise; a
two-state Markov chain says which it is. Two models hear the same noise (A/A: each makes errors of its own at the same
rate). Half-way the speaker may change, and with the speaker the error rate doubles. The truth is the expected rate over
all bursts that there could have been. One line of a Markdown table for each kind of recording; docs/statistics.md has
the table.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from earwitness.scoring.stats.blocks import Blocks, cut_blocks
from earwitness.scoring.stats.passages import cut_errors
from earwitness.scoring.stats.within_recording import difference_within, rate_within

MINUTES = (2, 4, 16)
BURSTS_S = (0.4, 3.0, 8.0)
WORDS_PER_S = 2.5
NOISY = 0.15
"""Share of the time in which there is noise."""
QUIET_RATE, NOISY_RATE = 0.06, 0.5
BETTER = 0.5
"""Errors of a third model, against those of the two that are equal: for the interval of a difference."""
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recording:
    """A kind of recording."""

    minutes: float
    """Its length."""
    burst_s: float
    """Mean length of a burst of noise; that of a word means that errors do not cluster."""
    changes: bool
    """Whether the speaker changes half-way."""

    def rates(self, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw the chance of an error for each word."""
        n = round(self.minutes * 60 * WORDS_PER_S)
        leave_noise = 1 / max(1.0, self.burst_s * WORDS_PER_S)
        leave_quiet = leave_noise * NOISY / (1 - NOISY)
        chances = rng.random(n)
        noisy = np.empty(n, bool)
        noisy[0] = chances[0] < NOISY
        for place in range(1, n):
            noisy[place] = chances[place] >= leave_noise if noisy[place - 1] else chances[place] < leave_quiet
        return np.where(noisy, NOISY_RATE, QUIET_RATE) * self._speakers(n)

    @property
    def truth(self) -> float:
        """The expected rate, over all bursts that there could have been."""
        n = round(self.minutes * 60 * WORDS_PER_S)
        return float(np.mean((NOISY * NOISY_RATE + (1 - NOISY) * QUIET_RATE) * self._speakers(n)))

    def _speakers(self, n: int) -> npt.NDArray[np.float64]:
        return np.where(np.arange(n) >= n / 2, 2.0 if self.changes else 1.0, 1.0)


def blocks_of(recording: Recording, rng: np.random.Generator) -> Blocks:
    """Draw a recording that two equal models and a better one transcribed; one error in five is an insertion."""
    rates = recording.rates(rng)
    n = len(rates)
    placed = []
    for times in (1.0, 1.0, BETTER):
        wrong = rng.random(n) < 0.8 * times * rates
        added = rng.random(n) < 0.2 * times * rates
        placed.append((wrong.astype(int).tolist(), [*added.astype(int).tolist(), 0]))
    return cut_blocks([cut_errors(placed, n)], n_pairs=3)


def coverage(recording: Recording, *, rounds: int, seed: int, resamples: int = 1000) -> tuple[float, float, float]:
    """Return how often the interval of a rate and of a difference hold the truth, and equal models are told apart.

    A recording without an interval holds nothing.
    """
    rng = np.random.default_rng(seed)
    rate = apart = difference = 0
    for number in range(rounds):
        blocks = blocks_of(recording, rng)
        ci95 = rate_within(blocks, rounds=resamples, seed=number).ci95
        rate += ci95 is not None and ci95[0] <= recording.truth <= ci95[1]
        equal = difference_within(blocks, 0, 1, rounds=resamples, seed=number)
        apart += equal.p is not None and equal.p <= 0.05
        better = difference_within(blocks, 0, 2, rounds=resamples, seed=number).ci95
        difference += better is not None and better[0] <= (1 - BETTER) * recording.truth <= better[1]
    return rate / rounds, difference / rounds, apart / rounds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("| minutes | mean burst | speaker | WER covered | difference covered | equal models told apart |")
    print("|--:|--:|---|--:|--:|--:|")
    for minutes, burst_s, changes in product(MINUTES, BURSTS_S, (False, True)):
        found = coverage(Recording(minutes, burst_s, changes), rounds=given.rounds, seed=given.seed)
        shown = " | ".join(f"{100 * share:.1f} %" for share in found)
        print(f"| {minutes} | {burst_s} s | {'changes' if changes else 'stays'} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
