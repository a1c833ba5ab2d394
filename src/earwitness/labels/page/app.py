"""The addresses of the labelling page. Starlette is imported late, like every heavy package.

GET  /                    the page, with the token in its address; it answers with the cookie
GET  /static/NAME         its parts
POST /api/next            a clip, or nothing          POST /api/undo         the last label is withdrawn
POST /api/labels          a label                     POST /api/state        how far it is; the page is still open
GET  /api/disagreements   clips with two labels       GET  /api/estimate     the estimate so far
GET  /api/units/UNIT      length and outline          GET  /audio/UNIT.wav   sound, with Range
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from earwitness.errors import AudioError, EarwitnessError, FileError, RecordError, UsageError
from earwitness.files.schema import plain, validate
from earwitness.labels.page.access import PageDoor
from earwitness.labels.page.messages import LabelMessage, NextRequest, Presence, UndoRequest
from earwitness.labels.page.session import LabelSession
from earwitness.labels.page.sounds import ClipSounds

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HttpScope = MutableMapping[str, Any]
AsgiApp = Callable[[HttpScope, Callable[..., Any], Callable[..., Any]], Awaitable[None]]
_T = TypeVar("_T")
_STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "outbox.js": "text/javascript",
    "player.js": "text/javascript",
    "server.js": "text/javascript",
    "words.js": "text/javascript",
}
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_MOST_BODY_BYTES = 2_000_000
_STATUS: Mapping[type[EarwitnessError], int] = {UsageError: 400, RecordError: 409, AudioError: 422, FileError: 507}


def build_page(session: LabelSession, sounds: ClipSounds, door: PageDoor) -> AsgiApp:
    """Return the application behind its door.

    Args:
        session: That answers.
        sounds: That decodes.
        door: The rules for requests.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse

    async def failure(_: Request, error: Exception) -> Response:
        kind = next((kind for kind in type(error).__mro__ if kind in _STATUS), None)
        return JSONResponse({"error": str(error)}, _STATUS[kind] if kind else 500)

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return JSONResponse({"error": f"There is no {request.url.path[:100]!r} here."}, status)

    app = Starlette(exception_handlers={EarwitnessError: failure, HTTPException: missing})
    _add_page(app, session, door)
    _add_work(app, session)
    _add_sound(app, session, sounds)
    return _Guard(app, door)


class _Guard:
    """Refuses what the door refuses, and adds the headers to every answer."""

    def __init__(self, app: AsgiApp, door: PageDoor) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: HttpScope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        from starlette.datastructures import Headers, MutableHeaders
        from starlette.responses import PlainTextResponse

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        given = dict(Headers(scope=scope).items())
        query = scope["query_string"].decode("latin-1")
        why = self._door.refusal(scope["method"], scope["path"], query, given)
        app = self._app if why is None else PlainTextResponse(f"{why}\n", 403)
        await app(scope, receive, with_headers)


def _add_page(app: Starlette, session: LabelSession, door: PageDoor) -> None:
    from starlette.exceptions import HTTPException
    from starlette.responses import Response

    folder = files("earwitness.labels.page") / "static"
    html = (folder / "index.html").read_text(encoding="utf-8")
    contents = {name: (folder / name).read_bytes() for name in _STATIC}

    async def page(_: Request) -> Response:
        settings = {"author": session.task.author, "dataset": session.task.dataset}
        # Inside of an element, "<" is all that could end it.
        shown = html.replace("SETTINGS", json.dumps(settings).replace("<", "\\u003c"))
        response = Response(shown, media_type="text/html")
        response.set_cookie(door.cookie, door.token, httponly=True, samesite="strict", path="/")
        return response

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in contents:
            raise HTTPException(404)
        return Response(contents[name], media_type=_STATIC[name])

    app.add_route("/", page, methods=["GET"])
    app.add_route("/static/{name}", static, methods=["GET"])


def _add_work(app: Starlette, session: LabelSession) -> None:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    def answering(kind: type[_T], answer: Callable[[_T], object]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            value = validate(kind, await _body(request), "The request is not one of the page", error=UsageError)
            found = await run_in_threadpool(answer, value)
            return JSONResponse(None if found is None else plain(found))

        return endpoint

    async def disagreements(_: Request) -> Response:
        return JSONResponse([plain(one) for one in await run_in_threadpool(session.disagreements)])

    async def estimate(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.estimate))

    app.add_route("/api/next", answering(NextRequest, session.assign), methods=["POST"])
    app.add_route("/api/labels", answering(LabelMessage, session.save), methods=["POST"])
    app.add_route("/api/undo", answering(UndoRequest, session.undo), methods=["POST"])
    app.add_route("/api/state", answering(Presence, session.state), methods=["POST"])
    app.add_route("/api/disagreements", disagreements, methods=["GET"])
    app.add_route("/api/estimate", estimate, methods=["GET"])


def _add_sound(app: Starlette, session: LabelSession, sounds: ClipSounds) -> None:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import FileResponse, JSONResponse

    async def outline(request: Request) -> Response:
        clip = session.clip(request.path_params["unit"])
        sound = await run_in_threadpool(sounds.sound, clip)
        return JSONResponse({"duration_s": sound.duration_s, "peaks": sound.peaks})

    async def audio(request: Request) -> Response:
        clip = session.clip(request.path_params["unit"])
        sound = await run_in_threadpool(sounds.sound, clip)
        return FileResponse(sound.path, media_type="audio/wav")

    app.add_route("/api/units/{unit}", outline, methods=["GET"])
    app.add_route("/audio/{unit}.wav", audio, methods=["GET"])


async def _body(request: Request) -> object:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BODY_BYTES:
            raise UsageError(f"The request has more than {_MOST_BODY_BYTES:,} bytes.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UsageError("The request is not JSON.") from None
