"""``earwitness score`` and ``earwitness rescore`` as functions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from earwitness.api.collector import without_collector
from earwitness.api.records import Record, RecordSource, RecordSources, paths
from earwitness.api.terms import TermReport, read_list, term_report
from earwitness.errors import UsageError
from earwitness.languages import canonical
from earwitness.records.record import ClipResult
from earwitness.scoring import ScoringOptions, mer_and_wil, summarize
from earwitness.scoring.metrics.clip import info_of
from earwitness.scoring.metrics.variants import Spellings, spellings_of
from earwitness.types import Clip, ClipScore, Failure, Hypothesis, Score, Segment, Transcript

if TYPE_CHECKING:
    from earwitness.scoring.align.edits import Method
    from earwitness.scoring.formats.sclite import ScliteFiles
    from earwitness.scoring.formats.stm import StmSegment as Stretch
    from earwitness.scoring.formats.transcripts import Pairs, ReadOptions, TextPair, TranscriptFormat
    from earwitness.scoring.metrics.mistakes import Mistakes
    from earwitness.scoring.metrics.normalizer_gaps import NormalizerGap

_ABSENT = Failure("transcribe", "error", "there is no hypothesis")


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """The result of ``score``."""

    scores: tuple[Score, ...]
    """WER and CER with intervals, what is counted beside them, and last MER and WIL: see ``docs/metrics.md``."""
    clips: tuple[ClipResult, ...]
    """Each pair with its texts, counts and findings, in the order of the reference."""
    terms: TermReport | None
    """Numbers, key terms, punctuation and case; ``None`` where no terms were given."""
    options: ScoringOptions
    """How the words were made and aligned."""
    sclite: ScliteFiles | None = None
    """The files that were written; ``None`` where none were asked for."""
    ignored: int = 0
    """Pairs that were left out because the reference says ``IGNORE_TIME_SEGMENT_IN_SCORING``."""
    notes: tuple[str, ...] = ()
    """A sentence for each thing that was assumed in reading the files."""
    unfolded: tuple[NormalizerGap, ...] = ()
    """Differences that the normalizer keeps apart, such as accents, where they alone cost a good part of the WER."""

    def score(self, metric: str) -> Score | None:
        """Return a score by name, such as ``wer``; ``None`` where there is no such metric."""
        return next((score for score in self.scores if score.metric == metric), None)

    def most_errors(self, n: int) -> list[Mistakes]:
        """Return the n pairs with the most word errors, each with its alignment; those without an error are left out.

        >>> (worst,) = score(["a b", "c"], ["a b", "d"], normalizer="none").most_errors(5)
        >>> worst.id, worst.pieces
        ('line 2', (Piece(kind='replace', reference='c', hypothesis='d'),))
        """
        from earwitness.scoring.metrics.mistakes import most_errors

        return most_errors([(one.clip, one.hypothesis, one.score) for one in self.clips], self.options, n)


def score(
    reference: RecordSource | Sequence[str] | Mapping[str, str],
    hypothesis: RecordSource | Sequence[str | None] | Mapping[str, str],
    *,
    language: str | None = "en",
    normalizer: str = "auto",
    compounds: bool = False,
    align: str = "levenshtein",
    alternatives: bool = False,
    numbers: bool = False,
    spellings: RecordSource | Spellings = (),
    format: str | None = None,  # noqa: A002 - the word of the command line
    encoding: str | None = None,
    missing_as_empty: bool = False,
    optional_words: bool = False,
    terms: RecordSource | Iterable[str] | None = None,
    export_sclite: RecordSource | None = None,
) -> ScoreResult:
    """Score texts, or two transcript files; a single text is a path. A pair is a recording, unless an stm says more.

    Args:
        reference: What was said: a file (plain lines, JSONL, trn, stm, Kaldi's text), a list of texts, or texts by id.
        hypothesis: What was heard, alike; a ctm beside an stm. ``None`` in a list is a failure.
        language: Of the transcripts, as a tag or a name; decides the normalizer. ``None`` for any.
        normalizer: ``auto``, another name of ``docs/metrics.md``, or a TOML file of rules.
        compounds: Whether ``white board`` equals ``whiteboard``.
        align: ``levenshtein``, or ``sclite`` for its costs.
        alternatives: Whether ``{a / b}`` in a reference is either; in trn and stm it always is.
        numbers: Whether a number in digits equals its words, in any language with number words (package num2words).
        spellings: Groups of wordings that are equal, or a file with one a line: ``colour / color``.
        format: Of both files: ``plain``, ``jsonl``, ``trn``, ``stm`` or ``kaldi``; ``None`` finds out.
        encoding: Of both files; ``None`` for UTF-8.
        missing_as_empty: Whether a reference without hypothesis counts as failed, instead of being an error.
        optional_words: Whether a word in brackets may be left out in trn and stm, as with ``sclite -D``.
        terms: Key terms, or a file with one a line: their recall and precision, numbers, punctuation, case.
        export_sclite: A folder for the compared words as trn, and with times as stm and ctm, for NIST's sclite.

    Raises:
        ScoringError: When the texts cannot be read or paired, or the files for sclite cannot be written.
        UsageError: For a language, a normalizer, an alignment or a format that there is not.

    >>> score(["the cat sat", "on the mat"], ["the cat sat", "on a mat"]).score("wer").value
    0.16666666666666666
    """
    found = _pairs(reference, hypothesis, _reading(format, encoding, missing_as_empty, optional_words))
    nist = found.format in ("trn", "stm")
    options = _options(normalizer, compounds, align, alternatives or nist, numbers, spellings)
    texts, counts = _scored(found.pairs, canonical(language), options, nist=nist)
    clips = tuple(ClipResult(*text, score) for text, (_, score) in zip(texts, counts, strict=True))
    return ScoreResult(
        scores=(*summarize(counts, options), *mer_and_wil([score for _, score in counts], options)),
        clips=clips,
        terms=None if terms is None else term_report(texts, read_list(terms), options.normalizer),
        options=options,
        sclite=None if export_sclite is None else _export(texts, options, Path(export_sclite)),
        ignored=found.ignored,
        notes=found.notes,
        unfolded=_gaps(clips, normalizer),
    )


def rescore(
    records: RecordSources,
    *,
    normalizer: str = "auto",
    compounds: bool = False,
    align: str = "levenshtein",
    alternatives: bool = False,
    numbers: bool = False,
    spellings: RecordSource | Spellings = (),
) -> list[Record]:
    """Score records' texts again, without engine or audio: a new record beside each, which names it as its parent.

    Args:
        records: Records, or folders that hold some.
        normalizer: As for ``score``.
        compounds: As for ``score``.
        align: As for ``score``.
        alternatives: As for ``score``.
        numbers: As for ``score``.
        spellings: As for ``score``.

    Raises:
        RecordError: For a record that is not complete.
        FileError: When a new one cannot be written.
        UsageError: For a normalizer or an alignment that there is not.
    """
    from earwitness.records.rescore import rescore_record
    from earwitness.records.store import read_run

    scoring = info_of(_options(normalizer, compounds, align, alternatives, numbers, spellings))
    made = [rescore_record(path, scoring) for path in paths(records)]
    return [Record(path, read_run(path)) for path in made]


def _options(
    normalizer: str,
    compounds: bool,
    align: str,
    alternatives: bool,
    numbers: bool,
    spellings: RecordSource | Spellings,
) -> ScoringOptions:
    if isinstance(spellings, str | os.PathLike):
        equal = spellings_of(os.fspath(spellings))
    else:
        equal = tuple(tuple(group) for group in spellings)
    return ScoringOptions(normalizer, compounds, cast("Method", align), alternatives, numbers, equal)


def _export(texts: Sequence[tuple[Clip, Hypothesis]], options: ScoringOptions, folder: Path) -> ScliteFiles:
    from earwitness.scoring.formats.sclite import write_sclite

    return write_sclite(texts, options, folder)


def _gaps(clips: Sequence[ClipResult], normalizer: str) -> tuple[NormalizerGap, ...]:
    from earwitness.scoring.metrics.normalizer_gaps import normalizer_gaps

    return normalizer_gaps([(one.clip, one.hypothesis, one.score) for one in clips], normalizer)


def _scored(
    pairs: Sequence[TextPair], language: str | None, options: ScoringOptions, *, nist: bool
) -> tuple[list[tuple[Clip, Hypothesis]], list[tuple[Clip, ClipScore]]]:
    from earwitness.scoring import score_clip

    with without_collector():
        texts = [as_clip(_one_wording(pair, language, options) if nist else pair, language) for pair in pairs]
        return texts, [(clip, score_clip(clip, heard, options)) for clip, heard in texts]


def _pairs(
    reference: RecordSource | Sequence[str] | Mapping[str, str],
    hypothesis: RecordSource | Sequence[str | None] | Mapping[str, str],
    options: ReadOptions,
) -> Pairs:
    from earwitness.scoring.formats.transcripts import Pairs, pair_texts, read_pairs

    if isinstance(reference, str | os.PathLike) and isinstance(hypothesis, str | os.PathLike):
        return read_pairs(Path(reference), Path(hypothesis), options)
    if isinstance(reference, str | os.PathLike) or isinstance(hypothesis, str | os.PathLike):
        raise UsageError("One side is a file and the other is not. Give two files, two lists, or two mappings.")
    return Pairs(tuple(pair_texts(reference, hypothesis, missing_as_empty=options.missing_as_empty)), "plain")


def _one_wording(pair: TextPair, language: str | None, options: ScoringOptions) -> TextPair:
    """Return a pair whose hypothesis has no choices: that wording of it which has the fewest errors."""
    from earwitness.scoring.align import alternatives
    from earwitness.scoring.align.edits import align
    from earwitness.scoring.metrics.clip import reference_words
    from earwitness.scoring.text import normalizer

    if pair.hypothesis is None or "{" not in pair.hypothesis:
        return pair
    words = normalizer(options.normalizer).words

    def errors(text: str) -> int:
        heard = words(text, language)
        said = reference_words(pair.reference, heard, language, options)
        return align(said, heard, compounds=options.compounds, method=options.method).errors

    return pair._replace(hypothesis=min(alternatives.wordings(alternatives.parse(pair.hypothesis)), key=errors))


def _reading(format_: str | None, encoding: str | None, missing_as_empty: bool, optional_words: bool) -> ReadOptions:
    from earwitness.scoring.formats.transcripts import ReadOptions

    return ReadOptions(_format(format_), encoding, missing_as_empty, optional_words)


def _format(name: str | None) -> TranscriptFormat | None:
    from earwitness.scoring.formats.transcripts import FORMATS

    clip = next((known for known in FORMATS if known == name), None)
    if name is not None and clip is None:
        raise UsageError(f"There is no format {name!r}. There are: {', '.join(FORMATS)}.")
    return clip


def as_clip(pair: TextPair, language: str | None) -> tuple[Clip, Hypothesis]:
    """Return a pair of texts as a clip without audio and a hypothesis."""
    heard = pair.hypothesis
    if pair.segment is not None and heard is not None:
        return _timed(pair, pair.segment, heard, language)
    clip = Clip(pair.id, "", "", 0.0, 0.0, pair.reference, language, recording=pair.recording)
    transcript, failure = (None, _ABSENT) if heard is None else (Transcript(heard), None)
    return clip, Hypothesis(pair.id, transcript, failure, audio_s=0.0)


def _timed(pair: TextPair, segment: Stretch, text: str, language: str | None) -> tuple[Clip, Hypothesis]:
    from earwitness.scoring.formats.sclite import CHANNEL, LABELS

    length_s = segment.end_s - segment.start_s
    tags = {CHANNEL: segment.channel, LABELS: segment.labels}
    clip = Clip(
        pair.id, "", "", segment.start_s, length_s, pair.reference, language, segment.speaker, pair.recording, tags=tags
    )
    begins = [(word.start_s - segment.start_s, word) for word in pair.words]
    words = tuple(Segment(at_s, at_s + word.duration_s, word.text) for at_s, word in begins)
    return clip, Hypothesis(pair.id, Transcript(text, words=words), None, audio_s=length_s)
