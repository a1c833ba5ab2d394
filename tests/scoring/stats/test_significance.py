from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scoring.stats.simulation import corpus

from earwitness.scoring.stats import significance
from earwitness.scoring.stats.mapsswe import error_segments, mapsswe
from earwitness.scoring.stats.ranks import PairVerdict, Ranks, ranks
from earwitness.scoring.stats.significance import difference, holm, least_p, permutation

HOLDS = ("clusters.py", "mapsswe.py", "ranks.py")

DIFFERENCES = st.lists(st.integers(-9, 9), min_size=1, max_size=9)


@given(DIFFERENCES)
def test_the_exact_permutation_is_the_count_over_all_signs(d: list[int]) -> None:
    signs = list(itertools.product([1, -1], repeat=len(d)))
    as_large = sum(abs(sum(s * x for s, x in zip(sign, d, strict=True))) >= abs(sum(d)) for sign in signs)
    assert permutation(np.array(d, float)) == pytest.approx(as_large / len(signs))


def test_drawn_and_normal_sums_of_signs_come_near_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    d = np.array([3, 1, -2, 4, 1, -1, 2, 2, -1, 3, 1, -2, 2, 1, -1, 2], float)
    exact = permutation(d)
    monkeypatch.setattr(significance, "EXACT", 0)
    assert permutation(d, rounds=20_000, seed=1) == pytest.approx(exact, abs=0.006)
    assert permutation(d, seed=2) == permutation(d, seed=2)
    many = np.tile(d, 20) * np.random.default_rng(0).choice([1, 1, 1, -1, -1], 320)
    drawn = permutation(many, rounds=20_000)
    monkeypatch.setattr(significance, "DRAWN", 0)
    assert permutation(many) == pytest.approx(drawn, abs=0.03)


def test_darwin_s_plants_have_fisher_s_p() -> None:
    """Fisher, The Design of Experiments, 1935, section 21: of all 2^15 signs, 1,726 give a sum of at least 314."""
    eighths_of_an_inch = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert permutation(np.array(eighths_of_an_inch, float)) == 1726 / 2**15


@pytest.mark.parametrize("n_recordings", [6, 15, 40])
def test_two_systems_that_are_alike_are_told_apart_in_at_most_5_percent(n_recordings: int) -> None:
    rng = np.random.default_rng(n_recordings)
    runs = 800
    called = interval_misses = 0
    for seed in range(runs):
        a, b, lengths, recordings = corpus(rng, n_recordings)
        found = difference(a, b, lengths, recordings.tolist(), rounds=400, seed=seed)
        called += found.p is not None and found.p <= 0.05
        interval_misses += found.ci95 is not None and not found.ci95[0] <= 0 <= found.ci95[1]
    tolerance = 2 * (0.05 * 0.95 / runs) ** 0.5
    assert called / runs <= 0.05 + tolerance
    assert interval_misses / runs <= 0.07 + tolerance


def test_matched_pairs_call_too_many_differences_between_equals_on_clustered_data() -> None:
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(300):
        a, b, _, _ = corpus(rng, 15)
        found = mapsswe([(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True) if x or y])
        called += found.p is not None and found.p <= 0.05
    assert called / 300 > 0.10


@pytest.mark.real
def test_all_pairs_of_five_equal_systems_give_a_false_difference_in_at_most_5_percent_of_cases() -> None:
    rng = np.random.default_rng(5)
    runs, wrong = 300, 0
    for seed in range(runs):
        made = corpus(np.random.default_rng([seed, 0]), 12)
        hard = rng.beta(2, 18, 12)
        systems = [
            rng.binomial(made.lengths, np.clip(hard * rng.uniform(0.6, 1.4, 12), 0, 1)[made.recordings])
            for _ in range(5)
        ]
        pairs = itertools.combinations(systems, 2)
        ps = [difference(a, b, made.lengths, made.recordings.tolist(), rounds=50).p for a, b in pairs]
        wrong += any(p is not None and p <= 0.05 for p in holm(ps))
    assert wrong / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_a_clear_difference_is_called_and_its_sign_is_that_of_the_first_less_the_second() -> None:
    a, b, lengths, recordings = corpus(np.random.default_rng(1), 40, gain=0.4)
    found = difference(a, b, lengths, recordings.tolist())
    assert found.value == pytest.approx((a.sum() - b.sum()) / lengths.sum())
    assert found.ci95 is not None
    assert 0 < found.ci95[0] < found.ci95[1]
    assert (found.p or 1) < 0.001
    assert (found.p_bootstrap or 1) < 0.01
    mirrored = difference(b, a, lengths, recordings.tolist())
    assert (mirrored.value, mirrored.p) == (-(found.value or 0), found.p)


@pytest.mark.parametrize("n_recordings", [1, 2, 3])
def test_with_one_to_three_recordings_nothing_is_claimed_and_the_reason_is_given(n_recordings: int) -> None:
    clusters = [n % n_recordings for n in range(12)]
    found = difference([3] * 12, [0] * 12, [10] * 12, clusters)
    assert (found.p, found.p_bootstrap, found.ci95) == (None, None, None)
    assert found.value == 0.3
    assert f"there {'is' if n_recordings == 1 else 'are'} {n_recordings}" in (found.reason or "")


def test_where_no_p_can_be_small_enough_that_is_said() -> None:
    found = difference([3, 3, 3, 3, 3, *[0] * 20], [0] * 25, [10] * 25, range(25))
    assert found.p == least_p(5) == 0.0625
    assert found.reason == "they differ in only 5 recordings, and p cannot be less than 0.062"


def test_equal_errors_everywhere_are_a_tie() -> None:
    found = difference([1, 2, 0, 3], [1, 2, 0, 3], [10] * 4, "abcd")
    assert (found.value, found.p) == (0.0, 1.0)


def test_order_of_clips_does_not_change_the_answer() -> None:
    a, b, lengths, recordings = corpus(np.random.default_rng(3), 10)
    order = np.argsort(recordings, kind="stable")[::-1]
    one = difference(a, b, lengths, recordings.tolist())
    other = difference(a[order], b[order], lengths[order], recordings[order].tolist())
    assert (one.value, one.p) == (other.value, other.p)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_and_keeps_their_order(ps: list[float]) -> None:
    corrected = holm(ps)
    assert all(q is not None and p <= q <= 1 for p, q in zip(ps, corrected, strict=True))
    by_p = [q for _, q in sorted(zip(ps, corrected, strict=True), key=lambda pair: pair[0])]
    assert by_p == sorted(by_p, key=lambda q: q or 0)


def test_ranks_are_ranges_where_ties_are_not_transitive() -> None:
    pairs = [PairVerdict(0, 1, -0.01, 0.4), PairVerdict(1, 2, -0.01, 0.3), PairVerdict(0, 2, -0.02, 0.01)]
    assert ranks(3, pairs) == (Ranks(1, 2), Ranks(1, 3), Ranks(2, 3))


def test_a_pair_that_cannot_be_tested_is_a_tie() -> None:
    assert ranks(2, [PairVerdict(0, 1, -0.5, None)]) == (Ranks(1, 2), Ranks(1, 2))


@pytest.mark.parametrize(
    ("said", "a", "b", "segments"),
    [
        ("a b c d", "a b c d", "a b c d", []),
        ("a b c d e", "x b c d e", "a b c d x", [(1, 0), (0, 1)]),
        ("a b c d e", "x b c y e", "a b c d e", [(1, 0), (1, 0)]),
        ("a b c d e", "x b y d e", "a b c d e", [(2, 0)]),
        ("a b c d", "x b q c d", "a b c d", [(2, 0)]),
        ("", "uh", "", [(1, 0)]),
        ("a b", "a b", "a b and so", [(0, 2)]),
    ],
)
def test_two_words_right_in_both_end_a_segment(said: str, a: str, b: str, segments: list[tuple[int, int]]) -> None:
    assert error_segments(said.split(), a.split(), b.split()) == segments


WORDS = st.lists(st.sampled_from("abc"), max_size=10)


@given(WORDS, WORDS, WORDS)
def test_segments_hold_every_error_once(said: list[str], a: list[str], b: list[str]) -> None:
    from earwitness.scoring.align.edits import align

    found = error_segments(said, a, b)
    assert sum(segment.errors_a for segment in found) == align(said, a).errors
    assert sum(segment.errors_b for segment in found) == align(said, b).errors
