"""What is wrong with a text, and where: every detector fires on its failure, and not on what was really said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import clip

from earwitness.scoring import ScoringOptions, score_clip, summarize
from earwitness.scoring.findings.kinds import FAILED, KINDS
from earwitness.scoring.findings.language_mismatch import SMALL_WORDS, foreign
from earwitness.scoring.findings.stock_phrases import COMMON, TELLING, TELLING_UNSPACED, ghost
from earwitness.scoring.findings.wer_cause import cause
from earwitness.types import ClipScore, Finding, Hypothesis, Segment, Transcript

HOLDS = (
    "completeness.py", "coverage.py", "kinds.py", "language_mismatch.py", "stock_phrases.py", "wer_cause.py",
    "scoring/text/plain_words.py",
)  # fmt: skip

OPTIONS = ScoringOptions(rounds=200)
SAID = "please enter the number of your account and then press the pound key when you are done"


def score(
    text: str,
    reference: str | None = None,
    speech: Sequence[tuple[float, float]] | None = None,
    segments: Sequence[tuple[float, float, str]] = (),
    audio_s: float = 10.0,
    **more: Any,
) -> ClipScore:
    transcript = Transcript(text, tuple(Segment(*one) for one in segments), remarks=more.pop("remarks", ()))
    return score_clip(clip("a", reference, **more), Hypothesis("a", transcript, None, audio_s), OPTIONS, speech)


def only(found: ClipScore) -> Finding:
    (finding,) = found.findings
    return finding


def test_nothing_is_found_in_a_good_text() -> None:
    good = score(SAID, SAID, [(0.1, 6.0)], [(0.0, 3.0, SAID[:41]), (3.0, 6.2, SAID[41:])])
    assert good.findings == ()
    assert good.flags == ()


def test_speech_changes_no_count() -> None:
    with_it, without = score("hello there", SAID, [(0, 9)]), score("hello there", SAID)
    assert (with_it.words, with_it.chars) == (without.words, without.chars)


def test_flags_are_the_kinds_of_the_findings_each_once() -> None:
    found = score("", None, [(0.0, 2.0)])
    assert found.flags == ("empty_on_speech",)
    assert set(found.flags) <= set(KINDS)


def test_every_kind_has_a_head_a_sentence_a_score_and_a_row_in_the_documents() -> None:
    scores = {score.metric for score in summarize([], OPTIONS)}
    page = (Path(__file__).parents[3] / "docs" / "completeness.md").read_text(encoding="utf-8")
    table = page.partition("## The findings")[2].partition("\n\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert rows == [name for name in KINDS if name != FAILED]
    for name, kind in KINDS.items():
        assert kind.short, name
        assert re.fullmatch("[A-Z][^.]+[.]", kind.meaning), name
        assert {kind.metric, kind.amount} <= scores, name
    places = sorted(kind.cause[0] for kind in KINDS.values() if kind.cause)
    assert places == list(range(1, len(places) + 1))


def test_an_empty_text_on_speech_is_found_without_a_reference_and_placed() -> None:
    found = only(score("", None, [(1.0, 2.0), (3.0, 4.0)]))
    assert (found.kind, found.start_s, found.end_s) == ("empty_on_speech", 1.0, 4.0)
    assert score("", None, [(1.0, 1.4)]).findings == ()
    assert score("", None, None).findings == ()
    assert score("", "", [(1.0, 4.0)]).findings == ()


def test_text_where_nobody_speaks_is_found_and_a_reference_goes_before() -> None:
    assert only(score("hello", None, [])).kind == "text_without_speech"
    assert score("hello", "hello", []).findings == ()
    assert only(score("hello there", "", [])).kind == "words_on_silence"
    assert score(". . .", None, []).findings == ()


def test_a_segment_after_the_speech_is_placed() -> None:
    segments = [(0.0, 2.0, "hello there"), (7.0, 9.0, "see you")]
    found = only(score("hello there see you", None, [(0.1, 1.9)], segments))
    assert (found.kind, found.start_s, found.end_s) == ("text_without_speech", 7.0, 9.0)


def test_speech_between_and_after_segments_is_placed() -> None:
    segments = [(0.0, 2.0, "this is the first of them"), (5.0, 7.0, "and here is the second")]
    found = score(" ".join(text for _, _, text in segments), None, [(0.0, 7.0), (8.0, 10.0)], segments)
    assert [(one.kind, one.start_s, one.end_s) for one in found.findings] == [
        ("uncovered_speech", 2.25, 4.75),
        ("cut_tail", 8.0, 10.0),
    ]


def test_a_short_gap_and_an_engine_without_segments_are_no_findings() -> None:
    segments = [(0.0, 2.0, "one two three four"), (3.2, 5.0, "five six seven eight")]
    assert score("one two three four five six seven eight", None, [(0.0, 5.0)], segments).findings == ()
    assert score("one two three four five six seven eight", None, [(0.0, 5.0)]).findings == ()


def test_a_dropped_middle_and_a_cut_tail_are_told_apart_and_placed() -> None:
    words = SAID.split()
    first, last = " ".join(words[:3]), " ".join(words[10:])
    segments = [(0.0, 1.5, first), (4.0, 6.0, last)]
    middle = only(score(f"{first} {last}", SAID, None, segments))
    assert (middle.kind, middle.start_s, middle.end_s) == ("dropped_words", 1.5, 4.0)
    tail = only(score(first, SAID, None, segments[:1]))
    assert (tail.kind, tail.start_s, tail.end_s) == ("cut_tail", 1.5, 10.0)
    beginning = only(score(last, SAID, None, segments[1:]))
    assert (beginning.start_s, beginning.end_s) == (0.0, 4.0)
    assert "at the beginning" in beginning.detail


def test_without_times_a_dropped_run_has_no_place() -> None:
    found = only(score("please enter the number", SAID))
    assert (found.kind, found.start_s, found.end_s) == ("cut_tail", None, None)


def test_a_loop_has_the_place_of_its_segments() -> None:
    segments = [(0.0, 1.0, "well"), (1.0, 8.0, "thank you " * 6), (8.0, 9.0, "goodbye")]
    found = only(score("well " + "thank you " * 6 + "goodbye", None, None, segments))
    assert (found.kind, found.start_s, found.end_s) == ("repeated_ngram", 1.0, 8.0)


@pytest.mark.parametrize(("words", "found"), [(3, True), (30, False), (200, True)])
def test_words_per_second_are_held_against_a_band(words: int, found: bool) -> None:
    text = " ".join(f"{letter}word" for letter in ("abcdefghij" * 20)[:words])
    assert ("rate_out_of_band" in score(text, None, [(0.0, 10.0)]).flags) is found


def test_a_number_read_digit_by_digit_is_not_too_slow() -> None:
    assert score("5551234567", None, [(0.0, 6.0)]).findings == ()


def test_another_language_is_found_by_script_and_by_small_words() -> None:
    assert foreign("El número que usted ha marcado no está en servicio.", "en") == "es"
    assert foreign("Le numéro que vous avez composé n'est pas en service.", "es-MX") == "fr"
    assert foreign("Номер, который вы набрали, не обслуживается", "en") == "script cyrillic"
    assert foreign("the number you have dialled is not in service", "ru") == "script latin"
    assert foreign("Allison Smith 555 1234", "fr") is None
    assert foreign("el número", None) is None
    assert foreign("おはようございます", "ja") is None


def test_a_foreign_segment_is_placed_and_what_was_really_said_is_not_a_finding() -> None:
    spanish = "para español usted tiene que marcar el dos y esperar"
    english = "for english please press one and stay on the line"
    found = only(score(f"{english}. {spanish}", None, None, [(0.0, 3.0, english), (3.0, 6.0, spanish)]))
    assert (found.kind, found.start_s) == ("wrong_language", 3.0)
    assert "wrong_language" not in score(spanish, spanish).flags


def test_every_phrase_of_the_ghost_lists_is_found_as_it_is_listed() -> None:
    for phrase in (*TELLING, *TELLING_UNSPACED):
        assert ghost(f"{phrase.capitalize()}!") is not None, phrase
        assert ghost(f"{phrase.capitalize()}!")[1], phrase  # type: ignore[index]
    assert all(ghost(phrase) == (phrase, False) for phrase in COMMON)


def test_a_ghost_phrase_needs_silence_under_it_or_a_reference_without_it() -> None:
    thanks = "Thanks for watching!"
    assert "ghost_phrase" in score(thanks, None, []).flags
    assert "ghost_phrase" in score(thanks, "hello").flags
    assert "ghost_phrase" in score(thanks, "").flags
    assert "ghost_phrase" not in score(thanks, None, None).flags
    assert "ghost_phrase" not in score(thanks, None, [(0.0, 3.0)]).flags
    assert "ghost_phrase" not in score(thanks, "thanks for watching", []).flags
    assert "ghost_phrase" not in score("Thank you.", "thanks a lot").flags


def test_the_tables_of_small_words_hold_no_language_twice() -> None:
    assert all(len(words.split()) >= 40 for words in SMALL_WORDS.values())


def test_what_the_engine_noticed_has_its_place() -> None:
    found = only(score("hello", None, None, remarks=("token_limit at 30.0-58.5 s",)))
    assert (found.kind, found.start_s, found.end_s) == ("token_limit", 30.0, 58.5)


@pytest.mark.parametrize(
    ("text", "reference", "why"),
    [
        ("thank you " * 20, "hello there", "a loop"),
        (
            "I'm sorry, but I can't listen to audio. Please send me a text.",
            "hello",
            "an answer in place of a transcript",
        ),
        ("el número que usted ha marcado no está en servicio", "busy", "another language than was spoken"),
        ("one more thing that was never said at all", "hello", "text that nobody said"),
    ],
)
def test_a_rate_above_one_hundred_percent_names_its_cause(text: str, reference: str, why: str) -> None:
    found = cause([score(text, reference)])
    assert found is not None
    assert found.endswith(f"in 1 clip with {why}")


def test_words_on_silence_are_the_cause_of_a_run_above_one_hundred_percent() -> None:
    found = cause([score("hello", "hello"), score("the cat sat on it", ""), score("so what", "")])
    assert (
        found
        == "WER is 700 % because 7 words were inserted where 1 was said: 7 in 2 clips with words on silence or tones"
    )


def test_a_rate_up_to_one_hundred_percent_has_no_cause() -> None:
    assert cause([score("goodbye", "hello")]) is None
    assert cause([score("a b c", None)]) is None
    assert cause([]) is None


def test_findings_are_counted_in_clips_and_unlabelled_ones_apart() -> None:
    pairs = [
        (clip("a", None), score("", None, [(0.0, 2.0)])),
        (clip("b", SAID), score("please enter the number", SAID)),
    ]
    scores = {one.metric: one.value for one in summarize(pairs, OPTIONS)}
    assert scores["empty_on_speech_unlabelled"] == 1
    assert scores["empty_on_speech"] == 0
    assert scores["cut_tail"] == 1
    assert scores["ghost_phrase"] == 0
