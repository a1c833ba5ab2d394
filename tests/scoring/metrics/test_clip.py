from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip, heard

from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.findings.completeness import has_loop, is_chat_answer
from earwitness.scoring.stats.bootstrap import interval
from earwitness.types import Clip, ClipScore, Edits, Failure, Hypothesis, Score, Transcript

OPTIONS = ScoringOptions(rounds=200)
COUNTS = st.builds(Edits, *[st.integers(0, 50)] * 4)


def failed(clip_id: str = "a") -> Hypothesis:
    return Hypothesis(clip_id, None, Failure("transcribe", "crash", "gone"), audio_s=1.0)


def pair(reference: str | None, text: str | None, clip_id: str = "a") -> tuple[Clip, ClipScore]:
    one = clip(clip_id, reference)
    return one, score_clip(one, failed(clip_id) if text is None else heard(text, clip_id), OPTIONS)


def scores(*pairs: tuple[Clip, ClipScore]) -> dict[str, Score]:
    return {score.metric: score for score in summarize(pairs, OPTIONS)}


@given(COUNTS, COUNTS)
def test_counts_add_up_and_so_do_errors_and_lengths(a: Edits, b: Edits) -> None:
    assert (a + b).errors == a.errors + b.errors
    assert (a + b).length == a.length + b.length


def test_wer_is_a_ratio_of_sums_and_not_a_mean_of_ratios() -> None:
    found = scores(
        pair("a", "b"), pair("we saw one ferry and two boats on it", "We saw 1 ferry and 2 boats on it.", "b")
    )
    assert found["wer"].edits is not None
    assert found["wer"].value == pytest.approx(found["wer"].edits.errors / found["wer"].edits.length)
    assert found["wer"].value != pytest.approx(0.5)


def test_a_failed_clip_is_scored_as_empty_and_counted_and_nobody_gains_by_crashing() -> None:
    crashed = scores(pair("four words are here", None), pair("fine", "fine", "b"))
    silent = scores(pair("four words are here", ""), pair("fine", "fine", "b"))
    assert crashed["wer"].value == silent["wer"].value == 0.8
    assert (crashed["failed_clips"].value, silent["failed_clips"].value) == (1, 0)
    assert (crashed["empty_on_speech"].value, silent["empty_on_speech"].value) == (0, 1)
    assert crashed["wer_completed"].value == 0.0


def test_words_on_silence_count_in_the_sum_and_are_shown_apart() -> None:
    found = scores(pair("", "thank you"), pair("hello there my friend", "hello there my friend", "b"))
    assert found["wer"].value == 0.5
    assert (found["words_on_silence"].value, found["words_on_silence"].unit) == (2, "words")
    assert found["clips_with_words_on_silence"].value == 1


def test_a_remark_in_brackets_is_silence_after_normalizing() -> None:
    _, score = pair("(laughs)", "ha ha")
    assert score.words == Edits(insertions=2)
    assert score.flags == ("words_on_silence",)


def test_an_unlabelled_clip_has_no_counts_and_is_not_in_the_rate() -> None:
    found = scores(pair(None, "anything at all"), pair("hello", "hello", "b"))
    assert (found["wer"].value, found["wer"].n_clips) == (0.0, 1)


def test_without_any_reference_the_rate_is_none_with_a_reason() -> None:
    assert (scores(pair(None, "x"))["wer"].value, scores(pair(None, "x"))["wer"].reason) == (
        None,
        "no clip has a reference",
    )
    silence = scores(pair("", "x"))["wer"]
    assert (silence.value, silence.reason, silence.edits) == (None, "the references have no words", Edits(insertions=1))


def test_wer_may_pass_one_hundred_percent() -> None:
    assert scores(pair("hi", "you are here"))["wer"].value == 3.0


def test_one_recording_gives_no_interval_and_says_why() -> None:
    one, two = clip("a", "x y", recording="tape"), clip("b", "x y", recording="tape")
    found = summarize([(c, score_clip(c, heard("x z", c.id), OPTIONS)) for c in (one, two)], OPTIONS)[0]
    assert found.value == 0.5
    assert found.ci95 is None
    assert "at least 4 recordings, and there is 1" in (found.reason or "")


def test_compounds_are_an_option_that_shows_in_the_signature() -> None:
    one = clip("a", "the white board")
    merged = ScoringOptions(compounds=True, rounds=200)
    assert score_clip(one, heard("the whiteboard"), OPTIONS).words == Edits(1, 1, 1, 0)
    assert score_clip(one, heard("the whiteboard"), merged).words == Edits(3, 0, 0, 0)
    assert "compounds:merged" in merged.signature("wer")
    assert "compounds:off" in OPTIONS.signature("wer")


def test_every_option_changes_the_signature() -> None:
    options = [ScoringOptions(), ScoringOptions("none"), ScoringOptions(compounds=True), ScoringOptions(rounds=1),
               ScoringOptions(seed=1), ScoringOptions(method="sclite"), ScoringOptions(alternatives=True)]  # fmt: skip
    assert len({option.signature("wer") for option in options}) == len(options)


def test_alternatives_count_in_words_and_letters_and_a_silence_may_be_one() -> None:
    either = ScoringOptions(alternatives=True, rounds=200)
    one = clip("a", "{uh huh / yes / @} I {want to / wanna} go")
    found = score_clip(one, heard("yes I wanna go"), either)
    assert found.words == Edits(hits=5)
    assert found.chars == Edits(hits=len("yes i want to go"))
    assert score_clip(clip("a", "{ thanks / @ }"), heard(""), either).words == Edits()
    assert score_clip(one, heard("yes I wanna go"), OPTIONS).words != found.words


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("and then " * 60, True),
        ("no " * 12, True),
        ("thank you for watching " * 4, True),
        ("nine nine nine nine nine", False),
        ("that that is is that that is not is not", False),
        ("press one for sales press two for support press three for accounts press four to end", False),
        ("", False),
    ],
)
def test_loops_are_told_from_speech(text: str, loops: bool) -> None:
    assert has_loop(text.split()) is loops


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=40))
def test_the_short_way_to_no_loop_overlooks_none(words: list[str]) -> None:
    def loops(size: int) -> bool:
        span = max(12, 4 * size)
        starts = range(len(words) - span + 1)
        return any(all(words[n] == words[n + size] for n in range(at, at + span - size)) for at in starts)

    assert has_loop(words) is any(loops(size) for size in range(1, 9))


def test_a_loop_that_was_really_said_is_not_a_finding() -> None:
    said = "no " * 20
    assert "repeated_ngram" not in pair(said, said)[1].flags
    assert "repeated_ngram" in pair("something else", said)[1].flags


def test_a_loop_of_digits_is_found_although_normalizing_joins_them() -> None:
    assert "repeated_ngram" in pair("call me", "nine " * 30)[1].flags


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from("abcde")), min_size=2, max_size=40))
def test_the_interval_is_seeded_and_never_below_zero(rows: list[tuple[int, int, str]]) -> None:
    errors, lengths, clusters = zip(*rows, strict=True)
    first = interval(errors, lengths, clusters, rounds=100)
    assert first == interval(errors, lengths, clusters, rounds=100)
    if first is not None:
        assert 0 <= first[0] <= first[1]


def test_clips_of_one_recording_do_not_make_the_interval_narrow() -> None:
    errors, lengths = [0] * 50 + [2] * 50, [10] * 100
    alone = interval(errors, lengths, range(100), rounds=2000)
    together = interval(errors, lengths, [n // 10 for n in range(100)], rounds=2000)
    assert alone is not None
    assert together is not None
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_hypothesis_order_and_failures_do_not_change_what_was_said() -> None:
    pairs = [pair("a b c", "a b", "x"), pair("d e", None, "y"), pair("", "f", "z")]
    assert scores(*pairs)["wer"].edits == scores(*reversed(pairs))["wer"].edits


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("I'm sorry, but I can't assist with that.", True),
        ("I’m sorry, I cannot process audio.", True),
        ("As an AI language model, I have no ears.", True),
        ("Hello! How can I help you today?", True),
        ("Sure, here is what I heard:", True),
        ("**Here's the transcription:** hello", True),
        ("The audio says that the shop is shut.", True),
        ("I'm sorry, I can't come to the phone right now.", False),
        ("Sorry, I can't hear you.", False),
        ("I can't hear the audio, can you?", False),
        ("Sure, I'll be there at nine.", False),
        ("Here is the news.", False),
        ("he said how can I help you", False),
        ("", False),
    ],
)
def test_answers_are_told_from_speech_by_how_they_begin(text: str, answers: bool) -> None:
    assert is_chat_answer(text) is answers


def test_an_answer_that_was_really_said_is_not_a_finding() -> None:
    said = "How can I help you today?"
    assert "chat_answer" in pair("good morning", said)[1].flags
    assert "chat_answer" in pair(None, said)[1].flags
    assert "chat_answer" not in pair("Hello, how can I help you", said)[1].flags


def test_what_the_engine_noticed_is_counted() -> None:
    one = clip("a", "hello there")
    remarks = ("token_limit at 30.0-58.5 s", "token_limit at 58.5-80.0 s", "audio_reply at 80.0-90.0 s")
    noticed = Hypothesis("a", Transcript("hello there", remarks=remarks), None, audio_s=90.0)
    found = score_clip(one, noticed, OPTIONS)
    assert set(found.flags) == {"token_limit", "chat_answer"}
    counted = {score.metric: score.value for score in summarize([(one, found), pair("a", "a", "b")], OPTIONS)}
    assert (counted["token_limit"], counted["chat_answer"]) == (1, 1)
