"""A labelling of a few short clips, its page on a port of its own, and a client that is not a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from earwitness.files.fetch import sha256_of
from earwitness.labels.page.messages import LabelMessage, NextRequest
from earwitness.labels.page.run import PageSite, running_page
from earwitness.labels.page.session import LabelSession, LabelTask
from earwitness.types import Clip


def clips(write_wav: Callable[..., Path], n: int = 4, **wav: Any) -> tuple[Clip, ...]:
    """Clips of 1, 2, ... tenths of a second, without references."""
    found = []
    for number in range(1, n + 1):
        path = write_wav(f"sounds/{number}.wav", number / 10, **wav)
        found.append(Clip(f"c{number}", str(path), sha256_of(path), 0.0, number / 10, None, "en"))
    return tuple(found)


def silent_clips(n: int) -> tuple[Clip, ...]:
    """Clips whose sound nobody asks for."""
    return tuple(Clip(f"c{number}", "", "", 0.0, 1.0, None, "en") for number in range(1, n + 1))


def task(folder: Path, units: tuple[Clip, ...], **options: Any) -> LabelTask:
    """A labelling of all units, unless ``n_labels`` says less."""
    given: dict[str, Any] = {"n_labels": len(units), "author": "ana"} | options
    return LabelTask("calls", units, overlay=folder / "calls.labels.jsonl", **given)


def sent(unit: str, text: str | None = "hello", client_id: str = "", **more: Any) -> LabelMessage:
    """A label as the page sends it."""
    fields: dict[str, Any] = {"author": "ana", "tab": "tab 1", "verdict": "text", "seconds": 3.0} | more
    return LabelMessage(client_id=client_id or f"id of {unit} by {fields['author']}", unit=unit, text=text, **fields)


def ask(session: LabelSession, author: str = "ana", tab: str = "tab 1", **more: Any) -> str:
    """The id of the next clip of somebody; empty when there is none."""
    found = session.assign(NextRequest(author, tab, **more))
    return "" if found is None else found.clip_id


def label_next(session: LabelSession, text: str | None = "hello", author: str = "ana", **more: Any) -> str:
    """Label the next clip of somebody, and return its id."""
    found = session.assign(NextRequest(author, more.get("tab", "tab 1")))
    assert found is not None
    given = {
        "client_id": uuid4().hex,
        "draft": found.draft,
        "draft_source": found.draft_source,
        "second_opinion": found.second_opinion,
    }
    session.save(sent(found.unit, text, author=author, **(given | more)))
    return found.clip_id


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Client:
    """Asks a page as the page's own script would; a header of ``None`` is left out."""

    url: str

    @property
    def port(self) -> int:
        return int(urlsplit(self.url).port or 0)

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.url).query)["token"][0]

    def ask(self, path: str, body: Any = None, method: str = "", **headers: Any) -> Answer:
        given: dict[str, str | None] = {
            "host": f"127.0.0.1:{self.port}",
            "cookie": f"earwitness_label_{self.port}={self.token}",
            "origin": f"http://127.0.0.1:{self.port}" if body is not None else None,
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method or ("GET" if body is None else "POST"), path, skip_host=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        if data is not None:
            connection.putheader("content-length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def next(self, author: str = "ana", tab: str = "tab 1") -> Any:
        return self.ask("/api/next", {"author": author, "tab": tab}).json

    def send(self, unit: str, text: str | None = "hello", client_id: str = "one", **more: Any) -> Answer:
        body = {"author": "ana", "tab": "tab 1", "verdict": "text", "seconds": 1.5}
        return self.ask("/api/labels", body | {"client_id": client_id, "unit": unit, "text": text} | more)


@contextmanager
def open_page(found: LabelTask) -> Iterator[Client]:
    """The page of a labelling on a free port."""
    with running_page(LabelSession(found), PageSite(port=0)) as (url, _, _):
        yield Client(url)
