"""Counts in columns are the counts of the clips, and take few bytes."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip

from earwitness.errors import ScoringError
from earwitness.scoring.findings.kinds import KINDS, REPEATED_NGRAM
from earwitness.scoring.metrics.corpus_counts import CorpusCounts, sum_edits, table_of
from earwitness.scoring.metrics.perfect import is_perfect
from earwitness.scoring.metrics.summary import sum_counts
from earwitness.types import Clip, ClipScore, Edits

EDITS = st.builds(Edits, *[st.integers(0, 9)] * 4)
SCORES = st.builds(
    ClipScore,
    clip_id=st.just("a"),
    words=st.none() | EDITS,
    chars=st.none() | EDITS,
    failed=st.booleans(),
    hypothesis_words=st.integers(0, 9),
    flags=st.lists(st.sampled_from([*KINDS, "a kind of tomorrow"]), unique=True).map(tuple),
    mixed=st.none() | EDITS,
)
RECORDINGS = st.sampled_from(["", "tape", "Bänder", "\udcff"])


@given(st.lists(st.tuples(SCORES, RECORDINGS)))
def test_the_columns_have_the_counts_of_the_clips_whichever_are_taken(made: list[tuple[ClipScore, str]]) -> None:
    clips = [clip(f"c{n}", "x", recording=recording) for n, (_, recording) in enumerate(made)]
    table = table_of([(one, score) for one, (score, _) in zip(clips, made, strict=True)])
    for some in (table, table.where(table.rows["labelled"])):
        scores = [score for score, _ in made if some is table or score.words is not None]
        names = [one.recording or one.id for one, (score, _) in zip(clips, made, strict=True) if score in scores]
        places = {name: n for n, name in enumerate(dict.fromkeys(names))}
        assert some.recordings.tolist() == [places[name] for name in names]
        assert (len(some), some.n_recordings) == (len(scores), len(places))
        assert sum_edits(some.rows["words"]) == sum_counts([score.words or Edits() for score in scores])
        assert sum_edits(some.rows["chars"]) == sum_counts([score.chars or Edits() for score in scores])
        mixed = [score.mixed or score.words or Edits() for score in scores]
        assert sum_edits(some.rows["mixed"]) == sum_counts(mixed)
        assert some.rows["hypothesis_words"].tolist() == [score.hypothesis_words for score in scores]
        assert some.n_failed == sum(score.failed for score in scores)
        assert some.n_perfect == sum(map(is_perfect, scores))
        assert {kind: some.n_with(kind) for kind in KINDS} == {
            kind: sum(kind in score.flags for score in scores) for kind in KINDS
        }


def test_only_a_labelled_clip_says_that_a_script_counts_by_character() -> None:
    def told(reference: str, words: Edits | None) -> bool:
        return table_of([(clip("a", reference), ClipScore("a", words, None, False, 0))]).by_character

    assert (told("我", Edits()), told("我", None), told("one", Edits())) == (True, False, False)


def test_a_clip_takes_few_bytes_though_each_is_a_recording_of_its_own() -> None:
    n_clips = 20_000
    counts = CorpusCounts()
    tracemalloc.start()
    for n in range(n_clips):
        counts.add(clip(f"clip {n}", "x" * 500), ClipScore("a", Edits(n), Edits(n), False, n, (REPEATED_NGRAM,)))
    used, _ = tracemalloc.get_traced_memory()
    counts.table()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 100 * n_clips
    assert most < 200 * n_clips


@pytest.mark.parametrize("count", [-1, 2**32])
def test_a_count_that_no_clip_can_have_is_refused_by_the_name_of_its_clip(count: int) -> None:
    one: Clip = clip("odd", "x")
    with pytest.raises(ScoringError, match="Clip 'odd' has a count that no clip can have"):
        CorpusCounts().add(one, ClipScore("odd", Edits(count), None, False, 0))
