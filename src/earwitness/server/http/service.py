"""A request for a transcript, from its first byte to its last."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earwitness.errors import AudioError, AudioTooLongError
from earwitness.server.api_errors import ApiError
from earwitness.server.config import ServedModel, ServerLimits
from earwitness.server.http.formats import MEDIA_TYPES, delta_event, done_event, error_event, render
from earwitness.server.http.middleware import CLIENT_CLOSED, CLOSED
from earwitness.server.http.parameters import (
    DEFAULT,
    TranscriptionRequest,
    language_of_client,
    parse_request,
    takes_prompt,
    translates,
)
from earwitness.server.http.uploads import UploadForm, Uploads, no_space, receive
from earwitness.server.logs import log
from earwitness.server.models import Models, as_refusal
from earwitness.server.pool.decoder import DecoderEndedError, Decoders, DiskFullError, TooSlowError
from earwitness.server.pool.job import DroppedError, JobFailedError, PoolJob, UnavailableError
from earwitness.server.pool.pool import FullError, Pool
from earwitness.server.request_context import KEY, Note
from earwitness.server.watch.drift import JobSample, drift_of
from earwitness.server.watch.metrics import Metrics
from earwitness.types import Failure, Segment
from earwitness.workers.supervisor import AudioFile
from earwitness.workers.worker import Answer

if TYPE_CHECKING:
    from fastapi import Request, Response

_UPLOADS_PER_PLACE = 4
DECODERS = 2
"""Files that are decoded at once."""
# The second is for nginx, which would hold events back until it has a page of them.
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Service:
    """The service behind the routes.

    Args:
        models: That are served.
        limits: What to put up with.
        metrics: Are told of everything.
        scratch: A folder for uploads; each request has one of its own in it, as long as it lasts.
        log_text: Whether transcripts are logged.
        aliases: Other names of the default model.
    """

    def __init__(
        self,
        models: Models,
        limits: ServerLimits,
        metrics: Metrics,
        scratch: Path,
        *,
        log_text: bool,
        aliases: Sequence[str] = (),
    ) -> None:
        """Begin without requests."""
        self.aliases = tuple(aliases)
        self.models, self.limits, self.metrics = models, limits, metrics
        self.decoders = Decoders(DECODERS, metrics.decoder_ended)
        self._scratch, self._log_text = scratch, log_text
        self._uploads = Uploads()
        self._since = int(time.time())

    async def transcribe(self, request: Request, *, translate: bool = False) -> Response:
        """Answer ``POST /v1/audio/transcriptions``, or ``/v1/audio/translations``."""
        from fastapi.responses import Response, StreamingResponse

        note: Note = request.scope[KEY]
        started = time.monotonic()
        self.models.require_open()
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        note.ends.callback(shutil.rmtree, folder, ignore_errors=True)
        with note.part("upload"):
            form = await self._received(request, folder, note.who)
        asked = parse_request(form, self.models.served, translate=translate, aliases=self.aliases)
        uploaded = time.monotonic()
        served = self.models.served[asked.model]
        note.model = served.id
        note.fields |= {"format": asked.format, "language": asked.language, "stream": asked.stream or None}
        note.fields["translate"] = translate or None
        ends_at = uploaded + self.limits.timeout_s
        pool = await self._place(served, note)
        audio = await self._decoded(form, folder, note, ends_at)
        language = language_of_client(served, asked.language)
        job = PoolJob(audio, language, ends_at - time.monotonic(), wants_segments=asked.stream, guide=asked.guide)
        note.ends.callback(lambda: note.parts.update(job.parts))
        note.ends.push_async_callback(job.end)
        note.ends.callback(self._observe, job, note, started)
        pool.submit(job)
        if not asked.stream:
            answer = await self._awaited(job, served, note)
            content = render(answer.transcript, audio.duration_s, asked)
            return Response(
                content,
                headers={
                    "Content-Type": MEDIA_TYPES[asked.format],
                    "Server-Timing": _timing(job, note, answer.wall_s, time.monotonic() - uploaded),
                },
            )
        first = await self._first(job, served, note)
        events = self._events(job, served, note, asked, first)
        return StreamingResponse(events, media_type="text/event-stream", headers=_UNBUFFERED)

    async def _received(self, request: Request, folder: Path, who: str) -> UploadForm:
        limits = self.limits
        # Cheap to say before the upload, and said again after it; a model that is not loaded has room.
        pool = self.models.pools.get(self.models.default.id)
        if pool is not None and len(self.models.served) == 1:
            _require_room(pool)
        from starlette.requests import ClientDisconnect

        places = most_uploads(limits, self.models.default)
        length = request.headers.get("content-length", "")
        try:
            with self._uploads.place(who, places):
                async with asyncio.timeout(limits.upload_s):
                    return await receive(
                        request.stream(),
                        request.headers.get("content-type", ""),
                        int(length) if length.isdigit() else None,
                        folder / "upload",
                        limits.max_bytes,
                    )
        except TimeoutError:
            raise ApiError(
                408, f"The upload took longer than the limit of {limits.upload_s:g} s.", code="upload_timeout"
            ) from None
        except ClientDisconnect:
            raise ApiError(CLOSED, "The client hung up during its upload.", code=CLIENT_CLOSED) from None

    async def _place(self, model: ServedModel, note: Note) -> Pool:
        pool = await self.models.loaded(model.id)
        _require_room(pool)
        pool.reserve()
        note.ends.callback(pool.release)
        return pool

    async def _decoded(self, form: UploadForm, folder: Path, note: Note, ends_at: float) -> AudioFile:
        if form.file is None:
            raise RuntimeError("a form without a file was let through")
        started = time.monotonic()
        try:
            with note.part("decode"):
                audio = await self.decoders.decode(
                    form.file, folder / "audio.f32", self.limits.max_audio_s, ends_at - started
                )
        except AudioTooLongError as error:
            raise ApiError(413, str(error), param="file", code="audio_too_long") from None
        except AudioError as error:
            raise ApiError(400, str(error), param="file", code="invalid_audio") from None
        except TimeoutError:
            raise self._over_time() from None
        except DiskFullError as error:
            raise no_space(str(error)) from None
        except (TooSlowError, DecoderEndedError) as error:
            raise no_answer(error) from None
        form.file.unlink()
        decode_s = time.monotonic() - started
        note.fields |= {"upload_bytes": form.size_bytes, "audio_s": audio.duration_s, "decode_s": decode_s}
        self.metrics.decode_s.labels(note.model).observe(decode_s)
        return audio

    async def _awaited(self, job: PoolJob, model: ServedModel, note: Note) -> Answer:
        """Wait for the answer within the budget; the work has ended when this returns or raises."""
        await asyncio.wait({job.done}, timeout=job.left_s)
        if not job.done.done():
            await job.end("timeout")
            self._count(model, JobSample(job.audio.duration_s, None), job)
            raise self._over_time()
        try:
            answer = job.done.result()
        except UnavailableError as error:
            raise as_refusal(error) from None
        except DroppedError:
            raise ApiError(503, "The server stopped the work.", code="stopping", retry_after_s=5) from None
        except JobFailedError as error:
            late = error.failure.kind == "timeout"
            refused = self._over_time() if late else _as_refusal(error.failure, job)
            if refused.status >= 500:
                self._count(model, JobSample(job.audio.duration_s, None), job)
            note.fields["failure"] = error.failure.message
            raise refused from None
        text, audio_s = answer.transcript.text, job.audio.duration_s
        self._count(model, drift_of(text, audio_s, answer.wall_s, answer.first_text_s), job)
        note.fields |= {"wall_s": answer.wall_s, "chars": len(text), "text": text if self._log_text else None}
        return answer

    def _count(self, model: ServedModel, one: JobSample, job: PoolJob) -> None:
        self.metrics.add(model, one, is_comparable=job.guide is None)

    def _over_time(self) -> ApiError:
        most_s = self.limits.timeout_s
        return ApiError(504, f"The request took longer than the limit of {most_s:g} s and was stopped.", code="timeout")

    async def _first(self, job: PoolJob, model: ServedModel, note: Note) -> Segment | None:
        """Wait for the first segment, so that an earlier failure still gets its own status."""
        coming = asyncio.ensure_future(job.segments.get())
        await asyncio.wait({coming}, timeout=job.left_s)
        if coming.done() and coming.result() is not None:
            return coming.result()
        coming.cancel()
        await self._awaited(job, model, note)
        return None

    async def _events(
        self, job: PoolJob, model: ServedModel, note: Note, request: TranscriptionRequest, first: Segment | None
    ) -> AsyncIterator[str]:
        segment, begun = first, False
        try:
            while segment is not None:
                # The first word of a text has no space before it.
                text = segment.text if begun else segment.text.lstrip()
                begun = begun or bool(text)
                if text:
                    yield delta_event(Segment(segment.start_s, segment.end_s, text), request)
                async with asyncio.timeout(job.left_s):
                    segment = await job.segments.get()
        except TimeoutError:
            pass
        try:
            # What came whole was counted when it came.
            answer = job.done.result() if first is None else await self._awaited(job, model, note)
        except ApiError as refused:
            note.reason = refused.code
            yield error_event(refused.body)
            return
        if first is None and answer.transcript.text:
            yield delta_event(Segment(0.0, job.audio.duration_s, answer.transcript.text), request)
        yield done_event(answer.transcript, job.audio.duration_s, request)

    def _observe(self, job: PoolJob, note: Note, began_s: float) -> None:
        metrics, ended = self.metrics, time.monotonic()
        metrics.latency_s.labels(note.model).observe(ended - began_s)
        if job.begun_at is not None:
            metrics.queue_s.labels(note.model).observe(job.begun_at - job.made_at)
            note.fields["queue_s"] = job.begun_at - job.made_at
        if job.first_text_at is not None:
            metrics.first_text_s.labels(note.model).observe(job.first_text_at - job.made_at)
            note.fields["first_text_s"] = job.first_text_at - job.made_at
        note.fields["attempts"] = job.attempts

    async def close(self) -> None:
        """Stop everything that was started."""
        await self.models.close()
        await self.decoders.close()
        log("server has ended")

    def state(self) -> dict[str, Any]:
        """Return the data of the page: every model with its measured and live numbers, and its load."""
        return {
            "ready": self.models.is_ready,
            "models": [self.described(one) for one in self.models.served.values()],
        }

    def described(self, model: ServedModel) -> dict[str, Any]:
        """Return a model in the format of OpenAI's list, with what this server knows about it."""
        pool = self.models.pools.get(model.id)
        live = self.metrics.live(model)
        info = pool.info if pool is not None else None
        return {
            "id": model.id,
            "object": "model",
            "created": self._since,
            "aliases": [DEFAULT, *self.aliases] if model == self.models.default else [],
            "owned_by": "earwitness",
            "license": model.model.license,
            "languages": list(model.model.languages),
            "translates": translates(model),
            "takes_prompt": takes_prompt(model),
            "weights_sha256": model.weights_sha256,
            "device": info.device if info else model.device_used,
            "settings": dict(info.in_force) if info else dict(model.in_force or {}),
            "streaming": (None if info is None else "segments" if info.streams else "at once"),
            "status": model.status,
            "grade": model.grade,
            "promise": dict(model.promise),
            "live": live.measures(),
            "slowdown": live.slowdown(),
            "drift": [name for name, drifts in live.drift().items() if drifts],
            "loaded": pool is not None and pool.n_ready > 0,
            "workers": model.n_workers,
            "workers_ready": pool.n_ready if pool else 0,
            "waiting": pool.waiting if pool else 0,
            "in_flight": pool.in_flight if pool else 0,
        }


def most_uploads(limits: ServerLimits, model: ServedModel) -> int:
    """Return the maximum number of simultaneous uploads."""
    return _UPLOADS_PER_PLACE * (limits.queue + model.n_workers)


def _require_room(pool: Pool) -> None:
    try:
        pool.require_room()
    except (FullError, UnavailableError) as error:
        raise as_refusal(error) from None


def no_answer(error: TooSlowError | DecoderEndedError) -> ApiError:
    """Return an error of the server: it is not known that the file is bad, only that no decoder finished it."""
    if isinstance(error, TooSlowError):
        return ApiError(
            504, "Decoding took longer than the time limit of a request and was stopped.", code="decoder_timeout"
        )
    if error.reason == "hung":
        return ApiError(
            504, "Two decoders hung, at their start or on this file, and were stopped.", code="decoder_timeout"
        )
    return ApiError(500, "Two decoders crashed on this file.", code="decoder_died")


def _timing(job: PoolJob, note: Note, wall_s: float, total_s: float) -> str:
    queue_s = (job.begun_at or job.made_at) - job.made_at
    parts = {"decode": note.fields["decode_s"], "queue": queue_s, "transcribe": wall_s, "total": total_s}
    return ", ".join(f"{name};dur={1000 * seconds:.3f}" for name, seconds in parts.items())


def _as_refusal(failure: Failure, job: PoolJob) -> ApiError:
    from earwitness import errors

    kind, _, told = failure.message.partition(": ")
    known = getattr(errors, kind, None)
    if failure.kind == "error" and isinstance(known, type) and issubclass(known, errors.EarwitnessError):
        return ApiError(400, told, code="refused_by_engine")
    if failure.kind == "error":
        return ApiError(500, f"The engine failed on this audio: {failure.message[:300]}.", code="engine_error")
    return ApiError(
        500, f"The worker crashed on this audio, {job.attempts} times: {failure.message[:300]}", code="worker_died"
    )
