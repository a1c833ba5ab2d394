"""Scores a corpus: sums the counts of clips first, and computes rates last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from earwitness.scoring.findings.kinds import EMPTY_ON_SPEECH, FAILED, KINDS, WORDS_ON_SILENCE
from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.metrics.perfect import perfect_share
from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.scoring.text.mixed import counts_by_character
from earwitness.types import Clip, ClipScore, Edits, Score

ClipPair = tuple[Clip, ClipScore]
_SPECIAL = (FAILED, EMPTY_ON_SPEECH, WORDS_ON_SILENCE)
"""Kinds that are not counted over all clips alike."""


def summarize(pairs: Sequence[ClipPair], options: ScoringOptions) -> tuple[Score, ...]:
    """Return every score of a corpus.

    ``wer`` and ``cer`` (ratios of summed counts, failed clips as empty text), ``wer_completed`` (without failed
    clips), ``failed_clips``, ``empty_on_speech``, ``words_on_silence`` (words) and ``clips_with_words_on_silence``,
    ``length_ratio`` (words heard per word spoken, where somebody speaks), ``repeated_ngram``, ``chat_answer`` and the
    other findings of ``scoring/findings/kinds.py`` (clips); ``empty_on_speech_unlabelled`` (clips) is told by speech
    activity alone; ``perfect_share`` (clips without any error, of those with a reference); and ``mixed_error_rate``
    where a reference has a script that counts by character (``text/mixed.py``).
    """
    labelled = [pair for pair in pairs if pair[1].words is not None]
    unlabelled = [pair for pair in pairs if pair[1].words is None]
    completed = [pair for pair in labelled if not pair[1].failed]
    on_silence = [pair for pair in labelled if WORDS_ON_SILENCE in pair[1].flags]
    wer = _rate("wer", labelled, lambda score: score.words, options)
    return (
        wer,
        _rate("cer", labelled, lambda score: score.chars, options),
        _of_completed(wer, labelled, completed, options),
        _count(KINDS[FAILED].metric, sum(score.failed for _, score in pairs), pairs),
        _count(EMPTY_ON_SPEECH, _flagged(labelled, EMPTY_ON_SPEECH), labelled),
        _count(WORDS_ON_SILENCE, sum(score.hypothesis_words for _, score in on_silence), labelled, unit="words"),
        _count(KINDS[WORDS_ON_SILENCE].metric, len(on_silence), labelled),
        *(_count(KINDS[name].metric, _flagged(pairs, name), pairs) for name in KINDS if name not in _SPECIAL),
        _count(f"{EMPTY_ON_SPEECH}_unlabelled", _flagged(unlabelled, EMPTY_ON_SPEECH), unlabelled),
        _length_ratio(labelled, options),
        perfect_share(labelled, options),
        *_mixed(labelled, options),
    )


def _mixed(pairs: Sequence[ClipPair], options: ScoringOptions) -> list[Score]:
    """Return the mixed error rate, only where a reference has a script that counts by character."""
    if not any(counts_by_character(clip.reference or "") for clip, _ in pairs):
        return []
    return [_rate("mixed_error_rate", pairs, lambda score: score.mixed or score.words, options)]


def _rate(
    metric: str, pairs: Sequence[ClipPair], edits_of: Callable[[ClipScore], Edits | None], options: ScoringOptions
) -> Score:
    counted = [edits_of(score) or Edits() for _, score in pairs]
    total = sum_counts(counted)
    reason = None
    ci95 = None
    if not pairs:
        reason = "no clip has a reference" if metric != "wer_completed" else "no clip with a reference was finished"
    elif total.rate is None:
        reason = "the references have no words"
    else:
        ci95, reason = rate_interval(
            [edits.errors for edits in counted],
            [edits.length for edits in counted],
            [clip.recording or clip.id for clip, _ in pairs],
            rounds=options.rounds,
            seed=options.seed,
        )
    return Score(
        metric=metric,
        value=total.rate,
        unit="ratio",
        signature=options.signature(metric),
        n_clips=len(pairs),
        n_failed=sum(score.failed for _, score in pairs),
        ci95=ci95,
        reason=reason,
        edits=total,
    )


def _of_completed(
    wer: Score, pairs: Sequence[ClipPair], complete_pairs: Sequence[ClipPair], options: ScoringOptions
) -> Score:
    if pairs and len(complete_pairs) == len(pairs):
        # Where no clip failed, drawing the same recordings again would say the same.
        return replace(wer, metric="wer_completed", signature=options.signature("wer_completed"))
    return _rate("wer_completed", complete_pairs, lambda score: score.words, options)


def sum_counts(parts: Sequence[Edits]) -> Edits:
    """Return the sum of many counts.

    >>> sum_counts([Edits(hits=1), Edits(insertions=2)])
    Edits(hits=1, substitutions=0, deletions=0, insertions=2)
    """
    return Edits(
        hits=sum(edits.hits for edits in parts),
        substitutions=sum(edits.substitutions for edits in parts),
        deletions=sum(edits.deletions for edits in parts),
        insertions=sum(edits.insertions for edits in parts),
    )


def _count(metric: str, value: int, pairs: Sequence[ClipPair], unit: str = "clips") -> Score:
    n_failed = sum(score.failed for _, score in pairs)
    return Score(metric, float(value), unit, f"{metric}|v:1", n_clips=len(pairs), n_failed=n_failed)


def _flagged(pairs: Sequence[ClipPair], flag: str) -> int:
    return sum(flag in score.flags for _, score in pairs)


def _length_ratio(pairs: Sequence[ClipPair], options: ScoringOptions) -> Score:
    spoken = [(score.hypothesis_words, score.words.length) for _, score in pairs if score.words and score.words.length]
    said = sum(length for _, length in spoken)
    heard = sum(words for words, _ in spoken)
    signature = f"length_ratio|{options.signature('wer').split('|')[1]}|v:1"
    reason = None if said else "the references have no words"
    value = heard / said if said else None
    return Score("length_ratio", value, "ratio", signature, n_clips=len(spoken), reason=reason)
