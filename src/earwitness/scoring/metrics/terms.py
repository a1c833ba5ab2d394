"""Errors in numbers and in a user's key terms, which the overall rate hides.

*Numbers.* A number is a word that holds a digit after normalizing: ``20``, ``$20``, ``2nd``, ``b12``. The English
normalizer writes spelled-out numbers in digits, so ``twenty`` counts there; ``basic`` and ``none`` do not, and count
only what is in digits already. In the word alignment of the whole clip, a number of the reference is a hit, a
substitution (any other word stands in its place) or a deletion; a number of the hypothesis that does not stand in the
place of one is an insertion. The rate is that of ``Edits``.

*Key terms.* A term is one or more words, normalized like the texts. An occurrence in the reference is found when all
its words are hits that stand in a row in the hypothesis: the alignment decides, not a bag of words, so that a name
heard an hour later does not make up for one that was missed. Recall is found over said; precision is found over heard,
where heard are the term's occurrences in the hypothesis. Every term counts for itself, also where one is part of
another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.errors import ScoringError
from earwitness.scoring.align.spans import AlignedSpan, spans
from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.scoring.stats.clusters import cluster_of, sum_by_cluster
from earwitness.scoring.stats.exact_intervals import independent, share_interval
from earwitness.scoring.text import normalizer
from earwitness.scoring.text.lines import read_content, split_lines
from earwitness.types import Clip, Edits, Hypothesis, Score

VERSION = 1
UNLABELLED = "no clip has a reference"
WordList = Sequence[str]


@dataclass(frozen=True, slots=True)
class TermCount:
    """How often a term occurs in references, in hypotheses, and in both at the same place."""

    term: str
    """As in the user's file."""
    said: int = 0
    """Occurrences in the references."""
    heard: int = 0
    """Occurrences in the hypotheses."""
    found: int = 0
    """Occurrences in the references that were heard right."""

    @property
    def recall(self) -> float | None:
        """``found / said``; ``None`` if no reference has it."""
        return self.found / self.said if self.said else None

    @property
    def precision(self) -> float | None:
        """``found / heard``; ``None`` if no hypothesis has it."""
        return self.found / self.heard if self.heard else None


@dataclass(frozen=True, slots=True)
class TermPlaces:
    """How often a term occurs in the texts of a model; this needs no reference."""

    term: str
    """As in the user's file."""
    clips: Mapping[str, int]
    """Occurrences by clip id, of the clips that have any, in the order of the clips."""

    @property
    def n(self) -> int:
        """Occurrences in all clips."""
        return sum(self.clips.values())


@dataclass(frozen=True, slots=True)
class TermSubstitutes:
    """What a model wrote where a term was said and not recognized."""

    term: str
    """As in the user's file."""
    texts: Mapping[str, int]
    """How often by normalized text, most frequent first; an empty text where nothing stands in its place."""


def term_substitutes(
    pairs: Iterable[tuple[Clip, Hypothesis]], terms: Sequence[str], norm: str
) -> tuple[TermSubstitutes, ...]:
    """Return what stands in the place of every missed term, of clips with a reference.

    The place is that of the alignment: the words beside the term's, and words that were added right beside them.

    Raises:
        ScoringError: When normalizing leaves nothing of a term.
    """
    found: dict[str, Counter[str]] = {term: Counter() for term in terms}
    clips, said, written = _words(pairs, norm)
    for clip, a, b in zip(clips, said, written, strict=True):
        for term in terms:
            words = _term_words(term, clip, norm)
            found[term].update(substitutes(words, a, b))
    return tuple(TermSubstitutes(term, dict(texts.most_common())) for term, texts in found.items())


def substitutes(term: WordList, reference: WordList, hypothesis: WordList) -> list[str]:
    """Return what stands in the place of each missed occurrence of a term in one clip.

    >>> substitutes(["new", "york"], "from new york".split(), "from newark".split())
    ['newark']
    >>> substitutes(["nagy"], "ask nagy and nagy".split(), "ask no gee and".split())
    ['no gee', '']
    """
    places = _occurrences(term, reference)
    if not places:
        return []
    alignment = spans(reference, hypothesis)
    partner = _partners(alignment)
    missed = [place for place in places if not _in_a_row(partner, place, len(term))]
    return [_in_place(alignment, place, place + len(term), hypothesis) for place in missed]


def _in_place(alignment: Sequence[AlignedSpan], start: int, end: int, hypothesis: WordList) -> str:
    """Return the words of the hypothesis that stand beside a part of the reference.

    Words that were added before or behind it count only if its own word there is wrong.
    """
    kept: list[str] = []
    for span in alignment:
        first, last = span.reference
        new = hypothesis[slice(*span.hypothesis)]
        if span.kind == "insert":
            inside = start < first < end
            beside = first in (start, end) and _is_wrong(alignment, start if first == start else end - 1)
            kept += new if inside or beside else []
        elif span.kind != "delete" and first < end and last > start:
            kept += new[max(0, start - first) : end - first]
    return " ".join(kept)


def _is_wrong(alignment: Sequence[AlignedSpan], place: int) -> bool:
    return any(span.kind != "equal" and span.reference[0] <= place < span.reference[1] for span in alignment)


def term_places(pairs: Iterable[tuple[Clip, Hypothesis]], terms: Sequence[str], norm: str) -> tuple[TermPlaces, ...]:
    """Find every term in every text, of clips with and without a reference.

    Raises:
        ScoringError: When normalizing leaves nothing of a term.
    """
    found: dict[str, dict[str, int]] = {term: {} for term in terms}
    rules = normalizer(norm)
    for clip, hypothesis in pairs:
        text = hypothesis.transcript.text if hypothesis.transcript else ""
        heard = rules.words(text, clip.language)
        for term in terms:
            n = len(_occurrences(_term_words(term, clip, norm), heard))
            if n:
                found[term][clip.id] = n
    return tuple(TermPlaces(term, clips) for term, clips in found.items())


def read_terms(path: Path) -> tuple[str, ...]:
    """Read key terms, one per line; empty lines and lines that begin with ``#`` are skipped.

    Raises:
        ScoringError: When the file cannot be read, or holds no term.
    """
    try:
        content = read_content(path, "Write one, with a key term a line.", "Name a file with a key term a line.")
        lines = split_lines(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ScoringError(f"{str(path)!r} is not UTF-8 (byte {error.start}). Convert it.") from None
    terms = tuple(dict.fromkeys(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")))
    if not terms:
        raise ScoringError(f"{str(path)!r} holds no key term. Write one a line.")
    return terms


def number_edits(reference: WordList, hypothesis: WordList) -> Edits:
    """Count the edits on numbers.

    >>> number_edits("call 911 in 10 minutes now".split(), "call 91 in minutes now 4".split())
    Edits(hits=0, substitutions=1, deletions=1, insertions=1)
    """
    hits = substitutions = deletions = insertions = 0
    for span in spans(reference, hypothesis):
        old, new = reference[slice(*span.reference)], hypothesis[slice(*span.hypothesis)]
        numbers = sum(map(is_number, old))
        if span.kind == "equal":
            hits += numbers
        elif span.kind == "delete":
            deletions += numbers
        elif span.kind == "insert":
            insertions += sum(map(is_number, new))
        else:
            substitutions += numbers
            insertions += sum(is_number(b) and not is_number(a) for a, b in zip(old, new, strict=True))
    return Edits(hits, substitutions, deletions, insertions)


def is_number(word: str) -> bool:
    """Return whether a normalized word holds a digit.

    >>> [is_number(word) for word in ("20", "b12", "twenty")]
    [True, True, False]
    """
    return any(letter.isdigit() for letter in word)


def term_counts(terms: Mapping[str, WordList], reference: WordList, hypothesis: WordList) -> list[TermCount]:
    """Count every term in one clip.

    Args:
        terms: Normalized words by the term as the user wrote it.
        reference: Normalized words of the reference.
        hypothesis: Normalized words of the hypothesis.

    >>> terms = {"New York": ["new", "york"]}
    >>> term_counts(terms, "from new york to new york".split(), "from new york to newark".split())
    [TermCount(term='New York', said=2, heard=1, found=1)]
    """
    partner: dict[int, int] | None = None
    counted = []
    for term, words in terms.items():
        places = _occurrences(words, reference)
        found = 0
        if places:
            partner = _partners(spans(reference, hypothesis)) if partner is None else partner
            found = sum(_in_a_row(partner, place, len(words)) for place in places)
        counted.append(TermCount(term, len(places), len(_occurrences(words, hypothesis)), found))
    return counted


def number_score(pairs: Iterable[tuple[Clip, Hypothesis]], norm: str) -> Score:
    """Return the error rate on numbers, with its interval."""
    clips, said, heard = _words(pairs, norm)
    edits = [number_edits(a, b) for a, b in zip(said, heard, strict=True)]
    return rate("number_error_rate", edits, clips, f"norm:{normalizer(norm).signature}|number:holds-digit")


def term_scores(
    pairs: Iterable[tuple[Clip, Hypothesis]], terms: Sequence[str], norm: str
) -> tuple[Score, Score, tuple[TermCount, ...]]:
    """Return recall and precision over all terms, with intervals, and the counts of each term.

    Raises:
        ScoringError: When normalizing leaves nothing of a term.
    """
    clips, said, heard = _words(pairs, norm)
    totals = {term: TermCount(term) for term in terms}
    per_clip = []
    for clip, a, b in zip(clips, said, heard, strict=True):
        counted = term_counts({term: _term_words(term, clip, norm) for term in terms}, a, b)
        per_clip.append(counted)
        for count in counted:
            totals[count.term] = _plus(totals[count.term], count)
    found = [sum(count.found for count in counted) for counted in per_clip]
    scores = []
    for metric, things in (("term_recall", "said"), ("term_precision", "heard")):
        of = [sum(getattr(count, things) for count in counted) for counted in per_clip]
        signature = f"norm:{normalizer(norm).signature}|terms:{len(terms)}|match:aligned"
        scores.append(_share(metric, found, of, clips, signature, things))
    return scores[0], scores[1], tuple(totals.values())


def rate(metric: str, edits: Sequence[Edits], clips: Sequence[Clip], recipe: str) -> Score:
    """Return an error rate over clips, with its interval by recording."""
    total = sum(edits, Edits())
    keys: list[Hashable] = [cluster_of(clip) for clip in clips]
    ci95, reason = None, "the references have none" if clips else UNLABELLED
    if total.rate is not None:
        ci95, why = rate_interval([e.errors for e in edits], [e.length for e in edits], keys)
        reason = why or ""
    return Score(
        metric, total.rate, "ratio", f"{metric}|{recipe}|v:{VERSION}", len(clips), ci95=ci95, reason=reason or None,
        edits=total,
    )  # fmt: skip


def _share(
    metric: str, counts: Sequence[int], of: Sequence[int], clips: Sequence[Clip], recipe: str, things: str
) -> Score:
    """A share is one less the rate of what was missed, and so is its interval.

    Where the recordings do not vary enough for that, as when nothing was missed, it is Clopper and Pearson's, of as
    many trials as the occurrences in their recordings are worth (``exact.independent``).
    """
    keys: list[Hashable] = [cluster_of(clip) for clip in clips]
    value, ci95 = None, None
    reason: str | None = f"no key term was {things}" if clips else UNLABELLED
    if sum(of):
        value, reason = sum(counts) / sum(of), None
        missed, _ = rate_interval([n - f for n, f in zip(of, counts, strict=True)], of, keys)
        (blocks,) = sum_by_cluster(keys, of)
        exact = share_interval(value, independent([int(n) for n in blocks]))
        ci95 = (max(0.0, 1 - missed[1]), 1 - missed[0]) if missed else exact
    return Score(metric, value, "ratio", f"{metric}|{recipe}|v:{VERSION}", len(clips), ci95=ci95, reason=reason or None)


def _words(pairs: Iterable[tuple[Clip, Hypothesis]], norm: str) -> tuple[list[Clip], list[list[str]], list[list[str]]]:
    clips, said, heard = [], [], []
    rules = normalizer(norm)
    for clip, hypothesis in pairs:
        if clip.reference is None:
            continue
        text = hypothesis.transcript.text if hypothesis.transcript else ""
        clips.append(clip)
        said.append(rules.words(clip.reference, clip.language))
        heard.append(rules.words(text, clip.language))
    return clips, said, heard


def _term_words(term: str, clip: Clip, norm: str) -> list[str]:
    words = normalizer(norm).words(term, clip.language)
    if not words:
        raise ScoringError(f"Normalizing leaves nothing of the key term {term!r}. Remove it, or use --normalizer none.")
    return words


def _plus(a: TermCount, b: TermCount) -> TermCount:
    return TermCount(a.term, a.said + b.said, a.heard + b.heard, a.found + b.found)


def _occurrences(words: WordList, text: WordList) -> list[int]:
    wanted = list(words)
    return [place for place in range(len(text) - len(wanted) + 1) if list(text[place : place + len(wanted)]) == wanted]


def _partners(alignment: Sequence[AlignedSpan]) -> dict[int, int]:
    """The hypothesis's place for each reference word that was heard right."""
    return {
        old: new
        for span in alignment
        if span.kind == "equal"
        for old, new in zip(range(*span.reference), range(*span.hypothesis), strict=True)
    }


def _in_a_row(partner: Mapping[int, int], place: int, length: int) -> bool:
    first = partner.get(place)
    return first is not None and all(partner.get(place + n) == first + n for n in range(length))
