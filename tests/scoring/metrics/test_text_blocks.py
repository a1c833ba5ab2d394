from __future__ import annotations

from dataclasses import replace

from tests.comparison.study import clip, heard, misheard, said

from earwitness.scoring import ScoringInfo, ScoringOptions, score_clip
from earwitness.scoring.metrics.text_blocks import text_blocks, why_no_blocks

NONE = ScoringInfo("none")


def test_the_sums_over_blocks_are_the_counts_of_the_scorer() -> None:
    words = said(500, 3)
    one = clip("a", words, 200.0)
    texts = [misheard(words, 40), misheard(words, 333), " ".join(words[:200]), ""]
    systems = [[(one, heard(one, text, 1.0))] for text in texts]
    for unit in ("words", "letters"):
        blocks = text_blocks(systems, NONE, unit=unit)
        for place, ((_, hypothesis),) in enumerate(systems):
            score = score_clip(one, hypothesis, ScoringOptions("none"))
            edits = score.words if unit == "words" else score.chars
            assert edits is not None
            assert (blocks.errors[place].sum(), blocks.lengths.sum()) == (edits.errors, edits.length)


def test_clips_of_a_recording_are_joined_in_time_and_unlabelled_ones_are_passed_over() -> None:
    made = [replace(clip(f"c{n}", said(60, n), 20.0, "tape"), start_s=20.0 * n) for n in range(6)]
    bare = replace(clip("bare", [], 20.0, "tape"), reference=None)
    texts = [(one, heard(one, misheard((one.reference or "").split(), 2 * n), 1.0)) for n, one in enumerate(made)]
    there = text_blocks([texts], NONE)
    back = text_blocks([[*reversed(texts), (bare, heard(bare, "words", 1.0))]], NONE)
    assert there.n_recordings == 1
    assert there.errors.tolist() == back.errors.tolist()


def test_a_failed_clip_is_an_empty_text() -> None:
    one = clip("a", said(300, 1), 100.0)
    blocks = text_blocks([[(one, heard(one, None, 1.0))]], NONE)
    assert blocks.errors.sum() == 300
    assert len(blocks.lengths) == 8


def test_scoring_that_moves_words_is_refused() -> None:
    assert why_no_blocks(NONE) is None
    assert "compounds" in (why_no_blocks(replace(NONE, compounds=True)) or "")
    assert "alternatives" in (why_no_blocks(replace(NONE, alternatives=True)) or "")


def test_silence_in_which_nobody_wrote_a_word_has_no_block_of_either_system() -> None:
    silence = clip("silence", [], 8.0)
    texts = [(silence, heard(silence, "", 1.0))]
    assert text_blocks([texts, texts], NONE).errors.shape == (2, 0)
