"""The process on a node that keeps a worker with one model; Ray starts it, and nothing here knows of Ray.

The worker is Earwitness's own, in its own environment, as on one machine: what is measured here is what is measured
there. The results go to the driver, which alone writes the record.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from earwitness.cluster.audio_cache import AudioCache
from earwitness.cluster.backend import MOST_CRASHES, ActorReport
from earwitness.cluster.nodes import weights_here
from earwitness.errors import EarwitnessError, UsageError
from earwitness.files.remote import is_address
from earwitness.records.environment import usable_cores
from earwitness.records.record import WorkersInfo
from earwitness.runs.plan import open_speech_model
from earwitness.runs.pool import PoolResult, PoolSpec, supervisor_of
from earwitness.runs.speech import SpeechDetector, SpeechModel
from earwitness.runs.transcribe import CLIP, scratch_folder, transcribe_clip, warm_up_audio
from earwitness.types import Clip, Dataset, Hypothesis
from earwitness.workers.supervisor import GivenUpError, Supervisor


@dataclass(frozen=True, slots=True)
class ActorAnswer:
    """What an actor says of a clip."""

    kind: Literal["result", "unable", "no audio"]
    """``unable``: this node cannot run the model; ``no audio``: the file is not here."""
    result: PoolResult | None = None
    """Of the clip."""
    reason: str = ""
    """Why it is unable."""
    report: ActorReport | None = None
    """Of its workers so far."""


class ModelActor:
    """A worker with one model on this node, and the audio that it needs."""

    def __init__(self, spec: PoolSpec) -> None:
        """Remember what to run; the first clip starts the worker."""
        threads = spec.settings.threads or usable_cores()
        self._spec = replace(spec, settings=replace(spec.settings, threads=threads))
        self._audio = AudioCache()
        # The folders of processes that were killed go on the way.
        self._scratch = ExitStack()
        self._folder = self._scratch.enter_context(scratch_folder())
        self._workers: Supervisor | None = None
        self._detector: SpeechDetector | None = None

    def have(self, path: str, sha256: str) -> bool:
        """Return whether the audio is here."""
        return self._audio.find(path, sha256) is not None

    def take(self, path: str, sha256: str, offset: int, chunk: bytes, *, last: bool) -> bool:
        """Take a piece of an audio file, and return whether it is whole now."""
        return self._audio.take(path, sha256, offset, chunk, last=last)

    def transcribe(self, clip: Clip, path: str) -> ActorAnswer:
        """Transcribe a clip, and look for speech in it.

        Args:
            clip: As the driver has it.
            path: Where this node looks for its audio before it looks among the copies.
        """
        is_remote = is_address(clip.audio_path)
        place = clip.audio_path if is_remote else self._audio.find(path, clip.audio_sha256)
        if place is None:
            return ActorAnswer("no audio")
        here = replace(clip, audio_path=str(place))
        try:
            workers, detector = self._ready(here)
            dataset = self._spec.dataset
            hypothesis = transcribe_clip(here, dataset, workers, self._spec.settings.language, self._folder / CLIP)
            speech = detector.hear(clip, dataset, hypothesis)
            result = PoolResult(_with_path(hypothesis, str(place), clip.audio_path), speech)
            if hypothesis.failure is not None:
                workers.give_up_if_hopeless(hypothesis.failure)
        except GivenUpError as error:
            return ActorAnswer("unable", reason=error.failure.message)
        except EarwitnessError as error:
            return ActorAnswer("unable", reason=str(error))
        return ActorAnswer("result", result, report=_report(workers))

    def close(self) -> None:
        """End the worker."""
        if self._workers is not None:
            self._workers.rest()
        self._scratch.close()

    def _ready(self, first: Clip) -> tuple[Supervisor, SpeechDetector]:
        if self._workers is not None and self._detector is not None:
            return self._workers, self._detector
        spec = self._spec
        _require_voices(spec.dataset)
        folder = weights_here(spec.model, spec.folder, spec.weights_sha256)
        limits = spec.limits
        warm_up = None
        if limits.warmup:
            warm_up = warm_up_audio(replace(spec.dataset, clips=(first,)), spec.settings.language, self._folder)
        # Here a clip that kills its worker may kill another one.
        self._workers = supervisor_of(spec, folder, warm_up, MOST_CRASHES * limits.max_deaths)
        self._detector = SpeechDetector(_same_speech_model(spec.speech), self._folder / CLIP)
        return self._workers, self._detector


def _require_voices(dataset: Dataset) -> None:
    """Refuse a condition that takes the voices of other clips where these cannot be read.

    Raises:
        UsageError: With the number of files that are missing.
    """
    if dataset.condition is None or "babble" not in dataset.condition.name:
        return
    clips = (dataset.whole or dataset).clips
    n_missing = sum(not Path(clip.audio_path).is_file() for clip in clips)
    if n_missing:
        raise UsageError(
            f"Condition {dataset.condition.name!r} takes the voices of other clips, and {n_missing} of {len(clips)} "
            "are not at their paths here. Put the data on a shared disk."
        )


def _same_speech_model(model: SpeechModel) -> SpeechModel:
    """Return this node's copy of the driver's speech model.

    Raises:
        UsageError: When it has none.
    """
    if model.name is None:
        return model
    here = open_speech_model(None)
    if here.name != model.name:
        reason = here.reason or f"it has {here.name}"
        raise UsageError(f"Speech is detected with {model.name}, which is not here: {reason}. Or run with --no-speech.")
    return here


def _report(workers: Supervisor) -> ActorReport | None:
    info = workers.first
    if info is None:
        return None
    return ActorReport(
        info,
        WorkersInfo(
            spawn_s=info.spawn_s,
            load_s=info.load_s,
            n_warmup=workers.n_warmup,
            n_started=workers.n_workers,
            peak_rss_bytes=workers.peak_rss_bytes,
            peak_device_bytes=workers.peak_device_bytes,
        ),
    )


def _with_path(hypothesis: Hypothesis, place: str, path: str) -> Hypothesis:
    """Name the file in a failure as the dataset does, wherever this node has it."""
    failure = hypothesis.failure
    if failure is None or place == path:
        return hypothesis
    detail = failure.detail and failure.detail.replace(place, path)
    return replace(hypothesis, failure=replace(failure, message=failure.message.replace(place, path), detail=detail))
