from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.conftest import clip

from earwitness.errors import ScoringError
from earwitness.scoring.metrics.slices import ScoredClip, drivers, gap, slices
from earwitness.types import Clip, ClipScore, Edits


def pair(n: int, errors: int, length: int = 10, *, kind: str = "a", recording: str = "") -> ScoredClip:
    one = clip(f"c{n}", "x", recording=recording or f"r{n}", tags={"kind": kind})
    return one, ClipScore(one.id, Edits(hits=length - errors, substitutions=errors), None, False, length)


def made(rng: np.random.Generator, rates: dict[str, float], recordings: int = 10) -> list[ScoredClip]:
    """Recordings of their own for each slice, five clips each, with a spread of rates between recordings."""
    found: list[ScoredClip] = []
    for kind, rate in rates.items():
        for r in range(recordings):
            own = rng.beta(rate * 20, (1 - rate) * 20)
            found += [
                pair(len(found) + i, int(rng.binomial(10, own)), kind=kind, recording=f"{kind}{r}") for i in range(5)
            ]
    return found


def test_slices_add_up_to_the_whole_and_stand_worst_first() -> None:
    pairs = [pair(1, 1), pair(2, 5, kind="b"), pair(3, 0), pair(4, 2, kind="b")]
    found = slices(pairs, "kind")
    assert [part.value for part in found] == ["b", "a"]
    assert [part.wer for part in found] == [0.35, 0.05]
    assert sum((part.edits for part in found), Edits()) == Edits(hits=32, substitutions=8)
    assert sum(part.n_clips for part in found) == 4


def test_bands_stand_in_their_order_and_a_limit_is_in_the_band_above() -> None:
    pairs = [pair(1, 1), pair(2, 5), pair(3, 0)]
    found = slices(pairs, "snr", values={"c1": 35.0, "c2": 10.0, "c3": -3.0})
    assert [(part.value, part.n_clips) for part in found] == [("under 0 dB", 1), ("10–20 dB", 1), ("30 dB and more", 1)]


def test_clips_without_the_value_are_a_slice_of_their_own() -> None:
    found = slices([pair(1, 1), pair(2, 5)], "snr", values={"c1": 35.0})
    assert [part.value for part in found] == ["30 dB and more", "unknown"]


def test_speaking_rate_is_words_of_the_reference_per_second() -> None:
    assert [part.value for part in slices([pair(1, 1, length=2)], "rate")] == ["1.5–2.5 words/s"]


def test_a_value_that_no_clip_has_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(ScoringError, match=r"No clip has a 'accent'. There are: .*duration, rate, snr, kind"):
        slices([pair(1, 1)], "accent")


def test_unlabelled_clips_are_in_no_slice() -> None:
    silent: tuple[Clip, ClipScore] = (clip("u", None), ClipScore("u", None, None, False, 3))
    assert [part.n_clips for part in slices([silent, pair(1, 1)], "duration")] == [1]
    with pytest.raises(ScoringError, match="No clip has a reference"):
        slices([silent], "duration")


@pytest.mark.real
def test_a_gap_between_slices_that_are_alike_is_called_in_at_most_5_percent() -> None:
    rng = np.random.default_rng(0)
    runs, called, found_gap = 150, 0, []
    for seed in range(runs):
        found = gap(made(rng, dict.fromkeys("abcd", 0.15)), "kind", seed=seed)
        assert found is not None
        assert found.ci95 is not None
        called += found.ci95[0] > 0
        found_gap.append(found.value)
    assert np.mean(found_gap) > 0.05  # the gap as seen is too large: there is none
    assert called / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_a_true_gap_is_found_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(60):
        found = gap(made(rng, {"a": 0.05, "b": 0.15, "c": 0.4}), "kind", seed=seed)
        assert found is not None
        assert found.ci95 is not None
        assert (found.worst, found.best) == ("c", "a")
        held += found.ci95[0] <= 0.35 <= found.ci95[1]
    assert held / 60 >= 0.9


def test_slices_of_few_recordings_are_not_the_extremes() -> None:
    rng = np.random.default_rng(2)
    pairs = [*made(rng, {"a": 0.1, "b": 0.2}), pair(900, 10, kind="one bad call")]
    found = gap(pairs, "kind")
    assert found is not None
    assert found.worst == "b"
    assert gap(made(rng, {"a": 0.1}), "kind") is None


def test_recordings_that_cross_slices_make_the_gap_surer() -> None:
    """The same hard recordings in both slices cancel out."""
    rng = np.random.default_rng(3)
    crossed, apart = [], []
    for r in range(20):
        own = rng.beta(2, 6)
        for n in range(10):
            errors = int(rng.binomial(10, own))
            crossed.append(pair(20 * r + n, errors, kind="ab"[n % 2], recording=f"r{r}"))
            apart.append(pair(20 * r + n, errors, kind="ab"[r % 2], recording=f"r{r}"))
    widths = []
    for pairs in (crossed, apart):
        found = gap(pairs, "kind")
        assert found is not None
        assert found.ci95 is not None
        widths.append(found.ci95[1] - found.ci95[0])
    assert widths[0] < widths[1] / 2


def test_what_slices_add_to_a_difference_adds_up_to_it_and_the_driver_is_first() -> None:
    rng = np.random.default_rng(4)
    first = made(rng, {"clean": 0.1, "noisy": 0.4})
    second = [
        (one, ClipScore(one.id, Edits(hits=9, substitutions=1), None, False, 10))
        if one.tags["kind"] == "noisy"
        else (one, score)
        for one, score in first
    ]
    found = drivers(first, second, "kind")
    assert [driver.value for driver in found] == ["noisy", "clean"]
    total = sum(score.words.errors for _, score in first if score.words) - sum(
        score.words.errors for _, score in second if score.words
    )
    assert sum(driver.points for driver in found) == pytest.approx(total / (10 * len(first)))
    assert [driver.share for driver in found] == [1.0, 0.0]
    assert found[0].ci95 is not None
    assert found[0].ci95[0] > 0


def test_equal_systems_have_no_shares() -> None:
    pairs = [pair(1, 1), pair(2, 2)]
    assert [driver.share for driver in drivers(pairs, pairs, "kind")] == [None]


def test_channels_are_slices_called_channels_and_zero_is_one_of_them() -> None:
    pairs: list[ScoredClip] = []
    for n in range(8):
        one, score = pair(n, 1 if n % 2 else 0, 3)
        pairs.append((replace(one, channel=n % 2), score))
    assert [(part.value, part.n_clips) for part in slices(pairs, "channel")] == [("channel 1", 4), ("channel 0", 4)]


@pytest.mark.parametrize(
    ("field", "value"), [("channel", 0), ("speaker", "agent"), ("recording", "call1"), ("language", "es")]
)
def test_what_any_clip_states_is_offered_and_what_none_does_is_not(field: str, value: object) -> None:
    one, score = pair(0, 0)
    bare: dict[str, Any] = {"language": None, "recording": "", "tags": {}, field: value}
    with pytest.raises(ScoringError, match=rf"No clip has a 'kind'\. There are: {field}, duration, rate, snr\."):
        slices([(replace(one, **bare), score)], "kind")
