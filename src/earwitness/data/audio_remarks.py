"""Explanations of remarks on decoded audio, for ``data check`` and ``run``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType

from earwitness.audio.channels import CANCEL, DIFFER
from earwitness.audio.source import SKIPPED

_NAMED = 3
_CHOOSE = "To choose a channel, run with --channel 0 (or 1), or give each row of the manifest a 'channel'."
_COPY = "Copy the file again from where it came from."
_MEANINGS = MappingProxyType(
    {
        CANCEL: ("the channels cancel each other out, so a model gets almost no sound", _CHOOSE),
        DIFFER: (
            "the channels hold different sound, such as two speakers, and none is chosen, so a model gets their mean",
            _CHOOSE,
        ),
        SKIPPED: ("some packets cannot be decoded, so a model does not get all of the sound", _COPY),
    }
)


def explain(remark: str) -> str:
    """Return what a remark of the decoder means for a clip, and what to do.

    >>> explain("packets_skipped")
    'some packets cannot be decoded, so a model does not get all of the sound. Copy the file again from where it came from.'
    """  # noqa: E501
    meaning, remedy = _MEANINGS[remark]
    return f"{meaning}. {remedy}"


def summarize(clips: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Return one sentence for each kind of remark on the audio of a dataset's clips.

    Args:
        clips: Each clip's id and the decoder's remarks on it.

    Returns:
        How many clips of how many have the remark, what it means, the first three, and what to do.

    >>> for line in summarize([("a", ["packets_skipped"]), ("b", [])]): print(line)
    1 of 2 clips: some packets cannot be decoded, so a model does not get all of the sound ('a'). Copy the file again from where it came from.
    """  # noqa: E501
    clips = list(clips)
    sentences = []
    for remark, (meaning, remedy) in _MEANINGS.items():
        ids = [clip_id for clip_id, remarks in clips if remark in remarks]
        if ids:
            named = ", ".join(map(repr, ids[:_NAMED])) + (", …" if len(ids) > _NAMED else "")
            sentences.append(f"{len(ids)} of {len(clips)} clips: {meaning} ({named}). {remedy}")
    return sentences
