"""Scores a corpus: sums the counts of clips first, and computes rates last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from earwitness.scoring.findings.kinds import EMPTY_ON_SPEECH, FAILED, KINDS, WORDS_ON_SILENCE
from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.metrics.corpus_counts import CountTable, Numbers, sum_edits, table_of
from earwitness.scoring.metrics.perfect import perfect_share
from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.types import Clip, ClipScore, Edits, Score

ClipPair = tuple[Clip, ClipScore]
_SPECIAL = (FAILED, EMPTY_ON_SPEECH, WORDS_ON_SILENCE)
"""Kinds that are not counted over all clips alike."""


def summarize(pairs: Iterable[ClipPair], options: ScoringOptions) -> tuple[Score, ...]:
    """Return every score of a corpus, as ``summarize_table`` does of its counts."""
    return summarize_table(table_of(pairs), options)


def summarize_table(table: CountTable, options: ScoringOptions) -> tuple[Score, ...]:
    """Return every score of a corpus.

    ``wer`` and ``cer`` (ratios of summed counts, failed clips as empty text), ``wer_completed`` (without failed
    clips), ``failed_clips``, ``empty_on_speech``, ``words_on_silence`` (words) and ``clips_with_words_on_silence``,
    ``length_ratio`` (words heard per word spoken, where somebody speaks), ``repeated_ngram``, ``chat_answer`` and the
    other findings of ``scoring/findings/kinds.py`` (clips); ``empty_on_speech_unlabelled`` (clips) is told by speech
    activity alone; ``perfect_share`` (clips without any error, of those with a reference); and ``mixed_error_rate``
    where a reference has a script that counts by character (``text/mixed.py``).
    """
    labelled, unlabelled = table.where(table.rows["labelled"]), table.where(~table.rows["labelled"])
    completed = labelled.where(~labelled.rows["failed"])
    on_silence = labelled.has(WORDS_ON_SILENCE)
    n_invented = int(labelled.rows["hypothesis_words"][on_silence].sum(dtype=np.int64))
    wer = _rate("wer", labelled, labelled.rows["words"], options)
    return (
        wer,
        _rate("cer", labelled, labelled.rows["chars"], options),
        _of_completed(wer, labelled, completed, options),
        _count(KINDS[FAILED].metric, table.n_failed, table),
        _count(EMPTY_ON_SPEECH, labelled.n_with(EMPTY_ON_SPEECH), labelled),
        _count(WORDS_ON_SILENCE, n_invented, labelled, unit="words"),
        _count(KINDS[WORDS_ON_SILENCE].metric, labelled.n_with(WORDS_ON_SILENCE), labelled),
        *(_count(KINDS[name].metric, table.n_with(name), table) for name in KINDS if name not in _SPECIAL),
        _count(f"{EMPTY_ON_SPEECH}_unlabelled", unlabelled.n_with(EMPTY_ON_SPEECH), unlabelled),
        _length_ratio(labelled, options),
        perfect_share(labelled.n_perfect, len(labelled), labelled.n_failed, labelled.n_recordings, options),
        # Only where a reference has a script that counts by character.
        *([_rate("mixed_error_rate", labelled, labelled.rows["mixed"], options)] if labelled.by_character else ()),
    )


def _rate(metric: str, table: CountTable, edits: Numbers, options: ScoringOptions) -> Score:
    total = sum_edits(edits)
    reason = None
    ci95 = None
    if not len(table):
        reason = "no clip has a reference" if metric != "wer_completed" else "no clip with a reference was finished"
    elif total.rate is None:
        reason = "the references have no words"
    else:
        ci95, reason = rate_interval(
            edits[:, 1:].sum(axis=1),
            edits[:, :3].sum(axis=1),
            table.recordings,
            rounds=options.rounds,
            seed=options.seed,
        )
    return Score(
        metric=metric,
        value=total.rate,
        unit="ratio",
        signature=options.signature(metric),
        n_clips=len(table),
        n_failed=table.n_failed,
        ci95=ci95,
        reason=reason,
        edits=total,
    )


def _of_completed(wer: Score, table: CountTable, completed: CountTable, options: ScoringOptions) -> Score:
    if len(table) and completed is table:
        # Where no clip failed, drawing the same recordings again would say the same.
        return replace(wer, metric="wer_completed", signature=options.signature("wer_completed"))
    return _rate("wer_completed", completed, completed.rows["words"], options)


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


def _count(metric: str, value: int, table: CountTable, unit: str = "clips") -> Score:
    return Score(metric, float(value), unit, f"{metric}|v:1", n_clips=len(table), n_failed=table.n_failed)


def _length_ratio(table: CountTable, options: ScoringOptions) -> Score:
    lengths = table.rows["words"][:, :3].sum(axis=1)
    spoken = lengths > 0
    said = int(lengths.sum())
    heard = int(table.rows["hypothesis_words"][spoken].sum(dtype=np.int64))
    signature = f"length_ratio|{options.signature('wer').split('|')[1]}|v:1"
    reason = None if said else "the references have no words"
    value = heard / said if said else None
    n_clips = int(np.count_nonzero(spoken))
    return Score("length_ratio", value, "ratio", signature, n_clips=n_clips, reason=reason)
