from __future__ import annotations

import numpy as np
import pytest
from benchmarks.within_recording import Recording, coverage

from earwitness.scoring.stats.blocks import FEWEST_WORDS, Blocks, cut_blocks
from earwitness.scoring.stats.passages import Passage
from earwitness.scoring.stats.within_recording import difference_within, rate_within, too_short


def blocks(*errors: list[int], length: int = 40, strata: list[int] | None = None) -> Blocks:
    n = len(errors[0])
    given = strata or [0] * (n // 2) + [1] * (n - n // 2)
    return Blocks(np.array(errors, float), np.full(n, float(length)), np.array(given, np.intp), 1)


def test_two_minutes_with_bursts_of_three_seconds_hold_the_truth_and_equal_models_are_not_told_apart() -> None:
    covered, of_a_difference, apart = coverage(Recording(2, 3.0, changes=True), rounds=250, seed=3, resamples=400)
    assert covered >= 0.92
    assert of_a_difference >= 0.92
    assert apart <= 0.05


def test_a_speaker_who_changes_half_way_does_not_widen_the_interval() -> None:
    steady = rate_within(blocks([4, 5, 4, 5, 14, 15, 14, 15])).ci95
    pooled = rate_within(blocks([4, 5, 4, 5, 14, 15, 14, 15], strata=[0] * 8)).ci95
    assert steady is not None
    assert pooled is not None
    assert steady[1] - steady[0] < (pooled[1] - pooled[0]) / 3


def test_a_large_difference_on_one_recording_is_called_and_its_interval_says_how_large() -> None:
    found = difference_within(blocks([29, 27, 30, 28, 31, 29, 26, 30], [3, 2, 4, 1, 3, 5, 2, 3]), 0, 1)
    assert found.p is not None
    assert found.p < 0.02
    assert found.ci95 is not None
    assert found.ci95[0] < (230 - 23) / 320 < found.ci95[1]
    assert (found.target, found.n_blocks, found.n_clusters) == ("these recordings", 8, 1)


def test_a_difference_in_few_blocks_is_not_called_however_large_it_is() -> None:
    found = difference_within(blocks([9, 9, 9, 0, 0, 0, 0, 0], [0] * 8), 0, 1)
    assert found.p is not None
    assert found.p > 0.05
    assert found.reason == "they differ in only 3 blocks, and p cannot be less than 0.25"


def test_equal_counts_everywhere_are_no_difference() -> None:
    found = difference_within(blocks([1, 2, 3, 4] * 2, [1, 2, 3, 4] * 2), 0, 1)
    assert (found.value, found.p, found.ci95) == (0.0, 1.0, None)


@pytest.mark.parametrize("system", [0, 1])
def test_the_same_seed_gives_the_same_interval(system: int) -> None:
    made = blocks([1, 2, 3, 4, 2, 1, 0, 2], [5, 6, 7, 5, 6, 7, 8, 9])
    assert rate_within(made, system=system, seed=4) == rate_within(made, system=system, seed=4)


def test_without_an_error_there_is_no_interval() -> None:
    found = rate_within(blocks([0] * 8))
    assert found.ci95 is None
    assert "no error" in (found.reason or "")


def test_a_short_recording_has_no_verdict_and_the_seconds_that_it_takes() -> None:
    short = cut_blocks([[Passage((1, 0), 8)] * 10])
    assert short.lengths.sum() == FEWEST_WORDS / 2
    assert too_short(short, 50.0) == "it takes 100 s of recordings like this one, and there are 50 s"
    assert difference_within(short, 0, 1, audio_s=50.0).p is None
    assert too_short(short, 30.0) == "it takes 100 s of recordings like this one, and there are 30 s"
    assert too_short(short, 120.0) == "it takes 240 s of recordings like this one, and there are 120 s"


def test_without_any_reference_word_there_is_no_rate() -> None:
    assert difference_within(cut_blocks([[Passage((3, 0), 0)]]), 0, 1).reason == "the references have no words"
