"""Detects everything that is wrong with one transcript, each finding with its time."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.scoring.align.word_times import places
from earwitness.scoring.findings import coverage
from earwitness.scoring.findings.completeness import is_chat_answer, loop
from earwitness.scoring.findings.coverage import TimeSpan
from earwitness.scoring.findings.deletions import dropped_words
from earwitness.scoring.findings.kinds import (
    CHAT_ANSWER,
    EMPTY_ON_SPEECH,
    GHOST_PHRASE,
    KINDS,
    REPEATED_NGRAM,
    TOKEN_LIMIT,
    WORDS_ON_SILENCE,
    WRONG_LANGUAGE,
)
from earwitness.scoring.findings.language_mismatch import foreign
from earwitness.scoring.findings.stock_phrases import ghost, says
from earwitness.scoring.text import Normalizer
from earwitness.types import Clip, Finding, Segment, Transcript


def findings(
    clip: Clip,
    transcript: Transcript,
    words: tuple[Sequence[str] | None, Sequence[str]],
    audio_s: float,
    norm: Normalizer,
    speech: Sequence[TimeSpan] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of a transcript, in the order of ``KINDS``, and of time within a kind.

    What a reference says goes before what speech activity says: where the reference has words, somebody spoke; where it
    is empty, nobody did. What was really said is never a finding, be it a loop, an answer, or another language.

    Args:
        clip: With its raw reference, if there is one.
        transcript: Raw, as from the engine: normalizing joins digits, and a loop of them would be one word.
        words: Said, ``None`` without a reference, and heard; normalized.
        audio_s: Length of the clip.
        norm: Made these words.
        speech: Where somebody speaks; ``None`` when unknown.
    """
    said, heard = words
    found = [*_silence(said, heard, transcript, audio_s, speech), *findings_of(transcript.remarks)]
    right = transcript.text == clip.reference and len(transcript.segments) < 2
    if not right:  # What was really said is never a finding, and short texts are right more often than not.
        found += _in_the_text(clip, transcript, audio_s, found)
        found += _ghosts(clip, transcript, audio_s, speech)
    if speech and said != []:
        found += coverage.uncovered_speech(transcript.words or transcript.segments, speech)
        found += coverage.rate(heard, clip.language, speech)
    if said and not right:
        deletions = dropped_words(said, heard, None, audio_s)
        if deletions:
            found += dropped_words(said, heard, places(transcript, heard, norm, clip.language), audio_s)
    if not found:
        return ()
    order = list(KINDS)
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.start_s or 0.0)))


def findings_of(remarks: Sequence[str]) -> list[Finding]:
    """Return the findings that an engine reported itself.

    >>> findings_of(["token_limit at 30.0-58.5 s", "server_timing"])
    [Finding(kind='token_limit', start_s=30.0, end_s=58.5, detail='the engine says: token_limit at 30.0-58.5 s')]
    """
    kinds = {TOKEN_LIMIT: TOKEN_LIMIT, "audio_reply": CHAT_ANSWER}
    found = []
    for remark in remarks:
        word, _, place = remark.partition(" ")
        if word in kinds:
            start_s, end_s = _remarked(place)
            found.append(Finding(kinds[word], start_s, end_s, f"the engine says: {remark}"))
    return found


def _remarked(place: str) -> tuple[float | None, float | None]:
    begin, dash, end = place.removeprefix("at ").removesuffix(" s").partition("-")
    try:
        return (float(begin), float(end)) if dash else (None, None)
    except ValueError:
        return None, None


def _silence(
    reference: Sequence[str] | None,
    hypothesis: Sequence[str],
    transcript: Transcript,
    audio_s: float,
    speech: Sequence[TimeSpan] | None,
) -> list[Finding]:
    if reference and not hypothesis:
        detail = f"no words where {len(reference)} were said"
        return [Finding(EMPTY_ON_SPEECH, 0.0, audio_s, detail)]
    if reference == []:
        return (
            [Finding(WORDS_ON_SILENCE, 0.0, audio_s, f"{len(hypothesis)} words on silence or tones")]
            if hypothesis
            else []
        )
    if speech is None:
        return []
    # Where the reference has words, a clip without any speech shows that the voice activity is wrong.
    alone = (
        coverage.without_speech(transcript.segments, transcript.text, speech, audio_s)
        if speech or not reference
        else []
    )
    return [*coverage.empty(len(hypothesis), speech), *alone]


def _in_the_text(clip: Clip, transcript: Transcript, audio_s: float, findings: Sequence[Finding]) -> list[Finding]:
    reference = clip.reference or ""
    found: list[Finding] = []
    raw = transcript.text.casefold().split()
    place = loop(raw)
    if place is not None and loop(reference.casefold().split()) is None:
        start_s, end_s = _where(place, len(raw), transcript)
        repeated = " ".join(raw[place[0] : place[0] + 8])
        found.append(Finding(REPEATED_NGRAM, start_s, end_s, f"{place[1] - place[0]} words of a loop: {repeated} …"))
    answers = is_chat_answer(transcript.text) and not is_chat_answer(reference)
    if answers and not any(one.kind == CHAT_ANSWER for one in findings):
        found.append(Finding(CHAT_ANSWER, 0.0, audio_s, "the text begins like a chat model's answer"))
    found += _languages(clip, transcript, audio_s)
    return found


def _languages(clip: Clip, transcript: Transcript, audio_s: float) -> list[Finding]:
    pieces = [Segment(0.0, audio_s, transcript.text)]
    if foreign(transcript.text, clip.language) is None:
        pieces = list(transcript.segments) if len(transcript.segments) > 1 else []
    found = []
    for piece in pieces:
        other = foreign(piece.text, clip.language)
        if other is not None and foreign(clip.reference or "", clip.language) is None:
            detail = f"{other} where {clip.language} is spoken"
            found.append(Finding(WRONG_LANGUAGE, piece.start_s, piece.end_s, detail))
    return found


def _ghosts(clip: Clip, transcript: Transcript, audio_s: float, speech: Sequence[TimeSpan] | None) -> list[Finding]:
    found = []
    for piece in transcript.segments or (Segment(0.0, audio_s, transcript.text),):
        phrase, telling = ghost(piece.text) or ("", False)
        if not phrase:
            continue
        unspoken = clip.reference == "" or (speech is not None and not coverage.is_spoken(piece, speech))
        unsaid = clip.reference is not None and not says(clip.reference, phrase)
        if (unspoken and (clip.reference is None or unsaid)) or (telling and unsaid):
            detail = f"{phrase!r}, which models often hallucinate"
            found.append(Finding(GHOST_PHRASE, piece.start_s, piece.end_s, detail))
    return found


def _where(place: tuple[int, int], n_words: int, transcript: Transcript) -> tuple[float | None, float | None]:
    """Return the time of raw words, if the segments hold the same number of words as the text."""
    pieces = [piece for piece in transcript.words or transcript.segments for _ in piece.text.split()]
    if len(pieces) != n_words:
        return None, None
    return pieces[place[0]].start_s, pieces[place[1] - 1].end_s
