"""The routes and their OpenAPI document. FastAPI is imported late, like every heavy package."""

# No annotations from the future: FastAPI reads those of the routes below, which name what is imported there.
import http
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from earwitness import __version__
from earwitness.server.api_errors import ApiError
from earwitness.server.http.parameters import FORMATS, GRANULARITIES
from earwitness.server.http.service import Service
from earwitness.server.logs import log
from earwitness.server.request_context import KEY
from earwitness.server.watch.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from fastapi import FastAPI

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]
_PAGE = {"": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REFUSALS = (400, 401, 403, 404, 408, 413, 415, 421, 429, 500, 503, 504)


def build(service: Service, lifespan: Lifespan, *, needs_key: bool, root_path: str = "") -> "FastAPI":
    """Return the application.

    Args:
        service: That answers.
        lifespan: Of the application.
        needs_key: Whether there are keys, for the document.
        root_path: Where a proxy has it, for the document; empty for the root.
    """
    from fastapi import FastAPI

    app = FastAPI(
        title="Earwitness",
        version=__version__,
        summary="Speech recognition with the settings that were measured",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        servers=[{"url": root_path}] if root_path else None,
        # Its own is of its insides, and with messages of errors; what a request went through is told by traces.py.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    _add_errors(app)
    _add_api(app, service)
    _add_watching(app, service)
    _add_page(app)
    document = app.openapi

    def with_keys() -> dict[str, Any]:
        found = document()
        found.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, methods in found["paths"].items():
            for method in methods.values():
                if needs_key and path.startswith(("/v1/", "/state")):
                    method["security"] = [{"key": []}]
        return found

    app.openapi = with_keys  # type: ignore[method-assign]
    return app


def _add_errors(app: "FastAPI") -> None:
    from fastapi import Request, Response
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    def answer(request: Request, error: ApiError) -> Response:
        request.scope[KEY].reason = error.code
        return JSONResponse(error.body, error.status, error.headers)

    @app.exception_handler(ApiError)
    async def _(request: Request, error: ApiError) -> Response:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = _allow(headers.get("Allow", ""))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        told = {404: f"There is no {request.url.path[:200]!r} here.", 405: f"{request.method} is not allowed here."}
        code = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        refused = ApiError(error.status_code, told.get(error.status_code, str(error.detail)), code=code)
        response = answer(request, refused)
        response.headers.update(headers)
        return response

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return answer(request, ApiError(422, f"{place}: {first['msg']}.", param=place, code="invalid_value"))

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        log("unexpected", logging.ERROR, exc_info=error, request_id=request.scope[KEY].request_id)
        return answer(
            request, ApiError(500, "Internal error; the log of the server has the details.", code="internal_error")
        )


def _allow(methods: str) -> str:
    """The methods of a route.

    >>> _allow("GET"), _allow("POST")
    ('GET, HEAD, OPTIONS', 'OPTIONS, POST')
    """
    known = set(methods.split(", ")) | {"OPTIONS"}
    return ", ".join(sorted(known | {"HEAD"} if "GET" in known else known))


def _add_api(app: "FastAPI", service: Service) -> None:
    from fastapi import Request, Response

    from earwitness.server.http.parameters import find

    refusals: dict[int | str, dict[str, Any]] = {status: _refusal(status) for status in _REFUSALS}
    made = {"200": {"description": "The text", "content": _contents()}}

    @app.post(
        "/v1/audio/transcriptions",
        summary="Transcribe a file",
        responses=refusals,
        openapi_extra={"requestBody": _form(), "responses": made},
        response_class=Response,
    )
    async def transcriptions(request: Request) -> Response:
        return await service.transcribe(request)

    @app.post(
        "/v1/audio/translations",
        summary="Translate a file into English, where the model was trained to",
        responses=refusals,
        openapi_extra={"requestBody": _form(), "responses": made},
        response_class=Response,
    )
    async def translations(request: Request) -> Response:
        return await service.transcribe(request, translate=True)

    @app.get("/v1/models", summary="What is served", responses={401: _refusal(401), 403: _refusal(403)})
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [service.described(one) for one in service.models.served.values()]}

    @app.get(
        "/v1/models/{model_id:path}",
        summary="One model, with what was measured of it",
        responses={status: _refusal(status) for status in (401, 403, 404)},
    )
    async def model(model_id: str) -> dict[str, Any]:
        return service.described(find(model_id, service.models.served, service.aliases))


def _add_watching(app: "FastAPI", service: Service) -> None:
    from fastapi import Response

    @app.get("/healthz", summary="Whether the server lives; answers whatever the models are at")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Whether a worker has transcribed a probe", responses={503: _refusal(503)})
    async def readyz() -> dict[str, str]:
        service.models.require_ready()
        return {"status": "ready"}

    @app.get(
        "/metrics",
        summary="For Prometheus",
        response_class=Response,
        openapi_extra={"responses": {"200": {"description": "Metrics", "content": {"text/plain": {}}}}},
    )
    async def metrics() -> Response:
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/state", summary="What the page shows", responses={401: _refusal(401), 403: _refusal(403)})
    async def state() -> dict[str, Any]:
        return service.state()


def _add_page(app: "FastAPI") -> None:
    from fastapi import Response

    folder = files("earwitness.server.http") / "page"

    def route(name: str, kind: str) -> None:
        content = (folder / (name or "index.html")).read_bytes()

        async def page() -> Response:
            return Response(content, media_type=kind, headers={"Content-Security-Policy": _CSP})

        app.add_api_route(f"/{name}", page, include_in_schema=False)

    for name, kind in _PAGE.items():
        route(name, kind)


def _refusal(status: int) -> dict[str, Any]:
    nullable = {"type": ["string", "null"]}
    error = {
        "type": "object",
        "required": ["message", "type", "param", "code"],
        "properties": {"message": {"type": "string"}, "type": {"type": "string"}, "param": nullable, "code": nullable},
    }
    body = {"type": "object", "required": ["error"], "properties": {"error": error}}
    return {"description": http.HTTPStatus(status).phrase, "content": {"application/json": {"schema": body}}}


def _form() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "file": {"type": "string", "format": "binary", "description": "wav, flac, ogg, mp3, m4a, mp4, webm, opus ..."},
        "model": {
            "type": "string",
            "default": "default",
            "description": "Id of a model, default, or a name of OpenAI's",
        },
        "language": {"type": "string", "description": "BCP 47, such as en"},
        "response_format": {"type": "string", "enum": list(FORMATS), "default": "json"},
        "timestamp_granularities[]": {"type": "array", "items": {"type": "string", "enum": list(GRANULARITIES)}},
        "temperature": {"type": "number", "enum": [0], "description": "The settings are those that were measured"},
        "prompt": {"type": "string", "description": "Text that went before, where the engine takes one"},
        "stream": {"type": "boolean", "default": False},
    }
    schema = {"type": "object", "required": ["file"], "properties": properties, "additionalProperties": False}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _contents() -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    body = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    kinds = ("text/plain", "application/x-subrip", "text/vtt", "text/event-stream")
    return {"application/json": {"schema": body}, **dict.fromkeys(kinds, text)}
