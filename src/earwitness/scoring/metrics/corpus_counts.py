"""The counts of clips in columns, 76 bytes a clip, so that a million clips can be summed up by one process.

A text, a score or an id is not kept: of a recording, a digest of its name is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from earwitness.errors import ScoringError
from earwitness.scoring.findings.kinds import KINDS
from earwitness.scoring.metrics.perfect import is_perfect
from earwitness.scoring.stats.clusters import cluster_of, number
from earwitness.scoring.text.mixed import counts_by_character
from earwitness.types import Clip, ClipScore, Edits

Columns = npt.NDArray[np.void]
Numbers = npt.NDArray[np.integer]
_FLAGS = {kind: 1 << place for place, kind in enumerate(KINDS)}
_NONE = Edits()
_ROW = np.dtype(
    [
        ("words", "<u4", 4),
        ("chars", "<u4", 4),
        ("mixed", "<u4", 4),
        ("hypothesis_words", "<u4"),
        ("flags", "<u4"),
        ("labelled", "?"),
        ("failed", "?"),
        ("perfect", "?"),
        ("", "?"),
    ]
)
"""Four edits are hits, substitutions, deletions and insertions, as in ``Edits``."""
_PACK = struct.Struct("<14I4?").pack
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class CountTable:
    """Counts of clips, a row for each."""

    rows: Columns
    """``words``, ``chars`` and ``mixed``, each of shape (clips, 4): hits, substitutions, deletions, insertions; zeros
    for a clip without a reference. ``hypothesis_words``; ``labelled``, ``failed`` and ``perfect``, true or false."""
    recordings: npt.NDArray[np.intp]
    """The number of each clip's recording, in the order in which they are first seen."""
    by_character: bool
    """Whether a reference has a script that counts by character."""

    def __len__(self) -> int:
        """Return how many clips there are."""
        return len(self.rows)

    @property
    def n_failed(self) -> int:
        """Clips without a transcript."""
        return int(np.count_nonzero(self.rows["failed"]))

    @property
    def n_perfect(self) -> int:
        """Clips without any error."""
        return int(np.count_nonzero(self.rows["perfect"]))

    @property
    def n_recordings(self) -> int:
        """Recordings that the clips are of."""
        return int(self.recordings.max(initial=-1)) + 1

    def has(self, kind: str) -> npt.NDArray[np.bool_]:
        """Return for each clip whether it has a finding of a kind."""
        flagged: npt.NDArray[np.bool_] = self.rows["flags"] & _FLAGS[kind] > 0
        return flagged

    def n_with(self, kind: str) -> int:
        """Return how many clips have a finding of a kind."""
        return int(np.count_nonzero(self.has(kind)))

    def where(self, holds: npt.NDArray[np.bool_]) -> CountTable:
        """Return the clips for which something is true."""
        if holds.all():  # without a copy
            return self
        return CountTable(self.rows[holds], number(self.recordings[holds]), self.by_character)


class CorpusCounts:
    """The counts of clips, taken one after the other.

    >>> counts = CorpusCounts()
    >>> counts.add(Clip("a", "", "", 0.0, 1.0, "one two"), ClipScore("a", Edits(1, 0, 1), None, False, 1))
    >>> sum_edits(counts.table().rows["words"])
    Edits(hits=1, substitutions=0, deletions=1, insertions=0)
    """

    def __init__(self) -> None:
        """Begin without a clip."""
        self._rows, self._recordings, self._by_character = bytearray(), bytearray(), False

    def add(self, clip: Clip, score: ClipScore) -> None:
        """Take the counts of a clip.

        Raises:
            ScoringError: For a count that no clip can have: below 0, or of 33 bits.
        """
        words, chars = score.words or _NONE, score.chars or _NONE
        mixed = score.mixed or words
        flags = 0
        for kind in score.flags:
            flags |= _FLAGS.get(kind, 0)
        try:
            self._rows += _PACK(
                *(words.hits, words.substitutions, words.deletions, words.insertions),
                *(chars.hits, chars.substitutions, chars.deletions, chars.insertions),
                *(mixed.hits, mixed.substitutions, mixed.deletions, mixed.insertions),
                *(score.hypothesis_words, flags, score.words is not None, score.failed, is_perfect(score), False),
            )
        except struct.error:
            raise ScoringError(f"Clip {clip.id!r} has a count that no clip can have.") from None
        self._recordings += blake2b(cluster_of(clip).encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).digest()
        if score.words is not None and not self._by_character:
            self._by_character = counts_by_character(clip.reference or "")

    def table(self) -> CountTable:
        """Return the counts of the clips so far; no more can be added while it is in use."""
        digests = np.frombuffer(self._recordings, f"S{_DIGEST_BYTES}")
        return CountTable(np.frombuffer(self._rows, _ROW), number(digests), self._by_character)


def table_of(pairs: Iterable[tuple[Clip, ClipScore]]) -> CountTable:
    """Return the counts of clips."""
    counts = CorpusCounts()
    for clip, score in pairs:
        counts.add(clip, score)
    return counts.table()


def sum_edits(edits: Numbers) -> Edits:
    """Return the sum of a column of edits, shape (clips, 4)."""
    return Edits(*map(int, edits.sum(axis=0, dtype=np.int64)))
