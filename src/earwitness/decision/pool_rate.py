"""Error rates by labels beside the data, as evidence for a policy."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.decision.evidence import MeasuredValue, ids
from earwitness.records.select import RunWithClips


def pool_rate(runs: Sequence[RunWithClips], metric: str) -> MeasuredValue | None:
    """Return an error rate as labels beside the data give it; ``None`` where all references are those of the records.

    Args:
        runs: Of a candidate, one for each dataset.
        metric: ``wer`` or ``cer``.
    """
    scores = [run.pool_score(metric) for run in runs]
    known = [score for score in scores if score is not None]
    if not known or (len(runs) > 1 and not any(run.label_note for run in runs)):
        return None
    if len(runs) > 1:
        reason = "it is estimated from labels for each dataset alone; name one in the rule, as in dataset = 'calls'"
        return MeasuredValue(None, reason=reason, evidence=ids(runs))
    (score,) = known
    return MeasuredValue(score.value, score.ci95, score.reason, ids(runs), target=score.target)
