"""What is known of clips before anybody labels them: what models wrote, and how far the models are from each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from earwitness.engines.families import family_of
from earwitness.errors import ComparisonError
from earwitness.labels.span_id import parent_id
from earwitness.records.rescore import options_of
from earwitness.records.select import RunWithClips
from earwitness.scoring.align.consensus import Words, consensus
from earwitness.scoring.align.edits import align, align_letters
from earwitness.scoring.findings import kinds
from earwitness.scoring.metrics.clip import ScoringOptions
from earwitness.scoring.stats.clusters import Counts
from earwitness.scoring.text import join_words, normalizer
from earwitness.types import Clip

Rate = Literal["wer", "cer"]
_FEWEST_VOTERS = 3
ODD = frozenset({kinds.FAILED, kinds.REPEATED_NGRAM, kinds.CHAT_ANSWER, kinds.TOKEN_LIMIT, kinds.TEXT_WITHOUT_SPEECH,
                 kinds.WRONG_LANGUAGE, kinds.GHOST_PHRASE})  # fmt: skip
"""Findings that need no reference, so that they are known before a label is."""


@dataclass(frozen=True, slots=True)
class PoolTexts:
    """What one model wrote, in the words that are compared."""

    label: str
    """Of the run."""
    family: str
    """Models of one family are one witness."""
    words: tuple[Words, ...]
    """Normalized, by clip of the pool."""
    odd: npt.NDArray[np.bool_]
    """Whether the text of the clip has a finding, or there is none; shape (N,)."""


@dataclass(frozen=True, slots=True)
class LabelPool:
    """Clips of which some are to be labelled, and the texts of models over them."""

    clips: tuple[Clip, ...]
    """In the order of the dataset."""
    models: tuple[PoolTexts, ...]
    """None for a pool without runs."""
    scoring: ScoringOptions
    """How texts are compared."""
    undecodable: frozenset[str] = frozenset()
    """Ids of clips of which nobody can hear anything."""

    @property
    def sha256(self) -> str:
        """Of every clip's id, audio, span and channel, in any order; references do not count.

        Nor does the language: ``run --language`` puts it into the record, and not into the data.
        """
        rows = ([c.id, c.audio_sha256, c.start_s, c.duration_s, c.channel] for c in self.clips)
        lines = sorted(json.dumps(row, ensure_ascii=False) for row in rows)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def is_whole(self) -> bool:
        """Whether no clip is a span of a longer one."""
        return not any(parent_id(clip.id) for clip in self.clips)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the models."""
        return tuple(model.label for model in self.models)


def pool_of(
    clips: Sequence[Clip], runs: Sequence[RunWithClips] = (), undecodable: frozenset[str] = frozenset()
) -> LabelPool:
    """Return the pool of a dataset's clips with the texts of runs over them.

    Args:
        clips: Of the dataset, with or without references.
        runs: Over the same clips, scored alike.
        undecodable: Ids of clips of which nobody can hear anything.

    Raises:
        ComparisonError: When a run lacks a clip of the dataset, or has it with other audio.
    """
    options = options_of(runs[0].run.scoring) if runs else ScoringOptions()
    rules = normalizer(options.normalizer)

    # Models often write the same, and normalizing is most of the work.
    @cache
    def words(text: str, language: str | None) -> Words:
        return tuple(rules.words(text, language))

    return LabelPool(tuple(clips), tuple(_texts(clips, run, words) for run in runs), options, undecodable)


def _texts(clips: Sequence[Clip], run: RunWithClips, words: Callable[[str, str | None], Words]) -> PoolTexts:
    results = {result.clip.id: result for result in run.results}
    texts, odd = [], np.zeros(len(clips), bool)
    for place, clip in enumerate(clips):
        result = results.get(clip.id)
        if result is None or result.clip.audio_sha256 != clip.audio_sha256:
            what = "has no clip" if result is None else "has other audio for clip"
            raise ComparisonError(
                f"The run {str(run.path)!r} {what} {clip.id!r} of the dataset. Run the model over this dataset."
            )
        transcript = result.hypothesis.transcript
        texts.append(words(transcript.text if transcript else "", clip.language))
        odd[place] = transcript is None or not ODD.isdisjoint(result.score.flags)
    return PoolTexts(run.label, family_of(run.run.model.weights_id), tuple(texts), odd)


def distance(pool: LabelPool, rate: Rate = "wer") -> Callable[[int, Sequence[str], Sequence[str]], int]:
    """Return a function that counts the edits between two texts of a clip: ``count(place, reference, hypothesis)``.

    Words count as the pool's scoring counts them; letters for CER.
    """
    if rate == "cer":

        def letters(place: int, reference: Sequence[str], hypothesis: Sequence[str]) -> int:
            joined = partial(join_words, language=pool.clips[place].language)
            return align_letters(joined(list(reference)), joined(list(hypothesis))).errors

        return letters

    def in_words(_: int, reference: Sequence[str], hypothesis: Sequence[str]) -> int:
        return align(reference, hypothesis, compounds=pool.scoring.compounds, method=pool.scoring.method).errors

    return in_words


def witnesses(pool: LabelPool, model: int) -> tuple[Words, ...] | None:
    """Return for each clip the text that a model is held against; ``None`` when there is no other family.

    With three other families or more it is their consensus. Two cannot outvote each other: their consensus is half the
    time the text of the worse one. So of one or two it is the text that is nearest to the model's own: what differs
    from it, no other family heard.

    Args:
        pool: The clips.
        model: Place of the model in ``pool.models``; its family does not count.
    """
    own = pool.models[model]
    others = [other for other in pool.models if other.family != own.family]
    if not others:
        return None
    families = [other.family for other in others]
    texts = list(zip(*(other.words for other in others), strict=True))
    if len(set(families)) >= _FEWEST_VOTERS:
        return tuple(consensus(each, families) for each in texts)
    count = distance(pool)
    return tuple(
        min(each, key=lambda text: (count(place, text, own.words[place]), text)) for place, each in enumerate(texts)
    )


def length(pool: LabelPool, place: int, words: Sequence[str], rate: Rate = "wer") -> int:
    """Return the length of a text of a clip: words, or letters for CER."""
    return len(words) if rate == "wer" else len(join_words(list(words), pool.clips[place].language))


def proxies(pool: LabelPool, model: int, rate: Rate = "wer") -> tuple[Counts, Counts]:
    """Return guesses of a model's errors and of the reference's length, each of shape (N,).

    Errors: the distance of its text to that of ``witnesses``; zeros without another family. Length: that of the
    witness, or of its own text.

    Args:
        pool: The clips.
        model: Place of the model in ``pool.models``.
        rate: ``wer`` counts words, ``cer`` letters.
    """
    own = pool.models[model]
    others = witnesses(pool, model)
    count = distance(pool, rate)
    errors = np.zeros(len(pool.clips))
    if others is not None:
        errors = np.array(
            [count(n, other, text) for n, (other, text) in enumerate(zip(others, own.words, strict=True))]
        )
    said = own.words if others is None else others
    return errors.astype(float), np.array([length(pool, n, text, rate) for n, text in enumerate(said)], float)
