"""Intervals of all groups at once: in simulations, where the true rates are known, they all hold in 95 % of cases."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from tests.conftest import clip
from tests.scoring.metrics.test_slices import made, pair

from earwitness.scoring.metrics.group_rates import group_rates, widest_gap, worst_group
from earwitness.scoring.metrics.slices import slices
from earwitness.types import ClipScore

ALIKE = dict.fromkeys("abcdefgh", 0.12)
UNLIKE = {"a": 0.2, "b": 0.1, "c": 0.1, "d": 0.05}


def coverage(rates: Mapping[str, float], n_recordings: int, n: int) -> tuple[float, float, float, float]:
    """How often all intervals hold at once, that of the worst group, of the gap, and all single ones of 95 %."""
    rng = np.random.default_rng(n_recordings)
    highest, lowest = max(rates.values()), min(rates.values())
    held = []
    for seed in range(n):
        pairs = made(rng, dict(rates), n_recordings)
        groups = group_rates(pairs, "kind", seed=seed)
        every = all(one.ci95 and one.ci95[0] <= rates[one.value] <= one.ci95[1] for one in groups)
        worst, gap = worst_group(groups), widest_gap(pairs, "kind", seed=seed)
        assert worst is not None
        assert gap is not None
        single = all(one.ci95 and one.ci95[0] <= rates[one.value] <= one.ci95[1] for one in slices(pairs, "kind"))
        of_worst = worst.ci95[0] <= highest <= worst.ci95[1]
        held.append((every, of_worst, gap.ci95[0] <= highest - lowest <= gap.ci95[1], single))
    every_, worst_, gap_, single_ = (float(np.mean(column)) for column in zip(*held, strict=True))
    return every_, worst_, gap_, single_


def check(rates: Mapping[str, float], n_recordings: int, n: int) -> float:
    every, worst, gap, single = coverage(rates, n_recordings, n)
    least = 0.95 - 2 * (0.95 * 0.05 / n) ** 0.5
    assert every >= least - 0.02  # all groups with a far tail of few recordings
    assert worst >= least
    assert gap >= least
    return single


def test_all_intervals_hold_at_once_where_single_ones_do_not() -> None:
    assert check(dict.fromkeys("abcdef", 0.12), 8, 24) < 0.9


@pytest.mark.long
@pytest.mark.parametrize("n_recordings", [4, 6, 8, 12, 20])
@pytest.mark.parametrize("rates", [ALIKE, UNLIKE], ids=["alike", "unlike"])
def test_they_hold_from_four_recordings_on(rates: dict[str, float], n_recordings: int) -> None:
    check(rates, n_recordings, 200)


def test_the_widest_gap_of_groups_that_are_alike_includes_0() -> None:
    pairs = made(np.random.default_rng(3), dict.fromkeys("abcd", 0.15), 10)
    gap = widest_gap(pairs, "kind")
    assert gap is not None
    assert gap.ci95[0] == 0.0
    assert gap.value > 0


def test_groups_without_an_error_have_an_upper_end_that_falls_with_recordings() -> None:
    ends = []
    for n in (4, 16):
        pairs = [pair(i, 0, kind=kind, recording=f"{kind}{i}") for kind in "ab" for i in range(n)]
        worst = worst_group(group_rates(pairs, "kind"))
        assert worst is not None
        assert (worst.value, worst.ci95[0]) == (0.0, 0.0)
        ends.append(worst.ci95[1])
        assert worst.ci95[1] == pytest.approx(1 - 0.0125 ** (1 / n))
    assert ends[0] > ends[1]


def test_small_groups_and_clips_that_do_not_say_keep_their_place_with_a_reason() -> None:
    pairs = [pair(i, 1, kind="big", recording=f"r{i}") for i in range(5)]
    pairs += [pair(10, 5, kind="small"), pair(11, 5, kind="")]
    groups = {one.value: one for one in group_rates(pairs, "kind")}
    assert list(groups) == ["small", "unknown", "big"]
    assert groups["big"].ci95 is not None
    assert groups["small"].reason == "it takes at least 4 recordings to judge a group"
    assert groups["unknown"].reason == "its clips do not say to which group they belong"
    assert widest_gap(pairs, "kind") is None


def test_unlabelled_clips_and_rates_that_nothing_bounds_have_no_interval() -> None:
    silent = (clip("u", None, tags={"kind": "a"}), ClipScore("u", None, None, False, 3))
    assert group_rates([silent], "kind") == ()
    wild = [pair(i, 30, length=10, kind="a", recording=f"r{i}") for i in range(5)]
    (group,) = group_rates(wild, "kind")
    assert group.rate == 3.0
    assert group.reason == "its recordings do not say how high its rate may be"
    assert worst_group([group]) is None
