"""``earwitness label`` as a function: a page in the browser that plays clips and takes what is said in them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from earwitness.api.data import read_data
from earwitness.api.label_plan import label_plan
from earwitness.api.records import RecordSource, RecordSources, paths, several
from earwitness.errors import EarwitnessError, UsageError
from earwitness.files.loopback import is_loopback as is_loopback
from earwitness.labels.page.run import PORT, PageSite, serve_page
from earwitness.labels.page.run import LabelSummary as LabelSummary
from earwitness.labels.page.run import open_browser as open_browser
from earwitness.types import Dataset

if TYPE_CHECKING:
    from earwitness.labels.label import Label
    from earwitness.labels.page.drafts import DraftPolicy
    from earwitness.labels.plan import LabelPlan
    from earwitness.records.record import ClipResult
    from earwitness.records.select import RunWithClips
    from earwitness.types import Clip

EMPTY, HIDDEN, REFERENCE = "empty", "hidden", "reference"
"""Drafts that are not a record."""


def label_page(
    data: RecordSource | Dataset,
    *,
    runs: RecordSources = (),
    clips: Sequence[str] = (),
    labels: int = 60,
    goal: str = "wer",
    models: str | Iterable[str] = (),
    limit: float | None = None,
    seed: int = 0,
    overlay: RecordSource | None = None,
    author: str | None = None,
    draft: RecordSource = EMPTY,
    second_opinion: float = 0.1,
    host: str = "127.0.0.1",
    port: int = PORT,
    allow_network: bool = False,
    on_listen: Callable[[str, int], None] = lambda *_: None,
) -> LabelSummary:
    """Open a page on this machine that plays the clips of a plan and takes their texts, until Ctrl-C.

    Each label is appended to the overlay at once. The plan is kept beside the overlay, so that a later start goes on in
    the same order.

    Args:
        data: As for ``read_data``, or a dataset.
        runs: Records over these clips, or folders that hold some: for the plan, and for the estimate on the page.
        clips: Ids of clips to label in this order, whether they have references or not; empty for the plan's.
        labels: How many clips to label; the page offers more after them.
        goal: As for ``label_plan``.
        models: As for ``label_plan``.
        limit: As for ``label_plan``.
        seed: Of the plan, of hidden drafts, and of the choice of second opinions.
        overlay: The file of labels; ``None`` for the one beside the data.
        author: Who labels; ``None`` for the name of the login. The page can change it.
        draft: What the box starts with: ``empty``; ``hidden``, the text of a family of the runs at random;
            ``reference``, the dataset's own text; or the record of a model that is not among the runs.
        second_opinion: The share of clips that a second person labels, 0 to 1.
        host: The address to listen on.
        port: The first port to try; 0 for any.
        allow_network: Whether ``host`` may be an address that other machines reach.
        on_listen: Called once with the address of the page and the port that was taken.

    Raises:
        UsageError: For options that do not go together, a draft of a candidate, or when the page cannot be served.
        EarwitnessError: In one sentence, for the first thing that cannot be read or that belongs to other clips.
    """
    from earwitness.labels.page.session import LabelTask
    from earwitness.records.select import newest_with_clips

    dataset, sources = data if isinstance(data, Dataset) else read_data(data), several(runs)
    candidates = newest_with_clips(paths(sources)) if sources else []
    path = _overlay_of(data, overlay)
    make = partial(label_plan, dataset, runs=sources, labels=labels, goal=goal, models=models, limit=limit, seed=seed)
    plan = None if clips else _kept_plan(path, dataset, make, (goal, limit, seed))
    units = _units_of(plan, dataset, clips)
    drafts = drafts_of(draft, candidates, units, seed)
    n_labels, name, estimate = min(labels, len(units)), author or _login(), _estimate_of(plan, candidates)
    task = LabelTask(dataset.name, units, n_labels, path, name, drafts, second_opinion, seed, estimate)
    return serve_page(task, PageSite(host, port, allow_network), on_listen)


def read_ids(path: Path) -> tuple[str, ...]:
    """Read ids of clips from a text file, one a line.

    Raises:
        UsageError: When it cannot be read, or has none.
    """
    try:
        ids = tuple(filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read as ids of clips: {error}.") from None
    if not ids:
        raise UsageError(f"{str(path)!r} has no ids of clips. Write one on each line.")
    return ids


def drafts_of(draft: RecordSource, runs: Sequence[RunWithClips], clips: Sequence[Clip], seed: int) -> DraftPolicy:
    """Return what the box starts with.

    Args:
        draft: As for ``label_page``.
        runs: The candidates.
        clips: To label, spans too; a text of a record counts only for a clip with the same audio.
        seed: Of hidden drafts.

    Raises:
        UsageError: When the draft is of a candidate, or names several records.
        RecordError: For a record that cannot be read.
    """
    from earwitness.engines.families import family_of
    from earwitness.labels.page import drafts
    from earwitness.labels.spans import in_spans
    from earwitness.records.select import RunWithClips
    from earwitness.records.store import read_clips, read_run

    order = [clip.id for clip in clips]
    if draft == EMPTY:
        return drafts.empty_box()
    if draft == REFERENCE:
        return drafts.reference_drafts()
    cut = in_spans(runs, order) if runs else []
    families = {family_of(run.run.model.weights_id): run for run in reversed(cut)}
    if draft == HIDDEN:
        return drafts.hidden_drafts(
            {name: (run.run.model.id, _texts(run.results, clips)) for name, run in families.items()}, seed
        )
    records = paths(draft)
    if len(records) != 1:
        raise UsageError(f"A draft comes from one run, and {str(draft)!r} has {len(records)}. Name one record.")
    model = read_run(records[0]).model
    (drafting,) = in_spans([RunWithClips(records[0], read_run(records[0]), tuple(read_clips(records[0])))], order)
    texts = _texts(drafting.results, clips)
    if not texts:
        raise UsageError(f"The run {str(records[0])!r} has no text of these clips. Name a run over this data.")
    return drafts.drafts_of_model(model.id, texts, frozenset(families), family_of(model.weights_id))


def _texts(results: Iterable[ClipResult], clips: Sequence[Clip]) -> dict[str, str]:
    audio = {clip.id: clip.audio_sha256 for clip in clips}
    return {
        result.clip.id: result.hypothesis.transcript.text.strip()
        for result in results
        if result.hypothesis.transcript is not None and audio.get(result.clip.id) == result.clip.audio_sha256
    }


def _overlay_of(data: RecordSource | Dataset, overlay: RecordSource | None) -> Path:
    from earwitness.labels.overlay import overlay_path

    if overlay is not None:
        return Path(overlay)
    if isinstance(data, Dataset):
        raise UsageError("Labels of a dataset in memory need a place: name the overlay.")
    return overlay_path(os.fspath(data))


def _units_of(plan: LabelPlan | None, dataset: Dataset, clip_ids: Sequence[str]) -> tuple[Clip, ...]:
    """The clips and spans in the plan's order, without those that need no label; without a plan, those of the ids."""
    from earwitness.labels.units import units_in

    clips = units_in(dataset.clips, clip_ids if plan is None else plan.order)
    if plan is None:
        unknown = [clip_id for clip_id in clip_ids if clip_id not in clips]
        if unknown:
            raise UsageError(f"{dataset.name} has no clip {unknown[0]!r}. Name clips of this dataset.")
        return tuple(clips[clip_id] for clip_id in dict.fromkeys(clip_ids))
    places = zip(plan.order, plan.stratum_of, strict=True)
    return tuple(clips[clip_id] for clip_id, stratum in places if not plan.strata[stratum].known)


def _kept_plan(
    overlay: Path, dataset: Dataset, make: Callable[[], LabelPlan], options: tuple[str, float | None, int]
) -> LabelPlan:
    """The plan beside the overlay; a new one where there is none, or one for other clips or another goal."""
    from earwitness.labels.overlay import plan_path
    from earwitness.labels.plan_file import read_plan, write_plan
    from earwitness.labels.pool import pool_of
    from earwitness.labels.units import units_in

    path = plan_path(overlay)
    if path.exists():
        plan = read_plan(path)
        units = tuple(units_in(dataset.clips, plan.order).values())
        if (plan.goal, plan.limit, plan.seed) == options and plan.pool_sha256 == pool_of(units).sha256:
            return plan
    plan = make()
    write_plan(path, plan)
    return plan


def _estimate_of(plan: LabelPlan | None, runs: Sequence[RunWithClips]) -> Callable[[Sequence[Label]], list[str]] | None:
    from earwitness.counts import percentage, quantity
    from earwitness.labels.estimate import estimate_labels
    from earwitness.labels.span_id import unit_noun

    if not runs or plan is None:
        return None

    def lines(labels: Sequence[Label]) -> list[str]:
        try:
            found = estimate_labels(plan, labels, runs)
        except EarwitnessError as error:
            return [str(error)]
        shown = [
            f"{one.label}: WER {percentage(one.estimate.value, one.estimate.ci95)}"
            + (f" ({one.estimate.reason})" if one.estimate.reason else "")
            for one in found.models
        ]
        units = unit_noun(plan.order)
        about = f"For all {found.n_pool:,} {units} of this pool, from {quantity(found.n_labels, 'label')}."
        if found.n_waiting:
            about += f" {quantity(found.n_waiting, 'label')} more will count once the {units} before them are labelled."
        return [*shown, about]

    return lines


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"
