"""``earwitness score`` and ``earwitness rescore`` as functions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from earwitness.api.records import Record, Source, Sources, paths
from earwitness.api.terms import TermReport, read_list, term_report
from earwitness.errors import UsageError
from earwitness.languages import canonical
from earwitness.runs.record import ClipResult, ScoringInfo
from earwitness.types import Clip, Failure, Hypothesis, Score, Segment, Transcript

if TYPE_CHECKING:
    from earwitness.scoring import ScoringOptions
    from earwitness.scoring.align import Method
    from earwitness.scoring.files import Format, Pair
    from earwitness.scoring.sclite import ScliteFiles
    from earwitness.scoring.stm import Segment as Stretch

_ABSENT = Failure("transcribe", "error", "there is no hypothesis")


@dataclass(frozen=True, slots=True)
class Scored:
    """What ``score`` found."""

    scores: tuple[Score, ...]
    """WER and CER with intervals, and what is counted beside them; all of them are defined in ``docs/metrics.md``."""
    clips: tuple[ClipResult, ...]
    """Each pair with its texts, counts and findings, in the order of the reference."""
    terms: TermReport | None
    """Numbers, key terms, punctuation and case; ``None`` where no terms were given."""
    options: ScoringOptions
    """How the words were made and aligned."""
    sclite: ScliteFiles | None = None
    """The files that were written; ``None`` where none were asked for."""

    def score(self, metric: str) -> Score | None:
        """Return a score by name, such as ``wer``; ``None`` where there is no such metric."""
        return next((score for score in self.scores if score.metric == metric), None)


def score(
    reference: Source | Sequence[str] | Mapping[str, str],
    hypothesis: Source | Sequence[str | None] | Mapping[str, str],
    *,
    language: str | None = "en",
    normalizer: str = "auto",
    compounds: bool = False,
    align: str = "levenshtein",
    alternatives: bool = False,
    format: str | None = None,  # noqa: A002 - the word of the command line
    missing_as_empty: bool = False,
    terms: Source | Iterable[str] | None = None,
    export_sclite: Source | None = None,
) -> Scored:
    """Score texts, or two transcript files; a single text is a path.

    Every pair is a recording of its own, unless an stm says more.

    Args:
        reference: What was said: a file (plain lines, JSONL, trn, stm), a list of texts, or texts by id.
        hypothesis: What was heard, alike; a ctm beside an stm. ``None`` in a list is a failure.
        language: Of the transcripts, as a tag or a name; decides the normalizer. ``None`` for any.
        normalizer: ``auto`` or another name of ``docs/metrics.md``, or a TOML file of rules.
        compounds: Whether ``white board`` equals ``whiteboard``.
        align: ``levenshtein``, or ``sclite`` for its costs.
        alternatives: Whether ``{a / b}`` in a reference is either; in trn and stm it always is.
        format: Of both files: ``plain``, ``jsonl``, ``trn`` or ``stm``; ``None`` finds out.
        missing_as_empty: Whether a reference without hypothesis counts as failed, instead of being an error.
        terms: Key terms, or a file with one a line: their recall and precision, numbers, punctuation, case.
        export_sclite: A folder for the compared words as trn, and with times as stm and ctm, for NIST's sclite.

    Raises:
        ScoringError: When the texts cannot be read or paired, or the files for sclite cannot be written.
        UsageError: For a language, a normalizer, an alignment or a format that there is not.

    >>> found = score(["the cat sat", "on the mat"], ["the cat sat", "on a mat"])
    >>> found.score("wer").value, found.score("wer").edits
    (0.16666666666666666, Edits(hits=5, substitutions=1, deletions=0, insertions=0))
    """
    from earwitness.scoring import ScoringOptions, score_clip, summarize
    from earwitness.scoring.sclite import write_sclite

    tag = canonical(language)
    wanted = None if terms is None else read_list(terms)
    pairs, braces = _pairs(reference, hypothesis, _format(format), missing_as_empty=missing_as_empty)
    options = ScoringOptions(normalizer, compounds, method=cast("Method", align), alternatives=alternatives or braces)
    texts = [as_clip(pair, tag) for pair in pairs]
    scored = [(clip, score_clip(clip, heard, options)) for clip, heard in texts]
    return Scored(
        scores=summarize(scored, options),
        clips=tuple(ClipResult(*text, counts) for text, (_, counts) in zip(texts, scored, strict=True)),
        terms=None if wanted is None else term_report(texts, wanted, options.normalizer),
        options=options,
        sclite=None if export_sclite is None else write_sclite(texts, options, Path(export_sclite)),
    )


def rescore(
    records: Sources,
    *,
    normalizer: str = "auto",
    compounds: bool = False,
    align: str = "levenshtein",
    alternatives: bool = False,
) -> list[Record]:
    """Score records' texts again, without engine or audio: a new record beside each, which names it as its parent.

    Args:
        records: Records, or folders that hold some.
        normalizer: As for ``score``.
        compounds: As for ``score``.
        align: As for ``score``.
        alternatives: As for ``score``.

    Raises:
        RecordError: For a record that is not complete, or when a new one cannot be written.
        UsageError: For a normalizer or an alignment that there is not.
    """
    from earwitness.runs.rescore import rescore_record
    from earwitness.runs.store import read_run
    from earwitness.scoring import ScoringOptions

    options = ScoringOptions(normalizer, compounds, cast("Method", align), alternatives)
    scoring = ScoringInfo(options.normalizer, compounds, options.method, alternatives)
    made = [rescore_record(path, scoring) for path in paths(records)]
    return [Record(path, read_run(path)) for path in made]


def _pairs(
    reference: Source | Sequence[str] | Mapping[str, str],
    hypothesis: Source | Sequence[str | None] | Mapping[str, str],
    form: Format | None,
    *,
    missing_as_empty: bool,
) -> tuple[list[Pair], bool]:
    """Return the pairs, and whether braces in their references are alternatives by their format."""
    from earwitness.scoring.files import paired, read_pairs, sniff

    if isinstance(reference, str | os.PathLike) and isinstance(hypothesis, str | os.PathLike):
        braces = (form or sniff(Path(reference))) in ("trn", "stm")
        return read_pairs(Path(reference), Path(hypothesis), format=form, missing_as_empty=missing_as_empty), braces
    if isinstance(reference, str | os.PathLike) or isinstance(hypothesis, str | os.PathLike):
        raise UsageError("One side is a file and the other is not. Give two files, two lists, or two mappings.")
    return paired(reference, hypothesis, missing_as_empty=missing_as_empty), False


def _format(name: str | None) -> Format | None:
    from earwitness.scoring.files import FORMATS

    known = next((known for known in FORMATS if known == name), None)
    if name is not None and known is None:
        raise UsageError(f"There is no format {name!r}. There are: {', '.join(FORMATS)}.")
    return known


def as_clip(pair: Pair, language: str | None) -> tuple[Clip, Hypothesis]:
    """Return a pair of texts as a clip without audio, and what was heard in it."""
    heard = pair.hypothesis
    if pair.segment is not None and heard is not None:
        return _timed(pair, pair.segment, heard, language)
    clip = Clip(pair.id, "", "", 0.0, 0.0, pair.reference, language, recording=pair.recording)
    transcript, failure = (None, _ABSENT) if heard is None else (Transcript(heard), None)
    return clip, Hypothesis(pair.id, transcript, failure, audio_s=0.0)


def _timed(pair: Pair, segment: Stretch, heard: str, language: str | None) -> tuple[Clip, Hypothesis]:
    from earwitness.scoring.sclite import CHANNEL, LABELS

    length_s = segment.end_s - segment.start_s
    tags = {CHANNEL: segment.channel, LABELS: segment.labels}
    clip = Clip(
        pair.id, "", "", segment.start_s, length_s, pair.reference, language, segment.speaker, pair.recording, tags=tags
    )
    begins = [(word.start_s - segment.start_s, word) for word in pair.words]
    words = tuple(Segment(at_s, at_s + word.duration_s, word.text) for at_s, word in begins)
    return clip, Hypothesis(pair.id, Transcript(heard, words=words), None, audio_s=length_s)
