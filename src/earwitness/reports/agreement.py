"""Agreement without references as tables and sentences. No arithmetic here."""

from __future__ import annotations

from dataclasses import asdict
from itertools import takewhile
from typing import Any

from earwitness.comparison.agreement import Agreement, ModelAgreement, of_table
from earwitness.comparison.agreement_lines import proofs, summary
from earwitness.comparison.listening import DisputedClip
from earwitness.comparison.pair_agreement import PairAgreement
from earwitness.comparison.study import Board
from earwitness.counts import NOTHING, duration, percentage, points, quantity
from earwitness.reports.markdown import grid, safe
from earwitness.reports.statistics import p_value
from earwitness.scoring.findings.kinds import KINDS

HEADER = ("Model", "Rank", "Distance to the others", "Words", "Family of weights", "Problems")
MEANING = (
    "The distance is an estimate of the WER: edits to the nearest text that the votes of the other families allow, in "
    "percent of the words of the consensus, with a 95 % interval over recordings. It misses errors that models share "
    "and words about which the others are divided. Ranks do not rest on it."
)
_LONGEST = 100
_BEFORE = 3
"""Words to show before the first difference."""
_MOST_PAIRS = 10


def title(agreed: Agreement) -> str:
    """Return the heading: the data, and that its references are not used."""
    data = agreed.dataset
    return f"{data.name}: {quantity(agreed.n_clips, 'clip')}, {duration(data.audio_s)}, references not used"


def model_rows(agreed: Agreement) -> list[list[str]]:
    """Return a row for each run, nearest to the others first."""
    return [
        [
            model.label,
            model.rank if len(agreed.models) > 1 else NOTHING,
            percentage(model.rate, model.ci95),
            f"{model.n_words:,}",
            model.family,
            _problems(model),
        ]
        for model in agreed.models
    ]


def _problems(model: ModelAgreement) -> str:
    failed = [quantity(model.n_failed, "failed clip")] if model.n_failed else []
    return ", ".join([*failed, *(f"{KINDS[kind].short}: {n}" for kind, n in model.findings.items())]) or "none"


def distance_grid(agreed: Agreement) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the matrix of distances, in percent of the words of the consensus."""
    labels = [model.label for model in agreed.models]
    between = {frozenset((pair.first, pair.second)): pair for pair in agreed.pairs}
    rows = [
        [one, *(percentage(between[frozenset((one, other))].rate) if one != other else NOTHING for other in labels)]
        for one in labels
    ]
    return ["Distance", *labels], rows


def sentences(agreed: Agreement) -> list[str]:
    """Return all there is to say; of many pairs, only about neighbours in the table."""
    order = [model.label for model in agreed.models]
    pairs = agreed.pairs
    if len(pairs) > _MOST_PAIRS:
        pairs = tuple(p for p in pairs if abs(order.index(p.first) - order.index(p.second)) == 1)
    return [
        summary(agreed),
        *(line for pair in pairs for line in pair_lines(pair, agreed)),
        *([agreed.unbounded] if agreed.unbounded else []),
        *_without_votes(agreed),
        *agreed.caveats,
        MEANING,
    ]


def pair_lines(pair: PairAgreement, agreed: Agreement) -> list[str]:
    """Return the sentences about two runs: proofs, the test, and the labels that would settle their order."""
    both = f"{pair.first} and {pair.second}"
    if not pair.distance:
        return [f"{both} have equal texts, so they make the same errors, whatever was said."]
    return [*proofs(pair, both, agreed), *_test(pair), *_labels(pair, both)]


def _test(pair: PairAgreement) -> list[str]:
    if pair.difference is None:
        return [
            (
                f"No independent witness tells {pair.first} from {pair.second}: it takes a model that is related to "
                "neither. The distance to the others alone ranks nobody."
            )
        ]
    by = f"{points(pair.difference.value, pair.difference.ci95)} ({p_value(pair.p)})"
    witnesses = (
        f"{' and '.join(pair.witnesses)}, which {'is' if len(pair.witnesses) == 1 else 'are'} related to neither"
    )
    if pair.order == "tested":
        return [f"{pair.first} is nearer than {pair.second} to {witnesses}, by {by}."]
    return [f"{pair.first} and {pair.second} are not separated by {witnesses}: {by}."]


def _labels(pair: PairAgreement, both: str) -> list[str]:
    if pair.order is not None:
        return []
    need = pair.labels
    few = need.expected is not None and 2 * need.expected <= need.certain
    fewer = f"; about {need.expected:,}, if the witnesses are right" if few else ""
    n = f"{need.least:,} to {need.certain:,}" if need.least < need.certain else f"{need.certain:,}"
    labels = "label settles" if need.certain == 1 else "labels settle"
    return [f"{n} {labels} which of {both} makes fewer errors here (proven){fewer}."]


def _without_votes(agreed: Agreement) -> list[str]:
    reasons = dict.fromkeys(model.reason for model in agreed.models if model.reason)
    return [
        f"{', '.join(model.label for model in agreed.models if model.reason == reason)}: {reason}" for reason in reasons
    ]


def clip_line(clip: DisputedClip) -> str:
    """Return a clip to hear, with the different texts."""
    texts: dict[str, list[str]] = {}
    for label, text in clip.texts.items():
        texts.setdefault(text, []).append(label)
    equal = takewhile(lambda words: len(set(words)) == 1, zip(*map(str.split, texts), strict=False))
    start = len(list(equal)) - _BEFORE
    said = "; ".join(f"{', '.join(labels)}: {_excerpt(text, start)}" for text, labels in texts.items())
    return f"{clip.clip_id} ({duration(clip.audio_s)}, {quantity(clip.disagreement, 'edit')} apart): {said}"


def _excerpt(text: str, start: int) -> str:
    """Return a text from a word on, shortened."""
    rest = f"… {' '.join(text.split()[start:])}" if start > 0 else text
    return (rest if len(rest) <= _LONGEST else f"{rest[:_LONGEST].rpartition(' ')[0]} …") or "(nothing)"


def markdown(agreed: Agreement) -> list[str]:
    """Return the section for a Markdown document, in pieces."""
    return [
        grid(HEADER, model_rows(agreed)),
        grid(*distance_grid(agreed)),
        *(f"- {safe(line)}" for line in sentences(agreed)),
        "",
        *(["Clips to hear first:\n"] if agreed.to_hear else []),
        *(f"- {safe(clip_line(clip))}" for clip in agreed.to_hear),
        "",
    ]


def section(board: Board) -> dict[str, Any] | None:
    """Return the section for the page; ``None`` with references, or for a single run."""
    agreed = of_table(board.table, board.results)
    if agreed is None:
        return None
    header, rows = distance_grid(agreed)
    return {
        "header": HEADER,
        "rows": model_rows(agreed),
        "distances": {"header": header, "rows": rows},
        "lines": sentences(agreed),
        "clips": [clip_line(clip) for clip in agreed.to_hear],
    }


def plain(agreed: Agreement) -> dict[str, object]:
    """Return the values for JSON, with the proven bounds."""
    values = asdict(agreed)
    for pair, shown in zip(agreed.pairs, values["pairs"], strict=True):
        if pair.bound is not None:
            shown["bound"]["reversal_wer"] = pair.bound.reversal_wer
    return {**values, "models": [{**asdict(model), "record": str(model.record)} for model in agreed.models]}
