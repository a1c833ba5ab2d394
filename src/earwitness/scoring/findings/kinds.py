"""Every kind of finding about a transcript: one row each, from which tables, notes, scores and causes are made."""

from __future__ import annotations

from typing import Literal, NamedTuple

OTHER = "other finding"


class FindingKind(NamedTuple):
    """A kind of finding."""

    short: str
    """For the head of a table."""
    group: Literal["invented", "missing", "other"]
    """Whether there is text too much, or too little."""
    meaning: str
    """In a sentence."""
    metric: str = ""
    """The score that counts clips with it, if that is not called as the kind is."""
    amount: str = ""
    """The score that a scorecard shows, if that is not called as the kind is: words, say, in place of clips."""
    column: tuple[str, str] | None = None
    """Heading and meaning of its column in the scorecard; ``None`` for a rare kind: a note where there is any."""
    problem: str = OTHER
    """What is counted among the problems of a model, in the singular."""
    cause: tuple[int, str] | None = None
    """Why a WER is above 100 %, and its place among the causes: the first counts; ``None`` for text that is missing."""


KINDS: dict[str, FindingKind] = {}
"""Every kind by its name, in the order of a clip's findings and of a run's scores, which a record's seal holds."""


def _row(name: str, kind: FindingKind) -> str:
    KINDS[name] = kind._replace(metric=kind.metric or name, amount=kind.amount or name)
    return name


# fmt: off
FAILED = _row("failed", FindingKind(
    "failed", "missing", "There is no transcript; scored as empty.", "failed_clips", "failed_clips",
    ("Failed", "clips without a transcript, scored as empty"), "failed clip",
))
"""Of a clip, and no finding: where there is no transcript, there is nothing to find in it."""
EMPTY_ON_SPEECH = _row("empty_on_speech", FindingKind(
    "empty", "missing", "Somebody speaks, and there is no word.",
    column=("Empty", "clips with speech and no text"), problem="empty text",
))
WORDS_ON_SILENCE = _row("words_on_silence", FindingKind(
    "words on silence", "invented", "Nobody speaks, by the reference, and there are words.",
    metric="clips_with_words_on_silence", column=("Hallucinated", "words on clips in which nobody speaks"),
    problem="hallucinated word", cause=(1, "words on silence or tones"),
))
REPEATED_NGRAM = _row("repeated_ngram", FindingKind(
    "repetition", "invented", "The text repeats itself.",
    column=("Repetitions", "clips in which the text repeats itself"), problem="repetition", cause=(3, "a loop"),
))
CHAT_ANSWER = _row("chat_answer", FindingKind(
    "chat answer", "invented", "The model answered instead of transcribing.",
    problem="chat answer", cause=(2, "an answer in place of a transcript"),
))
TOKEN_LIMIT = _row("token_limit", FindingKind(
    "cut at its limit", "missing", "Generation was cut off at its limit.", problem="cut-off text",
))
TEXT_WITHOUT_SPEECH = _row("text_without_speech", FindingKind(
    "text without speech", "invented", "There is text where nobody speaks.", cause=(6, "text where nobody speaks"),
))
WRONG_LANGUAGE = _row("wrong_language", FindingKind(
    "other language", "other", "The text is in another language.", cause=(4, "another language than was spoken"),
))
GHOST_PHRASE = _row("ghost_phrase", FindingKind(
    "stock phrase", "invented", "The text holds a phrase that models often hallucinate.",
    cause=(5, "a phrase that models often hallucinate"),
))
UNCOVERED_SPEECH = _row("uncovered_speech", FindingKind(
    "speech not covered", "missing", "There is speech that no segment covers.",
))
CUT_TAIL = _row("cut_tail", FindingKind("end missing", "missing", "The end is missing."))
DROPPED_WORDS = _row("dropped_words", FindingKind(
    "words missing in a row", "missing", "A long run of words is missing.",
))
RATE_OUT_OF_BAND = _row("rate_out_of_band", FindingKind(
    "odd speaking rate", "other", "Words per second are out of band.",
))
# fmt: on
