"""Labels over records: runs are scored in memory against what people wrote; the records stay as they are.

Where the clips to label were chosen by a plan, the error rates are estimates for the whole pool, with intervals. Where
a person chose them, the rates are those of the labelled clips alone, and no interval for the pool is claimed. Where
every clip has a reference, nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from earwitness.comparison.within import with_targets
from earwitness.labels.apply import OverlayProblem, sentences, usable_labels
from earwitness.labels.estimate import LabelEstimates, estimate_labels
from earwitness.labels.label import Label
from earwitness.labels.overlay import Overlay
from earwitness.labels.plan import LabelPlan
from earwitness.labels.span_id import unit_noun
from earwitness.labels.spans import in_spans
from earwitness.records.record import ClipResult
from earwitness.records.rescore import rescore, score_run
from earwitness.records.select import RunWithClips
from earwitness.scoring.stats.survey import SurveyEstimate
from earwitness.types import Score

CHOSEN_BY_HAND = "no interval: the labelled clips were not drawn at random by a plan, so they may be unlike the others"
_RATES = ("wer", "cer")


@dataclass(frozen=True, slots=True)
class RunsWithLabels:
    """Runs over one dataset, under the labels of an overlay."""

    runs: tuple[RunWithClips, ...]
    """Their clips have the references of the labels, and counts by these; ``pool_scores`` has the estimates."""
    estimates: LabelEstimates | None
    """Of the WER of each run and of every two, by the labels of the runs; ``None`` without a plan."""
    n_labels: int
    """Clips with a label that is used."""
    n_references: int
    """Clips with a reference, from a label or from the dataset."""
    n_clips: int
    """Clips of the dataset."""
    overlay: Overlay
    """The labels."""
    problems: tuple[str, ...]
    """What to look at, one sentence each."""

    @property
    def is_partial(self) -> bool:
        """Whether clips are left that nobody labelled."""
        return self.n_references < self.n_clips

    @property
    def recipe(self) -> str:
        """What signatures of the scores say of the labels."""
        return f"labels:{self.n_labels}/{self.n_clips}|overlay:{self.overlay.sha256[:12]}"

    @property
    def note(self) -> str:
        """A sentence on what the numbers are about."""
        units = unit_noun([result.clip.id for result in self.runs[0].results])
        of = f"{self.n_labels:,} of {self.n_clips:,} {units} have a label ({self.overlay.path.name})"
        if not self.is_partial:
            return f"References: {of}; every clip has a reference."
        if self.estimates is None:
            return (
                f"Labels: {of}. WER and CER are those of the labelled {units}, which a person chose, not of the pool."
            )
        return f"Target: this pool. {of}; WER and CER are estimates for all {self.n_clips:,} {units}."


def with_labels(runs: Sequence[RunWithClips], overlay: Overlay, plan: LabelPlan | None = None) -> RunsWithLabels:
    """Score runs against labels.

    Args:
        runs: Over one dataset, scored alike.
        overlay: Labels of its clips.
        plan: By which the clips to label were chosen; ``None`` where a person chose them.

    Raises:
        UsageError: When the plan is for other clips.
    """
    usable = usable_labels(
        [result.clip for result in runs[0].results], overlay.labels, normalizer=runs[0].run.scoring.normalizer
    )
    units, used = _in_units(runs, usable.labels, plan)
    clips = [result.clip for result in units[0].results]
    rescored_runs = tuple(replace(run, results=_rescored(run, used)) for run in units)
    n_references = sum(result.clip.reference is not None for result in rescored_runs[0].results)
    problems = [problem for problem in usable.problems if problem.flaw != "unknown clip" or _is_whole(runs[0])]
    problems += [OverlayProblem("other span", clip_id) for clip_id in usable.labels if clip_id not in used]
    group = RunsWithLabels(
        rescored_runs, None, len(used), n_references, len(clips), overlay, tuple(sentences(overlay, problems))
    )
    if not group.is_partial:
        return replace(group, runs=tuple(_with_scores(run, group.recipe) for run in group.runs))
    if plan is None:
        return replace(group, runs=tuple(_by_hand(run, group) for run in group.runs))
    return _with_estimates(group, runs, plan, tuple(used.values()))


def _in_units(
    runs: Sequence[RunWithClips], labels: Mapping[str, Label], plan: LabelPlan | None
) -> tuple[Sequence[RunWithClips], dict[str, Label]]:
    """Return runs by the spans of long clips that are planned or labelled, and the labels of what they then have."""
    runs = in_spans(runs, plan.order if plan else (), labels)
    ids = {result.clip.id for result in runs[0].results}
    return runs, {clip_id: label for clip_id, label in labels.items() if clip_id in ids}


def _with_estimates(
    group: RunsWithLabels, runs: Sequence[RunWithClips], plan: LabelPlan, labels: Sequence[Label]
) -> RunsWithLabels:
    words = estimate_labels(plan, labels, runs, rate="wer")
    letters = estimate_labels(plan, labels, runs, rate="cer")
    group = replace(group, estimates=words)
    note = group.note.removesuffix(".")
    scores = [
        _estimated(run, (of_words.estimate, of_letters.estimate), group.recipe)
        for run, of_words, of_letters in zip(group.runs, words.models, letters.models, strict=True)
    ]
    changed = (replace(run, pool_scores=of, label_note=note) for run, of in zip(group.runs, scores, strict=True))
    return replace(group, runs=tuple(changed))


def _is_whole(run: RunWithClips) -> bool:
    selection = run.run.dataset.selection
    return selection.limit is None and not selection.tags


def _rescored(run: RunWithClips, labels: dict[str, Label]) -> tuple[ClipResult, ...]:
    """Return the results under labels; only clips with a label are scored again."""
    places = [place for place, result in enumerate(run.results) if result.clip.id in labels]
    chosen = [run.results[place] for place in places]
    changed = [replace(r, clip=replace(r.clip, reference=labels[r.clip.id].reference)) for r in chosen]
    results = list(run.results)
    for place, result in zip(places, rescore(changed, run.run.scoring), strict=True):
        results[place] = result
    return tuple(results)


def _scores(run: RunWithClips, recipe: str) -> list[Score]:
    """Return the error rates of the clips that have a reference."""
    scores = score_run(run.results, run.run.scoring)
    return [replace(s, signature=f"{s.signature}|{recipe}") for s in scores if s.metric in _RATES]


def _with_scores(run: RunWithClips, recipe: str) -> RunWithClips:
    scores = with_targets(replace(run.run, scores=tuple(_scores(run, recipe))), run.results).scores
    return replace(run, pool_scores=scores)


def _by_hand(run: RunWithClips, group: RunsWithLabels) -> RunWithClips:
    scores = [
        replace(s, ci95=None, reason=CHOSEN_BY_HAND if s.value is not None else s.reason)
        for s in _scores(run, group.recipe)
    ]
    return replace(run, pool_scores=tuple(scores), label_note=group.note.removesuffix("."))


def _estimated(run: RunWithClips, estimates: tuple[SurveyEstimate, SurveyEstimate], recipe: str) -> tuple[Score, ...]:
    scores = _scores(run, f"target:this pool|{recipe}")
    return tuple(
        replace(
            score,
            value=found.value,
            ci95=found.ci95,
            reason=found.reason,
            edits=None,
            target=found.target,
            signature=score.signature.replace("ci:bootstrap-t-recording", "ci:difference-estimator"),
        )
        for score, found in zip(scores, estimates, strict=True)
    )


def overlay_of(run: RunWithClips) -> Path | None:
    """Return the overlay of a run's data, beside the data or in the folder where the run was made; ``None`` without.

    Args:
        run: Its dataset's path is in the record, relative to the folder where it was made.
    """
    from earwitness.labels.overlay import overlay_path

    named = overlay_path(run.run.dataset.selection.source)
    # runs/<model>/asr/<time>.json
    folders = [Path(), *run.path.absolute().parents[3:4]]
    return next((folder / named for folder in folders if (folder / named).is_file()), None)
