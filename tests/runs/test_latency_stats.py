"""Queues whose percentiles are known: intervals that count each request by itself are too narrow, ours are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runs.queues import closed_loop, latencies, open_loop, shot

from earwitness.runs.latency_stats import ENOUGH, latency_stats, verdict, worth
from earwitness.runs.load_client import LoadRequest
from earwitness.scoring.stats.exact_intervals import quantile_interval, quantile_needs, share_needs

NEVER = float("inf")
LOADS = 200


@pytest.mark.parametrize(
    ("clients", "busy", "n", "least", "naive"),
    # Shares of loads whose interval must hold the truth, and that must be missed by counting each request by itself.
    [(1, 0.0, 100, 0.93, 1.0), (4, 0.0, 400, 0.95, 0.88), (8, 0.0, 800, 0.95, 0.75), (None, 0.5, 1000, 0.85, 0.7)],
    ids=["1 client", "4 clients", "8 clients", "half busy"],
)
def test_the_interval_of_p95_holds_the_truth_though_requests_wait_for_each_other(
    clients: int | None, busy: float, n: int, least: float, naive: float
) -> None:
    draw = np.random.default_rng(0)

    def load(size: int) -> list[LoadRequest]:
        return open_loop(busy, size, draw) if clients is None else closed_loop(clients, size, draw)

    truth = float(np.quantile(latencies(load(100_000)), 0.95))
    held = told = alone = 0
    for _ in range(LOADS):
        shots = load(n)
        waited = latencies(shots)
        ends = latency_stats(waited, worth(shots, clients)).ci95_s[1]
        by_itself = quantile_interval(waited, 0.95)
        told += ends is not None
        held += ends is not None and ends[0] <= truth <= ends[1]
        alone += by_itself is not None and by_itself[0] <= truth <= by_itself[1]
    assert told > 0.9 * LOADS
    assert held >= least * told
    assert alone <= naive * LOADS


@given(st.lists(st.one_of(st.floats(0.0, 3.0), st.just(NEVER)), min_size=1, max_size=300), st.integers(1, 8))
@settings(deadline=None)
def test_a_target_is_met_when_the_upper_end_of_p95_over_all_requests_is_within_it(
    waited: list[float], clients: int
) -> None:
    n_independent = worth([shot(0.0, 1.0)] * len(waited), clients)
    found = verdict(sum(latency <= 1.0 for latency in waited), len(waited), n_independent)
    ends = quantile_interval(waited, 0.95, n_independent)
    if ends is None:
        assert found != "met"
    else:
        expected = "met" if ends[1] <= 1.0 else "missed" if ends[0] > 1.0 else "cannot be told"
        assert found == expected


def test_what_never_waits_for_another_is_worth_itself() -> None:
    apart = [shot(float(n), n + 0.5) for n in range(10)]
    assert worth(apart, None) == worth(apart, 1) == 10
    at_once = [shot(0.0, 1.0 + n) for n in range(10)]
    assert worth(at_once, None) == worth(at_once, 10) == 1


def test_the_fewest_that_can_tell_do_and_one_less_does_not() -> None:
    fewest = quantile_needs(0.95)
    assert verdict(fewest, fewest, fewest) == "met"
    assert verdict(fewest - 1, fewest - 1, fewest - 1) == "cannot be told"
    assert verdict(8 * fewest, 8 * fewest, worth([shot(0.0, 1.0)] * 8 * fewest, 8)) == "met"
    assert verdict(0, 0, 0.0) == "cannot be told"


def test_what_is_asked_for_tells_though_one_in_a_hundred_is_late() -> None:
    assert share_needs(0.01, 0.05) == ENOUGH
    assert verdict(99, 100, ENOUGH) == "met"
