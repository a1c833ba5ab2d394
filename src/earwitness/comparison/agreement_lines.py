"""What distances prove, in sentences, for whatever speaks of runs without references."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from earwitness.comparison.agreement import Agreement
from earwitness.comparison.pair_agreement import PairAgreement
from earwitness.counts import percentage, points, quantity

_WORTH_SAYING = 0.05
"""A WER under which nobody expects a model to be is no premise worth a sentence."""


def summary(agreed: Agreement) -> str:
    """Return how many clips all models agree on."""
    runs = "Both runs" if len(agreed.models) == 2 else f"All {quantity(len(agreed.models), 'run')}"
    return (
        f"{runs} have the same text for {agreed.n_equal:,} of "
        f"{quantity(agreed.n_clips, 'clip')} ({quantity(agreed.n_recordings, 'recording')}). "
        f"Consensus: {quantity(agreed.n_words, 'word')}, normalizer {agreed.normalizer}."
    )


def proofs(pair: PairAgreement, both: str, agreed: Agreement) -> list[str]:
    """Return what the distance of two runs proves; without unit costs, only the distance."""
    bound = pair.bound
    if bound is None:
        return [f"{both}: {quantity(pair.distance, 'edit')} between their texts, {percentage(pair.rate)} of the words."]
    lines = [
        (
            f"{both} differ by at most {quantity(pair.distance, 'error')} on these clips, whatever was said (proven): "
            f"about {points(pair.rate)} of WER. {quantity(pair.n_clips, 'clip')} of {agreed.n_clips:,} "
            f"{'has' if pair.n_clips == 1 else 'have'} different texts."
        )
    ]
    if bound.reversal_wer >= _WORTH_SAYING:
        lines.append(
            f"{pair.second} makes more errors than {pair.first} if the WER of {pair.first} is under "
            f"{percentage(bound.reversal_wer)} (proven)."
        )
    known = agreed.premises.get(pair.first)
    if known is not None:
        low, high = bound.second_wer(known)
        lines.append(
            f"With a WER of at most {percentage(known)} for {pair.first}, that of {pair.second} is between "
            f"{percentage(low)} and {percentage(high)} (proven)."
        )
    return lines


def short_lines(agreed: Agreement, records: Sequence[Path]) -> list[str]:
    """Return a few sentences for pages about something else: how far the runs are apart, and what to do next.

    Args:
        agreed: Of some runs.
        records: Their files.
    """
    widest = max(agreed.pairs, key=lambda pair: pair.distance)
    nearest = min(agreed.pairs, key=lambda pair: pair.distance)
    lines = [summary(agreed)]
    for pair in dict.fromkeys((nearest, widest)):
        lines += proofs(pair, f"{pair.first} and {pair.second}", agreed)
    n_open = sum(pair.order is None and pair.distance > 0 for pair in agreed.pairs)
    if n_open:
        lines.append(f"Of {quantity(len(agreed.pairs), 'pair')}, the order of {n_open} is open.")
    return [*lines, f"For the rest, and for the clips to label first, run: earwitness rank {_folder(records)}"]


def _folder(records: Sequence[Path]) -> str:
    """Return the folder above all records, for a command."""
    folders = [path.parent for path in records]
    if len({path.is_absolute() for path in folders}) > 1:
        folders = [path.absolute() for path in folders]
    return shlex.quote(os.path.commonpath(folders) or ".")
