from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip, heard

from earwitness.decision.measures import MEASURES, RuleScope
from earwitness.records.record import ClipResult, Run
from earwitness.records.select import RunWithClips
from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.metrics.perfect import is_perfect
from earwitness.scoring.stats.exact_intervals import share_interval
from earwitness.types import Clip, ClipScore, Edits, Failure, Hypothesis, Score

OPTIONS = ScoringOptions(rounds=200)
COUNTS = st.lists(st.builds(Edits, *[st.integers(0, 2)] * 4), min_size=1, max_size=20)


def pair(reference: str | None, text: str, clip_id: str, recording: str = "") -> tuple[Clip, ClipScore]:
    one = clip(clip_id, reference, recording=recording)
    return one, score_clip(one, heard(text, clip_id), OPTIONS)


def share(pairs: list[tuple[Clip, ClipScore]], options: ScoringOptions = OPTIONS) -> Score:
    """The share of perfect clips among the scores of a corpus."""
    (score,) = (score for score in summarize(pairs, options) if score.metric == "perfect_share")
    return score


def test_a_clip_is_perfect_if_normalizing_leaves_no_error_and_one_inserted_word_is_enough_to_spoil_it() -> None:
    pairs = [pair("It's $20.", "it is twenty dollars", "a"), pair("yes", "yes yes", "b"), pair("", "", "c")]
    assert [is_perfect(score) for _, score in pairs] == [True, False, True]
    assert share(pairs).value == pytest.approx(2 / 3)


def test_a_failed_clip_is_not_perfect_even_where_nobody_speaks() -> None:
    silent = clip("a", "")
    failure = Hypothesis("a", None, Failure("transcribe", "crash", "gone"), audio_s=1.0)
    score = share([(silent, score_clip(silent, failure, OPTIONS))])
    assert (score.value, score.n_failed) == (0.0, 1)


def test_an_unlabelled_clip_is_left_out_and_without_any_reference_there_is_a_reason() -> None:
    assert share([pair(None, "x", "a"), pair("x", "x", "b")]).n_clips == 1
    nothing = share([pair(None, "x", "a")])
    assert (nothing.value, nothing.ci95, nothing.reason) == (None, None, "no clip has a reference")


def test_the_interval_has_as_many_trials_as_recordings() -> None:
    pairs = [pair("x", "x", str(place), recording=f"tape {place // 5}") for place in range(20)]
    assert share(pairs).ci95 == share_interval(1.0, 4)


@given(COUNTS)
def test_it_is_the_count_of_clips_without_errors_over_all_and_lies_in_its_interval(counts: list[Edits]) -> None:
    pairs = [
        (clip(str(place), "x"), ClipScore(str(place), edits, None, failed=False, hypothesis_words=1))
        for place, edits in enumerate(counts)
    ]
    score = share(pairs)
    assert score.value is not None
    assert score.ci95 is not None
    assert round(score.value * len(counts)) == sum(edits.errors == 0 for edits in counts)
    assert score.ci95[0] <= score.value <= score.ci95[1]


def test_every_option_that_can_change_a_count_is_in_the_signature_and_the_bootstrap_is_not() -> None:
    def signature(**options: object) -> str:
        return share([], ScoringOptions(**options)).signature  # type: ignore[arg-type]

    different = [signature(), signature(normalizer="none"), signature(compounds=True), signature(alternatives=True)]
    assert len(set(different)) == len(different)
    assert signature() == signature(rounds=7)


def test_a_policy_measures_it_from_the_clips_of_a_run() -> None:
    texts = ["a b", "a c", "a b", "a b"]
    clips = [clip(str(place), "a b") for place in range(4)]
    results = [
        ClipResult(one, heard(text, one.id), score_clip(one, heard(text, one.id), OPTIONS))
        for one, text in zip(clips, texts, strict=True)
    ]
    run = RunWithClips(Path("run.json"), cast("Run", SimpleNamespace(id="one")), tuple(results))
    value = MEASURES["perfect_share"].take(RuleScope((run,), (run,), ()))
    assert (value.value, value.ci95) == (0.75, share_interval(0.75, 4))
    assert MEASURES["perfect_share"].better == "more"
