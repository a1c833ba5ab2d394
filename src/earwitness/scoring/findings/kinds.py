"""Findings in words: what stands in a table's head, and what it means."""

from __future__ import annotations

from typing import Literal, NamedTuple


class FindingKind(NamedTuple):
    """A kind of finding."""

    short: str
    """For the head of a column."""
    group: Literal["invented", "missing", "other"]
    """Whether there is text too much, or too little."""
    meaning: str
    """In a sentence."""


KINDS = {
    "failed": FindingKind("failed", "missing", "There is no transcript; scored as empty."),
    "empty_on_speech": FindingKind("empty", "missing", "Somebody speaks, and there is no word."),
    "words_on_silence": FindingKind(
        "words on silence", "invented", "Nobody speaks, by the reference, and there are words."
    ),
    "text_without_speech": FindingKind("text without speech", "invented", "There is text where no speech was found."),
    "repeated_ngram": FindingKind("repetition", "invented", "The text repeats itself."),
    "chat_answer": FindingKind("chat answer", "invented", "The model answered instead of transcribing."),
    "token_limit": FindingKind("cut at its limit", "missing", "Generation was cut off at its limit."),
    "wrong_language": FindingKind("other language", "other", "The text is in another language."),
    "ghost_phrase": FindingKind("stock phrase", "invented", "The text holds a phrase that models often hallucinate."),
    "uncovered_speech": FindingKind("speech not covered", "missing", "There is speech that no segment covers."),
    "cut_tail": FindingKind("end missing", "missing", "The end is missing."),
    "dropped_words": FindingKind("words missing in a row", "missing", "A long run of words is missing."),
    "rate_out_of_band": FindingKind("odd speaking rate", "other", "Words per second are out of band."),
}
METRICS = {
    "failed_clips": "failed",
    "empty_on_speech": "empty_on_speech",
    "clips_with_words_on_silence": "words_on_silence",
    **{kind: kind for kind in KINDS if kind not in ("failed", "empty_on_speech", "words_on_silence")},
}
"""Score that counts clips -> the kind that it counts."""
