"""Says which clips of a run were heard as the mean of channels that should not have been mixed, or with gaps."""

from __future__ import annotations

from collections.abc import Sequence

from earwitness.audio.channels import CANCEL, DIFFER
from earwitness.audio.source import SKIPPED
from earwitness.runs.record import ClipResult

_NAMED = 3
_CHOOSE = "To choose a channel, add --channel 0 (or 1), or give each row of the manifest a 'channel'."
_WHY = {
    CANCEL: "have channels that cancel each other out, so the models heard next to nothing",
    DIFFER: "have channels with different sound in them, such as two speakers, and none is chosen, so the models heard "
    "their mean",
    SKIPPED: "have packets that cannot be decoded, so the models did not hear all of their sound",
}


def mixed(results: Sequence[ClipResult]) -> list[str]:
    """Return a sentence for each kind of remark: how many clips, which, and what to do."""
    sentences = []
    for remark, why in _WHY.items():
        ids = [result.clip.id for result in results if remark in result.hypothesis.audio_remarks]
        if ids:
            named = ", ".join(map(repr, ids[:_NAMED])) + (", …" if len(ids) > _NAMED else "")
            sentences.append(
                f"{len(ids)} of {len(results)} clips {why} ({named}). "
                + ("Copy the files again from where they came from." if remark == SKIPPED else _CHOOSE)
            )
    return sentences
