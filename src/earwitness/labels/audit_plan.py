"""The order of an audit as a label plan, which the labelling page and the estimates from labels read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from earwitness.labels.audit_order import AuditDraw
from earwitness.labels.plan import FLOOR, SCHEMA_VERSION, LabelPlan, Stratum
from earwitness.labels.pool import pool_of
from earwitness.types import Clip

LEAST_OTHERS = 30
"""Other clips to check beside the suspects, or as many as there are suspects if that is more."""
_NAMES = ("suspects", "others", "silence")


def audit_plan(order: Sequence[AuditDraw], clips: Sequence[Clip], models: Sequence[str] = ()) -> LabelPlan:
    """Return a plan with the strata suspects, others, and silent clips as known, without empty ones.

    Args:
        order: As ``audit_order`` gives it; clips of the dataset that are not in it come after it.
        clips: Every clip of the dataset.
        models: Labels of the runs that bore witness.

    >>> from earwitness.labels.audit_order import audit_order
    >>> clips = [Clip(name, "", "", 0.0, 1.0, "hello", "en") for name in "abcd"]
    >>> plan = audit_plan(audit_order("abcd", "b"), clips)
    >>> plan.order[0], [(stratum.name, stratum.n_clips) for stratum in plan.strata]
    ('b', [('suspects', 1), ('others', 3)])
    """
    place_of = {draw.clip_id: 0 if draw.stratum == "suspect" else 1 for draw in order}
    for clip in clips:
        is_silent = clip.reference is not None and not clip.reference.strip()
        place_of.setdefault(clip.id, 2 if is_silent else 1)
    known_last = sorted(place_of, key=lambda clip_id: place_of[clip_id] == 2)
    n_suspects = sum(place == 0 for place in place_of.values())
    n_open = sum(place != 2 for place in place_of.values())
    n_labels = min(n_open, n_suspects + max(LEAST_OTHERS, n_suspects))
    sizes, planned = Counter(place_of.values()), Counter(place_of[clip_id] for clip_id in known_last[:n_labels])
    filled = sorted(sizes)
    return LabelPlan(
        schema_version=SCHEMA_VERSION,
        goal="wer",
        models=tuple(models),
        limit=None,
        seed=0,
        n_labels=n_labels,
        n_first=min(2 * FLOOR, n_labels),
        pool_sha256=pool_of(clips).sha256,
        strata=tuple(
            Stratum(_NAMES[place], sizes[place], planned[place], 0.0 if place == 2 else 0.5, known=place == 2)
            for place in filled
        ),
        expected_half_width=None,
        order=tuple(known_last),
        stratum_of=tuple(filled.index(place_of[clip_id]) for clip_id in known_last),
    )
