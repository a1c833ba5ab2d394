"""sclite's stm: references of segments of a recording, with speaker and times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from earwitness.errors import ScoringError
from earwitness.scoring.formats.nist import is_ignored
from earwitness.scoring.text.lines import split_fields

IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
"""In place of what was said, where nothing is scored."""


@dataclass(frozen=True, slots=True)
class StmSegment:
    """A stretch of one channel of a recording."""

    recording: str
    """Name of the recording."""
    channel: str
    """Such as ``1`` or ``A``."""
    speaker: str
    """Who speaks."""
    start_s: float
    """From the beginning of the recording."""
    end_s: float
    """From the beginning of the recording; not before ``start_s``."""
    text: str
    """What was said; may have alternatives."""
    labels: str = ""
    """Categories, such as ``<o,f0,male>``."""

    @property
    def ignored(self) -> bool:
        """True if the reference excludes the segment from scoring."""
        return is_ignored(self.text)


def read(name: str, lines: Iterable[str]) -> Iterator[StmSegment]:
    """Yield the segments of a file's lines, those that are not scored among them.

    >>> next(read("ref.stm", ["rec1 A bob 0.5 2.25 <o,f0> hello {there / their}"])).text
    'hello {there / their}'

    Raises:
        ScoringError: For a line with fewer than five fields, or with times that are none; no length is one.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = split_fields(line, 6)
        try:
            recording, channel, speaker, start, end = fields[:5]
            start_s, end_s = float(start), float(end)
        except ValueError:
            raise ScoringError(
                f"{name}:{number} is not 'recording channel speaker start end text', as stm needs. Correct the line."
            ) from None
        if not 0 <= start_s <= end_s < inf:
            raise ScoringError(f"{name}:{number} ends at {end} s, before its start. Correct the line.")
        text = fields[5].strip() if len(fields) > 5 else ""
        labels = ""
        if text.startswith("<"):
            labels, _, text = text.partition(" ")
        yield StmSegment(recording, channel, speaker, start_s, end_s, text.strip(), labels)


def line_of(segment: StmSegment) -> str:
    """Return a segment's line."""
    times = f"{segment.start_s:.3f} {segment.end_s:.3f}"
    head = f"{segment.recording} {segment.channel} {segment.speaker} {times}"
    return " ".join(part for part in (head, segment.labels, segment.text) if part)
