"""Transcribes a clip: decodes it into a scratch file, sends it to a worker, and cleans up."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from earwitness.errors import AudioError, DataError, DecoderError, FileError
from earwitness.files.atomic import RESUME, write_errors
from earwitness.files.remote import download, is_address, redact
from earwitness.records.environment import is_running, this_process
from earwitness.records.record import Process
from earwitness.runs.conditions import put_under
from earwitness.types import RATE_HZ, Clip, Dataset, Failure, Hypothesis
from earwitness.workers.supervisor import AudioFile, Supervisor

CLIP = "clip.f32"
"""The scratch file of the clip at hand."""
_WARM_UP_S = 10.0
_SCRATCH = "earwitness-"


class _OfAudio(TypedDict):
    audio_s: float
    decode_s: float
    audio_remarks: tuple[str, ...]


def warm_up_audio(dataset: Dataset, language: str, scratch: Path) -> tuple[AudioFile, str | None] | None:
    """Return at most ten seconds of the first clip that can be decoded, and its language; ``None`` without one."""
    # Speech warms up more of a model than silence does, so labelled silence comes last.
    for clip in sorted(dataset.clips, key=lambda clip: clip.reference == ""):
        short = replace(clip, duration_s=min(clip.duration_s, _WARM_UP_S), duration_kind="manifest")
        try:
            audio = decode(short, dataset, scratch / "warm-up.f32")
        except AudioError:
            continue
        return audio, spoken_language(clip, language)
    return None


def transcribe_clip(clip: Clip, dataset: Dataset, workers: Supervisor, language: str, target: Path) -> Hypothesis:
    """Decode a clip into the file ``target`` and have it transcribed; a failure is a hypothesis too."""
    started = time.perf_counter()
    try:
        audio = decode(clip, dataset, target)
    except FileError:  # the disk is full, which is no fault of the clip
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the next clip is not to suffer from it
        return Hypothesis(clip.id, None, audio_failure(error, clip), audio_s=clip.duration_s)
    decode_s = time.perf_counter() - started
    of_audio: _OfAudio = {"audio_s": audio.duration_s, "decode_s": decode_s, "audio_remarks": audio.remarks}
    answer = workers.transcribe(audio, spoken_language(clip, language))
    if isinstance(answer, Failure):
        return Hypothesis(clip.id, None, answer, **of_audio)
    return Hypothesis(clip.id, answer.transcript, None, wall_s=answer.wall_s, **of_audio)


def audio_failure(error: Exception, clip: Clip) -> Failure:
    """Return why a clip could not be decoded."""
    if isinstance(error, AudioError):
        return Failure("audio", error.kind if isinstance(error, DecoderError) else "error", str(error))
    message = f"{redact(clip.audio_path)!r} could not be made ready ({type(error).__name__}: {error})."
    return Failure("audio", "error", message, traceback.format_exc())


def decode(clip: Clip, dataset: Dataset, target: Path) -> AudioFile:
    """Decode a clip into a file of float32 samples, under the dataset's condition.

    Raises:
        AudioError: When it cannot be decoded.
    """
    from earwitness.audio import decode_file

    with write_errors(target, then=RESUME), _local(clip.audio_path, target) as path:
        file = decode_file(
            path,
            target,
            start_s=clip.start_s,
            duration_s=clip.span_s,
            channel=clip.channel,
            rate_hz=RATE_HZ,
        )
        n_samples = file.n_samples
        if dataset.condition is not None:
            n_samples = put_under(dataset.condition.name, clip, (dataset.whole or dataset).clips, target)
    return AudioFile(target, n_samples, RATE_HZ, file.remarks)


@contextmanager
def _local(path: str, target: Path) -> Iterator[str]:
    """Give the path of a clip's file; what lies at an address is copied beside the target meanwhile."""
    if not is_address(path):
        yield path
        return
    copy = target.with_suffix(".download")
    try:
        download(path, copy)
        yield str(copy)
    except DataError as error:
        raise AudioError(str(error)) from None
    except AudioError as error:
        error.args = (str(error).replace(repr(str(copy)), repr(redact(path))),)
        raise
    finally:
        copy.unlink(missing_ok=True)


def spoken_language(clip: Clip, setting: str) -> str | None:
    """Return the language that an engine gets, under the setting ``language``.

    >>> clip = Clip("a", "/a.wav", "", 0.0, 1.0, "hola", language="es")
    >>> spoken_language(clip, "clip"), spoken_language(clip, "auto"), spoken_language(clip, "en")
    ('es', None, 'en')
    """
    return {"clip": clip.language, "auto": None}.get(setting, setting)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for decoded audio; those of processes that were killed are removed on the way."""
    root = Path(tempfile.gettempdir())
    me = this_process()
    for stale in root.glob(f"{_SCRATCH}*-*"):
        pid, _, started = stale.name.removeprefix(_SCRATCH).partition("_")[0].partition("-")
        if pid.isdigit() and started.isdigit() and not is_running(Process(int(pid), int(started))):
            shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_SCRATCH}{me.pid}-{int(me.started_at_s)}_") as folder:
        yield Path(folder)
