from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scoring.stats.simulation import corpus

from earwitness.scoring.stats import bootstrap
from earwitness.scoring.stats.bootstrap_t import MANY, rate_interval, ratio_interval, standard_error

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from("abcdefg")), min_size=1, max_size=40)


@pytest.mark.parametrize("n_recordings", [4, 8, 20])
def test_the_interval_covers_93_to_97_percent_where_the_naive_one_and_plain_percentiles_fail(n_recordings: int) -> None:
    rng = np.random.default_rng(n_recordings)
    ours, naive, percentile = [], [], []
    for seed in range(1000):
        made = corpus(rng, n_recordings)
        found = rate_interval(
            made.errors_a.tolist(), made.lengths.tolist(), made.recordings.tolist(), rounds=400, seed=seed
        )
        if found.ci95 is None:  # hardly ever: too few of four recordings have errors
            assert n_recordings == 4
            continue
        ours.append(found.ci95[0] <= 0.1 <= found.ci95[1])
        if seed % 3 == 0:
            counts = made.errors_a.tolist(), made.lengths.tolist()
            alone = bootstrap.interval(*counts, range(len(counts[0])), rounds=200, seed=seed)
            plain = bootstrap.interval(*counts, made.recordings.tolist(), rounds=200, seed=seed)
            assert alone is not None
            assert plain is not None
            naive.append(alone[0] <= 0.1 <= alone[1])
            percentile.append(plain[0] <= 0.1 <= plain[1])
    assert len(ours) > 970
    assert 0.93 <= np.mean(ours) <= 0.97
    assert np.mean(naive) < 0.75
    assert np.mean(percentile) < 0.93


@given(ROWS)
def test_the_interval_is_seeded_holds_the_rate_and_is_never_below_zero(rows: list[tuple[int, int, str]]) -> None:
    errors, lengths, clusters = zip(*rows, strict=True)
    first = rate_interval(errors, lengths, clusters, rounds=200)
    assert first == rate_interval(errors, lengths, clusters, rounds=200)
    assert (first.ci95 is None) == (first.reason is not None)
    if first.ci95 is not None:
        assert 0 <= first.ci95[0] <= first.ci95[1]


@pytest.mark.parametrize(
    ("errors", "clusters", "reason"),
    [
        ([1, 2, 3], "abc", "at least 4 recordings, and there are 3"),
        ([1, 2, 3], "aaa", "at least 4 recordings, and there is 1"),
        ([0] * 60, range(60), "there is no error"),
        ([5, *[0] * 59], range(60), "all errors are in 1 of 60 recordings"),
        ([2] * 6, "abcdef", "all 6 recordings have the same rate"),
    ],
)
def test_where_the_data_cannot_bound_the_rate_there_is_no_interval_and_the_reason(
    errors: list[int], clusters: str, reason: str
) -> None:
    found = rate_interval(errors, [10] * len(errors), list(clusters), rounds=1000)
    assert found.ci95 is None
    assert reason in (found.reason or "")


def test_the_standard_error_is_the_textbook_one_for_equal_recordings() -> None:
    errors = np.array([1.0, 4.0, 2.0, 5.0, 3.0])
    assert standard_error(errors, np.full(5, 10.0))[1] == pytest.approx(np.std(errors / 10, ddof=1) / 5**0.5)


def test_from_a_thousand_recordings_on_the_plain_percentiles_are_taken_and_are_nearly_the_same() -> None:
    made = corpus(np.random.default_rng(0), MANY)
    counts = made.errors_a.tolist(), made.lengths.tolist(), made.recordings.tolist()
    many = rate_interval(*counts, rounds=1000).ci95
    assert many == bootstrap.interval(*counts, rounds=1000)
    e, n = (np.bincount(made.recordings, column).astype(float) for column in (made.errors_a, made.lengths))
    studentized = ratio_interval(e, n, rounds=1000)
    assert many is not None
    assert studentized == pytest.approx(many, rel=0.02)
