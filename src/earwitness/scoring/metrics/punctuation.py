"""Punctuation and case from the raw texts, which normalizing removes before words are counted.

Words of the raw texts are aligned without regard to case. Between two neighbouring aligned words stand the marks of the
reference and those of the hypothesis; they are aligned with each other, so order and number matter, and a mark behind a
word that was missed is still compared with the mark behind the words around it.

- ``punctuation_error_rate`` = (S + D + I) / (H + S + D + I) over marks (Meister, Novikov, Karpov, Bakhturina, Lavrukhin
  and Ginsburg, "LibriSpeech-PC", ASRU 2023, who count by mark on a joint alignment); between 0 and 1.
- ``case_error_rate`` = words that are right but for their case / words that are right in any case.

Marks are those that end or divide sentences; quotes, brackets, hyphens and apostrophes are not among them, because no
two transcribers place them alike.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence

from earwitness.languages import has_spaces
from earwitness.scoring.align.edits import align
from earwitness.scoring.align.spans import spans
from earwitness.scoring.stats.bootstrap_t import rate_interval
from earwitness.scoring.stats.clusters import cluster_of
from earwitness.types import Clip, Edits, Hypothesis, Score

MARKS = ".,;:?!…¿¡。，、；：？！؟،؛।॥"
_TOKEN = re.compile(rf"[{re.escape(MARKS)}]|\w+(?:[.,:]\w+)*(?:['’\-]\w+)*")
_LETTER = re.compile(rf"[{re.escape(MARKS)}]|\w")
VERSION = 1
_NO_REFERENCE = "no clip with a text has a reference"


def tokens(text: str, language: str | None = None) -> tuple[list[str], list[str]]:
    """Return the words of a raw text, and the marks before, between and after them (one string more than words).

    >>> tokens("Well, that's $3.50... isn't it?")
    (['Well', "that's", '3.50', "isn't", 'it'], ['', ',', '', '...', '', '?'])
    """
    words: list[str] = []
    marks = [""]
    for token in (_TOKEN if has_spaces(language) else _LETTER).findall(text):
        if token in MARKS:
            marks[-1] += token
        else:
            words.append(token)
            marks.append("")
    return words, marks


def compare_raw(reference: str, hypothesis: str, language: str | None = None) -> tuple[Edits, Edits]:
    """Count one clip: the edits on marks, and hits and substitutions of case.

    >>> marks, case = compare_raw("Hello, Anna. How are you?", "hello Anna how are you?")
    >>> marks
    Edits(hits=1, substitutions=0, deletions=2, insertions=0)
    >>> case
    Edits(hits=3, substitutions=2, deletions=0, insertions=0)
    """
    said, said_marks = tokens(reference, language)
    heard, heard_marks = tokens(hypothesis, language)
    marks, right, wrong = Edits(), 0, 0
    last_said = last_heard = 0
    for span in spans([w.casefold() for w in said], [w.casefold() for w in heard]):
        if span.kind in ("delete", "insert"):
            continue
        for old, new in zip(range(*span.reference), range(*span.hypothesis), strict=True):
            before = "".join(said_marks[last_said : old + 1]), "".join(heard_marks[last_heard : new + 1])
            marks += align(*before)
            last_said, last_heard = old + 1, new + 1
            right += int(said[old] == heard[new])
            wrong += int(said[old] != heard[new] and span.kind == "equal")
    marks += align("".join(said_marks[last_said:]), "".join(heard_marks[last_heard:]))
    return marks, Edits(hits=right, substitutions=wrong)


def raw_scores(pairs: Iterable[tuple[Clip, Hypothesis]]) -> tuple[Score, Score]:
    """Return punctuation and case error rate with intervals by recording.

    Failed clips have no text to look at and are left out. Both are ``None`` with a reason when the references have no
    marks, or no capital letter: they were normalized before they were written down.
    """
    triples = [
        (clip, clip.reference, hypothesis.transcript.text)
        for clip, hypothesis in pairs
        if clip.reference is not None and hypothesis.transcript is not None
    ]
    counts = [compare_raw(reference, text, clip.language) for clip, reference, text in triples]
    marks, case = [edits for edits, _ in counts], [edits for _, edits in counts]
    n_marks, n_words = [edits.hits + edits.errors for edits in marks], [edits.length for edits in case]
    keys: list[Hashable] = [cluster_of(clip) for clip, _, _ in triples]
    references = [reference for _, reference, _ in triples]
    return (
        _score("punctuation_error_rate", marks, n_marks, keys, _without_marks(references)),
        _score("case_error_rate", case, n_words, keys, _without_capitals(references)),
    )


def _without_marks(references: Sequence[str]) -> str | None:
    if not references:
        return _NO_REFERENCE
    has_marks = any(mark in text for text in references for mark in MARKS)
    return None if has_marks else "the references have no punctuation"


def _without_capitals(references: Sequence[str]) -> str | None:
    if not references:
        return _NO_REFERENCE
    has_capitals = any(text != text.lower() for text in references)
    return None if has_capitals else "the references have no capital letters"


def _score(metric: str, edits: list[Edits], lengths: list[int], keys: list[Hashable], missing: str | None) -> Score:
    value, ci95, reason = None, None, missing
    if missing is None and sum(lengths) > 0:
        value = sum(e.errors for e in edits) / sum(lengths)
        ci95, reason = rate_interval([e.errors for e in edits], lengths, keys)
    elif missing is None:
        reason = "no word was right" if metric == "case_error_rate" else "there is no mark"
    signature = f"{metric}|raw|failed:left-out|v:{VERSION}"
    return Score(metric, value, "ratio", signature, len(edits), ci95=ci95, reason=reason, edits=sum(edits, Edits()))
