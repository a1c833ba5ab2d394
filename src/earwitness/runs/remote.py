"""A running server, from its address to the model that the engine ``openai-api`` knows it as."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from earwitness.engines.catalog import Model, find
from earwitness.engines.http import URL_PATTERN
from earwitness.engines.openai_api import SPEC, key_of, names_on
from earwitness.engines.registry import require_options
from earwitness.errors import UsageError
from earwitness.runs.job import Job
from earwitness.runs.plan import plan
from earwitness.runs.spec import RunSpec

_ENGINE = "openai-api"
_LOOPBACK = re.compile(r"127\.[0-9.]+|localhost|::1")


def base_of(url: str) -> str:
    """Return the address before ``/audio/transcriptions``.

    >>> base_of("http://127.0.0.1:8000/"), base_of("http://localhost:9000/openai/v1")
    ('http://127.0.0.1:8000/v1', 'http://localhost:9000/openai/v1')

    Raises:
        UsageError: When it is none.
    """
    if not re.fullmatch(URL_PATTERN, url):
        raise UsageError(f"{url!r} is not the address of a server. Write one such as http://127.0.0.1:8000.")
    return url.rstrip("/") + ("" if urlsplit(url).path.strip("/") else "/v1")


def require_ours(url: str, *, yes_remote: bool) -> None:
    """Refuse to load-test another machine without confirmation.

    Raises:
        UsageError: When the server is not on this machine, and that was not agreed to.
    """
    host = urlsplit(url).hostname or ""
    if not yes_remote and not _LOOPBACK.fullmatch(host):
        raise UsageError(
            f"{host!r} is another machine. A load test can bring it down for others, and sends it your recordings. "
            "If you may load-test it, add --yes-remote"
        )


def model_at(url: str, name: str | None, key_env: str | None, response_format: str | None) -> Model:
    """Return the model that a server has under a name.

    Args:
        url: Of the server.
        name: Of the model there; ``None`` for the first that it names.
        key_env: Name of the environment variable that holds the key; ``None`` for none.
        response_format: What to ask for; ``None`` for the engine's own.

    Raises:
        UsageError: When the address is none.
        EngineError: When the server is not there, or there is no key.
    """
    base = base_of(url)
    given = {"api_key_env": key_env, "response_format": response_format}
    more = {key: value for key, value in given.items() if value is not None}
    key = key_of(f"{_ENGINE}:{base}", more)
    found = find(f"{_ENGINE}:{base}#{name or names_on(base, key)[0]}")
    model = replace(found, options={**found.options, **more})
    require_options(SPEC, model.id, model.options)
    return model


def jobs_at(
    model: Model, sources: Sequence[str], *, limit: int | None, command: Sequence[str], speech: bool | None = None
) -> list[Job]:
    """Return a job for each dataset to send to a server.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work.
    """
    spec = RunSpec(sources=tuple(sources), models=(model.id,), limit=limit, speech=speech, command=tuple(command))
    return [replace(task.job, model=model) for task in plan(spec)]
