"""Statistics as sentences: pairs that differ or tie, and how much audio a question needs. No arithmetic here."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.comparison.ranking import AudioPlan, PairTest
from earwitness.counts import percentage, points, quantity
from earwitness.scoring.metrics.normalizer_gaps import NormalizerGap
from earwitness.scoring.stats.blocks import FEWEST_S, STEADY_S
from earwitness.scoring.stats.clusters import FEWEST
from earwitness.types import Target

_MOST_PAIRS = 10
_KINDS = {
    "accents": ("an accent", "accents alone"),
    "case": ("a capital letter", "case alone"),
    "punctuation": ("a mark", "punctuation alone"),
}


def p_value(p: float | None) -> str:
    """Show a p-value.

    >>> p_value(0.0312), p_value(0.00002), p_value(None)
    ('p = 0.031', 'p < 0.001', 'no p')
    """
    if p is None:
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def pair_sentence(pair: PairTest) -> str:
    """Return whether two runs differ, how much audio would show it, or that they cannot be compared."""
    d = pair.difference
    if pair.told_apart:
        said = f"{pair.first} is better than {pair.second} by {points(d.value, d.ci95)} of WER ({p_value(pair.p)})"
        if d.ci95 is not None and d.ci95[0] <= 0 <= d.ci95[1]:
            # Two methods, and two questions: the test is sure of a sign, the interval of no size.
            said += f"; that it is better can be told from {_behind(pair)}, by how much cannot"
        return said + _of(pair)
    if not pair.comparable:
        return f"{pair.first} and {pair.second} cannot be compared: {d.reason}"
    both = f"{pair.first} and {pair.second} tie"
    said = f"{both}: {points(d.value, d.ci95)} of WER apart ({p_value(pair.p)}){_of(pair)}"
    plan = f". {plan_sentence(pair.plan, d.target)}" if pair.plan else ""
    return said + (f"; {d.reason}" if d.reason else "") + plan


def _of(pair: PairTest) -> str:
    return ", on these recordings" if pair.difference.target == "these recordings" else ""


def _behind(pair: PairTest) -> str:
    d = pair.difference
    return f"{d.n_clusters} recordings" if d.n_blocks is None else f"{d.n_blocks} blocks of these recordings"


def target_sentences(target: Target | None, audio_s: float = 0.0) -> list[str]:
    """Say what the error rates, intervals and ranks of a table are about; nothing where it has none.

    Of this pool, the note on its labels says it.

    Args:
        target: Of the table.
        audio_s: Seconds of its recordings; 0 for unknown.

    >>> target_sentences("these recordings")
    ['WER and rank are of these recordings: for recordings like these, it takes at least 4']
    >>> target_sentences("recordings like these")
    ['WER and rank are of recordings like these']
    """
    if target in (None, "this pool"):
        return []
    few = f": for recordings like these, it takes at least {FEWEST}" if target == "these recordings" else ""
    lines = [f"WER and rank are of {target}{few}"]
    if target == "these recordings" and FEWEST_S <= audio_s < STEADY_S:
        hold = f"In {audio_s:.0f} s, the intervals hold for disturbances of up to 3 s at a time"
        lines.append(f"{hold}; for longer ones it takes {STEADY_S:.0f} s")
    return lines


def pair_sentences(pairs: Sequence[PairTest]) -> list[str]:
    """Return a sentence for every pair; of more than ten, only for neighbours in rank, and the number of ties."""
    if len(pairs) <= _MOST_PAIRS:
        return [pair_sentence(pair) for pair in pairs]
    order = list(dict.fromkeys([pairs[0].first, *(pair.second for pair in pairs)]))
    neighbours = [pair for pair in pairs if order.index(pair.second) - order.index(pair.first) == 1]
    tied = sum(pair.comparable and not pair.told_apart for pair in pairs)
    return [*map(pair_sentence, neighbours), f"{tied} of all {len(pairs)} pairs tie"]


def normalizer_gap_sentence(gap: NormalizerGap) -> str:
    """Return the cost of a kind of difference, and where to look.

    >>> normalizer_gap_sentence(NormalizerGap("accents", 0.18, 0.1, 0, 93)).partition(". ")[0]
    'accents alone cost 8.0 points of WER: it would be 10.0 % without, not 18.0 %'
    """
    one, alone = _KINDS[gap.kind]
    have = "has" if gap.in_references == 1 else "have"
    sides = f"{quantity(gap.in_references, 'word')} of the references {have} {one}"
    return (
        f"{alone} cost{'' if gap.kind == 'accents' else 's'} {points(gap.wer - gap.wer_folded)} of WER: it would be "
        f"{percentage(gap.wer_folded)} without, not {percentage(gap.wer)}. {sides}, and "
        f"{quantity(gap.in_texts, 'word')} of the texts: look whether the references are written as they should be"
    )


def plan_sentence(plan: AudioPlan, target: Target = "recordings like these") -> str:
    """Return how much more audio separates two models, on what is tested.

    >>> plan_sentence(AudioPlan(0.012, 10.0, 44.0, 8.0, None, 60, 264, None))
    'About 34 more minutes of recordings like these would separate them (it may take none, or more than any amount)'
    """
    return _sentence(plan, "would separate them", target)


def width_sentence(plan: AudioPlan, target: Target = "recordings like these") -> str:
    """Return how much more audio brings an interval to a width.

    >>> print(width_sentence(AudioPlan(0.02, 10.0, 44.0, 30.0, 170.0, 60, 264, None)).partition(" (")[0])
    About 34 more minutes of recordings like these would bring it to 2.0 points
    """
    return _sentence(plan, f"would bring it to {points(plan.goal)}", target)


def _sentence(plan: AudioPlan, effect: str, target: Target = "recordings like these") -> str:
    if plan.minutes_needed is None:
        return f"How much more audio it would take cannot be told: {plan.reason}"
    more = _more(plan, plan.minutes_needed)
    amount, _, unit = more.partition(" ")
    start = f"About {amount} more {unit} of {target}" if unit else "The recordings at hand"
    return f"{start} {effect} ({_range(plan)})"


def _range(plan: AudioPlan) -> str:
    """Return the interval of an amount; one without an upper end says so."""
    low = "more than any amount" if plan.minutes_low is None else _more(plan, plan.minutes_low)
    if plan.minutes_high is not None:
        return f"95 % interval: {low} to {_more(plan, plan.minutes_high)}"
    if plan.minutes_low is None:
        return "but it may be more than any amount"
    return f"it may take {low if low == 'none' else f'only {low}'}, or more than any amount"


def _more(plan: AudioPlan, minutes: float) -> str:
    """Return the amount to add, rounded to its precision."""
    more = minutes - plan.minutes_now
    if more <= 0:
        return "none"
    if more < 100:
        return quantity(max(1, round(more)), "minute")
    return f"{more / 60:.2g} hours" if more < 6000 else f"{more / 60:,.0f} hours"
